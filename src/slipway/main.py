"""The public functions."""

import time
from typing import Annotated

import dagger
from dagger import Doc, function, object_type

from . import git, report
from .failures import reported
from .images import Images
from .install import Installation
from .monorepo import Workshop
from .project import App
from .release import Image, Release, evaluate
from .runtime import Made, Runtime
from .survey import Survey, take

_Env = Annotated[str, Doc("The environment, as named in slipway.toml")]
_ApiUrl = Annotated[
    str | None, Doc("NEXT_PUBLIC_API_URL for this call, instead of the environment's api_url")
]


@object_type
class Slipway:
    """Takes a pnpm monorepo (Next.js, NestJS, Prisma) from a working tree to runtime images."""

    ws: Annotated[dagger.Workspace, Doc("The repo you stand in; the engine passes it")]
    config: Annotated[str, Doc("The config file, looked up from where you stand")] = "slipway.toml"
    npmrc: Annotated[
        dagger.Secret | None, Doc("Your ~/.npmrc, for private packages; mounted while installing")
    ] = None
    revision: Annotated[str | None, Doc("The git commit for the images' labels; default: HEAD")] = (
        None
    )
    version: Annotated[
        str | None, Doc("The version for the labels; default: HEAD's tag, else package.json's")
    ] = None
    source: Annotated[
        str | None, Doc("The repository's address for the labels; default: origin")
    ] = None

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def build(self, env: _Env = "staging", api_url: _ApiUrl = None) -> str:
        """Build every image, and report names, digests, sizes, and what was built or reused."""
        since = time.time()
        with reported():
            survey = await take(self.ws, self.config)
            workshop = self._workshop(survey, env, api_url)
            labels = self._labels(survey)
            images = await Images(await Runtime.prepared(workshop, labels)).all()
            facts, steps = await evaluate(images)
            return report.render(
                title=f"{survey.project.name}, {env}, version {labels[_VERSION]}, "
                f"revision {labels[_REVISION][:12]}",
                notes=_notes(survey, workshop),
                findings=() if survey.config else survey.project.findings,
                images=facts,
                steps=steps,
                since=since,
                now=time.time(),
            )

    @function(cache="session")  # type: ignore[call-overload, untyped-decorator]
    async def release(self, env: _Env = "staging", api_url: _ApiUrl = None) -> Release:
        """Make the images as an object to chain: `… release api export --path api.tar`."""
        with reported():
            survey = await take(self.ws, self.config)
            labels = self._labels(survey)
            workshop = self._workshop(survey, env, api_url)
            images = await Images(await Runtime.prepared(workshop, labels)).all()
            return Release(  # type: ignore[call-arg]
                project=survey.project.name,
                environment=env,
                version=labels[_VERSION],
                revision=labels[_REVISION],
                source=labels[_SOURCE],
                images=[_image(made) for made in images],
                frontend=_only(images, survey, "frontend"),
                api=_only(images, survey, "api"),
                migrator=next((m.container for m in images if m.name == "migrator"), None),
            )

    def _workshop(self, survey: Survey, env: str, api_url: str | None) -> Workshop:
        environment = survey.project.environment(env)
        values = dict(environment.build_args)
        if url := api_url or environment.api_url:
            values["NEXT_PUBLIC_API_URL"] = url
        return Workshop(Installation(self.ws, survey, self.npmrc), values)

    def _labels(self, survey: Survey) -> dict[str, str]:
        origin, root = survey.origin, survey.repo.root
        return {
            _REVISION: self.revision or origin.revision,
            _VERSION: self.version or origin.tag or root.version or origin.revision[:12],
            _SOURCE: self.source or origin.source,
        }


_REVISION = "org.opencontainers.image.revision"
_VERSION = "org.opencontainers.image.version"
_SOURCE = "org.opencontainers.image.source"


def _image(made: Made) -> Image:
    return Image(name=made.name, container=made.container)  # type: ignore[call-arg]


def _only(images: list[Made], survey: Survey, usual: str) -> dagger.Container | None:
    """The image of the usual name, or the only one of its kind."""
    by_name = {made.name: made.container for made in images}
    if usual in by_name:
        return by_name[usual]

    def fits(app: App) -> bool:
        return (app.kind == "next") == (usual == "frontend")

    fitting = [app.name for app in survey.project.apps if fits(app)]
    return by_name[fitting[0]] if len(fitting) == 1 else None


def _notes(survey: Survey, workshop: Workshop) -> list[str]:
    notes = []
    if any(app.kind == "next" for app in survey.project.apps):
        url = workshop.build_args.get("NEXT_PUBLIC_API_URL")
        notes.append(
            f"NEXT_PUBLIC_API_URL is {url}"
            if url
            else "NEXT_PUBLIC_API_URL is not set: neither an api_url nor --api-url is given"
        )
    if survey.origin.revision == git.UNKNOWN:
        notes.append("The git revision could not be read; pass --revision to label the images")
    return notes
