"""What a server of the lab may do, as runc reads it (OCI runtime specification 1.0)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

# capabilities(7), by number.
CAPABILITIES = (
    *("CHOWN", "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"),
    *("SETPCAP", "LINUX_IMMUTABLE", "NET_BIND_SERVICE", "NET_BROADCAST", "NET_ADMIN", "NET_RAW"),
    *("IPC_LOCK", "IPC_OWNER", "SYS_MODULE", "SYS_RAWIO", "SYS_CHROOT", "SYS_PTRACE", "SYS_PACCT"),
    *("SYS_ADMIN", "SYS_BOOT", "SYS_NICE", "SYS_RESOURCE", "SYS_TIME", "SYS_TTY_CONFIG", "MKNOD"),
    *("LEASE", "AUDIT_WRITE", "AUDIT_CONTROL", "SETFCAP", "MAC_OVERRIDE", "MAC_ADMIN", "SYSLOG"),
    *("WAKE_ALARM", "BLOCK_SUSPEND", "AUDIT_READ", "PERFMON", "BPF", "CHECKPOINT_RESTORE"),
)
PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
SYSTEMD = "/sbin/init"
UNIFIED = Path("/sys/fs/cgroup/cgroup.controllers")


def spec(
    root: Path, docker: Path, name: str, namespace: str, first: Sequence[str]
) -> dict[str, Any]:
    """The specification of a server.

    Args:
        root: its file system.
        docker: what is at ``/var/lib/docker``: on an overlay, Docker would copy every layer.
        name: its host name.
        namespace: the name of its network namespace.
        first: its first process; systemd wants unified control groups.
    """
    groups = "cgroup2" if first[0] == SYSTEMD or UNIFIED.exists() else "cgroup"
    granted = _bounding()
    return {
        "ociVersion": "1.0.2",
        "hostname": name,
        "process": {
            "terminal": False,
            "user": {"uid": 0, "gid": 0},
            "args": list(first),
            "cwd": "/",
            "env": ["container=oci", f"PATH={PATH}", "HOME=/root"],
            "capabilities": dict.fromkeys(("bounding", "effective", "permitted"), granted),
            "noNewPrivileges": False,
        },
        "root": {"path": str(root), "readonly": False},
        "mounts": _mounts(docker, groups),
        "linux": {
            "cgroupsPath": f"/{namespace}",
            "resources": {"devices": [{"allow": True, "access": "rwm"}]},
            "namespaces": [
                *({"type": kind} for kind in ("pid", "ipc", "uts", "mount", "cgroup")),
                {"type": "network", "path": f"/run/netns/{namespace}"},
            ],
            "rootfsPropagation": "shared",
        },
    }


def _mounts(docker: Path, groups: str) -> list[dict[str, Any]]:
    """Its mounts, in order."""
    quiet = ["nosuid", "noexec", "nodev"]
    return [
        _mount("/proc", "proc"),
        _mount("/dev", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k"),
        _mount(
            *("/dev/pts", "devpts", "nosuid", "noexec"),
            *("newinstance", "ptmxmode=0666", "mode=0620", "gid=5"),
        ),
        _mount("/dev/shm", "tmpfs", *quiet, "mode=1777", "size=65536k"),  # noqa: S108
        _mount("/dev/mqueue", "mqueue", *quiet),
        _mount("/sys", "sysfs", *quiet, "rw"),
        _mount("/run", "tmpfs", "nosuid", "nodev", "mode=755"),
        _mount("/tmp", "tmpfs", "nosuid", "nodev", "mode=1777"),  # noqa: S108
        _mount("/sys/fs/cgroup", groups, *quiet, "rw"),
        {
            "destination": "/var/lib/docker",
            "type": "bind",
            "source": str(docker),
            "options": ["rbind", "rw"],
        },
    ]


def _mount(destination: str, kind: str, *options: str) -> dict[str, Any]:
    """A mount of a kind that needs no source."""
    mount = {"destination": destination, "type": kind, "source": kind}
    return {**mount, "options": list(options)} if options else mount


def _bounding() -> list[str]:
    """The capabilities that this machine can give away; runc refuses any other."""
    status = Path("/proc/self/status").read_text()
    mask = int(
        next(line for line in status.splitlines() if line.startswith("CapBnd:")).split()[1], 16
    )
    return [f"CAP_{name}" for bit, name in enumerate(CAPABILITIES) if mask >> bit & 1]
