"""slipway.toml as frozen models."""

import posixpath
import re
from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    WithJsonSchema,
)

Kind = Literal["next", "nest", "node"]
# The characters of an image repository's last component (OCI distribution spec, "name").
NAME = r"^[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*$"
VERSION = r"^\d+(?:\.\d+){0,2}$"
URL = r"^https?://[^\s/]+\S*$"
URL_PATH = r"^/[^\s?#]*$"
VARIABLE = r"^[A-Za-z_][A-Za-z0-9_]*$"
_REPOSITORY = r"[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*"
REPOSITORY = rf"^{_REPOSITORY}(?:/{_REPOSITORY})*$"
# The distribution project's grammar of image names; without a dot or a port a first part is no host.
ADDRESS = rf"^(?:localhost|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+|[A-Za-z0-9-]+:\d+)(?::\d+)?(?:/{_REPOSITORY})*$"
TAG = r"^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$"
SIZE = r"^[1-9]\d*[kmg]$"
# No parameters, and nobody's login.
API = r"^https?://(?:[A-Za-z0-9.-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[^\s?#@]*)?$"
# What `inside` takes, as near as a pattern comes.
PATH = r"^(?!/|\.\.).*\S"
Name = Annotated[str, StringConstraints(pattern=NAME, max_length=63)]
# A number is taken for its digits: `version = 22`.
Version = Annotated[
    str,
    StringConstraints(pattern=VERSION),
    WithJsonSchema({"type": ["string", "number"], "pattern": VERSION}),
]
Port = Annotated[int, Field(ge=1, le=65535)]
Url = Annotated[str, StringConstraints(pattern=URL)]
Variable = Annotated[str, StringConstraints(pattern=VARIABLE)]
Text = Annotated[str, WithJsonSchema({"type": ["string", "number"]})]
BuildArgs = dict[Variable, Text]


def inside(text: str) -> str:
    """The normal form of a path inside the repo.

    Raises:
        ValueError: It is empty or leads outside.
    """
    path = posixpath.normpath(text)
    if not text.strip() or path.startswith(("/", "..")):
        raise ValueError("a path inside the repo, such as apps/web")
    return path


Folder = Annotated[str, AfterValidator(inside), WithJsonSchema({"type": "string", "pattern": PATH})]


def script(value: object) -> object:
    """A script's name, False, or None for the usual names.

    Raises:
        ValueError: It is anything else.
    """
    if value is None or value is False or (isinstance(value, str) and value.strip()):
        return value
    raise ValueError('the name of a script, such as "lint:ci", or false')


Script = Annotated[str | Literal[False] | None, BeforeValidator(script)]


def registry_address(text: str) -> str:
    """An address that images are pushed below, such as registry.example.com/team/app.

    Raises:
        ValueError: It is none.
    """
    address = text.strip().removesuffix("/")
    if not re.match(ADDRESS, address):
        raise ValueError(
            "a registry's host and a path in lower case, without https:// and without a tag, such as "
            "registry.example.com/team/app (Docker Hub: docker.io/team)"
        )
    return address


RegistryAddress = Annotated[
    str,
    AfterValidator(registry_address),
    WithJsonSchema({"type": "string", "pattern": ADDRESS}),
]


def registry_api(text: str) -> str:
    """The base of a registry's API, without its version.

    Raises:
        ValueError: It is none.
    """
    if not re.fullmatch(API, text):
        raise ValueError(
            "an http:// or https:// address without a user, a password and parameters, such as "
            "https://registry.example.com:5050; the login comes by --registry-user and --registry-password"
        )
    return text.rstrip("/").removesuffix("/v2")


RegistryApiUrl = Annotated[
    str,
    AfterValidator(registry_api),
    WithJsonSchema({"type": "string", "pattern": API}),
]
UrlPath = Annotated[str, StringConstraints(pattern=URL_PATH)]
Repository = Annotated[str, StringConstraints(pattern=REPOSITORY)]
Tag = Annotated[str, StringConstraints(pattern=TAG)]


