"""Who may log in as the deploying user: their authorized_keys. Pure."""

from itertools import pairwise

_TYPES = ("ssh-", "ecdsa-", "sk-ssh-", "sk-ecdsa-")


def authorized(text: str, public: str) -> str:
    """The file with a key added.

    Args:
        text: What it holds now.
        public: The public key: type, base64 and perhaps a comment.

    Returns:
        What it should hold: the very same text where the key is let in already.
    """
    if _blob(public) in {_blob(line) for line in text.splitlines()}:
        return text
    before = text if not text or text.endswith("\n") else f"{text}\n"
    return f"{before}{public.strip()}\n"


def _blob(line: str) -> str:
    """The key itself, without the options before it and the comment behind it; empty for a comment."""
    words = line.split()
    if line.lstrip().startswith("#"):
        return ""
    for kind, blob in pairwise(words):
        if kind.startswith(_TYPES):
            return blob
    return ""
