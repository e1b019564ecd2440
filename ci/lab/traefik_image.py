"""The layer of the image `traefik`: the proxy, compiled from the Go module index."""

from __future__ import annotations

import os
import shutil
from tempfile import TemporaryFile
from typing import TYPE_CHECKING

from . import oci
from .debian import EPOCH
from .run import logged, require
from .settings import IMAGES

if TYPE_CHECKING:
    from .job import Job
    from .oci import Layer, Layout

MODULE = "github.com/traefik/traefik/v3"
VERSION = "3.6.7"


def add_layers(layout: Layout, job: Job) -> list[Layer]:
    """Add ``traefik`` and an empty ``/tmp``.

    Args:
        layout: where the layer goes.
        job: whose scratch folder and log to use.

    Returns:
        One layer.

    Raises:
        LabError: there is no Go, or it could not compile it.
    """
    require("go")
    source = job.scratch / "source"
    source.mkdir()
    for name in ("go.mod", "go.sum"):
        shutil.copy(IMAGES / "traefik" / name, source)
    stage = job.scratch / "stage"
    (stage / "tmp").mkdir(parents=True)
    flags = f"-s -w -X {MODULE}/pkg/version.Version={VERSION}"
    options = ["-buildvcs=false", "-trimpath", f"-ldflags={flags}"]
    target = ["-o", str(stage / "usr/local/bin/traefik"), f"{MODULE}/cmd/traefik"]
    # Minutes of all cores, where nothing is cached: other work goes first.
    command = ["nice", "go", "-C", str(source), "build", *options, *target]
    logged(command, job.log, {**os.environ, "CGO_ENABLED": "0"})
    with TemporaryFile(dir=job.scratch) as tar:
        oci.tar_tree(stage, tar, owner=lambda _: 0, epoch=EPOCH)
        tar.seek(0)
        return [layout.add_layer(tar)]
