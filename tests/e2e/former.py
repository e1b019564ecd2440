"""A site as slipway 0.1 left it on a server: its folder, its containers, its names."""

from __future__ import annotations

import asyncio
import json
import time
from pathlib import PurePosixPath

from slipway.server import envfile, target
from slipway.server.names import Site
from tests.e2e.site import Site as Lab

NETWORKS = ("web", "--internal internal")
_APP = """\
name: {name}
services:
  {app}:
    image: {image}
    env_file: [{app}.env]
    environment: {{PORT: '{port}', HOSTNAME: 0.0.0.0}}
    labels:
    - slipway.project={project}
    - slipway.environment={environment}
    - slipway.app={app}
    - slipway.release={release}
    - slipway.sequence={sequence}
    - traefik.enable=true
    - traefik.docker.network=web
    - traefik.http.routers.{name}.rule=Host(`{host}`)
    - traefik.http.routers.{name}.entrypoints=websecure
    - traefik.http.routers.{name}.tls=true
    - traefik.http.routers.{name}.priority={priority}
    - traefik.http.routers.{name}.service={name}
    - traefik.http.routers.{name}.middlewares={name}
    - traefik.http.services.{name}.loadbalancer.server.port={port}
    - traefik.http.middlewares.{name}.headers.customresponseheaders.X-Slipway-Release={name}
    networks: {networks}
    healthcheck:
      test: [CMD, node, -e, "fetch('http://127.0.0.1:{port}/health').then(r=>process.exit(r.ok?0:1),()=>process.exit(1))"]
      interval: 5s
      retries: 3
      start_period: 15s
      start_interval: 500ms
    restart: unless-stopped
    security_opt: [no-new-privileges:true]
    cap_drop: [ALL]
networks:
  web: {{name: web, external: true}}
  internal: {{name: internal, external: true}}
"""
_DATABASE = """\
name: {name}
services:
  db:
    image: postgres:17
    env_file: [db.env]
    networks: {{internal: {{aliases: [db]}}}}
    volumes: ['data:/var/lib/postgresql/data']
    healthcheck:
      test: [CMD, pg_isready, -h, 127.0.0.1, -U, app, -d, mindful]
      interval: 2s
      retries: 30
      start_period: 60s
      start_interval: 500ms
    restart: unless-stopped
networks:
  internal: {{name: internal, external: true}}
volumes:
  data: {{name: {volume}, external: true}}
"""


def deploy(lab: Lab, release: target.Target, sequence: int) -> None:
    """Leave a site on the lab's server as a deploy by slipway 0.1 did.

    Args:
        lab: The server.
        release: The release.
        sequence: Its number: all of the site's numbers below it are taken.
    """
    server, site = lab.server, release.site
    for network in NETWORKS:
        name = network.split()[-1]
        server.ssh(
            f"docker network inspect {name} >/dev/null 2>&1 || docker network create {network}"
        )
    files = _files(release, sequence)
    for path, text in files.items():
        server.ssh(f"umask 077; mkdir -p {PurePosixPath(path).parent}; cat >{path}", stdin=text)
    server.ssh(f"touch slipway/{site.former_name}/lock; docker volume create {site.former_volume}")
    user, password = lab.login.user, lab.login.password
    server.ssh(f"docker login --username {user} --password-stdin {lab.registry}", stdin=password)
    for path in sorted(files):
        if path.endswith(".yaml"):
            server.ssh(f"docker compose --file {path} up --detach --wait --quiet-pull")
    server.ssh(f"docker logout {lab.registry}")
    for app in release.apps:
        _await(lab, app.url, f"{site.former_name}-{app.name}-{sequence}")


def _await(lab: Lab, url: str, name: str) -> None:
    """Healthy in Docker is not routed: Traefik looks every two seconds."""
    for _ in range(60):
        if asyncio.run(lab.status(url)) == (200, name):
            return
        time.sleep(0.25)
    raise AssertionError(f"{url} is not answered by {name}")


def _files(release: target.Target, sequence: int) -> dict[str, str]:
    """Path → contents."""
    site, database = release.site, release.database
    assert database
    root = f"slipway/{site.former_name}"
    folder = f"{root}/releases/{sequence:06d}-{release.identifier}"
    texts = {
        f"{root}/database/compose.yaml": _DATABASE.format(
            name=site.former_database, volume=site.former_volume
        ),
        f"{root}/database/db.env": envfile.render(database.env),
        f"{root}/database/dumps/{sequence:06d}-{release.identifier}.dump": "an older dump",
        f"{root}/audit.jsonl": json.dumps(_entry(release, sequence)) + "\n",
        f"{folder}/release.json": _manifest(site),
        f"{folder}/target.json": json.dumps(_target(release, sequence)) + "\n",
        f"{folder}/completed": "",
        f"{folder}/migrated": "",
    }
    for app in release.apps:
        texts[f"{folder}/{app.name}.yaml"] = _app(release, app, sequence)
        texts[f"{folder}/{app.name}.env"] = envfile.render(app.env)
    return texts


def _app(release: target.Target, app: target.AppRelease, sequence: int) -> str:
    site, internal = release.site, app.name == "api"
    return _APP.format(
        name=f"{site.former_name}-{app.name}-{sequence}",
        app=app.name,
        image=app.image,
        port=app.port,
        project=site.project,
        environment=site.environment,
        release=release.identifier,
        sequence=sequence,
        host=app.routing.host,
        priority=1_000_000 + sequence,
        networks="{web: {}, internal: {}}" if internal else "{web: {}}",
    )


def _manifest(site: Site) -> str:
    return json.dumps({"name": site.project, "environment": site.environment}, indent=2) + "\n"


def _target(release: target.Target, sequence: int) -> dict[str, object]:
    apps = [
        {
            "name": app.name,
            "image": app.image,
            "port": app.port,
            "host": app.routing.host,
            "path": "/",
            "resolver": "",
            "health": "/health",
            "band": 1,
            "internal": app.name == "api",
            "drain": 1.0,
            "start": 15,
            "env_file": True,
        }
        for app in release.apps
    ]
    return {
        "format": 1,
        "identifier": release.identifier,
        "origin": sequence,
        "migrations": [],
        "apps": apps,
    }


def _entry(release: target.Target, sequence: int) -> dict[str, object]:
    return {
        "time": "2026-11-01T10:00:00+00:00",
        "what": "deploy",
        "who": "somebody",
        "release": release.identifier,
        "sequence": sequence,
        "result": "done",
        "seconds": 20.0,
    }
