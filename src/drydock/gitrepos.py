"""Git repositories: what they refer to, and their trees, by this machine's Git."""

from __future__ import annotations

import base64
import fnmatch
import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import urlsplit

from drydock.errors import ApiError
from drydock.gitcli import git
from drydock.graph import Local, Value
from drydock.objects import Directory, Secret
from drydock.patterns import literal

if TYPE_CHECKING:
    from drydock.engine import Engine

COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?")
SCHEMES = ("https", "http", "ssh", "git", "file")
_TEMPORARY = "refs/drydock/checkout"
_SCP = re.compile(r"(?:[\w.-]+@)?[\w.-]+:(?!//|:).+")


@dataclass(frozen=True, eq=False)
class GitRepository(Value):
    """A repository: by its address, or a directory that holds one."""

    type_name: ClassVar[str] = "GitRepository"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    url: str = ""
    directory: Directory | None = None
    keep_git_dir: bool = True
    username: str = ""
    token: Secret | None = None
    header: Secret | None = None
    known_hosts: str = ""


@dataclass(frozen=True, eq=False)
class GitRef(Value):
    """A commit of a repository, and the name that led to it."""

    type_name: ClassVar[str] = "GitRef"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    repository: GitRepository
    name: str
    """Full name (`refs/heads/main`); empty where the commit itself was named."""
    commit: str


@dataclass(frozen=True)
class Refs:
    """What a repository has: commits by full name, and full names by symbolic ones (`HEAD`)."""

    commits: dict[str, str]
    symbolic: dict[str, str]


def checked_url(url: str) -> str:
    """A repository's address as Git takes it; without a scheme it is `https`.

    Raises:
        ApiError: If it is none.
    """
    scheme = urlsplit(url).scheme if "://" in url else ""
    if scheme in SCHEMES or _SCP.fullmatch(url):
        return url
    if scheme or "/" not in url or url.startswith(("/", ".")):
        raise ApiError(f'failed to parse Git URL: "{url}"')
    return f"https://{url}"


class GitRepositories:
    """The repositories of one session."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._refs: dict[str, Refs] = {}

    async def refs(self, repository: GitRepository) -> Refs:
        """What a repository has; asked once a session.

        Raises:
            ApiError: If the repository cannot be reached.
        """
        if repository.key not in self._refs:
            address, environment = await self._reach(repository)
            # `--` before the address: one that begins with a dash is no option.
            listed = await git("ls-remote", "--symref", "--", address, environment=environment)
            self._refs[repository.key] = _parsed(listed.out.decode())
        return self._refs[repository.key]

    async def find(self, repository: GitRepository, name: str) -> GitRef:
        """What a name refers to: a whole ref, a branch, a tag, in this order.

        Raises:
            ApiError: If nothing has this name.
        """
        if COMMIT.fullmatch(name):
            return GitRef(repository, "", name)
        refs = await self.refs(repository)
        for full in (name, f"refs/{name}", f"refs/heads/{name}", f"refs/tags/{name}"):
            if full in refs.commits:
                return GitRef(repository, refs.symbolic.get(full, full), refs.commits[full])
        raise ApiError(f'repository does not contain ref "{name}"')

    async def names(
        self, repository: GitRepository, kind: str, patterns: tuple[str, ...]
    ) -> list[str]:
        """Short names of the refs below `refs/<kind>/` that match one of the patterns, or all."""
        prefix = f"refs/{kind}/"
        commits = (await self.refs(repository)).commits
        found = [name for name in commits if name.startswith(prefix)]
        return [name.removeprefix(prefix) for name in found if _matches(name, patterns)]

    async def tree(self, ref: GitRef, *, git_dir: bool, depth: int, tags: bool) -> Directory:
        """The files of a commit; with their history of `depth` commits (0: all) where `git_dir` says so."""
        facts = f"{ref.key} {git_dir} {depth} {tags}"
        name = f"git-{hashlib.sha256(facts.encode()).hexdigest()[:32]}"
        address, environment = await self._reach(ref.repository)

        async def check_out(folder: Path) -> None:
            await _check_out(ref, address, environment, folder, depth=depth, tags=tags)

        path = await self._engine.images.archives.ensure(name, check_out)
        return Directory(Local(str(path), exclude=() if git_dir else ("**/.git",)))

    async def common_ancestor(self, one: GitRef, other: GitRef) -> GitRef:
        """The best common ancestor of two commits of one repository."""
        tree = await self.tree(one, git_dir=True, depth=0, tags=False)
        folder = Path(tree.fs.path) if isinstance(tree.fs, Local) else Path()
        address, environment = await self._reach(other.repository)
        await git(
            "fetch", "--quiet", "--", address, other.commit, folder=folder, environment=environment
        )
        found = await git("merge-base", one.commit, other.commit, folder=folder)
        return GitRef(one.repository, "", found.out.decode().strip())

    async def ignored(self, folder: Path) -> list[str]:
        """Patterns of what Git ignores in a working tree."""
        options = ("--others", "--ignored", "--exclude-standard", "--directory", "-z")
        listed = await git("ls-files", *options, folder=folder)
        names = listed.out.decode(errors="surrogateescape").split("\0")
        return [literal(name.rstrip("/")) for name in names if name]

    async def _reach(self, repository: GitRepository) -> tuple[str, dict[str, str]]:
        """How Git reaches a repository: its address, and variables with what is secret about it."""
        if repository.directory is not None:
            return str(await self.folder(repository.directory)), {}
        environment: dict[str, str] = {}
        if header := await self._authorization(repository):
            # By variables: a command line is open to every user of the machine.
            environment |= {
                "GIT_CONFIG_COUNT": "1",
                "GIT_CONFIG_KEY_0": f"http.{repository.url}.extraHeader",
                "GIT_CONFIG_VALUE_0": f"Authorization: {header}",
            }
        return repository.url, environment

    async def _authorization(self, repository: GitRepository) -> str:
        secrets = self._engine.secrets
        if repository.header:
            return (await secrets.plaintext(repository.header)).decode()
        if not repository.token:
            return ""
        token = (await secrets.plaintext(repository.token)).decode()
        pair = f"{repository.username or 'x-access-token'}:{token}"
        return f"Basic {base64.b64encode(pair.encode()).decode()}"

    async def folder(self, directory: Directory) -> Path:
        """A directory's content on this machine, for Git to work with."""
        if isinstance(directory.fs, Local) and not directory.fs.include + directory.fs.exclude:
            return Path(directory.fs.path) / directory.path.strip("/")
        digest = await self._engine.trees.digest(directory.alone)

        async def fetch(path: Path) -> None:
            path.mkdir()
            await self._engine.exports.fetch(directory, path)

        return await self._engine.images.archives.ensure(f"repository-{digest}", fetch)


