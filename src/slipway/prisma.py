"""Prisma in a package: where its schema is, what it says, and what generating from it takes."""

import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .manifest import Package, join
from .workspace import Monorepo

PROVIDERS = ("cockroachdb", "mysql", "postgresql", "sqlite", "sqlserver")
_CLIENTS = ("prisma-client", "prisma-client-js")
_BLOCK = re.compile(r"^\s*(generator|datasource)\s+\w+\s*\{(.*?)^\s*\}", re.MULTILINE | re.DOTALL)
_SETTING = re.compile(r"^\s*(\w+)\s*=\s*\"([^\"]*)\"", re.MULTILINE)
_ENV = re.compile(r"\benv\(\s*['\"](\w+)['\"]\s*\)")
_ENV_REQUIRED = re.compile(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])\s*!")
_ENV_NAMED = re.compile(r"process\.env(?:\.(\w+)|\[['\"](\w+)['\"]\])")
# Of the names that a config reads without insisting: those of a database's address.
_ADDRESS = re.compile(r"(?:UR[LI]|DSN)(?:_|$)")
_CONFIG_SEED = re.compile(r"\bseed\s*:\s*(['\"`])(.+?)\1")
_CONFIG_SCHEMA = re.compile(
    r"\bschema\s*:\s*(?:path\.(?:join|resolve)\()?\s*(['\"`])(.+?)\1(?:\s*,\s*(['\"`])(.+?)\3)*"
)
_CONFIG_MIGRATIONS = re.compile(
    r"\bmigrations\s*:\s*\{[^}]*?\bpath\s*:\s*(?:path\.(?:join|resolve)\()?\s*(['\"`])(.+?)\1",
    re.DOTALL,
)
# In the order Prisma 7.10 looks for them; older versions know the last three.
_CONFIG_NAMES = tuple(
    f"{name}.{end}"
    for name in (
        "prisma7.config",
        ".config/prisma7",
        "prisma.config",
        ".config/prisma",
        ".config/prisma.config",
    )
    for end in ("js", "ts", "mjs", "cjs", "mts", "cts")
)


@dataclass(frozen=True)
class PrismaProject:
    """Prisma's files in one package; every path is relative to the package's folder.

    Attributes:
        path: The package's folder, relative to the repo.
        schema: The schema file, or the folder of a schema in several files.
        config: prisma.config.*, if there is one.
        migrations: The folder of migrations.
        providers: The databases its schema names.
        outputs: Folders that generators write to, where they name one.
        client_in_modules: Whether the client goes into node_modules (the default before Prisma 7).
        client_alone: Whether generating writes clients and nothing else, all within the package.
        seed: The seed command, if there is one.
        variables: Environment variables the schema or the config insist on.
        found_by_prisma: Whether Prisma finds the schema without being told where it is.
        addresses: Environment variables that hold the database's address.
    """

    path: str
    schema: str
    config: str | None = None
    migrations: str = "prisma/migrations"
    providers: frozenset[str] = frozenset()
    outputs: tuple[str, ...] = ()
    client_in_modules: bool = False
    client_alone: bool = False
    seed: str | None = None
    variables: tuple[str, ...] = ()
    found_by_prisma: bool = True
    addresses: tuple[str, ...] = ()

    @property
    def folder(self) -> str:
        """The folder that holds the schema and, usually, the migrations and the seed."""
        if not self.schema.endswith(".prisma"):
            parent = posixpath.dirname(self.schema)
            return parent or self.schema
        return posixpath.dirname(self.schema)

    @property
    def other_providers(self) -> tuple[str, ...]:
        """The databases it does not use, whose query compilers need not be shipped."""
        return tuple(p for p in PROVIDERS if p not in self.providers) if self.providers else ()


