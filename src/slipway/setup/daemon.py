"""Docker's daemon.json: what the administrator set stays, what is missing is added. Pure."""

import json
from typing import Any

from slipway.errors import ConfigError

FILE = "/etc/docker/daemon.json"


def merged(text: str) -> str:
    """The file with our settings added.

    Args:
        text: What it holds now; empty where there is none.

    Returns:
        What it should hold: the very same text where nothing is missing.

    Raises:
        ConfigError: It is no JSON object.
    """
    before = _parsed(text)
    after = dict(before)
    # Unattended upgrades restart the daemon at night: containers go on meanwhile.
    after.setdefault("live-restore", True)
    # The usual driver, json-file, grows without end. Options are a driver's own: no other driver below them.
    if "log-opts" not in before:
        after.setdefault("log-driver", "local")
    return text if after == before else json.dumps(after, indent=2, ensure_ascii=False) + "\n"


def _parsed(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if text.strip() else {}
    except ValueError as error:
        raise ConfigError(FILE, [f"no valid JSON, put it right on the server: {error}"]) from None
    if not isinstance(found, dict):
        raise ConfigError(FILE, ["expected a JSON object, such as {}"])
    return found
