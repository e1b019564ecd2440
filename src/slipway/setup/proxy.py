"""The Traefik that serves every site of a server. Pure."""

from dataclasses import dataclass

from slipway.server import compose
from slipway.server.names import WEB

RESOLVER = "acme"
# Node closes an idle connection after 5 s: the proxy has to be the first, or a POST meets a closed one (502).
_IDLE = "3s"
_CERTIFICATES = (
    "certificates: expected either acme_email in the environment's server, or both --certificate and "
    "--certificate-key"
)


@dataclass(frozen=True)
class Proxy:
    """What the proxy is to be.

    Attributes:
        image: Traefik 3.
        email: Whom the certificate authority may write to; empty for certificates that are given.
        directory: The authority's ACME directory; empty for Let's Encrypt.
        private: Whether the directory itself is signed by an authority of `ca.pem` beside the file.
    """

    image: str = "traefik:v3"
    email: str = ""
    directory: str = ""
    private: bool = False


def file(proxy: Proxy) -> compose.File:
    """Its compose file, for the folder `proxy` of the deploying user.

    The socket is mounted read-only, which keeps its file, not Docker, from being changed: whoever
    takes over the proxy has the rights of root.
    """
    service = compose.Service(
        image=proxy.image,
        command=(*_COMMAND, *(_acme(proxy) if proxy.email else _GIVEN)),
        ports=("80:80", "443:443"),
        volumes=(
            "/var/run/docker.sock:/var/run/docker.sock:ro",
            "./dynamic:/etc/traefik/dynamic:ro",
            "./acme:/etc/traefik/acme",
        ),
        networks={WEB: {}},
        healthcheck=compose.Health(
            test=("CMD", "traefik", "healthcheck", "--ping"),
            # Starting the program for it takes a fifth of a second of a core.
            interval="30s",
            timeout="10s",
            start_interval="1s",
        ),
        security_opt=("no-new-privileges:true",),
    )
    return compose.File(
        name="proxy", services={"traefik": service}, networks={WEB: compose.Outside(name=WEB)}
    )


def problems(proxy: Proxy, *, given: bool) -> list[str]:
    """What keeps it from having certificates.

    Args:
        proxy: The proxy.
        given: Whether a certificate and its key were given.
    """
    if bool(proxy.email) == given:
        there = "both" if given else "neither"
        return [f"{_CERTIFICATES}; {there} is there"]
    return ["acme_server: there is no acme_email"] if given and proxy.directory else []


def _acme(proxy: Proxy) -> tuple[str, ...]:
    resolver = f"--certificatesresolvers.{RESOLVER}.acme"
    return (
        f"--entrypoints.websecure.http.tls.certresolver={RESOLVER}",
        f"{resolver}.email={proxy.email}",
        # Asked on 443: works behind whatever forwards that port alone.
        f"{resolver}.tlschallenge=true",
        # Traefik makes it with 0600, and refuses one that others can read.
        f"{resolver}.storage=/etc/traefik/acme/acme.json",
        *([f"{resolver}.caserver={proxy.directory}"] if proxy.directory else []),
        *([f"{resolver}.cacertificates=/etc/traefik/dynamic/ca.pem"] if proxy.private else []),
    )


_COMMAND = (
    "--providers.docker=true",
    "--providers.docker.exposedbydefault=false",
    f"--providers.docker.network={WEB}",
    "--entrypoints.web.address=:80",
    "--entrypoints.web.http.redirections.entrypoint.to=websecure",
    "--entrypoints.websecure.address=:443",
    "--entrypoints.websecure.http.tls=true",
    f"--serverstransport.forwardingtimeouts.idleconntimeout={_IDLE}",
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
    "--ping=true",
)
_GIVEN = ("--providers.file.directory=/etc/traefik/dynamic",)
# Of the file provider: the certificate of every router that asks for no other.
DYNAMIC = """\
tls:
  stores:
    default:
      defaultCertificate:
        certFile: /etc/traefik/dynamic/server.crt
        keyFile: /etc/traefik/dynamic/server.key
"""
