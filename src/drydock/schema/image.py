"""Fields of Container that have to do with images: where it comes from, its config, where it goes."""

from __future__ import annotations

import posixpath
from dataclasses import replace
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.execs import expand as expanded
from drydock.graph import Image, Local
from drydock.images import merge_config
from drydock.objects import Container, File, Named, Port, Secret, with_pair, without_pair
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.objects import Pairs
    from drydock.session import Session

COMPRESSIONS = {
    "Gzip": "gzip",
    "Zstd": "zstd",
    "EStarGZ": "estargz",
    "Uncompressed": "uncompressed",
}


@core.serves("Container", "from")
async def from_(session: Session, container: Container, *, address: str) -> Container:
    """An image's root file system and config."""
    resolved = await session.engine.images.resolve(address, container.platform)
    return replace(
        container,
        fs=Image(resolved.ref, container.platform),
        config=merge_config(container.config, resolved.config),
        image_ref=resolved.ref,
    )


@core.serves("Container", "imageRef")
def image_ref(_session: Session, container: Container) -> str:
    """The image's pinned address, while nothing has changed it."""
    if not container.image_ref:
        raise ApiError(
            "Image reference can only be retrieved immediately after the 'Container.From' call. Error in fetching "
            "imageRef as the container image is changed"
        )
    return container.image_ref


@core.serves("Container", "platform")
def platform(_session: Session, container: Container) -> str:
    """The platform."""
    return container.platform


# -- going out -------------------------------------------------------------------------------------------------------


def _attributes(forced_compression: str | None, media_types: str) -> dict[str, str]:
    attributes = {"oci-mediatypes": "false" if media_types.startswith("Docker") else "true"}
    if forced_compression:
        attributes |= {"compression": COMPRESSIONS[forced_compression], "force-compression": "true"}
    return attributes


@core.serves("Container", "publish")
async def publish(
    session: Session,
    container: Container,
    *,
    address: str,
    platform_variants: list[Container] | None = None,
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
) -> str:
    """Push it; returns the address with its digest."""
    return await session.engine.images.publish(
        [container, *(platform_variants or ())],
        address,
        _attributes(forced_compression, media_types),
    )


async def _tarball(
    session: Session,
    containers: list[Container],
    forced_compression: str | None,
    media_types: str,
) -> File:
    attributes = _attributes(forced_compression, media_types)
    path = await session.engine.images.archive(containers, attributes)
    return File(Local(str(path.parent), (path.name,)), f"/{path.name}")


@core.serves("Container", "asTarball")
async def as_tarball(
    session: Session,
    container: Container,
    *,
    platform_variants: list[Container] | None = None,
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
) -> File:
    """An image archive of it."""
    containers = [container, *(platform_variants or ())]
    return await _tarball(session, containers, forced_compression, media_types)


@core.serves("Container", "export")
async def export(
    session: Session,
    container: Container,
    *,
    path: str,
    platform_variants: list[Container] | None = None,
    forced_compression: str | None = None,
    media_types: str = "OCIMediaTypes",
    expand: bool = False,
) -> str:
    """Write an image archive to this machine; returns its absolute path."""
    containers = [container, *(platform_variants or ())]
    file = await _tarball(session, containers, forced_compression, media_types)
    return await session.engine.exports.file(file, expanded(container, path) if expand else path)


@core.serves("Container", "import")
async def import_(
    session: Session, container: Container, *, source: File, tag: str = ""
) -> Container:
    """The image in an archive."""
    return await session.engine.images.load(container, source, tag)


@core.serves("Container", "withRegistryAuth")
async def with_registry_auth(
    session: Session, container: Container, *, address: str, username: str, secret: Secret
) -> Container:
    """Log in to a registry, for the session."""
    password = (await session.engine.secrets.plaintext(secret)).decode()
    session.engine.logins.add(address, username, password)
    return container


@core.serves("Container", "withoutRegistryAuth")
def without_registry_auth(session: Session, container: Container, *, address: str) -> Container:
    """Log out of a registry."""
    session.engine.logins.remove(address)
    return container


# -- environment -----------------------------------------------------------------------------------------------------


@core.serves("Container", "withEnvVariable")
def with_env_variable(
    _session: Session, container: Container, *, name: str, value: str, expand: bool = False
) -> Container:
    """A variable."""
    text = expanded(container, value) if expand else value
    return container.configured(env=with_pair(container.config.env, name, text))


@core.serves("Container", "withoutEnvVariable")
def without_env_variable(_session: Session, container: Container, *, name: str) -> Container:
    """Without a variable."""
    return container.configured(env=without_pair(container.config.env, name))


@core.serves("Container", "envVariable")
def env_variable(_session: Session, container: Container, *, name: str) -> str | None:
    """A variable's value."""
    return dict(container.config.env).get(name)


@core.serves("Container", "envVariables")
def env_variables(_session: Session, container: Container) -> list[Named]:
    """All variables."""
    return [Named("EnvVariable", name, value) for name, value in container.config.env]


@core.serves("Container", "withVolatileVariable")
def with_volatile_variable(
    _session: Session, container: Container, *, name: str, value: str
) -> Container:
    """A variable whose value no exec is cached by, and no image has."""
    return container.changed(volatile=with_pair(container.volatile, name, value))


@core.serves("Container", "withoutVolatileVariable")
def without_volatile_variable(_session: Session, container: Container, *, name: str) -> Container:
    """Without such a variable."""
    return container.changed(volatile=without_pair(container.volatile, name))


# -- labels and annotations ------------------------------------------------------------------------------------------


@core.serves("Container", "withLabel")
def with_label(_session: Session, container: Container, *, name: str, value: str) -> Container:
    """A label."""
    return container.configured(labels=with_pair(container.config.labels, name, value))


