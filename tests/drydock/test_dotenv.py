"""`.env` files."""

import pytest

from drydock.dotenv import Expansion, assignments
from drydock.errors import DrydockError


def value(text: str, environment: dict[str, str] | None = None) -> str:
    """What a file makes of its variable `A`."""
    return Expansion(assignments(text), environment or {}).value("A")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("A=plain text # kept", "plain text # kept"),
        ("export A=1", "1"),
        ("  A=1  ", "1"),
        ("A=", ""),
        ("A='single $B'", "single $B"),
        ('A="two words"', "two words"),
        (r'A="a \"quote\" and \$B"', 'a "quote" and $B'),
        (r"A=a\ b", "a b"),
        ("A='one'\"two\"three", "onetwothree"),
        ("B=x\nA=$B/${B}", "x/x"),
        ("A=$B\nB=later", "later"),
        ("A=${C:-fallback}", "fallback"),
        ("A=${HOST}", "from the environment"),
        ("HOST=file\nA=$HOST", "file"),
        ("A=1\nA=2", "2"),
        ("# A=comment\nA=real", "real"),
        ("A='\"NAME\"'", '"NAME"'),
        ("A=env://TOKEN?cacheKey=x", "env://TOKEN?cacheKey=x"),
    ],
)
def test_values_are_words_of_the_shell(text: str, expected: str) -> None:
    """Only what needs a shell is read as one does."""
    assert value(text, {"HOST": "from the environment"}) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("A=$NOPE", "A: the variable NOPE is not set"),
        ("A=$B\nB=$A", "A → B → A refer to each other"),
        ("A='open", "A: the quote ' is never closed"),
    ],
)
def test_a_value_that_cannot_be_read_is_refused_by_name(text: str, message: str) -> None:
    """The message names the variable, so that the line is found."""
    with pytest.raises(DrydockError, match=message):
        value(text)


def test_a_broken_value_that_nobody_asks_for_does_no_harm() -> None:
    """A `.env` is shared with other programs."""
    assert value("OTHER=$NOPE\nA=1") == "1"
