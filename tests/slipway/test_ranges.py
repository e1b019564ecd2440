"""Which Node and pnpm a range in package.json asks for."""

import pytest

from slipway.ranges import node_major, pnpm_version


@pytest.mark.parametrize(
    ("text", "major"),
    [
        (">=22.12 <23", 22),
        (">=18", 22),
        ("*", 22),
        ("22.x", 22),
        ("v22.11.0", 22),
        ("~22.4.0", 22),
        ("^20 || >=22", 22),
        ("20 - 22", 22),
        ("<=22", 22),
        (">22", 24),
        (">22.4", 22),
        ("^24.1.0", 24),
        (">=23 <25", 24),
        ("<22", 20),
        ("^18.18.0 || ^20.9.0", 20),
        ("18", 18),
        ("16.x", 16),
        ("lts/jod", None),
        ("latest please", None),
    ],
)
def test_the_node_major_of_a_range(text: str, major: int | None) -> None:
    """22 wherever the range allows it, else the newest that it allows."""
    assert node_major(text) == major


@pytest.mark.parametrize(
    ("text", "version"),
    [("10.4.1", "10.4.1"), (">=9", "9"), ("^10.0.0", "10"), ("10.x", "10"), ("", None)],
)
def test_the_pnpm_version_of_a_range(text: str, version: str | None) -> None:
    """An exact version as it is, else the range's lowest major."""
    assert pnpm_version(text) == version
