"""The health check that an image's config carries."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from drydock.durations import seconds
from drydock.errors import ApiError
from drydock.graph import Value
from drydock.objects import Container
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session

NANOSECONDS = 1_000_000_000


@dataclass(frozen=True, eq=False)
class HealthcheckConfig(Value):
    """How Docker finds out whether a container is well; durations as Go writes them."""

    type_name: ClassVar[str] = "HealthcheckConfig"
    interfaces: ClassVar[tuple[str, ...]] = ("Node",)

    args: tuple[str, ...]
    shell: bool
    interval: str
    timeout: str
    start_period: str
    start_interval: str
    retries: int


core.plain(
    "HealthcheckConfig",
    *("args", "shell", "interval", "timeout", "startPeriod", "startInterval", "retries"),
)


@core.serves("Container", "dockerHealthcheck")
def docker_healthcheck(_session: Session, container: Container) -> HealthcheckConfig | None:
    """The health check; null when there is none."""
    check = json.loads(container.config.extra).get("Healthcheck") or {}
    kind, *args = check.get("Test") or ("NONE",)
    if kind == "NONE":
        return None
    return HealthcheckConfig(
        args=tuple(args),
        shell=kind == "CMD-SHELL",
        interval=_duration(check.get("Interval", 0)),
        timeout=_duration(check.get("Timeout", 0)),
        start_period=_duration(check.get("StartPeriod", 0)),
        start_interval=_duration(check.get("StartInterval", 0)),
        retries=check.get("Retries", 0),
    )


@core.serves("Container", "withDockerHealthcheck")
def with_docker_healthcheck(
    _session: Session,
    container: Container,
    *,
    args: list[str],
    shell: bool | None = None,
    interval: str | None = None,
    timeout: str | None = None,
    start_period: str | None = None,
    start_interval: str | None = None,
    retries: int | None = None,
) -> Container:
    """A health check: a command, or one line for the shell."""
    if shell and len(args) != 1:
        raise ApiError("WithHealthcheck args must be a single element when shell mode is set")
    if not args:
        raise ApiError("WithHealthcheck args is missing")
    times = {
        "Interval": interval,
        "Timeout": timeout,
        "StartPeriod": start_period,
        "StartInterval": start_interval,
    }
    check = {"Test": ["CMD-SHELL" if shell else "CMD", *args], "Retries": retries or 0}
    check |= {name: _nanoseconds(text) for name, text in times.items() if text is not None}
    return _configured(container, {name: value for name, value in check.items() if value})


@core.serves("Container", "withoutDockerHealthcheck")
def without_docker_healthcheck(_session: Session, container: Container) -> Container:
    """Without a health check."""
    return _configured(container, None)


def _configured(container: Container, check: dict[str, Any] | None) -> Container:
    extra = json.loads(container.config.extra)
    extra.pop("Healthcheck", None)
    if check:
        extra["Healthcheck"] = check
    return container.configured(extra=json.dumps(extra, sort_keys=True))


def _nanoseconds(text: str) -> int:
    try:
        return round(seconds(text) * NANOSECONDS)
    except ValueError:
        raise ApiError(f'time: invalid duration "{text}"') from None


def _duration(nanoseconds: int) -> str:
    """`90000000000` → `1m30s`."""
    if nanoseconds == 0:
        return "0s"
    if nanoseconds < NANOSECONDS:
        for unit, size in (("ms", 1_000_000), ("µs", 1_000), ("ns", 1)):
            if nanoseconds >= size:
                return f"{nanoseconds / size:.6f}".rstrip("0").rstrip(".") + unit
    minutes, rest = divmod(nanoseconds, 60 * NANOSECONDS)
    hours, minutes = divmod(minutes, 60)
    text = f"{rest / NANOSECONDS:.9f}".rstrip("0").rstrip(".") + "s"
    text = f"{minutes}m{text}" if minutes or hours else text
    return f"{hours}h{text}" if hours else text