@core.serves("Container", "withoutLabel")
def without_label(_session: Session, container: Container, *, name: str) -> Container:
    """Without a label."""
    return container.configured(labels=without_pair(container.config.labels, name))


@core.serves("Container", "label")
def label(_session: Session, container: Container, *, name: str) -> str | None:
    """A label's value."""
    return dict(container.config.labels).get(name)


@core.serves("Container", "labels")
def labels(_session: Session, container: Container) -> list[Named]:
    """All labels."""
    return [Named("Label", name, value) for name, value in container.config.labels]


core.plain("EnvVariable", "name", "value")
core.plain("Label", "name", "value")


@core.serves("Container", "withAnnotation")
def with_annotation(_session: Session, container: Container, *, name: str, value: str) -> Container:
    """An annotation of the manifest."""
    pairs: Pairs = (*container.annotations, (name, value))
    return container.changed(annotations=pairs)


@core.serves("Container", "withoutAnnotation")
def without_annotation(_session: Session, container: Container, *, name: str) -> Container:
    """Without an annotation."""
    return container.changed(annotations=without_pair(container.annotations, name))


# -- user, working directory, command --------------------------------------------------------------------------------


@core.serves("Container", "withUser")
def with_user(_session: Session, container: Container, *, name: str) -> Container:
    """The user that commands run as."""
    return container.configured(user=name)


@core.serves("Container", "withoutUser")
def without_user(_session: Session, container: Container) -> Container:
    """The user is root again."""
    return container.configured(user="")


@core.serves("Container", "user")
def user(_session: Session, container: Container) -> str:
    """The user that commands run as."""
    return container.config.user


@core.serves("Container", "withWorkdir")
def with_workdir(
    _session: Session, container: Container, *, path: str, expand: bool = False
) -> Container:
    """The working directory; a relative path starts at the old one."""
    text = expanded(container, path) if expand else path
    workdir = (
        text
        if text.startswith("/")
        else posixpath.normpath(posixpath.join(container.config.workdir or "/", text))
    )
    return container.configured(workdir=workdir)


@core.serves("Container", "withoutWorkdir")
def without_workdir(_session: Session, container: Container) -> Container:
    """No working directory of its own."""
    return container.configured(workdir="")


@core.serves("Container", "workdir")
def workdir(_session: Session, container: Container) -> str:
    """The working directory."""
    return container.config.workdir


def _with_command(container: Container, args: list[str] | None, keep: bool) -> Container:
    changed = container.configured(entrypoint=tuple(args) if args is not None else None)
    return changed if keep else replace(changed.configured(cmd=None), args_given=False)


@core.serves("Container", "withEntrypoint")
def with_entrypoint(
    _session: Session, container: Container, *, args: list[str], keep_default_args: bool = False
) -> Container:
    """The entrypoint; default arguments go, unless kept."""
    return _with_command(container, args, keep_default_args)


@core.serves("Container", "withoutEntrypoint")
def without_entrypoint(
    _session: Session, container: Container, *, keep_default_args: bool = False
) -> Container:
    """Without an entrypoint."""
    return _with_command(container, None, keep_default_args)


@core.serves("Container", "entrypoint")
def entrypoint(_session: Session, container: Container) -> list[str]:
    """The entrypoint."""
    return list(container.config.entrypoint or ())


@core.serves("Container", "withDefaultArgs")
def with_default_args(_session: Session, container: Container, *, args: list[str]) -> Container:
    """The default arguments."""
    return replace(container.configured(cmd=tuple(args)), args_given=True)


@core.serves("Container", "withoutDefaultArgs")
def without_default_args(_session: Session, container: Container) -> Container:
    """Without default arguments."""
    return replace(container.configured(cmd=None), args_given=False)


@core.serves("Container", "defaultArgs")
def default_args(_session: Session, container: Container) -> list[str]:
    """The default arguments."""
    return list(container.config.cmd or ())


# -- ports -----------------------------------------------------------------------------------------------------------


@core.serves("Container", "withExposedPort")
def with_exposed_port(
    _session: Session,
    container: Container,
    *,
    port: int,
    protocol: str = "TCP",
    description: str | None = None,
    experimental_skip_healthcheck: bool = False,
) -> Container:
    """A port that it listens on; a service is ready when it does."""
    name = f"{port}/{protocol.lower()}"
    kept = tuple(p for p in container.ports if (p.port, p.protocol) != (port, protocol))
    added = Port(port, protocol, description, experimental_skip_healthcheck)
    ports = tuple(dict.fromkeys((*container.config.ports, name)))
    return replace(container.configured(ports=ports), ports=(*kept, added))


@core.serves("Container", "withoutExposedPort")
def without_exposed_port(
    _session: Session, container: Container, *, port: int, protocol: str = "TCP"
) -> Container:
    """Without a port."""
    kept = tuple(p for p in container.ports if (p.port, p.protocol) != (port, protocol))
    named = tuple(p for p in container.config.ports if p != f"{port}/{protocol.lower()}")
    return replace(container.configured(ports=named), ports=kept)


@core.serves("Container", "exposedPorts")
def exposed_ports(_session: Session, container: Container) -> list[Port]:
    """The ports that it listens on: those set here, and the image's."""
    known = {f"{p.port}/{p.protocol.lower()}" for p in container.ports}
    images = [p.partition("/") for p in container.config.ports if p not in known]
    return [
        *container.ports,
        *(Port(int(port), (protocol or "tcp").upper()) for port, _, protocol in images),
    ]


core.plain("Port", "port", "protocol", "description", "experimentalSkipHealthcheck")
