"""What it takes to run buildkitd without being root: ids and a network of its own, in a user namespace."""

from __future__ import annotations

import os
import pwd
import subprocess
from pathlib import Path

from drydock import paths

SUBNET = "10.86.0.0/24"
"""Of the user-mode network; the bridge's own subnets begin with 10.87."""
NAMESERVER = "10.86.0.3"
"""slirp4netns answers names at the third address of its network (slirp4netns(1))."""
_TUN = Path("/dev/net/tun")
_SWITCHES = {
    "user/max_user_namespaces": "0",
    "kernel/unprivileged_userns_clone": "0",
    "kernel/apparmor_restrict_unprivileged_userns": "1",
}
"""Kernel settings by the value that forbids user namespaces, and so rootless daemons."""
_COVERED = ("/proc/kcore", "/proc/keys", "/proc/timer_list")
"""What containers cover of /proc; where they do, the kernel lets nobody mount another in them (runc issue 1658)."""
# Where runc, the network plugins and iptables keep state; where it is there, it is of the machine's root.
_OF_ROOT = "/run/runc /var/lib/cni /run/xtables.lock"


def command(folder: Path) -> list[str]:
    """The program that runs buildkitd, whose own command line follows, as root of a namespace.

    buildkitd itself stays in the machine's network, so that a registry on loopback can be its mirror; the bridge
    and its execs are in a network of their own, with no way to the machine's loopback. All of it ends with its
    first process.

    Args:
        folder: Where rootlesskit keeps its state.
    """
    return [
        str(paths.binary("rootlesskit")),
        f"--state-dir={folder}",
        "--net=slirp4netns",
        f"--cidr={SUBNET}",
        "--disable-host-loopback",
        "--detach-netns",
        "--pidns",
        "--copy-up=/run",
        "--copy-up=/var/lib",
        "sh",
        "-c",
        f'rm -f {_OF_ROOT}; exec "$@"',
        "sh",
    ]


def problems() -> list[str]:
    """What of this machine or this user keeps a rootless daemon from running, and what to do about each."""
    found = []
    for name, forbidding in _SWITCHES.items():
        setting = Path("/proc/sys", name)
        if setting.exists() and setting.read_text().strip() == forbidding:
            found.append(
                f"the kernel forbids user namespaces: sysctl {name.replace('/', '.')} is {forbidding}"
            )
    if not os.access(_TUN, os.R_OK | os.W_OK):
        found.append(f"{_TUN} cannot be opened: as root, modprobe tun && chmod 666 {_TUN}")
    if covered := [name for name in _COVERED if _is_covered(Path(name))]:
        found.append(
            f"this container covers {', '.join(covered)}: run it with all of /proc (Docker: --security-opt "
            "systempaths=unconfined; Kubernetes: procMount Unmasked), or without a container"
        )
    if paths.which("getsubids") and not _has_ids():
        name = user()
        found.append(
            f"user {name} has no subordinate ids: as root, usermod --add-subuids 100000-165535 "
            f"--add-subgids 100000-165535 {name}"
        )
    return found


def user() -> str:
    """Name of the user that runs this, or the number where it has none."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _is_covered(file: Path) -> bool:
    """Whether something is mounted over a file of /proc."""
    return file.exists() and file.stat().st_dev != file.parent.stat().st_dev


def _has_ids() -> bool:
    program = str(paths.which("getsubids"))
    return all(
        subprocess.run([program, *flag, user()], capture_output=True, check=False).returncode == 0
        for flag in ([], ["-g"])
    )
