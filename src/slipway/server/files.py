"""The compose files of a release, of its migrator and of its database. Pure."""

from . import compose, health, names
from .inventory import POSTGRES_DATA, Proxy
from .names import WEB, Site
from .situation import SECONDS
from .target import AppRelease, Database, Migration, Target

DATABASE_ENV = "db.env"
DATABASE_SERVICE = "db"
_PLAIN = ("no-new-privileges:true",)


def app(target: Target, one: AppRelease, sequence: int, proxy: Proxy | None = None) -> compose.File:
    """One app of a release: its container, and the router that sends it requests.

    Compose makes a service's name an alias on every network that it joins: the service is called by
    site, app and number, so that no other site and no other release answers to it.

    Args:
        target: The release.
        one: The app.
        sequence: The release's number.
        proxy: The server's proxy, where it runs.
    """
    site = target.site
    name = site.app(one.name, sequence)
    inside = proxy is not None and proxy.internal
    labels = site.app_labels(one.name, sequence, target.identifier) | _router(name, one, sequence)
    labels |= _inner_router(name, site.internal_host(one.name), one, sequence) if inside else {}
    wanted = [WEB, site.network] if one.internal else [WEB]
    service = compose.Service(
        image=one.image,
        container_name=name,
        env_file=(f"{one.name}.env",) if one.has_env else (),
        environment={
            "PORT": str(one.port),
            "HOSTNAME": "0.0.0.0",  # noqa: S104 - inside its container
            **(_addresses(target) if inside else {}),
        },
        labels=_lines(labels),
        networks={network: {} for network in wanted},
        external_links=_links(target, proxy) if proxy and inside else (),
        healthcheck=health.check(one),
        # Until the whole release is proved: see cutover.
        restart="no",
        security_opt=_PLAIN,
        cap_drop=("ALL",),
    )
    return compose.File(
        name=name,
        services={name: service},
        networks={network: compose.Outside(name=network) for network in wanted},
    )


def _addresses(target: Target) -> dict[str, str]:
    return {names.variable(app.name): target.site.internal_url(app.name) for app in target.apps}


def _links(target: Target, proxy: Proxy) -> tuple[str, ...]:
    """Each app's internal name leads to the proxy, in this container alone."""
    return tuple(f"{proxy.name}:{target.site.internal_host(app.name)}" for app in target.apps)


def _router(name: str, one: AppRelease, sequence: int) -> dict[str, str]:
    """Traefik's labels: a router of the release's own, above those of older releases."""
    router = f"traefik.http.routers.{name}"
    # A router with a TLS section of its own does not get the entry point's resolver
    # (Traefik, pkg/server/aggregator.go).
    resolver = {f"{router}.tls.certresolver": one.routing.resolver} if one.routing.resolver else {}
    return {
        "traefik.enable": "true",
        "traefik.docker.network": WEB,
        f"{router}.rule": one.routing.rule,
        f"{router}.entrypoints": "websecure",
        f"{router}.tls": "true",
        **resolver,
        f"{router}.priority": str(names.priority(one.band, sequence)),
        f"{router}.service": name,
        f"{router}.middlewares": name,
        f"traefik.http.services.{name}.loadbalancer.server.port": str(one.port),
        f"traefik.http.middlewares.{name}.headers.customresponseheaders.{names.HEADER}": name,
    }


def _inner_router(name: str, host: str, one: AppRelease, sequence: int) -> dict[str, str]:
    """A second router to the same container, for the other apps of its site."""
    router = f"traefik.http.routers.{name}--{names.INTERNAL_ENTRYPOINT}"
    return {
        f"{router}.rule": f"Host(`{host}`)",
        f"{router}.entrypoints": names.INTERNAL_ENTRYPOINT,
        f"{router}.priority": str(names.priority(one.band, sequence)),
        f"{router}.service": name,
        f"{router}.middlewares": name,
    }


def _lines(labels: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{key}={value}" for key, value in labels.items())


def database(site: Site, one: Database, *, project: str, volume: str) -> compose.File:
    """The database: a project of its own, which releases come and go beside.

    Args:
        site: The site.
        one: The database.
        project: Its compose project: that of one which slipway 0.1 started stays.
        volume: Its volume, likewise.
    """
    check = ("CMD", "pg_isready", "-h", "127.0.0.1", "-U", one.user, "-d", one.name)
    service = compose.Service(
        image=one.image,
        env_file=(DATABASE_ENV,),
        # Where the official image has it until 17; from 18 on it would be elsewhere, outside the volume.
        environment={"PGDATA": POSTGRES_DATA},
        labels=_lines({**site.labels, f"{names.LABEL}.service": names.DATABASE}),
        networks={site.network: {"aliases": [one.host]}},
        volumes=(f"data:{POSTGRES_DATA}",),
        # The first start makes the cluster, on a socket only: hence 127.0.0.1.
        healthcheck=compose.Health(test=check, interval="2s", retries=30),
        stop_grace_period="60s",
        shm_size=one.shm_size,
    )
    return compose.File(
        name=project,
        services={DATABASE_SERVICE: service},
        networks={site.network: compose.Outside(name=site.network)},
        volumes={"data": compose.Outside(name=volume)},
    )


def migration(
    site: Site, one: Migration, sequence: int, identifier: str, network: str
) -> compose.File:
    """The migrator: runs once, and is removed; by its labels also after a deploy that was cut off.

    Args:
        site: The site.
        one: The migrations.
        sequence: The release's number.
        identifier: The release's name.
        network: The one that leads to the database.
    """
    labels = site.app_labels(names.MIGRATOR, sequence, identifier) | {SECONDS: str(one.seconds)}
    service = compose.Service(
        image=one.image,
        env_file=("migrator.env",),
        labels=_lines(labels),
        networks={network: {}},
        restart="no",
        security_opt=_PLAIN,
        cap_drop=("ALL",),
    )
    # What `compose run` starts has no alias on its network.
    return compose.File(
        name=site.app(names.MIGRATOR, sequence),
        services={names.MIGRATOR: service},
        networks={network: compose.Outside(name=network)},
    )
