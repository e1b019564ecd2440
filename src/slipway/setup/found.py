"""What is on a server that is to be set up: one question, and its answer as plain values."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from slipway.server.ssh import Server

from . import daemon
from .daemon import Running, running

_TEXT = "text "
# There from before sshd's file is written until sshd has read it; a start of the server has sshd read it, too.
SSHD_PENDING = "/run/slipway-sshd.pending"
# What systemd says of a unit whose file is newer than what it has read.
STALE = "stale"
UNITS = ("docker.service", "slipway-firewall.service", "apt-daily.timer", "apt-daily-upgrade.timer")
# $1 begins each answer's heading, $2 the deploying user, $3… our files but for the proxy's. A question without an
# answer is an answer too: nothing of it may end the script.
_SCRIPT = """
mark=$1 user=$2
shift 2
section() { printf '%s %s\\n' "$mark" "$1"; }
export LC_ALL=C
section root; id -u
section release; cat /etc/os-release
section systemd; [ ! -d /run/systemd/system ] || echo yes
section packages; dpkg-query --show --showformat '${db:Status-Status} ${Package}\\n' | sed -n 's/^installed //p'
section unfinished; dpkg --audit
section daemon; cat @daemon@
section running; docker info --format '{{json .}}'
section user; getent passwd "$user"
section groups; id -nG "$user"
section password; getent shadow "$user" | cut -d : -f 2 | cut -c 1
home=$(getent passwd "$user" | cut -d : -f 6)
section keys; cat "$home/.ssh/authorized_keys"
section networks; docker network ls --format '{{.Name}} {{.IPv6}}'
section ipv6
if [ -n "$(ip -6 address show scope global)" ]; then
  echo yes
  for device in $(ip -6 route show default proto ra | grep -o 'dev [^ ]*' | cut -d ' ' -f 2); do
    if [ "$(cat "/proc/sys/net/ipv6/conf/$device/accept_ra")" = 1 ]; then echo advertised; fi
  done
fi
section proxy; docker ps --filter publish=443 --format '{{.Names}} {{.Label "slipway.proxy"}} {{.Status}}'
section listeners; ss -Hltnp '( sport = :80 or sport = :443 )'
section sshd; [ ! -e @pending@ ] || echo pending
section ports; $(command -v sshd || echo /usr/sbin/sshd) -T | sed -n 's/^port //p'
section table; nft list table inet slipway
section guards
if ufw status | grep -q 'Status: active'; then echo ufw; fi
for unit in firewalld nftables; do if systemctl is-enabled --quiet "$unit"; then echo "$unit"; fi; done
section units
for unit in @units@; do
  active=$(systemctl is-active "$unit")
  case $unit in
    slipway-*) [ "$(systemctl show --property NeedDaemonReload --value "$unit")" != yes ] || active=@stale@ ;;
  esac
  echo "$unit $(systemctl is-enabled "$unit") $active"
