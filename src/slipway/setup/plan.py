"""From what is on a server to the steps that prepare it for deploys. Pure."""

from collections.abc import Iterator

from slipway.server.names import WEB
from slipway.server.steps import Login, Run, Stage, Step, Write

from . import daemon, firewall, folder, keys
from .found import SSHD_PENDING, Found
from .wanted import COMPOSE_FILE, FIREWALL_FILE, SSHD, UPGRADES, File, Wanted, firewall_files

_DOCKER = ("docker.io", "docker-cli", "docker-compose")
_PACKAGES = ("apparmor", "ca-certificates", "nftables", "unattended-upgrades")
_CLOCKS = frozenset({"chrony", "ntpsec", "openntpd", "systemd-timesyncd"})
_APT = (
    *("env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "--yes", "--quiet"),
    *("-o", "DPkg::Lock::Timeout=300", "-o", "Dpkg::Options::=--force-confold"),
)
_PACKAGE_SECONDS = 900.0
# What `useradd` leaves where a password would be.
_LOCKED = "!"
_RUNS = ("enabled", "active")
_TIMERS = ("apt-daily.timer", "apt-daily-upgrade.timer")
# Of the addresses that are nobody's (RFC 4193); the server's own address stands for them outside.
_SUBNET = "fd5c:6c69:7077:1::/64"
_CANDIDATE = "/run/slipway-firewall.nft"
_REVERT_SECONDS = 60
# What a firewall goes back to when nobody comes in any more: the rules that were proved last, or none.
_REVERT = f"""
if [ -e {FIREWALL_FILE} ]; then nft --file {FIREWALL_FILE}; else nft delete table inet {firewall.TABLE}; fi
"""
_TIMER = "slipway-firewall-revert"
# $1 the rules, $2 after how many seconds they are taken back.
_TRY = f"""
set -eu
nft --check --file "$1"
systemctl stop {_TIMER}.timer 2>/dev/null || true
systemd-run --quiet --collect --unit={_TIMER} --on-active="$2" --timer-property=AccuracySec=1s \\
  sh -c '{_REVERT}'
nft --file "$1"
"""
_ENABLE_FIREWALL = (
    "systemctl daemon-reload && systemctl enable --quiet --now slipway-firewall.service"
)
_LIVE = "systemctl reload docker && systemctl restart docker"
_RELOAD_SSHD = '/usr/sbin/sshd -t && systemctl reload ssh && rm -f -- "$1"'

_NO_IPV6 = (
    f"Apps see no addresses of IPv6, since Docker's network {WEB} has none: see docs/setup.md"
)


def problems(found: Found, wanted: Wanted) -> list[str]:
    """What keeps a server from being set up, before anything is changed."""
    made: list[str] = []
    release = found.release
    if (release.get("ID"), release.get("VERSION_ID")) != ("debian", "13"):
        made.append(
            f"it runs {release.get('PRETTY_NAME', 'an unknown system')}; expected Debian 13"
        )
    if not found.systemd:
        made.append("systemd does not run there; expected a machine of its own, not a container")
    if not found.root:
        made.append(f"{wanted.admin.user} is not root there, also not by sudo; give --admin")
    if not _foreign(found) and (conflict := folder.conflict(found, wanted)):
        made.append(conflict)
    others = [name for name in found.listeners if not name.startswith("docker")]
    if others:
        made.append(f"port 80 or 443 is taken by {', '.join(others)}: stop and disable it")
    return made


def notes(found: Found, wanted: Wanted) -> list[str]:
    """What is left as it is."""
    made = []
    if daemon.stops(found.daemon, found.running):
        made.append(
            f"{daemon.FILE} has live-restore, and the server is a node of a Swarm: Docker does not start "
            "with both, and is left as it is; take live-restore out"
        )
    if found.ipv6 and not _ipv6(found):
        made.append(_NO_IPV6)
    if found.guards:
        names = ", ".join(found.guards)
        made.append(f"The firewall is left to {names}: let SSH, 80 and 443 in there")
    if _foreign(found) and found.proxy:
        made.append(f"The proxy is left to {found.proxy[0]}, which has port 443")
    elif files := folder.in_the_way(found, wanted):
        made.append(
            f"Traefik asks for no certificate while it has the one that was given: deploy {wanted.site}, "
            f"then remove {' and '.join(files)}"
        )
    return made


def plan(found: Found, wanted: Wanted) -> tuple[Stage, ...]:
    """The stages that are missing, in their order; none where the server is as it should be.

    Args:
        found: What is on the server.
        wanted: What it should have.
    """
    made = [
        Stage("packages", tuple(_packages(found))),
        Stage("Docker", tuple(_docker(found))),
        Stage(f"user {wanted.deploy.user}", tuple(_user(found, wanted))),
        Stage("networks", tuple(_networks(found))),
        Stage("security upgrades", tuple(_upgrades(found))),
        Stage("SSH", tuple(_ssh(found))),
        _firewall(found, wanted),
        Stage("proxy", tuple(_proxy(found, wanted))),
    ]
    return tuple(stage for stage in made if stage.steps)


def proof(wanted: Wanted) -> Stage:
    """What every set-up ends with: the deploying user comes in, and has Docker."""
    step = Login("docker answers", wanted.deploy, wanted.deploy_key, ("docker", "version"))
    return Stage(f"log in as {wanted.deploy.user}", (step,))


def _packages(found: Found) -> Iterator[Step]:
    missing = [name for name in _PACKAGES if name not in found.packages]
    if "docker-ce" not in found.packages:
        missing += [name for name in _DOCKER if name not in found.packages]
    if not _CLOCKS & found.packages:
        missing.append("systemd-timesyncd")
    if found.unfinished:
        yield Run("finish what dpkg began", ("dpkg", "--configure", "-a"), _PACKAGE_SECONDS)
    # Before Docker: it starts with these settings.
    if (text := _daemon(found)) != found.daemon:
        yield Run("folder /etc/docker", ("install", "-d", "-m", "0755", "/etc/docker"))
        yield Write("daemon.json", daemon.FILE, text, 0o644)
    if missing:
        yield Run("package lists", (*_APT, "update"), _PACKAGE_SECONDS)
        install = (*_APT, "install", "--no-install-recommends", *sorted(missing))
        yield Run(f"install {', '.join(sorted(missing))}", install, _PACKAGE_SECONDS)


def _daemon(found: Found) -> str:
    """What daemon.json should hold; one that would stop Docker is nobody's to begin with."""
    if daemon.stops(found.daemon, found.running):
        return found.daemon
    return daemon.merged(found.daemon, found.running, ipv6=_ipv6(found))


def _docker(found: Found) -> Iterator[Step]:
    enabled, active = found.units.get("docker.service", ("", ""))
    if (enabled, active) != _RUNS:
        yield Run("start it", ("systemctl", "enable", "--quiet", "--now", "docker.service"), 120)
    # A daemon that starts has read its file.
    if active == "active" and _outdated(found):
        # Told first, a daemon leaves its containers alone when it restarts.
        yield Run("restart with the new settings", ("sh", "-c", _LIVE), 120)


def _outdated(found: Found) -> bool:
    """Whether the running daemon has other settings than its file, also after a set-up that was cut off."""
    if daemon.stops(found.daemon, found.running):
        return False
    text = _daemon(found)
    return text != found.daemon or daemon.lacks(text, found.running)


def _user(found: Found, wanted: Wanted) -> Iterator[Step]:
    name = wanted.deploy.user
    home = _home(found, name)
    if not found.user:
        shell = ("--create-home", "--shell", "/bin/bash")
        yield Run(f"make {name}", ("useradd", *shell, name))
    if not found.user or found.password == _LOCKED:
        # It could not log in by a key either; this is a password that nothing equals.
        yield Run("no password", ("usermod", "--password", "*", name))
    if "docker" not in found.groups:
        yield Run("let it use Docker", ("usermod", "--append", "--groups", "docker", name))
    if (text := keys.authorized(found.keys, wanted.public_key)) != found.keys:
        yield _folder(f"{home}/.ssh", name)
        path = f"{home}/.ssh/authorized_keys"
        yield Write("its key", path, text, owner=f"{name}:{name}")


def _networks(found: Found) -> Iterator[Step]:
    """The proxy's own; each site's is made by its deploys."""
    if WEB in found.networks:
        return
    forwards = daemon.forwards_ipv6(_daemon(found), found.running)
    options = ("--ipv6", "--subnet", _SUBNET) if _ipv6(found) and forwards else ()
    yield Run(WEB, ("docker", "network", "create", *options, WEB))


def _ipv6(found: Found) -> bool:
    """Whether the proxy's network has IPv6, or is to be made with it."""
    return found.networks.get(WEB, found.ipv6 == {"yes"})


def _upgrades(found: Found) -> Iterator[Step]:
    yield from _files(found, UPGRADES)
    if off := [name for name in _TIMERS if found.units.get(name) != _RUNS]:
        yield Run("start the timers", ("systemctl", "enable", "--quiet", "--now", *off))


def _ssh(found: Found) -> Iterator[Step]:
    changed = tuple(_files(found, SSHD))
    if changed:
        # What it is for: a set-up that is cut off before the reload is noticed by the next one.
        yield Run("note that sshd has to read it", ("touch", SSHD_PENDING))
        yield from changed
    if changed or found.sshd:
        yield Run("reload", ("sh", "-c", _RELOAD_SSHD, "reload", SSHD_PENDING))


def _firewall(found: Found, wanted: Wanted) -> Stage:
    """Proved by a new login before it is kept; taken back by the server itself where there is none."""
    ports = {*found.ports, wanted.admin.port}
    rules, unit = firewall_files(ports)
    there = firewall.loaded(found.table, rules.text) and not tuple(_files(found, rules, unit))
    enabled = found.units.get("slipway-firewall.service") == _RUNS
    if found.guards or (there and enabled):
        return Stage("firewall", ())
    attempt = ("sh", "-c", _TRY, "try", _CANDIDATE, str(_REVERT_SECONDS))
    return Stage(
        "firewall",
        (
            Write("rules", _CANDIDATE, rules.text),
            Run(f"let in SSH ({', '.join(map(str, sorted(ports)))}), 80 and 443", attempt),
            Login("SSH still answers", wanted.admin, wanted.admin_key),
            Run("keep the rules", ("systemctl", "stop", f"{_TIMER}.timer")),
            Write("rules", rules.path, rules.text, rules.mode),
            Write("unit", unit.path, unit.text, unit.mode),
            Run("at every start", ("sh", "-c", _ENABLE_FIREWALL)),
        ),
        (Run("take the rules back", ("sh", "-c", _REVERT)),),
    )


def _proxy(found: Found, wanted: Wanted) -> Iterator[Step]:
    if _foreign(found):
        return
    name, home = wanted.deploy.user, _home(found, wanted.deploy.user)
    there = folder.folder(found, wanted)
    changed = tuple(_files(found, *there.files, home=home, owner=name))
    if changed:
        for part in ("proxy", "proxy/dynamic", "proxy/acme", "proxy/sites"):
            yield _folder(f"{home}/{part}", name)
    # First: Traefik reads what the compose file that follows leads it to.
    if there.gone:
        paths = (path.replace("~", home, 1) for path in there.gone)
        yield Run("remove what is not used any more", ("rm", "-f", "--", *paths))
    yield from changed
    _, mark, status = found.proxy or ("", "", "")
    file = COMPOSE_FILE.replace("~", home)
    written = any(isinstance(step, Write) and step.path == file for step in changed)
    if written or mark != there.mark or "(healthy)" not in status:
        up = ("docker", "compose", "--file", file, "up", "--detach", "--wait", "--quiet-pull")
        yield Run("start until it is healthy", up, 300)


def _foreign(found: Found) -> bool:
    """Whether somebody else's proxy is there."""
    return found.proxy is not None and not found.proxy[1]


def _files(found: Found, *wanted: File, home: str = "", owner: str = "root") -> Iterator[Step]:
    """What writes the files that are not as they should be."""
    for file in wanted:
        there = found.files.get(file.path)
        if there and (there.digest, there.mode, there.owner) == (file.digest, file.mode, owner):
            continue
        path = file.path.replace("~", home, 1) if home else file.path
        title = path.rpartition("/")[2]
        yield Write(title, path, file.text, file.mode, f"{owner}:{owner}")


def _folder(path: str, owner: str) -> Step:
    return Run(f"folder {path}", ("install", "-d", "-m", "0700", "-o", owner, "-g", owner, path))


def _home(found: Found, user: str) -> str:
    """Where the user's files are, or will be."""
    fields = found.user.split(":")
    return fields[5] if len(fields) > 5 else f"/home/{user}"
