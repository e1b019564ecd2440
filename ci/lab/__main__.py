"""``up``, ``down`` and ``status`` of the lab; see README.md beside this file."""

from __future__ import annotations

import argparse
import fcntl
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from . import build, images, machine, secure_registry, servers, settings
from .bridge import Bridge
from .registry import Registry
from .run import require
from .settings import LabError, Settings

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from .background import Background

CONFIG = """\
# Written by ci/lab/up: base images come from the lab's registry.
[registry."docker.io"]
mirrors = ["{address}"]
[registry."{address}"]
http = true
"""
SECURE = """\
[registry."{address}"]
ca = "{ca}"
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns:
        The process's exit code: 0, or 1 where a part is not as asked.
    """
    options = _parser().parse_args(arguments)
    try:
        return int(options.run(options, settings.load()))
    except LabError as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("lab: stopped; run it again to go on", file=sys.stderr)
        return 130


def up(options: argparse.Namespace, config: Settings) -> int:
    """Start the registries and make the images that are missing or out of date."""
    catalogue = images.catalogue()
    wanted = _wanted(options.parts, catalogue)
    registry = Registry(config)
    config.logs.mkdir(parents=True, exist_ok=True)
    with _alone(config):
        registry.start()
        print(f"  {'registry':24} running at {config.address}", flush=True)
        if not options.parts or "secure-registry" in options.parts:
            secure = secure_registry.of_lab(config)
            secure.start()
            print(f"  {'secure-registry':24} running at {secure.address}", flush=True)
        _write_drydock_config(config)
        if not wanted:
            return 0
        lent = machine.survey()
        stale = [image for image in wanted if not build.is_ready(image, lent, registry)]
        for image in wanted:
            if image not in stale:
                print(f"  {image.name:24} ready")
        if stale:
            require("mmdebstrap", "skopeo")
            print(f"  building {', '.join(image.name for image in stale)}", flush=True)
            failures = build.build_all(stale, lent, registry, config)
            if failures:
                raise LabError("\n".join(failures))
    print(f"  ready: {len(wanted)} images at {config.address}")
    return 0


def down(_: argparse.Namespace, config: Settings) -> int:
    """Stop the registries; what they hold stays."""
    secure = secure_registry.of_lab(config)
    parts = {"registry": Registry(config).process, "secure-registry": secure.process}
    for name, process in parts.items():
        print(f"  {name:24} {'stopped' if process.stop() else 'was not running'}")
    config.drydock_config.unlink(missing_ok=True)
    return 0


def status(_: argparse.Namespace, config: Settings) -> int:
    """Print each part's state; 0 where all are ready."""
    registry = Registry(config)
    lent = machine.survey()
    secure = secure_registry.of_lab(config)
    rows = [
        _registry_row("registry", registry.process, registry.answers(), config.address),
        _registry_row("secure-registry", secure.process, secure.answers(), secure.address),
    ]
    shown = [image for image in images.catalogue().values() if not image.on_demand]
    rows += [_image_row(image, lent, registry) for image in shown]
    up = [server for server in servers.all_of(config) if server.process.pid()]
    rows += [(f"server {server.name}", "running", server.address) for server in up]
    print(f"  {'part':24} {'state':10} detail")
    for part, state, detail in rows:
        print(f"  {part:24} {state:10} {detail}")
    return 0 if all(state in {"running", "ready"} for _, state, _ in rows) else 1


def _registry_row(
    name: str, process: Background, answers: bool, address: str
) -> tuple[str, str, str]:
    """A registry's line of the table."""
    if process.pid() and answers:
        return name, "running", f"{address}, pid {process.pid()}"
    return name, "stopped", "run ci/lab/up"


def _image_row(
    image: images.Image, lent: machine.Machine, registry: Registry
) -> tuple[str, str, str]:
    """An image's line of the table."""
    key = registry.label(image.repository, images.LABEL)
    if key is None:
        return image.name, "missing", "run ci/lab/up"
    if key != image.key(lent):
        return image.name, "outdated", "its recipe or this machine changed: run ci/lab/up"
    return image.name, "ready", f"key {key[:12]}"


def _wanted(parts: Sequence[str], catalogue: dict[str, images.Image]) -> list[images.Image]:
    """The images that the parts name, each with its base before it."""
    known = ["registry", "secure-registry", "images", *catalogue]
    unknown = [part for part in parts if part not in known]
    if unknown:
        raise LabError(f"no part {', '.join(unknown)}. Parts: {', '.join(known)}")
    named = [catalogue[part] for part in parts if part in catalogue]
    if not parts or "images" in parts:
        named += [image for image in catalogue.values() if not image.on_demand]
    bases = [image.base for image in named if image.base is not None]
    return [image for image in catalogue.values() if image in named or image in bases]


def _write_drydock_config(config: Settings) -> None:
    """The daemon's config, replaced in one step."""
    part = config.drydock_config.with_suffix(".part")
    text = CONFIG.format(address=config.address)
    ca = config.authority / "ca.crt"
    # It is made with the first registry that needs it.
    if ca.exists():
        for port in (config.secure_port, *config.spare_ports):
            text += SECURE.format(address=f"{settings.LOOPBACK}:{port}", ca=ca)
        # The one that servers pull from, too.
        gateway = Bridge(config.network).gateway
        text += SECURE.format(address=f"{gateway}:{config.secure_port}", ca=ca)
    part.write_text(text)
    part.rename(config.drydock_config)


@contextmanager
def _alone(config: Settings) -> Iterator[None]:
    """Hold the lab's lock, which ends with this process however that ends."""
    with (config.home / "lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("  waiting for another ci/lab/up", flush=True)
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _parser() -> argparse.ArgumentParser:
    """The command line."""
    parser = argparse.ArgumentParser(prog="ci/lab", description=__doc__)
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser("up", help="start the registries, make what is missing")
    command.add_argument(
        "parts", nargs="*", help="registry, secure-registry, images, or an image's name"
    )
    command.set_defaults(run=up)
    commands.add_parser("down", help="stop the registries").set_defaults(run=down)
    commands.add_parser("status", help="what is there").set_defaults(run=status)
    return parser


if __name__ == "__main__":
    sys.exit(main())
