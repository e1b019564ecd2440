"""Ports and sockets of this machine for containers, and ports of services for this machine."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError
from drydock.graph import SocketMount
from drydock.hostports import Forward, HostService, Socket, Tunnel
from drydock.objects import Container, Service
from drydock.schema.containerpaths import container_path
from drydock.schema.owners import owner_ids
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@core.serves("Host", "tunnel")
def tunnel(
    _session: Session,
    _host: object,
    *,
    service: Service | HostService | Tunnel,
    native: bool = False,
    ports: list[dict[str, Any]] | None = None,
) -> Tunnel:
    """Ports of this machine that lead to a service, once it is started.

    Raises:
        ApiError: If there is no port to forward, or one that is not TCP.
    """
    if not isinstance(service, Service):
        raise ApiError("tunneling to non-Container services is not supported")
    exposed = service.container.ports
    forwards = [(port.port, port.port, port.protocol) for port in exposed] if native else []
    forwards += [_forwarded(given) for given in ports or []]
    forwards = forwards or [(0, port.port, port.protocol) for port in exposed]
    if not forwards:
        raise ApiError("no ports to forward; name some, or expose them with withExposedPort")
    return Tunnel(service, _tcp(forwards))


@core.serves("Host", "service")
def service(
    _session: Session, _host: object, *, ports: list[dict[str, Any]], host: str = "localhost"
) -> HostService:
    """Ports that this machine reaches, as a service for containers.

    Raises:
        ApiError: If no port is given, or one that is not TCP.
    """
    if not ports:
        raise ApiError("no ports specified")
    forwards = _tcp([_forwarded(given) for given in ports])
    # Without a frontend, containers see the port as it is here.
    return HostService(host, tuple(replace(f, frontend=f.frontend or f.backend) for f in forwards))


def _forwarded(given: dict[str, Any]) -> tuple[int, int, str]:
    return given.get("frontend") or 0, given["backend"], given.get("protocol") or "TCP"


def _tcp(forwards: list[tuple[int, int, str]]) -> tuple[Forward, ...]:
    for _frontend, backend, protocol in forwards:
        if protocol != "TCP":
            raise ApiError(
                f"drydock forwards TCP ports between containers and this machine, not {backend}/{protocol}"
            )
    return tuple(Forward(frontend, backend) for frontend, backend, _protocol in forwards)


@core.serves("Host", "unixSocket")
def unix_socket(session: Session, _host: object, *, path: str) -> Socket:
    """A socket of this machine.

    Raises:
        ApiError: If there is none at the path.
    """
    found = session.engine.host(path)
    if not found.is_socket():
        raise ApiError(f'"{path}" is not a socket of this machine')
    return Socket(str(found))


@core.serves("Container", "withUnixSocket")
async def with_unix_socket(
    session: Session,
    container: Container,
    *,
    path: str,
    source: Socket,
    owner: str = "",
    expand: bool = False,
) -> Container:
    """A socket of this machine that commands can connect to.

    Raises:
        ApiError: If the container does not know its owner.
    """
    dest = container_path(container, path, expand)
    uid, gid = await owner_ids(session, container, owner)
    made = SocketMount(dest, source.path, uid, gid)
    return container.changed(mounts=(*_without_socket(container, dest), made))


@core.serves("Container", "withoutUnixSocket")
def without_unix_socket(
    _session: Session, container: Container, *, path: str, expand: bool = False
) -> Container:
    """Without the socket at a path."""
    dest = container_path(container, path, expand)
    return container.changed(mounts=_without_socket(container, dest))


def _without_socket(container: Container, dest: str) -> tuple[Any, ...]:
    return tuple(m for m in container.mounts if not (isinstance(m, SocketMount) and m.dest == dest))
