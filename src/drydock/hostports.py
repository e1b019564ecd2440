"""Services that are no container: ports of this machine that lead into one, and the other way round."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from drydock.graph import Value
from drydock.objects import Port, Service


@dataclass(frozen=True, eq=False)
class Forward(Value):
    """One port that leads to another; frontend 0: any that is free."""

    frontend: int
    backend: int


@dataclass(frozen=True, eq=False)
class Tunnel(Value):
    """Ports of this machine that lead to a service."""

    type_name: ClassVar[str] = "Service"
    interfaces: ClassVar[tuple[str, ...]] = ("Node", "Syncer")
    durable: ClassVar[bool] = False

    upstream: Service
    forwards: tuple[Forward, ...]
    alias: str = ""


@dataclass(frozen=True, eq=False)
class HostService(Value):
    """Ports that this machine reaches, as a service for containers."""

    type_name: ClassVar[str] = "Service"
    interfaces: ClassVar[tuple[str, ...]] = ("Node", "Syncer")
    durable: ClassVar[bool] = False

    host: str
    forwards: tuple[Forward, ...]
    alias: str = ""

    @property
    def hostname(self) -> str:
        """The name that containers know it by."""
        return self.alias or self.key[:13]

    @property
    def ports(self) -> tuple[Port, ...]:
        """The ports that containers see."""
        return tuple(
            Port(
                forward.frontend,
                description=f"tunnel TCP {forward.frontend} -> {forward.backend}",
            )
            for forward in self.forwards
        )

    def backend(self, frontend: int) -> int:
        """The port of this machine behind one that containers see."""
        return next(f.backend for f in self.forwards if f.frontend == frontend)


@dataclass(frozen=True, eq=False)
class Socket(Value):
    """A socket of this machine."""

    type_name: ClassVar[str] = "Socket"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)
    durable: ClassVar[bool] = False

    path: str
