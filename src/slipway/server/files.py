"""The compose files of a release and of its database."""

from . import compose, names
from .names import Site
from .target import AppRelease, Database, Migration, Target

WEB, INTERNAL = "web", "internal"
API_ENV, DATABASE_ENV = "api.env", "db.env"
# A container that has this file says that it is unhealthy: the proxy sends it nothing more, and it goes on serving
# what it has. The only way to that which needs nothing of the app.
LEAVING = "/tmp/slipway-leaving"  # noqa: S108 - in its container
# What it prints is what Docker keeps of a check.
_ASKS = (
    "const end=(said,code)=>{{console.log('GET {path}: '+said);process.exit(code)}};"
    "if(require('fs').existsSync('{leaving}'))end('taken out',1);else "
    "fetch('{url}',{asked}).then(r=>end(r.status,{fine}?0:1),e=>end(e.cause?.code??e.message,1))"
)
_PLAIN = ("no-new-privileges:true",)


def app(target: Target, one: AppRelease, sequence: int) -> compose.File:
    """One app of a release: its container, and the router that sends it requests.

    Args:
        target: The release.
        one: The app.
        sequence: The release's number.
    """
    name = target.site.app(one.name, sequence)
    wanted = [WEB, INTERNAL] if one.internal else [WEB]
    labels = target.site.labels(one.name, sequence, target.identifier)
    labels |= _router(name, one, sequence)
    service = compose.Service(
        image=one.image,
        env_file=(f"{one.name}.env",) if one.has_env else (),
        environment={"PORT": str(one.port), "HOSTNAME": "0.0.0.0"},  # noqa: S104 - inside its container
        labels=tuple(f"{key}={value}" for key, value in labels.items()),
        networks={network: {} for network in wanted},
        healthcheck=compose.Health(test=_asks(one), start_period=f"{one.start}s"),
        # Until the whole release is proved: see rollout.
        restart="no",
        security_opt=_PLAIN,
        cap_drop=("ALL",),
    )
    return compose.File(
        name=name,
        services={one.name: service},
        networks={network: compose.Outside(name=network) for network in wanted},
    )


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


def _asks(one: AppRelease) -> tuple[str, ...]:
    """The health check: slim images have node and no curl; `localhost` may be ::1 alone."""
    url = f"http://127.0.0.1:{one.port}{one.health}"
    # Where nobody said what a healthy app answers, a redirect or 404 says that it listens.
    asked, fine = ("{redirect:'manual'}", "r.status<500") if one.any_answer else ("{}", "r.ok")
    return (
        "CMD",
        "node",
        "-e",
        _ASKS.format(url=url, path=one.health, asked=asked, fine=fine, leaving=LEAVING),
    )


def database(site: Site, one: Database) -> compose.File:
    """The database: a project of its own, which releases come and go beside."""
    check = ("CMD", "pg_isready", "-h", "127.0.0.1", "-U", one.user, "-d", one.name)
    service = compose.Service(
        image=one.image,
        env_file=(DATABASE_ENV,),
        networks={INTERNAL: {"aliases": [one.host]}},
        volumes=("data:/var/lib/postgresql/data",),
        # The first start makes the cluster, on a socket only: hence 127.0.0.1.
        healthcheck=compose.Health(test=check, interval="2s", retries=30),
        stop_grace_period="60s",
    )
    return compose.File(
        name=site.database,
        services={"db": service},
        networks={INTERNAL: compose.Outside(name=INTERNAL)},
        volumes={"data": compose.Outside(name=site.volume)},
    )


def migration(site: Site, one: Migration, sequence: int, identifier: str) -> compose.File:
    """The migrator: runs once, and is removed; by its labels also after a deploy that was cut off.

    Args:
        site: Project and environment.
        one: The migrations.
        sequence: The release's number.
        identifier: The release's name.
    """
    labels = site.labels(names.MIGRATOR, sequence, identifier)
    service = compose.Service(
        image=one.image,
        env_file=("migrator.env",),
        labels=tuple(f"{key}={value}" for key, value in labels.items()),
        networks={INTERNAL: {}},
        restart="no",
        security_opt=_PLAIN,
        cap_drop=("ALL",),
    )
    return compose.File(
        name=site.app(names.MIGRATOR, sequence),
        services={names.MIGRATOR: service},
        networks={INTERNAL: compose.Outside(name=INTERNAL)},
    )
