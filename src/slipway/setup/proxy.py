"""The Traefik that serves every site of a server, each with its own way to certificates. Pure.

What one environment's set-up gave the proxy is kept by the next one's: the compose file is made from
what it says now, and from what is wanted.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace

import yaml

from slipway.server import compose
from slipway.server.names import INTERNAL_ENTRYPOINT, INTERNAL_PORT, WEB

IMAGE = "traefik:v3"
RESOLVER = "acme"
# The folder whose files Traefik reads again when they change, in its container.
DYNAMIC = "/etc/traefik/dynamic"
# Node closes an idle connection after 5 s: the proxy has to be the first, or a POST meets a closed one (502).
_IDLE = "3s"
# For a request with all that it uploads: Traefik 3 cuts it off after 60 s.
_READ = "1h"
_CERTIFICATES = (
    "certificates: expected either acme_email in the environment's server, or both --certificate and "
    "--certificate-key"
)
_SERVICE = "traefik"
_RESOLVERS = "--certificatesresolvers."
_DEFAULT_RESOLVER = "--entrypoints.websecure.http.tls.certresolver="
_FILES = f"--providers.file.directory={DYNAMIC}"
_AUTHORITY = f".cacertificates={DYNAMIC}/"


@dataclass(frozen=True)
class Proxy:
    """What one environment wants of the proxy.

    Attributes:
        image: Traefik 3; empty for the one that is there.
        email: Whom the certificate authority may write to; empty for certificates that are given.
        directory: The authority's ACME directory; empty for Let's Encrypt.
        private: Whether the directory itself is signed by an authority of `authority_file`.
        challenge: How the authority asks whether a name leads here: `tls` on port 443, `http` on port 80.
        resolver: What Traefik calls this way to certificates.
    """

    image: str = ""
    email: str = ""
    directory: str = ""
    private: bool = False
    challenge: str = "tls"
    resolver: str = RESOLVER

    @property
    def authority_file(self) -> str:
        """The file's name, beside the certificates."""
        return "ca.pem" if self.resolver == RESOLVER else f"{self.resolver}-ca.pem"

    @property
    def options(self) -> tuple[str, ...]:
        """Traefik's arguments for its certificates; none where they are given."""
        if not self.email:
            return ()
        settings = (
            f"email={self.email}",
            *_CHALLENGES[self.challenge],
            # Traefik makes it with 0600, and refuses one that others can read. Each resolver has its part of it.
            "storage=/etc/traefik/acme/acme.json",
            *([f"caserver={self.directory}"] if self.directory else []),
            *([f"cacertificates={DYNAMIC}/{self.authority_file}"] if self.private else []),
        )
        return tuple(f"{_RESOLVERS}{self.resolver}.acme.{setting}" for setting in settings)


@dataclass(frozen=True)
class Present:
    """What the compose file on a server says.

    Attributes:
        image: Its Traefik; empty where there is no file.
        resolvers: The arguments of each way to certificates, by its name.
        default: The argument that tells which of them a router has that names none; empty for none.
        files: Whether Traefik reads certificates from files.
    """

    image: str = ""
    resolvers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    default: str = ""
    files: bool = True

    @property
    def authorities(self) -> tuple[str, ...]:
        """The files of authorities that sign ACME directories."""
        options = [option for options in self.resolvers.values() for option in options]
        return tuple(
            sorted({name for option in options if (name := option.partition(_AUTHORITY)[2])})
        )


def present(text: str) -> Present:
    """What a compose file says.

    Args:
        text: The file; empty where there is none.

    Raises:
        ValueError: It cannot be read, or is none of ours.
    """
    if not text.strip():
        return Present()
    try:
        service = yaml.safe_load(text)["services"][_SERVICE]
        image, command = str(service["image"]), list(service["command"])
    except (yaml.YAMLError, LookupError, TypeError) as error:
        raise ValueError(f"it is no YAML with {_SERVICE}'s image and command") from error
    # A dollar sign is doubled for Compose.
    options = [str(option).replace("$$", "$") for option in command]
    default = next((option for option in options if option.startswith(_DEFAULT_RESOLVER)), "")
    return Present(image.replace("$$", "$"), _resolvers(options), default, _FILES in options)


def _resolvers(options: Iterable[str]) -> dict[str, tuple[str, ...]]:
    """`--certificatesresolvers.NAME.…` by NAME, which has no dot."""
    resolvers: dict[str, tuple[str, ...]] = {}
    for option in options:
        if option.startswith(_RESOLVERS):
            name = option.removeprefix(_RESOLVERS).partition(".")[0]
            resolvers[name] = (*resolvers.get(name, ()), option)
    return resolvers


