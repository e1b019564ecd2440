"""slipway.toml as frozen models."""

import posixpath
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
)

Kind = Literal["next", "nest", "node"]
# The characters of an image repository's last component (OCI distribution spec, "name").
NAME = r"^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$"
VERSION = r"^\d+(?:\.\d+){0,2}$"
URL = r"^https?://[^\s/]+\S*$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=63)]
Port = Annotated[int, Field(ge=1, le=65535)]
Url = Annotated[str, StringConstraints(pattern=URL)]
Variable = Annotated[str, StringConstraints(pattern=VARIABLE)]
BuildArgs = dict[Variable, str]


def inside(text: str) -> str:
    """The normal form of a path inside the repo.

    Raises:
        ValueError: It is empty or leads outside.
    """
    path = posixpath.normpath(text)
    if not text.strip() or path.startswith(("/", "..")):
        raise ValueError("a path inside the repo, such as apps/web")
    return path


Folder = Annotated[str, AfterValidator(inside)]


class Section(BaseModel):
    """A table of slipway.toml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class NodeConfig(Section):
    """[node]: the runtime and the package manager."""

    version: Annotated[str, StringConstraints(pattern=VERSION)] | None = None
    image: str | None = None
    build_image: str | None = None
    pnpm: Annotated[str, StringConstraints(pattern=VERSION)] | None = None


class InstallConfig(Section):
    """[install]: what the dependency layers hang on besides manifests and lockfile."""

    include: tuple[str, ...] = ()


class AppConfig(Section):
    """[apps.NAME]: one image."""

    path: Folder | None = None
    kind: Kind | None = None
    port: Port | None = None
    entry: str | None = None
    include: tuple[str, ...] = ()
    build_args: BuildArgs = Field(default_factory=dict)
    dockerfile: Folder | None = None
    context: Folder = "."
    target: str | None = None


class MigratorConfig(Section):
    """[migrator]: the image that migrates and seeds the database."""

    enabled: bool = True
    path: Folder | None = None
    packages: tuple[str, ...] = ()
    include: tuple[str, ...] = ()


class EnvironmentConfig(Section):
    """[environments.NAME]: what differs from one environment to the next at build time."""

    api_url: Url | None = None
    build_args: BuildArgs = Field(default_factory=dict)


class Config(Section):
    """The whole of slipway.toml; whatever is left out is detected."""

    name: Name | None = None
    node: NodeConfig = NodeConfig()
    install: InstallConfig = InstallConfig()
    apps: dict[Name, AppConfig] = Field(default_factory=dict)
    migrator: MigratorConfig = MigratorConfig()
    environments: dict[Name, EnvironmentConfig] = Field(default_factory=dict)
