"""What `build` prints."""

import pytest

from slipway import report
from slipway.project import Finding
from slipway.report import ImageFacts, Step

LOG = "1000\t1500\tpnpm\n2000\t20500\tdependencies\n"


def test_the_whole_report() -> None:
    """Detected values, images with their layers, and what was built or reused."""
    text = report.render(
        title="acme, staging, version 1.2.3, revision 0123456789ab",
        notes=["NEXT_PUBLIC_API_URL is https://api.example"],
        findings=[Finding("api", "apps/api", "depends on @nestjs/core")],
        images=[
            ImageFacts(
                "frontend",
                "sha256:aa",
                52_300_000,
                (45_000_000, 7_250_000, 50_000),
                ("base", "dependencies", "app"),
            ),
            ImageFacts("api", "sha256:bb", 812, (812,)),
        ],
        steps=[Step("dependencies", 1, 19.5), Step("api: build", 101, 105.25)],
        since=100,
        now=107.2,
    )
    assert text.splitlines() == [
        "acme, staging, version 1.2.3, revision 0123456789ab",
        "NEXT_PUBLIC_API_URL is https://api.example",
        "",
        "No slipway.toml; detected:",
        "  api  apps/api  depends on @nestjs/core",
        "",
        "IMAGE     DIGEST     SIZE     LAYERS",
        "frontend  sha256:aa  52.3 MB  base 45.0 MB + dependencies 7.2 MB + app 50 kB",
        "api       sha256:bb  812 B    812 B",
        "",
        "Steps:",
        "  dependencies  reused",
        "  api: build    built in 4.2 s",
        "",
        "Done in 7.2 s",
    ]


def test_a_step_log_is_read_back() -> None:
    """Milliseconds and a name on each line, in the order they ran."""
    assert report.parse_steps(LOG) == [Step("pnpm", 1, 1.5), Step("dependencies", 2, 20.5)]


def test_steps_that_images_share_are_listed_once() -> None:
    """Both apps stand on the same installed workspace."""
    log = report.parse_steps(LOG)
    build = Step("api: build", 21, 25)
    assert report.merge([log, [*log, build]]) == [*log, build]


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04, "0.0 s"), (9.94, "9.9 s"), (41.4, "41 s"), (119.4, "119 s"), (135, "2 min 15 s")],
)
def test_durations(value: float, text: str) -> None:
    """Tenths where they matter, minutes where they help."""
    assert report.seconds(value) == text


@pytest.mark.parametrize(
    ("count", "text"), [(999, "999 B"), (48_400, "48 kB"), (9_760_000, "9.8 MB")]
)
def test_sizes(count: int, text: str) -> None:
    """Decimal units, as registries count."""
    assert report.size(count) == text
