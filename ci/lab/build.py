"""Make the images that the registry lacks, several at once, and say how it goes."""

from __future__ import annotations

import os
import shutil
import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from .debian import EPOCH
from .images import LABEL, Image
from .job import Job
from .oci import Layout
from .settings import LabError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from .machine import Machine
    from .registry import Registry
    from .settings import Settings

HEARTBEAT_SECONDS = 5.0


def is_ready(image: Image, lent: Machine, registry: Registry) -> bool:
    """Whether the registry holds an image as its recipe is now."""
    return registry.label(image.repository, LABEL) == image.key(lent)


def build_all(
    images: Iterable[Image], lent: Machine, registry: Registry, settings: Settings
) -> list[str]:
    """Make images and push them, as many at once as there are cores.

    Args:
        images: each after its base.
        lent: what this machine lends to them.
        registry: where they go; it runs.
        settings: the lab's folders.

    Returns:
        What failed, a message for each image.
    """
    # What a killed run left. Its last command may still be ending: this run has its own folder.
    shutil.rmtree(settings.scratch, ignore_errors=True)
    settings.scratch.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=settings.scratch, ignore_cleanup_errors=True) as scratch:
        return Builder(lent, registry, settings.logs, Path(scratch)).run(images)


class Builder:
    """One run over some images.

    Args:
        lent: what this machine lends to them.
        registry: where they go.
        logs: the folder of the logs.
        scratch: a folder of this run's own.
    """

    def __init__(self, lent: Machine, registry: Registry, logs: Path, scratch: Path) -> None:
        """Start nothing yet."""
        self.lent = lent
        self.registry = registry
        self.logs = logs
        self.scratch = scratch
        self.jobs: dict[str, Future[None]] = {}
        self.running: dict[str, float] = {}

    def run(self, images: Iterable[Image]) -> list[str]:
        """Make the images, each after its base; return what failed."""
        with _heartbeat(self.running), ThreadPoolExecutor(os.cpu_count()) as pool:
            try:
                for image in images:
                    self.jobs[image.name] = pool.submit(self._work, image)
                wait(self.jobs.values())
            except KeyboardInterrupt:
                pool.shutdown(wait=False, cancel_futures=True)
                raise
        return [text for name, job in self.jobs.items() for text in _failure(name, job)]

    def _work(self, image: Image) -> None:
        """Make one image when its base is there, and say how long it took."""
        # Bases come first and the pool starts work in order: this waits, it cannot hang.
        if image.base and image.base.name in self.jobs and self.jobs[image.base.name].exception():
            raise LabError(f"not made, because {image.base.name} failed")
        self.running[image.name] = start = time.monotonic()
        try:
            self._build(image)
            print(f"  {image.name:24} built in {time.monotonic() - start:.0f} s", flush=True)
        finally:
            del self.running[image.name]

    def _build(self, image: Image) -> None:
        """Make one image in a scratch folder and push it."""
        name = image.name.replace(":", "-").replace("/", "-")
        job = Job(self.lent, self.scratch / name, self.logs / f"{name}.log")
        job.log.unlink(missing_ok=True)
        job.scratch.mkdir()
        layout = Layout(self.scratch / f"{name}.oci")
        if image.base is not None:
            self.registry.pull(image.base.repository, layout, job.log)
        layers = image.add_layers(layout, job)
        layout.finish(layers, image.full_config(self.lent), EPOCH)
        self.registry.push(layout, image.repository, job.log)
        shutil.rmtree(layout.folder)


def _failure(name: str, job: Future[None]) -> Iterator[str]:
    """What went wrong with an image, if anything; a fault of the lab itself is raised."""
    try:
        job.result()
    except LabError as error:
        yield f"{name}: {error}"


@contextmanager
def _heartbeat(running: dict[str, float]) -> Iterator[None]:
    """Say every few seconds what is being made and for how long."""
    over = threading.Event()

    def beat() -> None:
        while not over.wait(HEARTBEAT_SECONDS):
            now = time.monotonic()
            jobs = [f"{name} {now - since:.0f} s" for name, since in list(running.items())]
            if jobs:
                print(f"  ... {', '.join(jobs)}", flush=True)

    thread = threading.Thread(target=beat, daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
