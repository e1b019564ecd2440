"""Known secrets are taken out of what is shown, and nothing that everybody may see."""

import pytest

from slipway.server.masking import Mask


def test_a_value_is_masked_wherever_it_stands() -> None:
    """Also inside other words, and as often as it comes."""
    mask = Mask.of(["hunter22"])
    assert mask("login hunter22 failed: xhunter22x") == "login *** failed: x***x"


def test_a_value_of_several_lines_is_masked_whole_and_line_by_line() -> None:
    """A log shows a key's lines one by one, indented or not."""
    key = "-----BEGIN KEY-----\nMIIEvQIBADANBg\n  9w0BAQEFAASC  \n-----END KEY-----\n"
    mask = Mask.of([key])
    assert mask(f"got {key}") == "got ***\n"
    assert mask("  MIIEvQIBADANBg") == "  ***"
    assert mask("> 9w0BAQEFAASC <") == "> *** <"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_are_parted_however_they_end(end: str) -> None:
    """A key of another system."""
    mask = Mask.of([end.join(["first-line", "second-line"])])
    assert mask("first-line and second-line") == "*** and ***"


def test_white_space_around_a_value_is_no_part_of_it() -> None:
    """A file that a secret comes from ends with a line's end."""
    assert Mask.of(["  hunter22\n"])("is hunter22.") == "is ***."


@pytest.mark.parametrize(
    ("shown", "masked"),
    [
        ("postgresql://app:p%40ss%24word@db:5432/shop", "***"),
        ("postgresql://app:p%40ss%24word@127.0.0.1/shop", "postgresql://app:***@127.0.0.1/shop"),
        ('FATAL: password "p@ss$word" refused for app', 'FATAL: password "***" refused for app'),
        ("db:5432, user app, database shop", "db:5432, user app, database shop"),
    ],
)
def test_the_password_of_an_address_is_masked_as_it_is_written_and_as_it_is_meant(
    shown: str, masked: str
) -> None:
    """Who else is in the address is no secret."""
    assert Mask.of(["postgresql://app:p%40ss%24word@db:5432/shop"])(shown) == masked


def test_an_address_that_cannot_be_read_is_masked_whole() -> None:
    """And breaks nothing."""
    mask = Mask.of(["postgresql://app:secret@[db/shop"])
    assert mask("at postgresql://app:secret@[db/shop") == "at ***"


def test_an_address_without_a_password_is_masked_whole_alone() -> None:
    """Its host is no secret by itself."""
    mask = Mask.of(["redis://cache.internal:6379/0"])
    assert mask("redis://cache.internal:6379/0 at cache.internal") == "*** at cache.internal"


@pytest.mark.parametrize("value", ["", " ", "\n", "1", "true", "3001", "error", "12345"])
def test_short_values_stay(value: str) -> None:
    """Words and numbers that any line may hold."""
    text = f"exit code 1: {value} true 3001 error 12345"
    assert Mask.of([value])(text) == text


def test_the_short_password_of_an_address_stays_where_it_stands_alone() -> None:
    """The address is masked."""
    mask = Mask.of(["postgresql://app:app@db/app"])
    assert mask("postgresql://app:app@db/app: app") == "***: app"


def test_a_value_of_six_characters_is_the_shortest_that_is_masked() -> None:
    """One less is not."""
    assert Mask.of(["abcdef", "ghijk"])("abcdef ghijk") == "*** ghijk"


@pytest.mark.parametrize(
    "value",
    ["production", "development", "staging", "localhost", "0.0.0.0", "product"],  # noqa: S104 - a word
)
def test_words_that_environment_files_have_and_that_tell_nobody_anything_stay(value: str) -> None:
    """NODE_ENV, HOSTNAME and such."""
    assert Mask.of([value])(f"runs {value}") == f"runs {value}"


def test_what_is_part_of_what_everybody_may_see_stays() -> None:
    """An address in api_env that the front end shows, too; the rest is masked."""
    public = ["https://shop.example/health", "shop--prod"]
    mask = Mask.of(["https://shop.example", "shop--prod", "hunter22"], public)
    text = "https://shop.example/health of shop--prod"
    assert mask(f"{text}: hunter22") == f"{text}: ***"


def test_what_only_holds_what_everybody_may_see_is_masked() -> None:
    """The secret is longer."""
    mask = Mask.of(["https://user:hunter22@shop.example"], ["shop.example"])
    assert mask("https://user:hunter22@shop.example") == "***"


def test_the_longest_value_is_taken_first() -> None:
    """Nothing of a longer one is left where a shorter one is part of it."""
    mask = Mask.of(["hunter", "hunter22-and-more", "hunter22"])
    assert mask("hunter22-and-more hunter22 hunter") == "*** *** ***"


def test_a_mask_of_nothing_changes_nothing() -> None:
    """Before any secret is known."""
    assert Mask()("text") == Mask.of([])("text") == "text"
