"""The load test's figures: what counts as failed, quantiles, rates, and when a release took over."""

from __future__ import annotations

import pytest

from ci.loadtest.streams import inside, streams
from ci.loadtest.summary import Sample, figures, handover, judged, quantile


def sample(at: float, status: int = 200, release: str = "old", seconds: float = 0.01) -> Sample:
    return Sample("API, GET", at, seconds, status, release)


@pytest.mark.parametrize(("status", "failed"), [(200, False), (307, False), (404, True), (0, True)])
def test_what_its_user_did_not_get_has_failed(status: int, failed: bool) -> None:
    """A refusal too: without the deploy there would be none."""
    assert sample(0, status).failed is failed
    (found,) = figures([[sample(0), sample(1, status)]])
    assert found.failed == failed
    assert sum(found.reasons.values()) == failed


@pytest.mark.parametrize("release", ["older", ""])
def test_an_answer_of_anybody_else_has_failed(release: str) -> None:
    """Another site's, a release's that had gone, or nobody's: each is told by its name."""
    sent = [sample(0), sample(1, release="new"), sample(2, release=release), sample(3, 502, "")]
    (row,) = figures([judged(sent, {"old", "new"})])
    assert row.failed == 2
    assert row.reasons == {f"200 answered by {release or 'no release'}": 1, "502": 1}


def test_a_stream_is_told_over_all_runs() -> None:
    """The time between two runs does not make its rate smaller."""
    runs = [[sample(0), sample(1), sample(2)], [sample(100), sample(101, seconds=4)]]
    (found,) = figures(runs)
    assert (found.requests, found.rate, found.p50, found.longest) == (5, 1.0, 0.01, 4)


def test_a_quantile_is_one_of_the_values() -> None:
    """By nearest rank; of one value it is that one."""
    assert quantile([1, 2, 3, 4], 0.5) == 2
    assert quantile([1, 2, 3, 4], 0.99) == 4
    assert quantile([7], 0.5) == 7


def test_a_handover_lasts_from_the_first_of_the_new_to_the_last_of_the_old() -> None:
    """In between, both releases answer."""
    found = [sample(0), sample(1, release="new"), sample(2), sample(3, release="new")]
    assert handover(found, "new") == (1, 2)


def test_every_kind_of_request_is_sent() -> None:
    """GET and POST, each on kept connections and on new ones, and one that lasts two seconds."""
    found = streams("https://shop.example", "https://shop.example/api")
    api = {(one.method, one.keep) for one in found if one.name.startswith("API")}
    assert api == {("GET", True), ("GET", False), ("POST", True), ("POST", False)}
    assert any(one.url.endswith("/api/breath?seconds=2") for one in found)
    assert len({one.name for one in found}) == len(found)


def test_the_api_is_asked_from_inside_too() -> None:
    """On kept connections and on new ones; its requests count as the API's."""
    asked = inside("http://api.shop--staging.internal:8000")
    assert {one.url for one in asked} == {"http://api.shop--staging.internal:8000/health"}
    assert {one.keep for one in asked} == {True, False}
    assert all(one.method == "GET" and one.name.startswith("API, inside") for one in asked)
    outside = {one.name for one in streams("https://shop.example", "https://api.shop.example")}
    assert outside.isdisjoint(one.name for one in asked)
