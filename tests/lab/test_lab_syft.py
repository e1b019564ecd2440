"""The lab's `anchore/syft`: what is in an image, as the official image tells it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    import dagger

pytestmark = pytest.mark.engine

SYFT = "anchore/syft:v1.18.1"
MODULES = "/usr/local/lib/node_modules"


async def test_it_lists_the_debian_and_npm_packages_of_an_images_archive(
    dag: dagger.Client,
) -> None:
    """As CycloneDX, by its entrypoint alone: there is no shell in it."""
    node = dag.container().from_("node:22-bookworm-slim")
    small = dag.container()
    # What says what is installed, without the programs: they take most of the time.
    for file in ("/etc/os-release", "/var/lib/dpkg/status", f"{MODULES}/pnpm/package.json"):
        small = small.with_file(file, node.file(file))
    archive = small.as_tarball()
    scan = (
        dag.container()
        .from_(SYFT)
        .with_mounted_file("/image.tar", archive)
        .with_env_variable("SYFT_CHECK_FOR_APP_UPDATE", "false")
        .with_exec(
            ["scan", "oci-archive:/image.tar", "-o", "cyclonedx-json=/tmp/sbom.json"],
            use_entrypoint=True,
        )
    )
    bill = json.loads(await scan.file("/tmp/sbom.json").contents())
    assert bill["bomFormat"] == "CycloneDX"
    kinds = {part["purl"].split("/")[0] for part in bill["components"] if "purl" in part}
    assert {"pkg:deb", "pkg:npm"} <= kinds
    names = {part["name"] for part in bill["components"]}
    assert {"libc6", "pnpm"} <= names
