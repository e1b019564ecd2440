"""What the person at the terminal is told when BuildKit fails; the messages are BuildKit's own, as it sent them."""

import pytest

from drydock.faults import told

HEAD = 'failed to do request: Head "https://reg.test:5000/v2/app/manifests/1": '
STATUS = "unexpected status from HEAD request to http://reg.test:5000/v2/app/manifests/1: "


@pytest.mark.parametrize(
    ("message", "advice"),
    [
        (HEAD + "dial tcp 10.0.0.1:5000: connect: connection refused", "No registry answers at"),
        (
            HEAD + "dial tcp: lookup reg.test on 10.0.0.2:53: no such host",
            "No registry is known by",
        ),
        (STATUS + "401 Unauthorized", "docker login reg.test:5000"),
        (STATUS + "403 Forbidden", "reg.test:5000 refuses this"),
        (
            HEAD
            + "tls: failed to verify certificate: x509: certificate signed by unknown authority",
            'set ca under [registry."reg.test:5000"]',
        ),
        (
            HEAD + "http: server gave HTTP response to HTTPS client",
            'set http = true under [registry."reg.test:5000"]',
        ),
        ("ResourceExhausted: write /x/o.tar: no space left on device", "The disk is full"),
    ],
)
def test_a_fault_comes_with_what_to_do(message: str, advice: str) -> None:
    """After BuildKit's own words, which name the value."""
    text = told(message)
    assert text.startswith(f"{message}. ")
    assert advice in text
    assert "{host}" not in text


@pytest.mark.parametrize(
    "lost",
    [
        "failed to receive status: rpc error: code = Unavailable desc = connection reset by peer",
        "Unavailable: error reading from server: EOF",
    ],
)
def test_a_daemon_that_ends_is_named(lost: str) -> None:
    """Whatever the connection's last words were."""
    assert told(lost).startswith(
        "the BuildKit daemon ended, or was stopped, before the build was done."
    )


def test_an_image_is_named_once() -> None:
    """BuildKit names it three times."""
    name = "docker.io/library/debian:nope"
    message = f"debian:nope: failed to resolve source metadata for {name}: {name}: not found"
    assert told(message) == f"{name}: not found"


def test_any_other_message_stays_as_it_is() -> None:
    """There is nothing to add to it."""
    assert told("lstat /x: no such file or directory") == "lstat /x: no such file or directory"
