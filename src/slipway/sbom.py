"""Bills of materials: what an image holds, as Syft lists it."""

from typing import Final

import dagger
from dagger import dag

from .config import SbomConfig

_SUFFIXES: Final = {"cyclonedx-json": "cdx.json", "spdx-json": "spdx.json"}
_IMAGE = "/image"
_FILE = "/tmp/sbom.json"  # noqa: S108 - in a container of its own


def name(image: str, config: SbomConfig) -> str:
    """The name of an image's file: `api.cdx.json` or `api.spdx.json`."""
    return f"{image}.{_SUFFIXES[config.format]}"


def made(image: dagger.Container, title: str, config: SbomConfig) -> dagger.File:
    """List what is in an image; nothing runs before the file is read.

    The image's files are looked at, not its archive: then what did not change is not listed anew for each commit.

    Args:
        image: The image.
        title: What it is called in the list.
        config: Which Syft, and which format.

    Returns:
        The list.
    """
    command = [
        "scan",
        f"dir:{_IMAGE}",
        f"--base-path={_IMAGE}",
        # What is installed, not what lockfiles ask for.
        "--override-default-catalogers=image",
        f"--source-name={title}",
        f"--output={config.format}={_FILE}",
        "--quiet",
    ]
    syft = (
        dag.container()
        .from_(config.image)
        .with_env_variable("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .with_mounted_directory(_IMAGE, image.rootfs(), read_only=True)
    )
    return syft.with_exec(command, use_entrypoint=True).file(_FILE)
