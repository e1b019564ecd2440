"""Everything that a session does to the outside: builds, reads, exports, pushes. One method, one effect."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import posixpath
import re
import shutil
import tarfile
import tempfile
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drydock import hostfs, images, paths
from drydock.archives import Archives
from drydock.buildkit import BuildKit, Solved, SolveError, exporter
from drydock.errors import ApiError, ExecError
from drydock.graph import Copy, Exec, ExecOutput, Expect, Fs, Local, MakeDir, OciLayout, Scratch
from drydock.llb import Lowered, Settings, lower
from drydock.logins import Logins
from drydock.objects import Container, Directory, File, ImageConfig, Secret
from drydock.patterns import literal, matcher
from drydock.progress import Step
from drydock.secretstore import SecretStore
from drydock.services import Services

DEFAULT_PLATFORM = "linux/amd64"
LINKS_FOLLOWED = 40
"""As Linux does (path_resolution(7))."""
_PINNED = re.compile(r"(?:FROM|pull) \S+@(sha256:[0-9a-f]{64})")
_EXIT_CODE = re.compile(r"exit code: (\d+)")
_NOT_FOUND = re.compile(
    r'"([^"]*)": not found|(?:lstat|open|stat) (\S+): (?:no such file|not a directory)'
)


@dataclass(frozen=True)
class Resolved:
    """An image address with what its registry says of it."""

    ref: str
    """`name:tag@sha256:…`"""
    config: ImageConfig


@dataclass
class Engine:
    """The effects of one session on one BuildKit daemon."""

    buildkit: BuildKit
    cwd: Path
    """Relative paths of the client start here."""
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ)

    def __post_init__(self) -> None:
        """Make the parts that the session's effects share."""
        self.secrets = SecretStore(self.environment, self.cwd)
        self.logins = Logins(self.environment)
        self.buildkit.docker_config = lambda: self.logins.folder
        self.services = Services(self)
        self.archives = Archives(paths.cache() / "archives")
        self._resolved: dict[tuple[str, str], asyncio.Task[Resolved]] = {}

    async def close(self) -> None:
        """End what the session started, and forget its logins."""
        await self.services.stop_all()
        self.logins.forget()

    # -- building --------------------------------------------------------------------------------------------------

    async def solve(self, fs: Fs, output: str = "") -> Solved:
        """Build a file system, and export it if `output` (see `BuildKit.solve`) says so.

        Raises:
            ExecError: If a command in it fails.
            ApiError: If anything else does.
        """
        lowered = await self.lowered(fs)
        if not lowered.definition:
            # The empty file system: nothing to build; an exporter still needs something to hold on to.
            if not output:
                return Solved()
            lowered = await self.lowered(MakeDir(Scratch(), "/."))
        try:
            return await self.buildkit.solve(
                lowered, output, secrets=self.secrets.known(lowered.secrets)
            )
        except SolveError as error:
            raise explain(error, lowered) from None

    async def lowered(self, fs: Fs) -> Lowered:
        """A definition, once the services that its execs are bound to are running."""
        addresses = await self.services.addresses(fs)
        settings = Settings(str(paths.binary("drydock-shim").parent), DEFAULT_PLATFORM, addresses)
        return lower(fs, settings)

    async def sync(self, fs: Fs) -> None:
        """Build a file system and keep it in the daemon's cache."""
        if not isinstance(fs, Scratch):
            await self.solve(fs)

    # -- reading ---------------------------------------------------------------------------------------------------

    async def tar(self, fs: Fs) -> tarfile.TarFile:
        """The content of a file system."""
        solved = await self.solve(fs, exporter("tar", {"dest": "-"}))
        return tarfile.open(fileobj=io.BytesIO(solved.stdout))

    async def read(self, file: File) -> bytes:
        """The content of a file."""
        if isinstance(file.fs, Local) and (path := hostfs.file_path(file)):
            return path.read_bytes()
        archive = await self.tar(Copy(Scratch(), file.fs, file.path, "/file", contents=False))
        with archive:
            member = archive.extractfile("file") if "file" in archive.getnames() else None
            if member is None:
                raise ApiError(f"path {file.path} is a directory, not a file")
            return member.read()

    async def entries(self, directory: Directory) -> list[str]:
        """Names in a directory, sorted; a directory's ends with a slash."""
        if isinstance(directory.fs, Scratch):
            return []
        if isinstance(directory.fs, Local):
            return _on_host(hostfs.entries, directory)
        shallow = Copy(
            Scratch(),
            directory.fs,
            directory.path,
            "/",
            contents=True,
            include=("*",),
            exclude=("*/*",),
        )
        with await self.tar(shallow) as archive:
            members = [(m.name.strip("/"), m.isdir()) for m in archive.getmembers()]
        names = {
            name + "/" if is_dir else name for name, is_dir in members if name not in ("", ".")
        }
        return sorted(name for name in names if "/" not in name[:-1])

    async def kind(self, fs: Fs, path: str, *, follow: bool = True) -> str | None:
        """What is at a path: `file`, `directory`, `symlink`, or None for nothing."""
        if isinstance(fs, Local) and hostfs.file_path(File(fs, path)) and follow:
            return "file"
        for _hop in range(LINKS_FOLLOWED):
            if path == "/":
                return "directory"
            member = await self._member(fs, path)
            if member is None:
                return None
            if not member.issym():
                return "directory" if member.isdir() else "file"
            if not follow:
                return "symlink"
            path = posixpath.normpath(posixpath.join(posixpath.dirname(path), member.linkname))
        return None

    async def _member(self, fs: Fs, path: str) -> tarfile.TarInfo | None:
        folder, name = posixpath.split(path)
        # The entry alone: of a directory nothing that is in it.
        include, exclude = (literal(name),), (literal(name) + "/*",)
        entry = Copy(Scratch(), fs, folder, "/", contents=True, include=include, exclude=exclude)
        try:
            with await self.tar(entry) as archive:
                return next(
                    (m for m in archive.getmembers() if m.name.strip("./") == name.strip("./")),
                    None,
                )
        except ExecError:
            raise
        except ApiError as error:
            if "no such file" in str(error):
                return None
            raise

    async def exists(self, fs: Fs, path: str, expected: str | None, *, follow: bool) -> bool:
        """Whether there is something at a path, of the API's `ExistsType` where one is given."""
        kind = await self.kind(fs, path, follow=follow and expected != "SYMLINK_TYPE")
        wanted = {"REGULAR_TYPE": "file", "DIRECTORY_TYPE": "directory", "SYMLINK_TYPE": "symlink"}
        return kind is not None and (expected is None or kind == wanted[expected])

    async def glob(self, directory: Directory, pattern: str) -> list[str]:
        """Paths in a directory that match a pattern, sorted; a directory's ends with a slash."""
        matches = matcher(pattern)
        if isinstance(directory.fs, Scratch):
            return []
        if isinstance(directory.fs, Local):
            return [name for name in _on_host(hostfs.names, directory) if matches(name.rstrip("/"))]
        found = Copy(
            Scratch(), directory.fs, directory.path, "/", contents=True, include=(pattern,)
        )
        with await self.tar(found) as archive:
            names = [(m.name.strip("/"), m.isdir()) for m in archive.getmembers()]
        return sorted(name + "/" if is_dir else name for name, is_dir in names if matches(name))

    async def digest(self, fs: Fs) -> str:
        """Digest of a file system's content: names, modes, owners and bytes, not times."""
        total = hashlib.sha256()
        if not isinstance(fs, Scratch):
            with await self.tar(fs) as archive:
                for member in sorted(archive.getmembers(), key=lambda m: m.name):
                    facts = (
                        member.name,
                        member.type,
                        member.mode,
                        member.uid,
                        member.gid,
                        member.linkname,
                    )
                    content = archive.extractfile(member).read() if member.isfile() else b""  # type: ignore[union-attr]
                    total.update(repr((facts, hashlib.sha256(content).hexdigest())).encode())
        return f"sha256:{total.hexdigest()}"

    async def output(self, spec: Exec, name: str) -> str:
        """What an exec left: its `stdout`, `stderr`, `combined` output or `exitCode`."""
        return (await self.read(File(ExecOutput(spec), f"/{name}"))).decode(errors="replace")

    # -- exporting -------------------------------------------------------------------------------------------------

    async def export_directory(self, directory: Directory, path: str, *, wipe: bool = False) -> str:
        """Write a directory to this machine; returns the absolute path.

        It is built and fetched whole before anything in `path` is touched.
        """
        target = self.host(path)
        with tempfile.TemporaryDirectory(
            prefix=".drydock-", dir=_existing_parent(target)
        ) as folder:
            copied = Copy(Scratch(), directory.fs, directory.path, "/", contents=True)
            if not isinstance(directory.fs, Scratch):
                await self.solve(copied, exporter("local", {"dest": folder}))
            target.mkdir(parents=True, exist_ok=True)
            if wipe:
                _empty(target, but=Path(folder))
            _merge(Path(folder), target)
        return str(target)

    async def export_file(self, file: File, path: str, *, into_directory: bool = False) -> str:
        """Write a file to this machine; returns the absolute path."""
        target = self.host(path)
        if target.is_dir():
            if not into_directory:
                raise ApiError(
                    f'destination "{path}" is a directory; must be a file path unless allowParentDirPath is set'
                )
            await self.export_file(file, str(target / file.name))
            return str(target)
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".drydock-", dir=target.parent) as folder:
            copied = Copy(Scratch(), file.fs, file.path, "/file", contents=False)
            await self.solve(copied, exporter("local", {"dest": folder}))
            (Path(folder) / "file").replace(target)
        return str(target)

    def host(self, path: str) -> Path:
        """A path of this machine as the client means it."""
        return Path(os.path.normpath(self.cwd / Path(path).expanduser()))

    # -- images ----------------------------------------------------------------------------------------------------

    async def resolve_image(self, address: str, platform: str) -> Resolved:
        """Ask an image's registry for its digest and config, once a session.

        Raises:
            ApiError: If there is no such image, or no registry answers.
        """
        key = (images.normalize(address), platform)
        if key not in self._resolved:
            self._resolved[key] = asyncio.create_task(self._resolve_image(*key))
        return await self._resolved[key]

    async def _resolve_image(self, ref: str, platform: str) -> Resolved:
        # The Dockerfile frontend resolves an image as any build would: through the daemon, with its mirrors,
        # certificates and logins. What it read of the image stays in the daemon's content store.
        with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
            (Path(folder) / "Dockerfile").write_text(f"FROM {ref}\n")
            try:
                solved = await self.buildkit.dockerfile(folder, {"platform": platform})
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
        manifest = json.loads(await self.buildkit.blob(digest))
        for entry in manifest.get("manifests", ()):
            found = entry.get("platform") or {}
            if "/".join(filter(None, (found.get("os"), found.get("architecture")))) == platform:
                return await self._image_config(entry["digest"], platform)
        return dict(json.loads(await self.buildkit.blob(manifest["config"]["digest"])))

    async def publish(
        self, container: Container, address: str, attributes: Mapping[str, str]
    ) -> str:
        """Push a container as an image; returns `address@sha256:…`."""
        images.normalize(address)
        solved = await self._image(
            container, "image", {**attributes, "name": address, "push": "true"}
        )
        return f"{address}@{solved.metadata['containerimage.digest']}"

    async def archive(self, container: Container, kind: str, attributes: Mapping[str, str]) -> Path:
        """A container as an image archive in drydock's cache; `kind` is `oci` or `docker`."""
        solved = await self._image(container, "image", {**attributes, "push": "false"})
        digest = solved.metadata["containerimage.digest"]
        return await self.archives.ensure(
            f"{kind}-{digest}",
            lambda path: self._image(container, kind, {**attributes, "dest": str(path)}),
        )

    async def _image(
        self, container: Container, kind: str, attributes: Mapping[str, str]
    ) -> Solved:
        annotations = {f"annotation.{name}": value for name, value in container.annotations}
        config = {"containerimage.config": images.config_json(container)}
        return await self.solve(
            container.fs, exporter(kind, {**attributes, **annotations, **config})
        )

    # -- Dockerfiles -----------------------------------------------------------------------------------------------

    async def docker_build(
        self, context: Directory, options: dict[str, str], secrets: list[Secret], platform: str
    ) -> Container:
        """Build a Dockerfile with BuildKit's own frontend; `options` are the frontend's."""
        with tempfile.TemporaryDirectory(prefix="drydock-") as folder:
            await self.export_directory(context, folder)
            return await self._docker_build(folder, options, secrets, platform)

    async def _docker_build(
        self, folder: str, options: dict[str, str], secrets: list[Secret], platform: str
    ) -> Container:
        options = {**options, "platform": platform}
        plaintexts = {secret.name: await self.secrets.plaintext(secret) for secret in secrets}

        def build(kind: str, **attributes: str) -> Awaitable[Solved]:
            output = exporter(kind, attributes)
            return self.buildkit.dockerfile(folder, options, output, plaintexts)

        try:
            digest = (await build("image", push="false")).metadata["containerimage.digest"]
            path = await self.archives.ensure(
                f"layout-{digest}", lambda path: build("oci", tar="false", dest=str(path))
            )
        except SolveError as error:
            raise ApiError(f"docker build failed: {error}") from None
        config = await self._image_config(digest, platform)
        return Container(
            platform=platform, fs=OciLayout(str(path), digest), config=images.parse_config(config)
        )


