"""Whose a site is: the repository and the project that deployed it first. Pure."""

import json
from dataclasses import asdict, dataclass
from urllib.parse import urlsplit

from slipway.git import UNKNOWN, web_address

FILE = "owner.json"


@dataclass(frozen=True)
class Owner:
    """Who a site belongs to.

    Attributes:
        project: The project's name.
        environment: The environment's name.
        repository: Host and path of the repository, in any form of its address the same; empty where
            it has no address.
    """

    project: str
    environment: str
    repository: str = ""

    def json_text(self) -> str:
        """The file's contents."""
        return json.dumps(asdict(self)) + "\n"

    def refuses(self, other: "Owner", folder: str) -> list[str]:
        """Why somebody else may not deploy here; nothing where they may.

        A site that no repository is named for is for the first that comes.

        Args:
            other: Who comes.
            folder: The site's folder.
        """
        if self == UNREADABLE:
            return [
                f"{folder}/{FILE} on the server cannot be read: remove it, if the site is yours"
            ]
        if self.repository in ("", other.repository):
            return []
        comes = other.repository or "this checkout, which has no remote,"
        text = (
            f"{self.project}, {self.environment} on this server belongs to {self.repository}, and {comes} is "
            "another repository: give this project another `name`. Is it the same one, moved? Then hand "
            f"it over, on the server: rm {folder}/{FILE}. Or say whose this is by --source"
        )
        return [text]


UNREADABLE = Owner("", "", "unreadable")


def repository(address: str) -> str:
    """What tells a repository, whatever form its address has.

    Args:
        address: Such as `git@host:team/app.git`, `ssh://git@host:22/team/app` or `https://TOKEN@host/team/app.git`.

    Returns:
        `host/team/app` in lower case: hosts have no case, and paths on the usual servers none either.
        Empty for a local path.
    """
    web = web_address(address)
    if web == UNKNOWN:
        return ""
    parts = urlsplit(web)
    return f"{parts.hostname or ''}{parts.path}".lower()


def read(text: str) -> Owner:
    """The owner that a file tells.

    Args:
        text: What it holds.

    Returns:
        The owner; of a file that cannot be read one that nobody is.
    """
    try:
        told = json.loads(text)
        return Owner(told["project"], told["environment"], told["repository"] or "")
    except (ValueError, TypeError, KeyError):
        return UNREADABLE
