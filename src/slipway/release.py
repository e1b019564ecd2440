"""Images put together into a release: exported, published."""

from typing import Annotated

import dagger
from dagger import Doc, field, function, object_type

from .errors import SlipwayError
from .failures import reported


@object_type
class Image:
    """One image of a release."""

    name: Annotated[str, Doc("The image's name, such as frontend")] = field()
    container: Annotated[dagger.Container, Doc("The image")] = field()
    checks: list[dagger.Container]
    inputs: str


@object_type
class Release:
    """The images of one environment and version, to chain: `release api export --path api.tar`."""

    project: Annotated[str, Doc("The project's name")] = field()
    environment: Annotated[str, Doc("The environment they were built for")] = field()
    version: Annotated[str, Doc("The version, as in the images' labels")] = field()
    revision: Annotated[str, Doc("The git commit, as in the images' labels")] = field()
    source: Annotated[str, Doc("The repository's address, as in the images' labels")] = field()
    images: Annotated[list[Image], Doc("Every image")] = field()
    ws: dagger.Workspace
    config: str
    request: str
    node: str
    frontend_name: str | None = None
    api_name: str | None = None
    registry_password: dagger.Secret | None = None

    @function
    def image(self, name: Annotated[str, Doc("Its name, as `build` lists it")]) -> dagger.Container:
        """One image by its name."""
        with reported():
            return self._image(name, f'"{name}": no such image')

    @function
    def frontend(self) -> dagger.Container:
        """The front end's image, if there is one and only one."""
        with reported():
            return self._image(self.frontend_name, "no front end, or more than one")

    @function
    def api(self) -> dagger.Container:
        """The API's image, if there is one and only one."""
        with reported():
            return self._image(self.api_name, "no API, or more than one")

    @function
    def migrator(self) -> dagger.Container:
        """The image that migrates the database, and seeds it with the arguments `db seed`."""
        with reported():
            return self._image("migrator", "no Prisma schema, so nothing migrates")

    def _image(self, name: str | None, otherwise: str) -> dagger.Container:
        made = {image.name: image.container for image in self.images}
        if name not in made:
            raise SlipwayError(f"{otherwise}; `release image --name` takes: {', '.join(made)}")
        return made[name]

    @function
    async def export(self) -> dagger.Directory:
        """The release as files: each image's OCI tarball, and `release.json` with the digests."""
        from .commands.export import export
        from .releasefile import ReleaseFile

        with reported():
            file = ReleaseFile(
                name=self.project,
                environment=self.environment,
                version=self.version,
                revision=self.revision,
                source=self.source,
                images={},
            )
            tarballs = {image.name: image.container.as_tarball() for image in self.images}
            return await export(tarballs, file, node=self.node)

    @function(cache="never")  # type: ignore[call-overload, untyped-decorator]
    async def publish(
        self,
        force: Annotated[
            bool, Doc("To production although the tree is dirty or the commit has no Git tag")
        ] = False,
    ) -> dagger.Directory:
        """Push what the registry lacks; `release.json`, a report and bills of materials, to export."""
        from .commands.publish import publish_release

        with reported():
            return await publish_release(self, force=force)
