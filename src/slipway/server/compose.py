"""The compose files on the server, as typed values; YAML is written by a library."""

from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Health(_Part):
    """How Docker tells that a container works.

    Attributes:
        test: The command inside the container, first `CMD`.
        interval: Between two checks, such as `5s`.
        timeout: For one check.
        retries: Failures in a row until it counts as unhealthy.
        start_period: How long failures do not count after the start.
        start_interval: Between two checks in that time.
    """

    test: tuple[str, ...]
    interval: str = "5s"
    timeout: str = "5s"
    retries: int = 3
    start_period: str = "60s"
    start_interval: str = "500ms"


class Logging(_Part):
    """Where a container's output goes: bounded, or a chatty app fills the disk."""

    driver: str = "local"
    options: dict[str, str] = Field(default_factory=lambda: {"max-size": "20m", "max-file": "5"})


class Service(_Part):
    """One container.

    Attributes:
        image: By digest.
        container_name: Instead of one of the project, the service and a number.
        command: Instead of the image's own.
        env_file: Files beside the compose file.
        environment: Values that are no secrets.
        labels: `name=value`; in the form of a list Compose leaves the names alone.
        networks: Network → further names it answers to there; it answers to its service's name on all of them.
        external_links: `container:name`: the names that it alone calls other containers by.
        volumes: `volume:/path`.
        ports: `80:80`.
        healthcheck: How Docker tells that it works.
        restart: What Docker does when it ends; `no` for what runs once.
        stop_grace_period: Between the request to end and the kill.
        user: Instead of the image's own.
        read_only: Nothing but volumes can be written.
        shm_size: Its shared memory, such as `256m`; Docker gives 64 MB.
        security_opt: Such as `no-new-privileges:true`.
        cap_drop: Capabilities it runs without.
        logging: Where its output goes.
    """

    image: str
    container_name: str | None = None
    command: tuple[str, ...] | None = None
    env_file: tuple[str, ...] = ()
    environment: dict[str, str] = Field(default_factory=dict)
    labels: tuple[str, ...] = ()
    networks: dict[str, dict[str, Any]] = Field(default_factory=dict)
    external_links: tuple[str, ...] = ()
    volumes: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    healthcheck: Health | None = None
    restart: str = "unless-stopped"
    stop_grace_period: str = "30s"
    user: str | None = None
    read_only: bool = False
    shm_size: str | None = None
    security_opt: tuple[str, ...] = ()
    cap_drop: tuple[str, ...] = ()
    logging: Logging = Logging()


class Outside(_Part):
    """A network or volume that exists before the file is used, and after."""

    name: str
    external: bool = True


class File(_Part):
    """A compose file."""

    name: str
    services: dict[str, Service]
    networks: dict[str, Outside] = Field(default_factory=dict)
    volumes: dict[str, Outside] = Field(default_factory=dict)


Text = Annotated[str, "YAML"]


def render(file: File) -> Text:
    """A compose file's text; what Compose would fill in is written so that it does not."""
    plain = file.model_dump(exclude_defaults=True, mode="json")
    # A default that Compose does not share has to be said.
    for name, service in file.services.items():
        plain["services"][name] |= {
            "restart": service.restart,
            "stop_grace_period": service.stop_grace_period,
            "logging": service.logging.model_dump(),
        }
        if service.healthcheck:
            plain["services"][name]["healthcheck"] = service.healthcheck.model_dump(mode="json")
    for group in ("networks", "volumes"):
        for name, outside in getattr(file, group).items():
            plain[group][name] = outside.model_dump()
    return str(yaml.safe_dump(_literal(plain), sort_keys=False, allow_unicode=True, width=1000))


def _literal(value: Any) -> Any:
    """The value with every dollar sign doubled."""
    if isinstance(value, str):
        return value.replace("$", "$$")
    if isinstance(value, dict):
        return {key: _literal(one) for key, one in value.items()}
    return [_literal(one) for one in value] if isinstance(value, list) else value
