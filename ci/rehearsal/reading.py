"""Reads what the sites say and hold: by their public addresses, and in their containers on the server."""

from __future__ import annotations

import json
import shlex
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx

from ci.lab.settings import LabError
from slipway.server.names import HEADER, LABEL, Site

from .comparison import Answer, Reading, Row, rows, tagline

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ci.lab.server import Server

PROJECT = "mindfulspace"
# How the API orders them, and how it spells their times.
QUERY = """\
SELECT coalesce(json_agg(json_build_object(
  'id', id, 'title', title, 'minutes', minutes, 'mood', mood,
  'createdAt', to_char("createdAt", 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')
) ORDER BY "createdAt" DESC, id DESC), '[]') FROM "Session"
"""
POSTGRES_PORT = "5432/tcp"


@dataclass(frozen=True)
class Visitor:
    """A browser for which the public names lead to the server, as DNS would have it.

    Attributes:
        server: The server.
    """

    server: Server

    def get(self, url: str) -> Answer:
        """Ask an address over TLS."""
        return self._ask("GET", url)

    def write(self, api: str, title: str) -> Row:
        """Write a session.

        Args:
            api: The API's address.
            title: The session's text.

        Returns:
            The row, as the API says that it has written it.
        """
        session = {"title": title, "minutes": 5, "mood": "calm"}
        return Row.of(json.loads(self._ask("POST", f"{api}/sessions", session).text))

    def _ask(self, method: str, url: str, body: dict[str, Any] | None = None) -> Answer:
        """One request.

        Raises:
            LabError: There is no answer, or it tells of an error.
        """
        address = httpx.URL(url)
        trusted = ssl.create_default_context(cafile=str(self.server.ca))
        with httpx.Client(verify=trusted, timeout=20, trust_env=False) as client:
            try:
                answer = client.request(
                    method,
                    address.copy_with(host=self.server.address),
                    headers={"Host": address.host},
                    json=body,
                    extensions={"sni_hostname": address.host},
                ).raise_for_status()
            except httpx.HTTPError as error:
                raise LabError(f"{method} {url} failed: {error!r}") from error
        return Answer(url, answer.status_code, answer.headers.get(HEADER, ""), answer.text)


@dataclass(frozen=True)
class Reader:
    """Reads everything of one site.

    Attributes:
        server: The server that it is on.
        environment: Its environment's name.
        web: The address of its front end.
        api: The address of its API.
    """

    server: Server
    environment: str
    web: str
    api: str

    @property
    def site(self) -> Site:
        """What its things are called."""
        return Site(PROJECT, self.environment)

    def read(self, wanted: str, written: Sequence[Row]) -> Reading:
        """Its public addresses first, then its database.

        Args:
            wanted: What its front page is to say.
            written: What its API said that it had written.
        """
        visitor = Visitor(self.server)
        page, api = visitor.get(f"{self.web}/"), visitor.get(f"{self.api}/sessions")
        return Reading(
            site=self.site.name,
            page=page,
            api=api,
            wanted=wanted,
            said=tagline(page.text),
            answered=rows(api.text),
            written=tuple(written),
            databases={name: self._rows(name) for name in self._containers()},
            network=databases_on(self.server, self.site.network),
        )

    def _containers(self) -> list[str]:
        """Its database containers, by their labels: also those that do not run."""
        labels = {**self.site.labels, f"{LABEL}.service": "database"}
        filters = [f"--filter=label={key}={value}" for key, value in labels.items()]
        return _docker(self.server, "ps", "--all", *filters, "--format={{.Names}}").split()

    def _rows(self, container: str) -> tuple[Row, ...]:
        """What is in a database: asked inside its container, past every network."""
        psql = ("psql", "-U", "app", "-d", PROJECT, "-At", "-c", QUERY)
        return rows(_docker(self.server, "exec", container, *psql))


def databases_on(server: Server, network: str) -> tuple[str, ...]:
    """The Postgres containers on a network, told by their port: also those that slipway did not start."""
    (inspected,) = json.loads(_docker(server, "network", "inspect", network))
    if not inspected["Containers"]:
        return ()
    containers = json.loads(_docker(server, "inspect", *inspected["Containers"]))
    return tuple(
        container["Name"].removeprefix("/")
        for container in containers
        if POSTGRES_PORT in (container["Config"].get("ExposedPorts") or {})
    )


def _docker(server: Server, *arguments: str) -> str:
    """Docker on the server, as the deploying user.

    Raises:
        LabError: It failed.
    """
    return server.ssh(shlex.join(["docker", *arguments]))
