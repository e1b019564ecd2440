"""Images in and out: what a registry says of one, pushes, archives, Dockerfiles."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import imagearchive, images, paths, temporary
from drydock.archives import Archives
from drydock.buildkit import Solved, SolveError, exporter
from drydock.errors import ApiError, ExecError
from drydock.graph import OciLayout
from drydock.inflight import shared
from drydock.objects import Container, Directory, File, ImageConfig, Secret
from drydock.ocistore import OciStore
from drydock.silence import LOOK_UP

if TYPE_CHECKING:
    from drydock.engine import Engine

_FAILED_RUN = re.compile(
    r'process "(?P<shell>/bin/sh -c )?(?P<line>.*)" did not complete successfully: exit code: (?P<code>\d+)$',
    re.DOTALL,
)
EPOCH = "source-date-epoch"
"""The exporter's time for an image's config and history."""
_PINNED = re.compile(r"(?:FROM|pull) \S+@(sha256:[0-9a-f]{64})")


@dataclass(frozen=True)
class Resolved:
    """An image address with what its registry says of it."""

    ref: str
    """`name:tag@sha256:…`"""
    config: ImageConfig


class ImageStore:
    """The images of one session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self.archives = Archives(paths.cache() / "archives")
        self.blobs = OciStore(paths.cache() / "blobs")
        self._resolved: dict[tuple[str, str], asyncio.Task[Resolved]] = {}

    async def resolve(self, address: str, platform: str) -> Resolved:
        """Ask an image's registry for its digest and config: once a session, and again after a failure.

        Raises:
            ApiError: If there is no such image, or no registry answers.
        """
        key = (images.normalize(address), platform)
        task = self._resolved.get(key)
        # What was not there may have been pushed since.
        if task is None or (task.done() and (task.cancelled() or task.exception())):
            task = self._resolved[key] = shared(self._resolve(*key))
        return await asyncio.shield(task)

    async def close(self) -> None:
        """End the look-ups that nobody waits for any more."""
        looking = [task for task in self._resolved.values() if not task.done()]
        for task in looking:
            task.cancel()
        if looking:
            await asyncio.wait(looking)

    async def _resolve(self, ref: str, platform: str) -> Resolved:
        # The Dockerfile frontend resolves an image as any build would: through the daemon, with its mirrors,
        # certificates and logins. What it read of the image stays in the daemon's content store.
        with temporary.folder() as folder:
            (folder / "Dockerfile").write_text(f"FROM {ref}\n")
            try:
                solved = await self._engine.buildkit.dockerfile(
                    str(folder), {"platform": platform}, limits=LOOK_UP
                )
            except SolveError as error:
                # The last line has the reason; those above show where in the one-line Dockerfile it is.
                message = str(error).splitlines()[-1].removeprefix("error: failed to solve: ")
                raise ApiError(
                    f'failed to resolve image "{ref}" (platform: "{platform}"): {message}'
                ) from None
        digest = next((m[1] for s in solved.steps.values() if (m := _PINNED.search(s.name))), None)
        if digest is None:
            raise ApiError(
                f'failed to resolve image "{ref}": BuildKit did not tell its digest; try again'
            )
        config = await self._image_config(digest, platform)
        name = ref if "@" in ref else f"{ref}@{digest}"
        return Resolved(name, images.parse_config(config))

    async def _image_config(self, digest: str, platform: str) -> dict[str, object]:
        """An image's config; what a digest stands for never changes."""
        name = f"{digest}-{platform}.json".replace(":", "-").replace("/", "-")
        file = paths.cache() / "images" / name
        with contextlib.suppress(OSError, ValueError):
            return dict(json.loads(file.read_bytes()))
        config = await self._read_config(digest, platform)
        paths.write(file, json.dumps(config).encode())
        return config

    async def _read_config(self, digest: str, platform: str) -> dict[str, object]:
        manifest = json.loads(await self._engine.buildkit.blob(digest))
        for entry in manifest.get("manifests", ()):
            found = entry.get("platform") or {}
            if "/".join(filter(None, (found.get("os"), found.get("architecture")))) == platform:
                return await self._read_config(entry["digest"], platform)
        return dict(json.loads(await self._engine.buildkit.blob(manifest["config"]["digest"])))

    # -- going out -------------------------------------------------------------------------------------------------

    async def publish(
        self, containers: list[Container], address: str, attributes: Mapping[str, str]
    ) -> str:
        """Push an image, with one variant for each container; returns `address@sha256:…`."""
        images.normalize(address)
        solved = await self._images(
            containers, "image", {**attributes, "name": address, "push": "true"}
        )
        return f"{address}@{solved.metadata['containerimage.digest']}"

    async def archive(self, containers: list[Container], attributes: Mapping[str, str]) -> Path:
        """An image with one variant for each container, as an archive in drydock's cache."""
        # One export, of blobs that are mostly here already: two of one image may have different digests.
        with self.blobs.opened() as layout:
            output = {**attributes, "tar": "false", "dest": str(layout)}
            exported = await self._images(containers, "oci", output)
        image = exported.metadata["containerimage.descriptor"]

        async def write(archive: Path) -> None:
            await asyncio.to_thread(self.blobs.pack, image, archive)

        return await self.archives.ensure(f"archive-{image['digest']}", write)

    async def _images(
        self, containers: list[Container], kind: str, attributes: Mapping[str, str]
    ) -> Solved:
        wanted = [c for c in containers if c != Container(platform=c.platform)]
        platforms = [container.platform for container in wanted]
        if not wanted:
            raise ApiError("no containers to export")
        for platform in platforms:
            if platforms.count(platform) > 1:
                raise ApiError(f'duplicate platform "{platform}"')
        if len(wanted) == 1:
            return await self._image(wanted[0], kind, attributes)
        return await self._index(wanted, kind, attributes)

    async def _image(
        self, container: Container, kind: str, attributes: Mapping[str, str]
    ) -> Solved:
        annotations = {f"annotation.{name}": value for name, value in container.annotations}
        config = {"containerimage.config": images.config_json(container)}
        made = {**attributes, **annotations, **config, EPOCH: str(images.created(container))}
        return await self._engine.solve(container.fs, exporter(kind, made))

    async def _index(
        self, containers: list[Container], kind: str, attributes: Mapping[str, str]
    ) -> Solved:
        """Export one image for several platforms: only a frontend can give BuildKit more than one result."""
        options = {"platform": ",".join(container.platform for container in containers)}
        layouts, annotations = {}, {}
        for number, container in enumerate(containers):
            layout = await self._layout(partial(self._image, container))
            name = f"variant{number}"
            layouts[name] = layout.store
            options[f"context:variant::{container.platform}"] = (
                f"oci-layout://{name}@{layout.digest}"
            )
            for key, value in container.annotations:
                annotations[f"annotation[{container.platform}].{key}"] = value
        epoch = {EPOCH: str(images.created(containers[0]))}
        output = exporter(kind, {**attributes, **annotations, **epoch})
        with temporary.folder() as folder:
            (folder / "Dockerfile").write_text("FROM variant\n")
            try:
                return await self._engine.buildkit.dockerfile(
                    str(folder), options, output, layouts=layouts
                )
            except SolveError as error:
                raise ApiError(str(error)) from None

    async def _layout(self, build: Callable[[str, dict[str, str]], Awaitable[Solved]]) -> OciLayout:
        """An image as a layout in drydock's cache; `build` takes the exporter's kind and attributes."""
        solved = await build("image", {"push": "false"})
        digest = solved.metadata["containerimage.digest"]
        path = await self.archives.ensure(
            f"layout-{digest}", lambda path: build("oci", {"tar": "false", "dest": str(path)})
        )
        # The second export of an image may have another digest: where its base tells no history, BuildKit tells when
        # it got each layer, and builds that get the base at once each have their own.
        return OciLayout(str(path), imagearchive.digest(path))

    # -- coming in -------------------------------------------------------------------------------------------------

    async def load(self, container: Container, source: File, tag: str) -> Container:
        """A container with the file system and config of an image in an archive.

        Raises:
            ApiError: If the file is no image archive, or has no image of this tag and platform.
        """
        with temporary.folder() as folder:
            archive = Path(await self._engine.exports.file(source, str(folder / "archive")))
            with archive.open("rb") as content:
                digest = hashlib.file_digest(content, "sha256").hexdigest()

            async def unpack(layout: Path) -> None:
                await asyncio.to_thread(imagearchive.unpack, archive, layout)

            layout = await self.archives.ensure(f"import-{digest}", unpack)
        found = imagearchive.find(layout, tag, container.platform)
        return container.changed(
            fs=OciLayout(str(layout), found.digest), config=images.parse_config(found.config)
        )

    # -- Dockerfiles -----------------------------------------------------------------------------------------------

    async def docker_build(
        self, context: Directory, options: dict[str, str], secrets: list[Secret], platform: str
    ) -> Container:
        """Build a Dockerfile with BuildKit's own frontend; `options` are the frontend's."""
        with temporary.folder() as folder:
            await self._engine.exports.fetch(context, folder)
            return await self._docker_build(str(folder), options, secrets, platform)

    async def _docker_build(
        self, folder: str, options: dict[str, str], secrets: list[Secret], platform: str
    ) -> Container:
        options = {**options, "platform": platform}
        plaintexts = {
            secret.name: await self._engine.secrets.plaintext(secret) for secret in secrets
        }

        async def build(kind: str, attributes: dict[str, str]) -> Solved:
            def with_caches(imports: Sequence[str], export: str) -> Awaitable[Solved]:
                output = "" if export else exporter(kind, attributes)
                return self._engine.buildkit.dockerfile(
                    folder, options, output, plaintexts, caches=imports, cache_to=export
                )

            return await self._engine.cache.around(options, with_caches)

        try:
            layout = await self._layout(build)
        except SolveError as error:
            raise docker_fault(error) from None
        config = imagearchive.find(Path(layout.store), "", platform).config
        return Container(platform=platform, fs=layout, config=images.parse_config(config))


def docker_fault(error: SolveError) -> ApiError:
    """Why a Dockerfile could not be built: of a failed RUN with its output, as of any command."""
    ran = next((s for s in error.steps.values() if _FAILED_RUN.search(s.error)), None)
    found = _FAILED_RUN.search(ran.error) if ran else None
    if not ran or not found:
        return ApiError(f"docker build failed: {error}")
    shell = found["shell"].split() if found["shell"] else []
    return ExecError([*shell, found["line"]], int(found["code"]), ran.output(1), ran.output(2))