class Section(BaseModel):
    """A table of slipway.toml: unknown keys are errors, values do not change."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True)


class NodeConfig(Section):
    """[node]: the runtime and the package manager."""

    version: Version | None = Field(
        default=None,
        description="The version of Node. Default: the lowest major that engines.node of the root or of an "
        "app allows, else that of .nvmrc or .node-version, else 22.",
        examples=["22", "22.11.0"],
    )
    image: str | None = Field(
        default=None,
        description="The base of the runtime images. Default: node:VERSION-bookworm-slim.",
        examples=["node:22-alpine"],
    )
    build_image: str | None = Field(
        default=None,
        description="What builds run in, such as an image with compilers for native packages; nothing of "
        "it but their results reaches a runtime image. Default: image.",
        examples=["node:22-bookworm"],
    )
    pnpm: Version | None = Field(
        default=None,
        description="The version of pnpm. Default: packageManager of the root's package.json, else its "
        "engines.pnpm, else what the lockfile's format tells.",
        examples=["10", "10.34.9"],
    )


class InstallConfig(Section):
    """[install]: what the dependency layers hang on besides manifests and lockfile."""

    include: tuple[str, ...] = Field(
        default=(),
        description="Patterns, relative to the repo, of further files that installing reads, such as those "
        "of a postinstall script: an edit of one installs again.",
        examples=[["tools/postinstall.mjs"]],
    )


class StepsConfig(Section):
    """[apps.NAME.verify] and [packages."FOLDER".verify]: which scripts check a package."""

    lint: Script = Field(
        default=None, description="The script that lints; false for none. Default: lint."
    )
    types: Script = Field(
        default=None,
        description="The script that checks types; false for none. Default: typecheck, type-check, "
        "check-types, types or tsc; without any of them tsc --noEmit.",
    )
    unit: Script = Field(
        default=None,
        description="The script of the unit tests; false for none. Default: test:unit or test.",
    )
    e2e: Script = Field(
        default=None,
        description="The script of the end-to-end tests; false for none. Default: test:e2e or e2e, "
        "and none for a front end or a shared package.",
    )
    variables: BuildArgs = Field(
        default_factory=dict, description="Environment variables of these steps; no secrets."
    )


class VerifyConfig(Section):
    """[verify]: what all steps share."""

    postgres: str = Field(
        default="postgres:17", description="The image of the database for end-to-end tests."
    )
    timeout: Annotated[int, Field(gt=0)] = Field(
        default=900, description="Seconds until a step that does not end is stopped."
    )


class PackageConfig(Section):
    """[packages."FOLDER"]: a shared package."""

    verify: StepsConfig = Field(default=StepsConfig(), description="Which scripts check it.")


class AppConfig(Section):
    """[apps.NAME]: one image."""

    path: Folder | None = Field(
        default=None,
        description="The app's folder, with its package.json. It may be left out together with a dockerfile.",
        examples=["apps/web"],
    )
    kind: Kind | None = Field(
        default=None,
        description="What builds it: Next.js (standalone output), NestJS, or any other Node program with a "
        "build script. Default: what its package.json depends on and its scripts run.",
        examples=["next"],
    )
    port: Port | None = Field(
        default=None,
        description="Where it listens in its container. Default: 3000 for next, 3001 for the others.",
        examples=[3000],
    )
    entry: str | None = Field(
        default=None,
        description="The file that node starts, relative to the app's folder; not for next. Default: what "
        "start:prod, start:production or start runs.",
        examples=["dist/main.js"],
    )
    include: tuple[str, ...] = Field(
        default=(),
        description="Patterns, relative to the repo, of files outside the app and the packages it uses that "
        "its build reads.",
        examples=[["content/**"]],
    )
    build_args: BuildArgs = Field(
        default_factory=dict,
        description="Variables of the build, or build arguments of the Dockerfile, in every environment; no "
        "secrets.",
        examples=[{"NEXT_PUBLIC_SITE_NAME": "Acme"}],
    )
    dockerfile: Folder | None = Field(
        default=None,
        description="The app's own Dockerfile, relative to context; then slipway builds that instead. The health "
        "check of a deploy runs `env` and `node` in its image.",
        examples=["apps/admin/Dockerfile"],
    )
    context: Folder = Field(
        default=".",
        description="The folder that the Dockerfile is built with, relative to the repo.",
    )
    target: str | None = Field(
        default=None,
        description="The stage of the Dockerfile to build. Default: its last one.",
        examples=["runtime"],
    )
    repository: Repository | None = Field(
        default=None,
        description="Where the image is pushed, below the registry's address. Default: the image's name.",
        examples=["backend/api"],
    )
    health: UrlPath | None = Field(
        default=None,
        description="The path that answers 2xx when the app works; asked inside its container before it gets "
        "any request, and at its public address afterwards. Default: any answer below 500 "
        "will do, of / for next, of /health for the others.",
        examples=["/healthz"],
    )
    drain: Annotated[float, Field(ge=0, le=3600)] = Field(
        default=10.0,
        description="Seconds that requests in flight get when a new release takes over: longer than the "
        "slowest request.",
    )
    start: Annotated[int, Field(ge=1, le=3600)] = Field(
        default=120,
        description="Seconds that a new container gets to become healthy; then it is removed, and the old one "
        "serves on.",
    )
    verify: StepsConfig = Field(default=StepsConfig(), description="Which scripts check it.")


class MigratorConfig(Section):
    """[migrator]: the image that migrates and seeds the database."""

    enabled: bool = Field(
        default=True, description="Whether to make this image where there is a Prisma schema."
    )
    path: Folder | None = Field(
        default=None,
        description="The folder of the package with the Prisma schema to migrate. Default: the one that the "
        "apps use.",
        examples=["packages/database"],
    )
    packages: tuple[str, ...] = Field(
        default=(),
        description="Further npm packages that the seed needs, beside those that slipway sees it import.",
        examples=[["bcrypt"]],
    )
    include: tuple[str, ...] = Field(
        default=(),
        description="Patterns, relative to the repo, of further files that migrating or seeding reads.",
        examples=[["seed-data/**"]],
    )
    repository: Repository | None = Field(
        default=None,
        description="Where the image is pushed, below the registry's address. Default: the image's name.",
        examples=["backend/api"],
    )
    timeout: Annotated[int, Field(ge=1, le=86400)] = Field(
        default=600,
        description="Seconds that a deploy's migrations may take, and its seed again as many; then they are "
        "stopped, and nothing is replaced.",
        examples=[3600],
    )


class DatabaseConfig(Section):
    """[database]: the Postgres that a deploy starts for each environment, where the address names no other host."""

    image: str = Field(
        default="postgres:17",
        pattern=r"^\S+$",
        description="Its image, one that takes POSTGRES_USER, POSTGRES_PASSWORD and POSTGRES_DB as the official one "
        "does. A deploy never changes that of a database which is there.",
        examples=["pgvector/pgvector:pg17"],
    )
    shm_size: Annotated[str, StringConstraints(pattern=SIZE)] = Field(
        default="256m",
        description="Its shared memory, which parallel queries take; Docker's own default is 64m.",
        examples=["1g"],
    )


class ServerConfig(Section):
    """[environments.NAME.server]: the machine that an environment runs on."""

    host: str = Field(
        description="Its name or IP address, for SSH and for requests to its proxy.",
        examples=["203.0.113.7"],
    )
    port: Port = Field(default=22, description="Where sshd listens.")
    user: str = Field(default="deploy", description="Who logs in; a member of the group docker.")
    known_hosts: tuple[str, ...] = Field(
        default=(),
        description="Its pinned keys: lines as ssh-keyscan prints them, compared with what the server's "
        "console shows. A deploy refuses any other key.",
        examples=[["203.0.113.7 ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI…"]],
    )
    cert_resolver: Name | None = Field(
        default=None,
        description="The certificate resolver of its Traefik that gets the certificates; no dot with acme_email. "
        "Environments on one server that differ in an acme key name one each. Default: `acme` with acme_email; "
        "else none, the proxy has them as files.",
        examples=["acme"],
    )
    acme_email: str | None = Field(
        default=None,
        pattern=r"^[^\s@]+@[^\s@]+$",
        description="Whom the certificate authority may write to. With it, the proxy that `setup` starts gets "
        "its certificates by ACME; without it, `setup` wants a certificate.",
        examples=["ops@example.com"],
    )
    acme_server: Url | None = Field(
        default=None,
        description="The authority's ACME directory; the environment's `ca` tells who signs it. Default: "
        "Let's Encrypt.",
        examples=["https://ca.example.com/acme/directory"],
    )
    acme_challenge: Literal["tls", "http"] = Field(
        default="tls",
        description="How the authority asks whether a name leads to the server: on port 443, or on port 80, which "
        "is the only way behind a CDN.",
        examples=["http"],
    )
    proxy_image: str | None = Field(
        default=None,
        pattern=r"^\S+$",
        description="The image of the proxy that `setup` starts. Default: that of the proxy which is there, else "
        "`traefik:v3`.",
        examples=["traefik:v3.6"],
    )

    @property
    def resolver(self) -> str:
        """The certificate resolver that routers name; empty for none."""
        return self.cert_resolver or ("acme" if self.acme_email else "")


class EnvironmentConfig(Section):
    """[environments.NAME]: what differs from one environment to the next."""

    url: Url | None = Field(
        default=None,
        description="The public address of the front end.",
        examples=["https://staging.example.com"],
    )
    urls: dict[Name, Url] = Field(
        default_factory=dict,
        description="The public addresses of apps by name, where there is more than one front end or API.",
        examples=[{"admin": "https://admin.staging.example.com"}],
    )
    server: ServerConfig | None = Field(default=None, description="The machine that it runs on.")
    seed: bool = Field(
        default=False,
        description="Whether a deploy seeds the database after migrating it; refused for prod and production "
        "whatever they say, for production = true, and for a name such as prod-eu without production = false.",
    )
    keep: int = Field(
        default=5,
        ge=2,
        description="How many releases stay on the server for a rollback, the one that serves among them.",
        examples=[10],
    )
    ca: Folder | None = Field(
        default=None,
        description="A PEM file of the repo with further authorities that public addresses are signed by.",
        examples=["deploy/staging-ca.pem"],
    )

    api_url: Url | None = Field(
        default=None,
        description="NEXT_PUBLIC_API_URL of the front ends, which is fixed in their files when they are built.",
        examples=["https://api.staging.example.com"],
    )
    build_args: BuildArgs = Field(
        default_factory=dict,
        description="Further variables of the builds of every app in this environment; no secrets.",
        examples=[{"NEXT_PUBLIC_STAGE": "staging"}],
    )
    tag: Tag | None = Field(
        default=None,
        description="The tag that moves with each publish to this environment. Default: its name.",
        examples=["latest"],
    )
    production: bool | None = Field(
        default=None,
        description="Whether images are tagged with the Git tag, and a dirty tree or an untagged commit is "
        "refused. Default: true for prod and production.",
    )


class RegistryConfig(Section):
    """[registry]: where images are pushed; `--registry` and `--registry-user` come first."""

    address: RegistryAddress | None = Field(
        default=None,
        description="The address that all images are pushed below. Default: --registry, which a .env fills "
        "with $CI_REGISTRY_IMAGE in GitLab.",
        examples=["registry.example.com/team/app"],
    )
    user: str | None = Field(
        default=None,
        description="Who logs in; the password comes by --registry-password alone. Default: "
        "--registry-user, which a .env fills with $CI_REGISTRY_USER in GitLab.",
        examples=["deployer"],
    )
    pull_user: str | None = Field(
        default=None,
        description="Who logs in from a server, to pull alone, such as a deploy token that may only read; the "
        "password comes by --pull-password alone. Default: --pull-user, else the user who pushes.",
        examples=["gitlab+deploy-token-1"],
    )
    api: RegistryApiUrl | None = Field(
        default=None,
        description="Where slipway itself asks the registry what it holds, and moves tags, if that is not the "
        "address's host over HTTPS: a registry with plain HTTP, or behind another name or path. Default: that "
        "host; plain HTTP where localhost speaks no TLS.",
        examples=["http://registry.lan:5000"],
    )
    ca: Folder | None = Field(
        default=None,
        description="A PEM file of the repo with a further authority that the certificates of the registry and of "
        "its token service are signed by. It counts for slipway itself; engine and servers have their own.",
        examples=["deploy/registry-ca.pem"],
    )


class SbomConfig(Section):
    """[sbom]: the bill of materials of each image."""

    image: str = Field(
        default="anchore/syft:v1.18.1",
        description="The image of Syft, which lists what images hold.",
    )
    format: Literal["cyclonedx-json", "spdx-json"] = Field(
        default="cyclonedx-json", description="The format of the lists."
    )


class Config(Section):
    """The whole of slipway.toml; whatever is left out is detected."""

    name: Name | None = Field(
        default=None,
        description="The project's name. Default: the one in the root's package.json, without its scope.",
        examples=["mindfulspace"],
    )
    node: NodeConfig = Field(
        default=NodeConfig(), description="The runtime and the package manager."
    )
    install: InstallConfig = Field(
        default=InstallConfig(),
        description="What the dependency layers hang on besides manifests and lockfile.",
    )
    apps: dict[Name, AppConfig] = Field(
        default_factory=dict,
        description="One table for each image, by the image's name. With any, apps are no longer detected: "
        "name all of them.",
    )
    migrator: MigratorConfig = Field(
        default=MigratorConfig(),
        description="The image that migrates and seeds the database; made where there is a Prisma schema.",
    )
    environments: dict[Name, EnvironmentConfig] = Field(
        default_factory=dict,
        description="One table for each environment, by the name that --env takes. Without any, every name is taken.",
    )
    database: DatabaseConfig = Field(
        default=DatabaseConfig(),
        description="The Postgres that a deploy starts for each environment, where the address names no other host.",
    )
    verify: VerifyConfig = Field(default=VerifyConfig(), description="What all steps share.")
    packages: dict[Folder, PackageConfig] = Field(
        default_factory=dict, description="Shared packages, by folder."
    )
    registry: RegistryConfig = Field(
        default=RegistryConfig(), description="Where images are pushed."
    )
    sbom: SbomConfig = Field(
        default=SbomConfig(), description="The bill of materials of each image."
    )
