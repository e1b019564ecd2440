"""Environment files: every problem at once, and values that survive Compose's parser."""

import pytest

from slipway.errors import ConfigError
from slipway.server import envfile


def test_values_are_taken_as_they_are_written() -> None:
    """Quotes go, comments go, nothing is filled in."""
    text = "# the API's\nPORT=3001\nexport URL='postgresql://a:b%24@db/app'\nTITLE=\"two\\nlines # $HOME\"\n"
    assert envfile.parse(text, "api_env") == {
        "PORT": "3001",
        "URL": "postgresql://a:b%24@db/app",
        "TITLE": "two\nlines # $HOME",
    }


def test_every_problem_is_told_without_a_value() -> None:
    """By line and name; the file holds secrets."""
    text = "PORT=3001\nnot an assignment secret-1\nEMPTY\nPORT=secret-2\n1BAD=secret-3\n"
    with pytest.raises(ConfigError) as caught:
        envfile.parse(text, "api_env")
    message = str(caught.value)
    assert "api_env: 4 problems" in message
    for part in ("line 2", "line 3: EMPTY has no value", "line 4: PORT is set twice", "line 5"):
        assert part in message
    assert "secret-" not in message


@pytest.mark.parametrize(
    ("value", "line"),
    [
        ("plain", 'A="plain"'),
        ("", 'A=""'),
        ('say "$HOME" #1', 'A="say \\"\\$HOME\\" #1"'),
        ("back\\slash\r\nüber", 'A="back\\\\slash\\r\\nüber"'),
    ],
)
def test_a_value_is_written_in_double_quotes(value: str, line: str) -> None:
    """With all escaped that Compose would undo or fill in."""
    assert envfile.render({"A": value}) == f"{line}\n"
    assert envfile.parse(envfile.render({"B": "1"}), "x") == {"B": "1"}


def test_a_value_that_no_process_can_have_is_refused_without_being_shown() -> None:
    """A NUL ends what a process reads; Linux starts none with more than 128 KiB in one variable."""
    longest = "x" * (131_072 - len("LONG=") - 1)
    assert envfile.parse(f"LONG={longest}", "api_env") == {"LONG": longest}
    with pytest.raises(ConfigError) as caught:
        envfile.parse(f"NUL=secret\0\nLONG={longest}ü", "api_env")
    assert caught.value.problems == (
        "NUL: holds a NUL character",
        "LONG: 131,068 bytes — Linux takes at most 131,066; hand it over as a file",
    )
