"""A certificate that is given for the proxy is looked at before anything is changed."""

from datetime import UTC, datetime, timedelta

import pytest
import trustme

from slipway.setup.certificates import problems

AUTHORITY = trustme.CA()
ISSUED = AUTHORITY.issue_cert("app.example")
CERTIFICATE = "".join(pem.bytes().decode() for pem in ISSUED.cert_chain_pems)
KEY = ISSUED.private_key_pem.bytes().decode()


def test_a_certificate_with_its_key_is_taken() -> None:
    """With those above it in the same file."""
    assert problems(CERTIFICATE + AUTHORITY.cert_pem.bytes().decode(), KEY) == []


def test_the_key_of_another_certificate_is_refused() -> None:
    """Traefik would serve its own made-up certificate instead."""
    other = AUTHORITY.issue_cert("app.example").private_key_pem.bytes().decode()
    assert problems(CERTIFICATE, other) == [
        "certificate_key: another key than that of the first certificate"
    ]


def test_an_expired_one_is_refused() -> None:
    """With the date."""
    before = datetime.now(UTC) - timedelta(days=1)
    expired = AUTHORITY.issue_cert("app.example", not_after=before)
    text = expired.cert_chain_pems[0].bytes().decode()
    found = problems(text, expired.private_key_pem.bytes().decode())
    assert found == [f"certificate: it expired at {before:%Y-%m-%d %H:%M} UTC"]


@pytest.mark.parametrize("text", ["", "no PEM", KEY[:80]])
def test_what_is_no_certificate_and_no_key_is_told_at_once(text: str) -> None:
    """Both problems."""
    assert [problem.partition(":")[0] for problem in problems(text, text)] == [
        "certificate",
        "certificate_key",
    ]
