"""Push the example's release, start it with a Postgres, and ask it: a client program of the Dagger API.

Run by ci/rehearse inside a session, from the example's folder.
"""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass
from typing import Any

import anyio
import dagger
from dagger import dag

IMAGES = ("frontend", "api", "migrator")
DATABASE = "mindfulspace"


@dataclass(frozen=True)
class Pushed:
    """An image in the registry."""

    name: str
    reference: str
    seconds: float
    size: int
    layers: int
    reused: int

    @property
    def row(self) -> tuple[str, ...]:
        """Its line in the table."""
        digest = self.reference.partition("@")[2]
        cached = f"{self.reused} of {self.layers} layers"
        return self.name, digest, f"{self.size / 1e6:.1f} MB", f"{self.seconds:.1f}", cached


def get(registry: str, path: str) -> dict[str, Any]:
    """A document of the registry."""
    request = urllib.request.Request(f"http://{registry}/v2/{path}")
    request.add_header("Accept", "application/vnd.oci.image.manifest.v1+json")
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.load(answer))


def layers(registry: str, repository: str, tag: str) -> set[str]:
    """Digests of an image's layers; none where there is no such image."""
    try:
        return {
            layer["digest"] for layer in get(registry, f"{repository}/manifests/{tag}")["layers"]
        }
    except OSError:
        return set()


def push(registry: str, name: str) -> Pushed:
    """Build one image of the release, which costs nothing where nothing changed, and push it."""
    repository, began = f"{DATABASE}/{name}", time.monotonic()
    before = layers(registry, repository, "rehearsal")
    address = f"{registry}/{repository}:rehearsal"
    command = ["drydock", "--quiet", "call", "release", name, "publish", "--address", address]
    reference = subprocess.run(
        command, check=True, stdout=subprocess.PIPE, text=True
    ).stdout.strip()
    manifest = get(registry, f"{repository}/manifests/{reference.partition('@')[2]}")
    size = sum(blob["size"] for blob in (manifest["config"], *manifest["layers"]))
    kept = sum(layer["digest"] in before for layer in manifest["layers"])
    return Pushed(name, reference, time.monotonic() - began, size, len(manifest["layers"]), kept)


async def ask(what: str, url: str, body: dict[str, Any] | None = None) -> None:
    """Ask the running site, and show what it answers."""
    data = json.dumps(body).encode() if body else None
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})

    def answer() -> tuple[int, str]:
        with urllib.request.urlopen(request, timeout=20) as got:
            return got.status, got.read().decode()

    status, text = await anyio.to_thread.run_sync(answer)
    shown = text if len(text) <= 96 else f"{len(text)} bytes"
    print(f"  {what:28} {status}  {shown}")


async def rehearse(references: dict[str, str]) -> None:
    """Start the database, migrate and seed it, start both apps, and ask them."""
    password = dag.set_secret("password", secrets.token_hex(16))
    url = dag.set_secret(
        "database-url", f"postgresql://postgres:{await password.plaintext()}@db:5432/{DATABASE}"
    )
    database = (
        dag.container()
        .from_("postgres:17")
        .with_secret_variable("POSTGRES_PASSWORD", password)
        .with_env_variable("POSTGRES_DB", DATABASE)
        .with_exposed_port(5432)
        .as_service()
    )

    def image(name: str) -> dagger.Container:
        return dag.container().from_(references[name])

    def with_database(name: str) -> dagger.Container:
        bound = image(name).with_service_binding("db", database)
        return bound.with_secret_variable("DATABASE_URL", url)

    print("migrating and seeding")
    await with_database("migrator").with_exec([], use_entrypoint=True).sync()
    await with_database("migrator").with_exec(["db", "seed"], use_entrypoint=True).sync()
    api = with_database("api").with_exposed_port(3001).as_service()
    site = image("frontend").with_exposed_port(3000).as_service()
    api_url, site_url = await api.endpoint(scheme="http"), await site.endpoint(scheme="http")
    print(f"running: front end {site_url}, API {api_url}")
    await ask("GET  API /health", f"{api_url}/health")
    await ask("GET  API /sessions", f"{api_url}/sessions")
    made = {"title": "A quiet walk", "minutes": 20, "mood": "calm"}
    await ask("POST API /sessions", f"{api_url}/sessions", made)
    await ask("GET  front end /healthz", f"{site_url}/healthz")
    await ask("GET  front end /", site_url)


def table(rows: list[tuple[str, ...]]) -> str:
    """Rows in columns."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = (
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True))
        for row in rows
    )
    return "\n".join(line.rstrip() for line in lines)


async def main(registry: str) -> None:
    """Push, run and report."""
    pushed = []
    for name in IMAGES:
        print(f"pushing {name} to {registry}", flush=True)
        pushed.append(await anyio.to_thread.run_sync(push, registry, name))
    async with dagger.connection():
        await rehearse({image.name: image.reference for image in pushed})
    header = ("IMAGE", "DIGEST", "COMPRESSED", "SECONDS", "CACHED")
    print()
    print(table([header, *(image.row for image in pushed)]))


if __name__ == "__main__":
    anyio.run(main, sys.argv[1])
