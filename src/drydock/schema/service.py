"""Services."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.execs import expand as expanded
from drydock.objects import Container, Port, Service
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


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
    try:
        command = container.command(args or [], use_entrypoint=use_entrypoint or implied)
    except ApiError:
        raise ApiError("no service command has been set") from None
    if expand:
        command = [expanded(container, arg) for arg in command]
    return Service(container, tuple(command), insecure_root_capabilities)


@core.serves("Container", "withServiceBinding")
def with_service_binding(
    _session: Session, container: Container, *, alias: str, service: Service
) -> Container:
    """A service that runs while commands do, under a host name."""
    kept = tuple(pair for pair in container.bindings if pair[0] != alias)
    return replace(container, bindings=(*kept, (alias, service)))


@core.serves("Service", "start", "sync")
async def start(session: Session, service: Service) -> str:
    """Start it and wait until it listens; returns its id."""
    await session.engine.services.start(service)
    return session.ids.put(service)


@core.serves("Service", "stop")
async def stop(session: Session, service: Service, *, kill: bool = False) -> str:  # noqa: ARG001
    """Stop it; returns its id."""
    await session.engine.services.stop(service)
    return session.ids.put(service)


@core.serves("Service", "hostname")
def hostname(_session: Session, service: Service) -> str:
    """Its host name."""
    return service.hostname


@core.serves("Service", "withHostname")
def with_hostname(_session: Session, service: Service, *, hostname: str) -> Service:
    """The same service under another name."""
    return replace(service, alias=hostname)


@core.serves("Service", "ports")
def ports(_session: Session, service: Service) -> list[Port]:
    """The ports that it listens on."""
    return list(service.container.ports)


@core.serves("Service", "endpoint")
async def endpoint(
    session: Session, service: Service, *, port: int | None = None, scheme: str = ""
) -> str:
    """Where it listens, as `host:port`, with `scheme://` in front where one is given; starts it.

    Raises:
        ApiError: If no port is given and it exposes none.
    """
    if port is None:
        if not service.container.ports:
            raise ApiError(
                "service has no exposed port; name one, or expose it with withExposedPort"
            )
        port = service.container.ports[0].port
    running = await session.engine.services.start(service)
    return f"{scheme}://{running.address}:{port}" if scheme else f"{running.address}:{port}"
