"""The public functions."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Annotated

import dagger
from dagger import Doc, check, dag, function, object_type

from . import init, report
from .checkout import surveyed
from .delivery import Access, Delivery
from .evaluation import evaluate
from .failures import reported
from .images import Images
from .install import Installation
from .labels import REVISION, SOURCE, VERSION, Labels, notes
from .monorepo import Workshop
from .progress import Say, progress
from .project import App
from .publication import Request
from .publish import Publisher, text
from .release import Image, Release
from .runtime import Made, Runtime
from .server import status
from .server.logs import Wanted, logs
from .server.operator import Operator
from .server.overview import overview
from .server.rollback import Rollback
from .server.unlock import unlock
from .survey import Survey, take
from .verify import RECENT, Verified, verify

_Env = Annotated[str, Doc("The environment, as named in slipway.toml")]
_ApiUrl = Annotated[
    str | None, Doc("NEXT_PUBLIC_API_URL for this call, instead of the environment's api_url")
]
_Force = Annotated[
    bool, Doc("To production although the tree is dirty or the commit has no Git tag")
]
# A module's output is shown as it comes.
_say = partial(print, flush=True)


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
        str | None,
        Doc("The repository's address, for the labels and for whose a site is; default: origin"),
    ] = None
    registry: Annotated[
        str | None, Doc("The address that images are pushed below, such as registry.test/team/app")
    ] = None
    registry_user: Annotated[str | None, Doc("Who logs in to the registry")] = None
    registry_password: Annotated[
        dagger.Secret | None, Doc("The password or token of the registry's user")
    ] = None
    pull_user: Annotated[
        str | None, Doc("Who logs in to the registry from a server, where that is another user")
    ] = None
    pull_password: Annotated[
        dagger.Secret | None, Doc("The password or token of that user, which may only read")
    ] = None
    ssh_key: Annotated[dagger.Secret | None, Doc("The private key that the server lets in")] = None
    api_env: Annotated[
        dagger.Secret | None,
        Doc("NAME=value lines for the apps that are no front end, DATABASE_URL among them"),
    ] = None
    db_env: Annotated[
        dagger.Secret | None, Doc("POSTGRES_… lines, where they say more than DATABASE_URL")
    ] = None
    actor: Annotated[str | None, Doc("Who deploys, for the lock and the audit log")] = None
    job: Annotated[str | None, Doc("The job's address, for the lock and the audit log")] = None

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def build(self, env: _Env = "staging", api_url: _ApiUrl = None) -> str:
        """Build every image, and report names, digests, sizes, and what was built or reused."""
        since = time.time()
        with reported():
            survey = await take(self.ws, self.config)
            workshop = self._workshop(survey, env, api_url)
            labels = self._labels(survey)
            images = await self._images(survey, workshop)
            facts, steps = await evaluate(images)
            return report.render(
                title=f"{survey.project.name}, {env}, version {labels[VERSION]}, "
                f"revision {labels[REVISION][:12]}",
                notes=notes(survey, workshop.build_args),
                findings=() if survey.config else survey.project.findings,
                images=facts,
                steps=steps,
                since=since,
                now=time.time(),
            )

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def publish(self, env: _Env = "staging", force: _Force = False) -> str:
        """Build and push every image by an immutable tag, then move the environment's tag."""
        since = time.time()
        with reported():
            survey = await surveyed(self.ws, self.config, self.version)
            labels = self._labels(survey)
            images, publisher = await self._publisher(survey, env, force=force)
            published = await publisher.publish(images)
            file = published.file(survey.project, version=labels[VERSION], source=labels[SOURCE])
            return text(published, file, survey.project, since)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def deploy(self, env: _Env = "staging", force: _Force = False) -> str:
        """Verify, build, publish, migrate and cut over to the release, without a failed request."""
        with reported(), self._progress() as say:
            delivery = await self._delivery(env)
            say("verify")
            (await self._verified()).raise_failures()
            say("build and publish")
            images, publisher = await self._publisher(delivery.survey, env, force=force)
            deployment = await delivery.of(await publisher.publish(images))
            return await deployment.deploy(say)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def plan(self, env: _Env = "staging", force: _Force = False) -> str:
        """Show what `deploy` would do on the server, step by step; nothing is pushed or changed."""
        with reported():
            delivery = await self._delivery(env)
            images, publisher = await self._publisher(delivery.survey, env, force=force)
            deployment = await delivery.of(await publisher.planned(images))
            return await deployment.plan()

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def rollback(
        self,
        env: _Env = "staging",
        to: Annotated[
            str | None, Doc("A release's name or number on the server; default: the one before")
        ] = None,
        force: Annotated[
            bool, Doc("Although the database had migrations that the older release does not know")
        ] = False,
    ) -> str:
        """Bring back a release that was on the server before: by digest, with its own settings."""
        with reported(), self._progress() as say:
            survey = await take(self.ws, self.config)
            delivery, keep = self._at(survey), survey.project.environment(env).keep
            operator, login = await delivery.operator(env), await delivery.login()
            masked = await delivery.mask()
            return await Rollback(operator, to, force, login, keep, masked).run(say)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def status(self, env: _Env = "staging") -> str:
        """Show what serves, what is healthy, what is left of the disk, who deploys, what happened."""
        with reported():
            return status.render(await overview(await self._operator(env)))

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def doctor(self, env: _Env = "staging") -> str:
        """Check secrets and server as a deploy does before it begins; nothing is changed."""
        with reported():
            return await self._at(await take(self.ws, self.config)).doctor(env)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def logs(
        self,
        app: Annotated[str, Doc("The app, or `database`")],
        env: _Env = "staging",
        since: Annotated[str, Doc("How far back, such as 10m, 2h or 2026-01-05T12:00:00")] = "10m",
        lines: Annotated[int, Doc("At most so many lines")] = 200,
        follow: Annotated[bool, Doc("Go on showing lines until you stop it")] = False,
    ) -> str:
        """Show what an app of an environment printed."""
        with reported():
            delivery = self._at(await take(self.ws, self.config))
            wanted, masked = Wanted(app, since, lines, follow), await delivery.mask()
            return await logs(await delivery.operator(env), wanted, _say, masked)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def unlock(self, env: _Env = "staging") -> str:
        """Free the lock of an environment whose deploy has ended, if it did not free itself."""
        with reported():
            return await unlock(await self._operator(env))

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def setup(  # noqa: PLR0917 - who calls a function names its arguments
        self,
        env: _Env = "staging",
        admin: Annotated[str, Doc("Who sets it up: root, or one who has sudo")] = "root",
        admin_key: Annotated[
            dagger.Secret | None, Doc("The private key for that; default: the deploys' ssh_key")
        ] = None,
        certificate: Annotated[
            dagger.File | None, Doc("The proxy's certificate and those above it, PEM")
        ] = None,
        certificate_key: Annotated[dagger.Secret | None, Doc("Its private key, PEM")] = None,
        dry_run: Annotated[bool, Doc("Only show what would be changed")] = False,
    ) -> str:
        """Prepare a bare Debian 13: Docker, user, network, proxy, firewall, security upgrades."""
        from .setup import inputs, setup  # noqa: PLC0415 - no other function needs the libraries

        with reported(), self._progress() as say:
            survey = await take(self.ws, self.config)
            operator = await self._at(survey).operator(env)
            given = inputs.Inputs(admin, admin_key, certificate, certificate_key)
            wanted = await inputs.wanted(operator, survey.project.environment(env), given)
            return await setup.Setup(wanted, dry_run).run(say)

    @function(cache="session")  # type: ignore[call-overload, untyped-decorator]
    async def release(self, env: _Env = "staging", api_url: _ApiUrl = None) -> Release:
        """Make the images as an object to chain: `… release api export --path api.tar`."""
        with reported():
            survey = await surveyed(self.ws, self.config, self.version)
            labels = self._labels(survey)
            images = await self._images(survey, self._workshop(survey, env, api_url))
            return Release(  # type: ignore[call-arg]
                project=survey.project.name,
                environment=env,
                version=labels[VERSION],
                revision=labels[REVISION],
                source=labels[SOURCE],
                images=[_image(made) for made in images],
                ws=self.ws,
                config=self.config,
                request=self._request(env, images).json_text(),
                registry_password=self.registry_password,
                frontend_name=_only(survey, "frontend"),
                api_name=_only(survey, "api"),
            )

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def verify(self) -> str:
        """Lint, check types and test every app and shared package; a failing step stops no other."""
        with reported():
            found = await self._verified()
            found.raise_failures()
            return found.text()

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def reports(self) -> dagger.Directory:
        """What `verify` found, as files to export: junit.xml, verify.json and report.txt."""
        from .junit import junit  # noqa: PLC0415 - no other function needs the library

        with reported():
            found = await self._verified(recent=RECENT)
            files = dag.directory().with_new_file("junit.xml", junit(found.file))
            files = files.with_new_file("verify.json", found.file.model_dump_json(indent=2) + "\n")
            return files.with_new_file("report.txt", found.text(None) + "\n")

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    @check
    async def verify_frontend(self) -> None:
        """Verify the front ends, and the shared packages that they use."""
        with reported():
            found = await self._verified(lambda app: app.kind == "next")
            found.raise_failures()

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    @check
    async def verify_api(self) -> None:
        """Verify the other apps, and the shared packages that they use."""
        with reported():
            found = await self._verified(lambda app: app.kind != "next")
            found.raise_failures()

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def init(
        self,
        slipway: Annotated[
            str, Doc("Slipway's project on your GitLab, which .gitlab-ci.yml includes")
        ] = "platform/slipway",
        ref: Annotated[str, Doc("The tag, branch or commit of it to use")] = "main",
    ) -> dagger.Changeset:
        """Add commented slipway.toml, .env and .gitlab-ci.yml for this repo, as changes to look at."""
        with reported():
            return await init.changes(self.ws, slipway, ref)

    async def _verified(
        self, wanted: Callable[[App], bool] = lambda _: True, recent: float = 0
    ) -> Verified:
        return await verify(self.ws, self.config, self.npmrc, wanted=wanted, recent=recent)

    def _workshop(self, survey: Survey, env: str, api_url: str | None) -> Workshop:
        environment = survey.project.environment(env)
        values = dict(environment.build_args)
        if url := api_url or environment.api_url:
            values["NEXT_PUBLIC_API_URL"] = url
        return Workshop(Installation(self.ws, survey, self.npmrc), values)

    async def _images(self, survey: Survey, workshop: Workshop) -> list[Made]:
        return await Images(await Runtime.prepared(workshop, self._labels(survey))).all()

    async def _publisher(
        self, survey: Survey, env: str, *, force: bool
    ) -> tuple[list[Made], Publisher]:
        images = await self._images(survey, self._workshop(survey, env, None))
        request = self._request(env, images, force=force)
        return images, Publisher(survey, self.ws, request, self.registry_password)

    async def _delivery(self, env: str) -> Delivery:
        """A delivery that has all it needs, told before anything is built."""
        delivery = self._at(await surveyed(self.ws, self.config, self.version))
        delivery.require(env)
        return delivery

    def _progress(self) -> AbstractContextManager[Say]:
        """Shows lines: headings, and what is indented below them; folded in a GitLab job's log."""
        return progress(_say, self.job)

    async def _operator(self, env: str) -> Operator:
        return await self._at(await take(self.ws, self.config)).operator(env)

    def _at(self, survey: Survey) -> Delivery:
        access = Access(
            ssh_key=self.ssh_key,
            api_env=self.api_env,
            db_env=self.db_env,
            registry=self.registry,
            registry_user=self.registry_user,
            registry_password=self.registry_password,
            pull_user=self.pull_user,
            pull_password=self.pull_password,
            source=self.source,
            who=self.actor,
            job=self.job,
        )
        return Delivery(survey, self.ws, access)

    def _request(self, env: str, images: list[Made], *, force: bool = False) -> Request:
        return Request(
            environment=env,
            images=tuple(made.name for made in images),
            registry=self.registry,
            user=self.registry_user,
            password=self.registry_password is not None,
            revision=self.revision,
            version=self.version,
            force=force,
        )

    def _labels(self, survey: Survey) -> dict[str, str]:
        return Labels(self.revision, self.version, self.source).of(survey)


def _image(made: Made) -> Image:
    return Image(  # type: ignore[call-arg]
        name=made.name, container=made.container, checks=list(made.checks)
    )


def _only(survey: Survey, usual: str) -> str | None:
    """The app of the usual name, or the only one of its kind."""
    apps = survey.project.apps
    fitting = [app.name for app in apps if (app.kind == "next") == (usual == "frontend")]
    if usual in {app.name for app in apps}:
        return usual
    return fitting[0] if len(fitting) == 1 else None