done
section files
for path in "$@" "$home"/proxy/*.yaml "$home"/proxy/dynamic/* "$home"/proxy/sites/*; do
  case $path in "$home"/proxy/*) file="~/${path#"$home"/}" ;; *) file=$path ;; esac
  [ ! -f "$path" ] || printf '%s %s %s %s\\n' \\
    "$(sha256sum <"$path" | cut -d ' ' -f 1)" "$(stat -c %a -- "$path")" "$(stat -c %U -- "$path")" "$file"
done
proxy=$home/proxy
for path in "$proxy"/compose.yaml "$proxy"/dynamic/dynamic.yml "$proxy"/dynamic/*ca.pem "$proxy"/sites/*; do
  [ ! -f "$path" ] || { section "text ~/${path#"$home"/}"; cat "$path"; }
done
"""
for _name, _value in (
    ("units", " ".join(UNITS)),
    ("daemon", daemon.FILE),
    ("pending", SSHD_PENDING),
    ("stale", STALE),
):
    _SCRIPT = _SCRIPT.replace(f"@{_name}@", _value)


@dataclass(frozen=True)
class File:
    """A file of ours.

    Attributes:
        digest: SHA-256 of its content, in hexadecimal.
        mode: Its permissions.
        owner: Its user.
    """

    digest: str
    mode: int
    owner: str


@dataclass(frozen=True)
class Found:
    """All that a plan depends on.

    Attributes:
        root: Whether the commands are run by root.
        release: Name → value of /etc/os-release.
        systemd: Whether systemd runs the server.
        packages: Names of what is installed.
        unfinished: What dpkg says of packages that were half installed.
        daemon: daemon.json.
        running: What the running daemon says of itself.
        user: The deploying user's line of passwd.
        groups: Its groups.
        password: The first character of its password's field.
        keys: Its authorized_keys.
        networks: Docker's networks, and whether they have IPv6.
        ipv6: `yes` where the server has an address of IPv6; `advertised` where the kernel has its way out from
            routers, which it listens to only as long as it forwards nothing, as Docker makes it do.
        proxy: Name, mark and status of the container that has port 443.
        listeners: Programs that have port 80 or 443.
        sshd: Whether sshd has not read its file yet.
        ports: Where sshd listens.
        table: The firewall's table, as nft lists it.
        guards: Firewalls of others.
        units: systemd's units: whether they are enabled, and active.
        files: Our files by path; those in the deploying user's home begin with `~/`.
        texts: What those of the proxy hold that are no certificates and no keys, by path.
    """

    root: bool = True
    release: Mapping[str, str] = field(
        default_factory=lambda: {"ID": "debian", "VERSION_ID": "13", "PRETTY_NAME": "Debian 13"}
    )
    systemd: bool = True
    packages: frozenset[str] = frozenset()
    unfinished: str = ""
    daemon: str = ""
    running: Running = field(default_factory=Running)
    user: str = ""
    groups: frozenset[str] = frozenset()
    password: str = ""
    keys: str = ""
    networks: Mapping[str, bool] = field(default_factory=dict)
    ipv6: frozenset[str] = frozenset()
    proxy: tuple[str, str, str] | None = None
    listeners: tuple[str, ...] = ()
    sshd: bool = False
    ports: tuple[int, ...] = (22,)
    table: str = ""
    guards: tuple[str, ...] = ()
    units: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    files: Mapping[str, File] = field(default_factory=dict)
    texts: Mapping[str, str] = field(default_factory=dict)


async def look(server: Server, user: str, files: Sequence[str]) -> Found:
    """Ask a server; nothing is changed.

    Args:
        server: The server, its commands run by root.
        user: Who deploys.
        files: The files that are ours, but for the proxy's.

    Raises:
        ServerError: There is no way to root's rights.
    """
    mark = secrets.token_hex(16)
    done = await server.run("sh", "-c", _SCRIPT, "look", mark, user, *files)
    if mark not in done.output:
        done.checked("becoming root, by sudo without a password,")
    return read(done.output, mark)


def read(text: str, mark: str) -> Found:
    """What the script printed, as values.

    Args:
        text: Its output.
        mark: What its headings begin with.
    """
    said: dict[str, str] = {}
    for part in text.split(f"{mark} ")[1:]:
        name, _, answer = part.partition("\n")
        said[name] = answer
    words = {name: answer.split() for name, answer in said.items()}
    return Found(
        root=said["root"].strip() == "0",
        release=_release(said["release"]),
        systemd=bool(words["systemd"]),
        packages=frozenset(words["packages"]),
        unfinished=said["unfinished"].strip(),
        daemon=said["daemon"],
        running=running(said["running"]),
        user=said["user"].strip(),
        groups=frozenset(words["groups"]),
        password=said["password"].strip(),
        keys=said["keys"],
        networks={name: ipv6 == "true" for name, _, ipv6 in _rows(said["networks"])},
        ipv6=frozenset(words["ipv6"]),
        proxy=_proxy(said["proxy"]),
        listeners=tuple(sorted({_program(line) for line in said["listeners"].splitlines()})),
        sshd=bool(words["sshd"]),
        ports=tuple(int(port) for port in words["ports"]),
        table=said["table"],
        guards=tuple(words["guards"]),
        units={
            name: (enabled, active) for name, enabled, active in _rows(said["units"]) if enabled
        },
        files={
            path: File(digest, int(mode, 8), owner)
            for digest, mode, owner, path in (x.split(" ", 3) for x in said["files"].splitlines())
        },
        texts={
            name.removeprefix(_TEXT): text for name, text in said.items() if name.startswith(_TEXT)
        },
    )


def _release(text: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in text.splitlines())
    return {name: value.strip('"') for name, _, value in pairs}


def _rows(text: str) -> list[tuple[str, str, str]]:
    """Unit, enabled, active; a unit that is not there has no word for the first."""
    rows = (line.split(" ") for line in text.splitlines())
    return [(row[0], row[1], row[-1]) for row in rows]


def _proxy(text: str) -> tuple[str, str, str] | None:
    if not text.strip():
        return None
    name, mark, status = text.splitlines()[0].split(" ", 2)
    return name, mark, status


def _program(line: str) -> str:
    """The program of a line of ss: `users:(("nginx",pid=7,fd=6))` → nginx."""
    _, _, behind = line.partition('(("')
    return behind.partition('"')[0] or "an unknown program"
