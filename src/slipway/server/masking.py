"""Takes known secrets out of what is shown. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

MASK = "***"
# Shorter ones are words and numbers that any line may hold.
_LEAST = 6
# Values that environment files have and that tell nobody anything.
_PLAIN = ("production", "development", "staging", "localhost", "0.0.0.0")  # noqa: S104 - a word


@dataclass(frozen=True)
class Mask:
    """Known values, each to be shown as `***`.

    Attributes:
        values: The values; of one with several lines, each line.
    """

    values: tuple[str, ...] = ()

    @classmethod
    def of(cls, secrets: Iterable[str], public: Iterable[str] = ()) -> "Mask":
        """A mask of secrets: whole, line by line, and the password of what is an address.

        Args:
            secrets: The values of environment files, and passwords.
            public: Texts that everybody may see, such as addresses: what is part of one is no secret.
        """
        known = {part for secret in secrets for part in _parts(secret)}
        shown = [*public, *_PLAIN]
        wanted = {
            part
            for part in known
            if len(part) >= _LEAST and not any(part in text for text in shown)
        }
        return cls(tuple(sorted(wanted, key=lambda part: (-len(part), part))))

    def __call__(self, text: str) -> str:
        """The text without them, the longest first."""
        for value in self.values:
            text = text.replace(value, MASK)
        return text


def _parts(secret: str) -> set[str]:
    lines = {line.strip() for line in secret.splitlines()}
    try:
        password = urlsplit(secret).password or ""
    except ValueError:
        password = ""
    return {secret.strip(), *lines, password, unquote(password)} - {""}
