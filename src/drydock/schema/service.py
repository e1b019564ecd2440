"""Services."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.execs import expand as expanded
from drydock.hostports import HostService, Tunnel
from drydock.objects import Container, Port, Service
from drydock.schema.hostservice import tunnel
from drydock.schema.registry import core

if TYPE_CHECKING:
    from typing import Any

    from drydock.session import Session

AnyService = Service | HostService | Tunnel


@core.serves("Container", "asService")
def as_service(
    _session: Session,
    container: Container,
    *,
    args: list[str] | None = None,
    use_entrypoint: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,  # noqa: ARG001  # the shim is the first process either way
) -> Service:
    """A service that runs the container's own command, or `args`."""
    # The entrypoint counts unless the client said what to run (v0.21, core/container.go).
    implied = not args and not container.args_given and bool(container.config.entrypoint)
    given = [expanded(container, arg) for arg in args or []] if expand else args or []
    try:
        command = container.command(given, use_entrypoint=use_entrypoint or implied)
    except ApiError:
        raise ApiError("no service command has been set") from None
    return Service(container, tuple(command), insecure_root_capabilities)


@core.serves("Container", "withServiceBinding")
def with_service_binding(
    _session: Session, container: Container, *, alias: str, service: Service | HostService
) -> Container:
    """A service that runs while commands do, under a host name.

    Raises:
        ApiError: If it is a tunnel, which is for this machine.
    """
    if isinstance(service, Tunnel):
        raise ApiError("a tunnel cannot be bound to a container; bind the service that it leads to")
    kept = tuple(pair for pair in container.bindings if pair[0] != alias)
    return replace(container, bindings=(*kept, (alias, service)))


@core.serves("Container", "up")
async def container_up(
    session: Session,
    container: Container,
    *,
    ports: list[dict[str, Any]] | None = None,
    random: bool = False,
    args: list[str] | None = None,
    use_entrypoint: bool = False,
    insecure_root_capabilities: bool = False,
    expand: bool = False,
    no_init: bool = False,
) -> None:
    """Run it as a service that this machine reaches, until the request is cancelled."""
    service = as_service(
        session,
        container,
        args=args,
        use_entrypoint=use_entrypoint,
        insecure_root_capabilities=insecure_root_capabilities,
        expand=expand,
        no_init=no_init,
    )
    await up(session, service, ports=ports, random=random)


@core.serves("Service", "up")
async def up(
    session: Session,
    service: AnyService,
    *,
    ports: list[dict[str, Any]] | None = None,
    random: bool = False,
) -> None:
    """Let this machine reach it, until the request is cancelled."""
    opened = tunnel(session, None, service=service, ports=ports, native=not random and not ports)
    tunnels = session.engine.services.tunnels
    for port in await tunnels.start(opened):
        scheme = "https" if port.port == 443 else "http"
        session.engine.buildkit.progress.line(
            f"{port.description}, for example {scheme}://localhost:{port.port}"
        )
    try:
        await asyncio.Event().wait()
    finally:
        await tunnels.stop(opened)


@core.serves("Service", "sync")
def sync(session: Session, service: AnyService) -> str:
    """Its id; as on the Dagger engine, it does not start it."""
    return session.ids.put(service)


@core.serves("Service", "start")
async def start(session: Session, service: AnyService) -> str:
    """Start it and wait until it is ready; returns its id."""
    services = session.engine.services
    if isinstance(service, Tunnel):
        await services.tunnels.start(service)
    else:
        await services.start(service)
    return session.ids.put(service)


@core.serves("Service", "stop")
async def stop(session: Session, service: AnyService, *, kill: bool = False) -> str:
    """Stop it; returns its id."""
    services = session.engine.services
    if isinstance(service, Tunnel):
        await services.tunnels.stop(service)
    else:
        await services.stop(service, kill=kill)
    return session.ids.put(service)


@core.serves("Service", "hostname")
def hostname(_session: Session, service: AnyService) -> str:
    """Its host name."""
    if isinstance(service, Tunnel):
        return service.alias or "127.0.0.1"
    return service.hostname


@core.serves("Service", "withHostname")
def with_hostname(_session: Session, service: AnyService, *, hostname: str) -> AnyService:
    """The same service under another name."""
    return replace(service, alias=hostname)


@core.serves("Service", "ports")
async def ports(session: Session, service: AnyService) -> list[Port]:
    """The ports that it listens on."""
    if isinstance(service, Tunnel):
        return await session.engine.services.tunnels.ports(service)
    return list(service.container.ports if isinstance(service, Service) else service.ports)


@core.serves("Service", "endpoint")
async def endpoint(
    session: Session, service: AnyService, *, port: int | None = None, scheme: str = ""
) -> str:
    """Where it listens, as `host:port`, with `scheme://` in front where one is given; starts it.

    Raises:
        ApiError: If no port is given and it exposes none.
    """
    if port is None:
        known = await ports(session, service)
        if not known:
            raise ApiError("no ports exposed; name a port, or expose one with withExposedPort")
        port = known[0].port
    host, port = await _reached(session, service, port)
    return f"{scheme}://{host}:{port}" if scheme else f"{host}:{port}"


async def _reached(session: Session, service: AnyService, port: int) -> tuple[str, int]:
    services = session.engine.services
    if isinstance(service, Tunnel):
        return "127.0.0.1", port
    running = await services.start(service)
    if isinstance(service, HostService):
        return running.address, port
    return await services.tunnels.endpoint(service, running.address, port)