def merged(there: Present, wanted: Proxy) -> Present:
    """What the compose file should say: all that it does, and what one environment wants.

    Args:
        there: What it says now.
        wanted: What the environment wants.
    """
    own = {wanted.resolver: wanted.options} if wanted.email else {}
    # Routers name their resolver. A default is for those of others, and stays what it was first set to.
    first = f"{_DEFAULT_RESOLVER}{wanted.resolver}" if own and not there.image else ""
    return replace(
        there,
        image=wanted.image or there.image or IMAGE,
        resolvers={**there.resolvers, **own},
        default=there.default or first,
        files=True,
    )


def conflict(there: Present, wanted: Proxy, site: str, sites: Mapping[str, str]) -> str:
    """Why a resolver cannot be set to what one environment wants; empty where it can.

    Args:
        there: What the compose file says now.
        wanted: What the environment wants.
        site: The environment's site.
        sites: The resolver of each site that was set up; empty for certificates that are given.
    """
    before = there.resolvers.get(wanted.resolver, wanted.options)
    users = {name for name, resolver in sites.items() if resolver == wanted.resolver}
    # What nobody else uses may be changed.
    if not wanted.email or set(before) == set(wanted.options) or users == {site}:
        return ""
    others = ", ".join(sorted(users - {site})) or "another environment"
    prefix = f"{_RESOLVERS}{wanted.resolver}.acme."
    return (
        f'cert_resolver: the proxy has "{wanted.resolver}" with other settings, for {others} '
        f"({_only(before, wanted.options, prefix)}; wanted here: {_only(wanted.options, before, prefix)}); "
        "give this environment's resolver another name"
    )


def _only(options: Iterable[str], others: Collection[str], prefix: str) -> str:
    """What one side alone has, in short: `email=ops@example.com`."""
    different = (option.removeprefix(prefix) for option in options if option not in others)
    return ", ".join(different) or "nothing else"


def file(content: Present) -> compose.File:
    """The compose file, for the folder `proxy` of the deploying user.

    The socket is mounted read-only, which keeps its file, not Docker, from being changed: whoever
    takes over the proxy has the rights of root.

    Args:
        content: What it is to say.
    """
    service = compose.Service(
        image=content.image,
        command=_command(content),
        ports=("80:80", "443:443"),
        volumes=(
            "/var/run/docker.sock:/var/run/docker.sock:ro",
            f"./dynamic:{DYNAMIC}:ro",
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
        name="proxy", services={_SERVICE: service}, networks={WEB: compose.Outside(name=WEB)}
    )


def _command(content: Present) -> tuple[str, ...]:
    """Traefik's arguments, in one order whoever is set up first."""
    resolvers = [option for _, options in sorted(content.resolvers.items()) for option in options]
    return (*_COMMAND, *filter(None, [content.default]), *resolvers)


def problems(proxy: Proxy, *, given: bool) -> list[str]:
    """What keeps it from having certificates.

    Args:
        proxy: What is wanted.
        given: Whether a certificate and its key were given.
    """
    if bool(proxy.email) == given:
        there = "both" if given else "neither"
        return [f"{_CERTIFICATES}; {there} is there"]
    made = ["acme_server: there is no acme_email"] if given and proxy.directory else []
    if "." in proxy.resolver:
        # Traefik takes what is behind it for a setting.
        made.append(f'cert_resolver: "{proxy.resolver}" has a dot; expected none')
    return made


_CHALLENGES: Mapping[str, tuple[str, ...]] = {
    # On 443: works behind whatever forwards that port alone.
    "tls": ("tlschallenge=true",),
    # Traefik answers it before the redirect: its router has the one priority above that of redirects.
    "http": ("httpchallenge=true", "httpchallenge.entrypoint=web"),
}
_COMMAND = (
    "--providers.docker=true",
    "--providers.docker.exposedbydefault=false",
    f"--providers.docker.network={WEB}",
    _FILES,
    "--entrypoints.web.address=:80",
    "--entrypoints.web.http.redirections.entrypoint.to=websecure",
    "--entrypoints.websecure.address=:443",
    "--entrypoints.websecure.http.tls=true",
    f"--entrypoints.websecure.transport.respondingtimeouts.readtimeout={_READ}",
    # No port of the server leads there: a site's apps reach each other's serving release by it.
    f"--entrypoints.{INTERNAL_ENTRYPOINT}.address=:{INTERNAL_PORT}",
    f"--entrypoints.{INTERNAL_ENTRYPOINT}.transport.respondingtimeouts.readtimeout={_READ}",
    f"--serverstransport.forwardingtimeouts.idleconntimeout={_IDLE}",
    "--global.checknewversion=false",
    "--global.sendanonymoususage=false",
    "--ping=true",
)
