"""A certificate that somebody gives for the proxy, looked at before it is used. Pure."""

from datetime import UTC, datetime

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes

_FORM = (serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)


def problems(certificate: str, key: str, now: datetime | None = None) -> list[str]:
    """What is wrong with a certificate and its private key.

    Args:
        certificate: The certificate first, then those above it, PEM.
        key: The private key without a password, PEM.
        now: Against what its dates are held.
    """
    chain, secret = _chain(certificate), _key(key)
    made = []
    if not chain:
        made.append("certificate: no certificate in PEM form")
    if not secret:
        made.append("certificate_key: no private key in PEM form without a password")
    if not chain or not secret:
        return made
    first = chain[0]
    if first.public_key().public_bytes(*_FORM) != secret.public_key().public_bytes(*_FORM):
        made.append("certificate_key: another key than that of the first certificate")
    if first.not_valid_after_utc < (now or datetime.now(UTC)):
        made.append(f"certificate: it expired at {first.not_valid_after_utc:%Y-%m-%d %H:%M} UTC")
    return made


def _chain(text: str) -> list[x509.Certificate]:
    try:
        return x509.load_pem_x509_certificates(text.encode())
    except ValueError:
        return []


def _key(text: str) -> PrivateKeyTypes | None:
    try:
        return serialization.load_pem_private_key(text.encode(), None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
