"""package.json: the parts Slipway reads, and the reduced copy that an install layer hangs on."""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

# What an install reads. Editing anything else (scripts, settings of tools) then installs nothing.
_INSTALL_FIELDS = (
    "name",
    "version",
    "private",
    "type",
    "packageManager",
    "devEngines",
    "engines",
    "os",
    "cpu",
    "libc",
    "bin",
    "dependencies",
    "devDependencies",
    "optionalDependencies",
    "peerDependencies",
    "peerDependenciesMeta",
    "dependenciesMeta",
    "bundledDependencies",
    "bundleDependencies",
    "publishConfig",
    "resolutions",
    "overrides",
    "workspaces",
    "pnpm",
)
_CALL = re.compile(r"\b(?:pnpm|npm|yarn)\s+(?:run\s+)?([\w:.-]+)")
_RUNNER = re.compile(r"^(?:npx|pnpm exec|pnpm|yarn)\s+")
_INSTALL_HOOKS = ("preinstall", "install", "postinstall")


@dataclass(frozen=True)
class Package:
    """One package of the workspace.

    Attributes:
        path: Its folder, relative to the repo; "." for the root.
        data: Its package.json.
    """

    path: str
    data: Mapping[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """Its name, or its folder where it has none."""
        return _text(self.data.get("name")) or posixpath.basename(self.path)

    @property
    def version(self) -> str | None:
        """Its version, if it names one."""
        return _text(self.data.get("version"))

    @property
    def scripts(self) -> Mapping[str, str]:
        """Its scripts by name."""
        return self._table("scripts")

    @property
    def dependencies(self) -> Mapping[str, str]:
        """What it needs at run time, optional dependencies included."""
        return {**self._table("dependencies"), **self._table("optionalDependencies")}

    @property
    def runtime_dependencies(self) -> tuple[str, ...]:
        """The names of what it needs at run time, peers that it insists on included, sorted."""
        meta = self.data.get("peerDependenciesMeta")
        optional = {
            name
            for name, value in (meta.items() if isinstance(meta, dict) else ())
            if isinstance(value, dict) and value.get("optional")
        }
        return tuple(sorted({*self.dependencies, *self._table("peerDependencies")} - optional))

    @property
    def dev_dependencies(self) -> Mapping[str, str]:
        """What only its development needs."""
        return self._table("devDependencies")

    @property
    def everything(self) -> Mapping[str, str]:
        """Run time and development dependencies together."""
        return {**self.dev_dependencies, **self.dependencies}

    @property
    def install_hooks(self) -> tuple[str, ...]:
        """Its own scripts that pnpm would run at the end of an install.

        `prepare` is not among them: it is for a checkout (git hooks) and for publishing.
        """
        return tuple(name for name in _INSTALL_HOOKS if _useful_hook(self.scripts.get(name, "")))

    @property
    def programs(self) -> tuple[str, ...]:
        """Files behind its `bin`, relative to the repo: pnpm links those it finds at install."""
        found = self.data.get("bin")
        files = (
            [found]
            if isinstance(found, str)
            else list(found.values())
            if isinstance(found, dict)
            else []
        )
        return tuple(join(self.path, file) for file in files if isinstance(file, str))

    @property
    def entry_points(self) -> list[str]:
        """Every file that `main`, `module`, `exports` and `bin` name."""
        fields = ("main", "module", "exports", "bin")
        return [file for name in fields for file in _texts(self.data.get(name))]

    def runs(self, script: str, command: str, depth: int = 4) -> bool:
        """Whether a script runs a command, itself or through other scripts of the package.

        Args:
            script: The script's name; what pnpm runs before and after it counts too.
            command: Such as `prisma generate`.
            depth: How many scripts deep to look.
        """
        for name in (f"pre{script}", script, f"post{script}"):
            text = self.scripts.get(name, "")
            called = (found[1] for found in _CALL.finditer(text) if found[1] in self.scripts)
            if command in text or (depth and any(self.runs(n, command, depth - 1) for n in called)):
                return True
        return False

    def only_runs(self, script: str, command: str, depth: int = 4) -> bool:
        """Whether a script runs a command and nothing else, itself or through other scripts.

        Args:
            script: The script's name.
            command: Such as `prisma generate`.
            depth: How many scripts deep to look.
        """
        text = self.scripts.get(script, "").strip()
        if _RUNNER.sub("", text) == command:
            return True
        called = _CALL.fullmatch(text)
        if not called or called[1] not in self.scripts or not depth:
            return False
        hooks = {f"pre{called[1]}", f"post{called[1]}"} & self.scripts.keys()
        return not hooks and self.only_runs(called[1], command, depth - 1)

    def engine(self, name: str) -> str | None:
        """The version range it asks for in `engines` ("node", "pnpm")."""
        return self._table("engines").get(name)

    def _table(self, name: str) -> Mapping[str, str]:
        found = self.data.get(name)
        return (
            {k: v for k, v in found.items() if isinstance(v, str)}
            if isinstance(found, dict)
            else {}
        )


def join(folder: str, name: str) -> str:
    """A path below a workspace folder, relative to the repo, without "./"."""
    return posixpath.normpath(posixpath.join(folder, name))


def parse(path: str, text: str) -> Package:
    """Read one package.json.

    Args:
        path: The package's folder, relative to the repo.
        text: The file's contents.

    Returns:
        The package.

    Raises:
        ValueError: The text is no JSON object; the message says where.
    """
    try:
        data = json.loads(text.lstrip("\ufeff"))
    except json.JSONDecodeError as error:
        raise ValueError(
            f"not valid JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    if not isinstance(data, dict):
        raise ValueError(f"expected a JSON object, found {type(data).__name__}")  # noqa: TRY004
    return Package(path, data)


def for_install(package: Package) -> str:
    """The package.json an install needs, and nothing that changes more often.

    The lifecycle scripts are left out because they want sources, which an install layer has not:
    a `postinstall` of `prisma generate` would fail there, and `prepare` of husky too.
    """
    kept = {name: package.data[name] for name in _INSTALL_FIELDS if name in package.data}
    return json.dumps(kept, indent=2, ensure_ascii=False) + "\n"


def node_arguments(script: str) -> tuple[str, ...] | None:
    """What a start script passes to node: flags and the file, without variables before it.

    Args:
        script: Such as `NODE_ENV=production node --enable-source-maps dist/main`.

    Returns:
        The arguments, the program last, or None if the script does not run node on a file.
    """
    try:
        words = shlex.split(script)
    except ValueError:
        return None
    if "node" not in words or any(word in ("&&", "||", ";", "|") for word in words):
        return None
    return _until_program(iter(words[words.index("node") + 1 :]))


def _until_program(words: Iterator[str]) -> tuple[str, ...] | None:
    taken: list[str] = []
    for word in words:
        taken.append(word)
        if word in ("-r", "--require", "--import", "--loader", "--conditions", "-C"):
            taken.append(next(words, ""))
        elif not word.startswith("-"):
            return tuple(taken)
    return None


def _texts(value: object) -> Iterator[str]:
    """The texts in a value, however deep."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping | list):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _texts(one)


def _useful_hook(script: str) -> bool:
    return bool(script) and "only-allow" not in script and "husky" not in script


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