def _parsed(listing: str) -> Refs:
    refs = Refs({}, {})
    for line in listing.splitlines():
        what, _, name = line.partition("\t")
        if what.startswith("ref: "):
            refs.symbolic[name] = what.removeprefix("ref: ")
        else:
            # An annotated tag comes twice; the second time with the commit that it is of.
            refs.commits[name.removesuffix("^{}")] = what
    return refs


def _matches(name: str, patterns: tuple[str, ...]) -> bool:
    # As `git ls-remote` does: a pattern matches whole components at the end of a name.
    return not patterns or any(fnmatch.fnmatchcase(f"/{name}", f"*/{p}") for p in patterns)


async def _check_out(
    ref: GitRef,
    address: str,
    environment: dict[str, str],
    folder: Path,
    *,
    depth: int,
    tags: bool,
) -> None:
    async def run(*args: str) -> None:
        await git(*args, folder=folder, environment=environment)

    folder.mkdir()
    options = [*([f"--depth={depth}"] if depth > 0 else []), *(["--tags"] if tags else [])]
    await run("init", "--quiet", "--template=")
    await run(
        "fetch",
        "--quiet",
        "--update-head-ok",
        *options,
        "--",
        address,
        f"{ref.commit}:{_TEMPORARY}",
    )
    if ref.name:
        await run("update-ref", ref.name, ref.commit)
    branch = ref.name.removeprefix("refs/heads/")
    await run("checkout", "--quiet", branch or ref.commit, "--")
    await run("reset", "--quiet", "--hard", ref.commit)
    if ref.repository.url:
        await run("remote", "add", "origin", address)
    await run("update-ref", "-d", _TEMPORARY)
    if (folder / ".gitmodules").exists():
        await run("submodule", "update", "--init", "--recursive", "--quiet")
    # What a clone says of the moment it was made.
    await run("reflog", "expire", "--all", "--expire=now")
    (folder / ".git" / "FETCH_HEAD").unlink(missing_ok=True)
    await run("read-tree", "HEAD")
    for top, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            # Not the epoch itself, which build tools take for "missing" (v0.21, core/git.go).
            os.utime(Path(top) / name, (1, 1), follow_symlinks=False)
