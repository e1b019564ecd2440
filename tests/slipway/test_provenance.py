"""Who published an image, and when."""

from datetime import datetime

import pytest

from slipway.provenance import Provenance, tag

DIGEST = f"sha256:{'a' * 64}"
THEN = datetime.fromisoformat("2026-01-05T12:00:00+00:00").timestamp()
RECORD = Provenance(DIGEST, "2026-01-05T12:00:00+00:00", "Jane", environment="staging")


@pytest.mark.parametrize(
    ("seconds", "words"),
    [
        (5, "just now"),
        (-5, "just now"),
        (60, "1 min ago"),
        (12 * 60 + 30, "12 min ago"),
        (3600, "1 h ago"),
        (86400, "1 day ago"),
        (3 * 86400, "3 days ago"),
    ],
)
def test_how_long_ago_is_told_in_one_unit(seconds: int, words: str) -> None:
    """Clocks that differ make no sense of a time to come."""
    assert RECORD.told(THEN + seconds) == f"published {words} by Jane"


def test_a_record_gives_back_what_was_written() -> None:
    """And lies beside its image, by a tag that registries take."""
    assert Provenance.read(RECORD.label, DIGEST) == RECORD
    assert RECORD.tag == tag(DIGEST) == f"sha256-{'a' * 64}.slipway"


@pytest.mark.parametrize(
    "label",
    [
        None,
        "",
        "no JSON",
        "[]",
        '{"digest": "sha256:other", "time": "2026-01-05T12:00:00+00:00"}',
        f'{{"digest": "{DIGEST}", "time": "yesterday"}}',
        f'{{"digest": "{DIGEST}", "time": 5}}',
        f'{{"digest": "{DIGEST}", "time": "2026-01-05T12:00:00+00:00", "who": 5}}',
        f'{{"time": "2026-01-05T12:00:00+00:00", "who": "{DIGEST}"}}',
    ],
)
def test_a_record_that_cannot_be_read_is_none(label: str | None) -> None:
    """Also one of another image: then nobody knows who published this one."""
    assert Provenance.read(label, DIGEST) is None