def explain(error: SolveError, lowered: Lowered) -> ApiError:
    """BuildKit's error as the API tells it."""
    for step in error.steps.values():
        if step.error and step.name in lowered.execs and (code := _EXIT_CODE.search(step.error)):
            return _exec_error(lowered.execs[step.name], step, int(code[1]))
    text = str(error)
    if missing := _NOT_FOUND.search(text):
        return ApiError(f"stat {missing[1] or missing[2]}: no such file or directory")
    return ApiError(text)


def _exec_error(spec: Exec, step: Step, code: int) -> ExecError:
    # The shim ends with 1 where a failure was expected and none came.
    wanted_failure = spec.expect is Expect.FAILURE and code == 1
    return ExecError(list(spec.args), 0 if wanted_failure else code, step.output(1), step.output(2))


def _on_host(ask: Callable[[Directory], Iterable[str]], directory: Directory) -> list[str]:
    try:
        return list(ask(directory))
    except FileNotFoundError:
        raise ApiError(f"stat {directory.path}: no such file or directory") from None


def _existing_parent(path: Path) -> Path:
    while not path.is_dir():
        path = path.parent
    return path


def _empty(folder: Path, *, but: Path) -> None:
    for entry in folder.iterdir():
        if entry.is_dir() and not entry.is_symlink() and entry != but:
            shutil.rmtree(entry)
        elif entry != but:
            entry.unlink()


def _merge(source: Path, target: Path) -> None:
    for entry in sorted(source.iterdir()):
        into = target / entry.name
        if entry.is_dir() and not entry.is_symlink() and into.is_dir() and not into.is_symlink():
            _merge(entry, into)
            into.chmod(entry.stat().st_mode & 0o7777)
            continue
        if into.is_dir() and not into.is_symlink():
            shutil.rmtree(into)
        elif into.exists() or into.is_symlink():
            into.unlink()
        shutil.move(entry, into)
