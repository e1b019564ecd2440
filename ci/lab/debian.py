"""Debian root file systems, made by mmdebstrap from the machine's own mirrors."""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import IO, TYPE_CHECKING

from . import machine, oci
from .run import streamed

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from .job import Job

# Every file newer than this gets this time, so that a build has one result. It is part of each
# image's key: raise it to have the images made again with the newest packages.
EPOCH = 1793491200  # 2026-11-01

APT = {
    "APT::Install-Recommends": "false",
    # apt's own user may or may not reach the scratch folder: the result would depend on it.
    "APT::Sandbox::User": "root",
    # If a resolver does not answer SRV questions, apt hangs for minutes on each mirror.
    "Acquire::EnableSrvRecords": "false",
}


@contextmanager
def bootstrap(
    suite: str, packages: Sequence[str], recipes: Sequence[Path], job: Job
) -> Iterator[IO[bytes]]:
    """Make a root file system.

    A recipe is a folder with any of: ``dpkg.cfg`` (dpkg's options), ``rootfs`` (files laid over
    the system), ``essential`` and ``customize`` (scripts, run before and after the packages are
    installed, with the system's root as their argument).

    Args:
        suite: the release's code name.
        packages: what to install beyond apt and the essential packages.
        recipes: the recipes' folders, in the order of their application.
        job: whose machine, scratch folder and log to use.

    Yields:
        The file system as a tar stream.

    Raises:
        LabError: mmdebstrap failed.
    """
    command = [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={','.join(packages)}",
        *(f'--aptopt={name} "{value}"' for name, value in {**APT, **job.lent.apt}.items()),
        *(option for recipe in recipes for option in _recipe_options(recipe, job)),
        *_certificate_hooks(job),
        suite,
        "-",
        *_sources(suite, job),
    ]
    env = {**os.environ, "TMPDIR": str(job.scratch), "SOURCE_DATE_EPOCH": str(EPOCH)}
    with streamed(command, job.log, env) as tar:
        yield tar


def _sources(suite: str, job: Job) -> list[str]:
    """The file of the machine's mirrors; none where the bootstrapper's own are as good."""
    sources = machine.apt_sources(job.lent, suite)
    if sources is None:
        return []
    file = job.scratch / "debian.sources"
    file.write_text(sources)
    return [str(file)]


def _recipe_options(recipe: Path, job: Job) -> Iterator[str]:
    """The options that carry a recipe out."""
    if (config := recipe / "dpkg.cfg").exists():
        yield f"--dpkgopt={config}"
    if (script := recipe / "essential").exists():
        yield f"--essential-hook={script}"
    if (overlay := recipe / "rootfs").exists():
        yield _unpack(overlay, job.scratch / f"{recipe.name}.tar")
    if (script := recipe / "customize").exists():
        yield f"--customize-hook={script}"


def _certificate_hooks(job: Job) -> list[str]:
    """The options that add the machine's certificates to those that the system trusts."""
    if not job.lent.certificates:
        return []
    # As certificates of the site: they last when the package rebuilds its bundle.
    root = job.scratch / "certificates"
    site = root / "usr/local/share/ca-certificates"
    site.mkdir(parents=True)
    for number, pem in enumerate(job.lent.certificates):
        (site / f"lab-{number}.crt").write_text(pem)
    archive = job.scratch / "certificates.tar"
    return [_unpack(root, archive), '--customize-hook=chroot "$1" update-ca-certificates']


def _unpack(root: Path, archive: Path) -> str:
    """The option that copies a folder into the system, as root's files."""
    with archive.open("wb") as out:
        oci.tar_tree(root, out, owner=lambda _: 0, epoch=EPOCH)
    return f"--customize-hook=tar-in {archive} /"
