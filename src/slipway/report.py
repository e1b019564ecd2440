"""What `build` prints: the images, their sizes, what was built and what was reused."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from .project import Finding


@dataclass(frozen=True)
class Step:
    """One step of a build, as its layer remembers it.

    Attributes:
        name: Such as `api: build`.
        begun: When it began, in seconds since the epoch.
        ended: When it ended.
    """

    name: str
    begun: float
    ended: float

    def outcome(self, since: float) -> str:
        """`built in 4.1 s`, or `reused` if it ran before this call began."""
        return f"built in {seconds(self.ended - self.begun)}" if self.ended >= since else "reused"


@dataclass(frozen=True)
class ImageFacts:
    """One image as its manifest describes it.

    Attributes:
        name: The image's name.
        digest: The manifest's digest.
        size: Compressed size in bytes, config included.
        layers: Compressed size of each layer, from below.
        names: What each layer holds, as far as that is known.
    """

    name: str
    digest: str
    size: int
    layers: tuple[int, ...] = ()
    names: tuple[str, ...] = ()


def parse_steps(text: str) -> list[Step]:
    """Read a build container's step log: begun, ended (milliseconds) and name, tab-separated."""
    steps = []
    for line in text.splitlines():
        begun, ended, name = line.split("\t", 2)
        steps.append(Step(name, int(begun) / 1000, int(ended) / 1000))
    return steps


def merge(logs: Iterable[Sequence[Step]]) -> list[Step]:
    """The steps of several containers, those they share once, in the order they ran."""
    return sorted({step for log in logs for step in log}, key=lambda step: (step.begun, step.name))


def render(
    *,
    title: str,
    notes: Sequence[str],
    findings: Sequence[Finding],
    images: Sequence[ImageFacts],
    steps: Sequence[Step],
    since: float,
    now: float,
) -> str:
    """Put the report together.

    Args:
        title: The first line: project, environment, version.
        notes: Sentences the reader should not miss.
        findings: What was detected; empty when there is a config file.
        images: The images.
        steps: Every step of the builds.
        since: When this call began; steps that ended before are reused ones.
        now: When it ended.

    Returns:
        Text made for reading.
    """
    blocks = [[title, *notes]]
    if findings:
        rows = [(f.what, f.value, f.reason) for f in findings]
        blocks.append(["No slipway.toml; detected:", *table(rows)])
    blocks.append(
        table(
            [("IMAGE", "DIGEST", "SIZE", "LAYERS"), *(_row(image) for image in images)], indent=""
        )
    )
    if steps:
        blocks.append(["Steps:", *table([(step.name, step.outcome(since)) for step in steps])])
    blocks.append([f"Done in {seconds(now - since)}"])
    return "\n\n".join("\n".join(block) for block in blocks)


def _row(image: ImageFacts) -> tuple[str, ...]:
    return image.name, image.digest, size(image.size), layers(image)


def layers(image: ImageFacts) -> str:
    """`base 45.1 MB + dependencies 9.7 MB + app 48 kB`; without names where layers are unknown."""
    if len(image.names) != len(image.layers):
        return " + ".join(size(one) for one in image.layers)
    return " + ".join(
        f"{name} {size(one)}" for name, one in zip(image.names, image.layers, strict=True)
    )


def table(rows: Sequence[tuple[str, ...]], indent: str = "  ") -> list[str]:
    """Rows with aligned columns."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)] if rows else []
    return [
        indent
        + "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    ]


def size(count: int) -> str:
    """Bytes in decimal units, as registries count them."""
    if count < 1000:
        return f"{count} B"
    if count < 1_000_000:
        return f"{count / 1000:.0f} kB"
    if count < 1_000_000_000:
        return f"{count / 1_000_000:.1f} MB"
    return f"{count / 1_000_000_000:.1f} GB"


def seconds(value: float) -> str:
    """A duration: tenths below ten seconds, minutes from two on."""
    if value < 10:
        return f"{max(value, 0):.1f} s"
    return f"{value:.0f} s" if value < 120 else f"{value // 60:.0f} min {value % 60:.0f} s"