def find(repo: Monorepo, path: str) -> PrismaProject | None:
    """Look for Prisma in one package.

    Args:
        repo: The workspace.
        path: The package's folder.

    Returns:
        What was found, or None if the package has no schema.
    """
    package = repo.packages.get(path)
    files = repo.below(path)
    if package is None:
        return None
    config = next((name for name in _CONFIG_NAMES if name in files), None)
    config_text = (repo.text(path, config) if config else None) or ""
    schema, found_by_prisma = _schema(package, files, config_text)
    if schema is None:
        return None
    texts = [repo.text(path, f) or "" for f in files if _in_schema(f, schema)]
    generators = [s for kind, s in _blocks(texts) if kind == "generator"]
    folder = schema if not schema.endswith(".prisma") else posixpath.dirname(schema)
    outputs = tuple(join(folder, s["output"]) for s in generators if s.get("output"))
    return PrismaProject(
        path=path,
        schema=schema,
        config=config,
        migrations=_migrations(schema, config_text),
        providers=frozenset(_provider(s) for kind, s in _blocks(texts) if kind == "datasource"),
        outputs=outputs,
        client_in_modules=any(
            s.get("provider") == "prisma-client-js" and not s.get("output") for s in generators
        ),
        client_alone=all(s.get("provider") in _CLIENTS for s in generators)
        and not any(output.startswith(("..", "/")) for output in outputs),
        seed=_seed(package, config_text),
        variables=_variables([*texts, config_text]),
        found_by_prisma=found_by_prisma,
        addresses=_addresses([*texts, config_text]),
    )


def _provider(datasource: dict[str, str]) -> str:
    name = datasource.get("provider", "")
    return "postgresql" if name == "postgres" else name


def _schema(package: Package, files: Sequence[str], config: str) -> tuple[str | None, bool]:
    named = package.data.get("prisma")
    candidates = [named.get("schema") if isinstance(named, dict) else None]
    if found := _CONFIG_SCHEMA.search(config):
        candidates.append(posixpath.join(*(part for part in (found[2], found[4]) if part)))
    candidates += ["prisma/schema.prisma", "schema.prisma"]
    for candidate in candidates:
        if isinstance(candidate, str) and any(
            _in_schema(f, posixpath.normpath(candidate)) for f in files
        ):
            return posixpath.normpath(candidate), True
    return next((f for f in files if posixpath.basename(f) == "schema.prisma"), None), False


def _in_schema(file: str, schema: str) -> bool:
    return file == schema or (file.endswith(".prisma") and file.startswith(f"{schema}/"))


def _blocks(texts: Iterable[str]) -> list[tuple[str, dict[str, str]]]:
    return [
        (kind, dict(_SETTING.findall(body)))
        for text in texts
        for kind, body in _BLOCK.findall(text)
    ]


def _migrations(schema: str, config: str) -> str:
    if found := _CONFIG_MIGRATIONS.search(config):
        return posixpath.normpath(found[2])
    folder = posixpath.dirname(schema) if schema.endswith(".prisma") else schema
    return join(folder, "migrations")


def _seed(package: Package, config: str) -> str | None:
    if found := _CONFIG_SEED.search(config):
        return found[2]
    named = package.data.get("prisma")
    seed = named.get("seed") if isinstance(named, dict) else None
    return seed if isinstance(seed, str) else None


def _variables(texts: Iterable[str]) -> tuple[str, ...]:
    found = {name for text in texts for name in _ENV.findall(text)}
    found |= {a or b for text in texts for a, b in _ENV_REQUIRED.findall(text)}
    return tuple(sorted(found))


def _addresses(texts: Sequence[str]) -> tuple[str, ...]:
    named = {a or b for text in texts for a, b in _ENV_NAMED.findall(text)}
    optional = {name for name in named if _ADDRESS.search(name)}
    return tuple(sorted({*_variables(texts), *optional}))


def placeholder_environment(project: PrismaProject) -> dict[str, str]:
    """Values for the variables that `prisma generate` insists on, though it opens no database.

    The address is one where nothing listens; they are set for that one command alone.
    """
    return dict.fromkeys(project.variables, "postgresql://nobody@127.0.0.1:1/none")
