"""Searching in text, and replacing it."""

import pytest

from drydock.errors import ApiError
from drydock.search import Query, inside, replaced, search, selected

FILES = [
    ("a.txt", "Hello\nwörld hello\n".encode()),
    ("bin", b"hello\0"),
    ("latin", b"hello \xff\nhello\n"),
]


def test_lines_are_told_with_where_the_matches_are() -> None:
    """Positions in bytes; what is no text is left out."""
    found = search(FILES, Query("hello"))
    facts = [
        (r.file_path, r.line_number, r.absolute_offset, r.matched_lines, r.submatches[0].start)
        for r in found
    ]
    assert facts == [("a.txt", 2, 6, "wörld hello\n", 7), ("latin", 2, 8, "hello\n", 0)]


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        (Query("hello", insensitive=True), [1, 2]),
        (Query("^h", insensitive=True), [1]),
        (Query("o$", insensitive=True), [1, 2]),
        (Query("h.llo", literal=True), []),
        (Query(r"Hello\nw", multiline=True), [1]),
        (Query("Hello.w", multiline=True), []),
        (Query("Hello.w", multiline=True, dotall=True), [1]),
        (Query("l", limit=1), [1]),
    ],
)
def test_options(query: Query, lines: list[int]) -> None:
    """As ripgrep takes them."""
    assert [result.line_number for result in search(FILES[:1], query)] == lines


def test_a_match_over_lines_shows_them_all() -> None:
    """From the beginning of the first to the end of the last."""
    [found] = search([("f", b"0\n1 a\nb 2\n3\n")], Query(r"a\nb", multiline=True))
    assert (found.line_number, found.absolute_offset, found.matched_lines) == (2, 2, "1 a\nb 2\n")


def test_only_names_can_be_asked_for() -> None:
    """Each file once."""
    found = search(FILES, Query("hello", insensitive=True, files_only=True))
    assert [result.file_path for result in found] == ["a.txt", "latin"]


def test_a_broken_pattern_is_refused() -> None:
    """Before any file is read."""
    with pytest.raises(ApiError, match="ripgrep error: regex parse error"):
        search([], Query("("))


def test_what_is_looked_into() -> None:
    """By paths, globs, and what is hidden or ignored."""
    paths = ["a.py", "sub/b.py", "sub/c.txt", ".hidden/d.py", "out/e.py"]

    def takes(query: Query) -> list[str]:
        return [path for path in paths if selected(query, (("", "out/"),))(path)]

    assert takes(Query("x", paths=("sub",))) == ["sub/b.py", "sub/c.txt"]
    assert takes(Query("x", globs=("*.py", "!sub/**"))) == ["a.py", ".hidden/d.py", "out/e.py"]
    assert takes(Query("x", globs=("!*.txt",))) == [p for p in paths if p != "sub/c.txt"]
    assert takes(Query("x", skip_hidden=True)) == ["a.py", "sub/b.py", "sub/c.txt", "out/e.py"]


def test_a_search_stays_in_its_directory() -> None:
    """However its path is written."""
    assert [inside(path) for path in ("/a/b", "./a", "")] == ["a/b", "a", "."]
    with pytest.raises(ApiError, match=r"path cannot escape directory: \.\./x"):
        inside("../x")


def test_replacing() -> None:
    """One that is alone, all, or the first from a line on."""
    text = "a b\nb c\n"
    assert replaced(text, "a", "X", every=False, first_line=None) == "X b\nb c\n"
    assert replaced(text, "b", "X", every=True, first_line=None) == "a X\nX c\n"
    assert replaced(text, "b", "X", every=False, first_line=2) == "a b\nX c\n"
    assert replaced(text, "z", "X", every=True, first_line=None) == text


def test_replacing_what_is_not_clear_is_refused() -> None:
    """Not there, or there more than once: with where."""
    with pytest.raises(ApiError, match="^search string not found$"):
        replaced("a", "z", "", every=False, first_line=None)
    message = r"search string found multiple times: line 1 \(2-3\), line 2 \(0-1\)"
    with pytest.raises(ApiError, match=message):
        replaced("a b\nb\n", "b", "", every=False, first_line=None)
