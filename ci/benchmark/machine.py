"""What the figures depend on: the machine, and the versions of what ran."""

from __future__ import annotations

import datetime as dt
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

from .settings import ROOT


def facts() -> dict[str, Any]:
    """Cores, memory, kernel, versions and the commit; nothing that names the machine or its user."""
    cores = len(os.sched_getaffinity(0))
    return {
        "date": dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        "processor": _first(r"model name\s*: (.*)", "/proc/cpuinfo"),
        "cores": cores,
        "memory_gb": round(int(_first(r"MemTotal:\s*(\d+)", "/proc/meminfo") or 0) / 1e6, 1),
        "system": platform.freedesktop_os_release().get("PRETTY_NAME", ""),
        "kernel": platform.release(),
        "python": platform.python_version(),
        "buildkit": _version("buildkitd"),
        "runc": _version("runc"),
        "commit": _commit(),
        "load_before": round(os.getloadavg()[0], 2),
        "busy": os.getloadavg()[0] > cores / 4,
    }


def line(found: dict[str, Any]) -> str:
    """The facts as one line for people."""
    text = (
        "{cores} cores ({processor}), {memory_gb} GB, {system}, Linux {kernel}, BuildKit {buildkit}, "
        "runc {runc}, Python {python}; commit {commit}, {date}"
    ).format(**found)
    warning = (
        f". The machine was busy (load {found['load_before']}): look at the ratios, not the seconds"
    )
    return text + (warning if found["busy"] else "") + "."


def _first(pattern: str, file: str) -> str:
    found = re.search(pattern, Path(file).read_text())
    return found[1] if found else ""


def _version(program: str) -> str:
    if not shutil.which(program):
        return "of a place that is not on PATH"
    said = _output(program, "--version")
    found = re.search(r"v?\d+\.\d+\.\d+\S*", said)
    return found[0] if found else said


def _commit() -> str:
    """The project's commit, marked where files differ from it."""
    return _output("git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12")


def _output(*command: str) -> str:
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()
