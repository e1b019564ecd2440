"""What `.gitignore` files leave out."""

from pathlib import Path

import pytest

from drydock.gitignore import host_patterns, ignored, patterns


@pytest.mark.parametrize(
    ("text", "out", "kept"),
    [
        ("*.log", ["a.log", "sub/b.log"], ["a.txt"]),
        ("/top", ["top"], ["sub/top"]),
        ("build/", ["build/x", "sub/build/x"], ["build"]),
        ("a/**/z", ["a/z", "a/b/c/z"], ["z", "b/a"]),
        ("*.env\n!example.env", ["x.env"], ["example.env"]),
        ("# note\n\n  spaced  ", ["spaced"], ["# note"]),
        ("modules\n!keep", ["modules/x"], ["modules/keep"]),
    ],
)
def test_the_last_pattern_that_matches_decides(text: str, out: list[str], kept: list[str]) -> None:
    """Of a path or a folder above it; so an exception counts in an ignored folder too."""
    rules = (("", text),)
    assert [path for path in out if not ignored(path, rules, is_dir=False)] == []
    assert [path for path in kept if ignored(path, rules, is_dir=False)] == []


def test_a_file_counts_for_its_folder_and_wins_over_those_above() -> None:
    """As Git has it."""
    rules = (("", "*.txt"), ("sub", "!*.txt"))
    assert ignored("a.txt", rules, is_dir=False)
    assert not ignored("sub/a.txt", rules, is_dir=False)


def test_patterns_say_no_more_than_needed() -> None:
    """A folder that is out as a whole is one pattern; what comes back in it is an exception."""
    paths = [("m", True), ("m/a", False), ("m/keep", False), ("n", True), ("n/b", False)]
    assert list(patterns(paths, (("", "m\nn\n!keep"),), "")) == ["m", "!m/keep", "n"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in ("src/a.py", "src/a.pyc", "node_modules/x/y.js", "node_modules/.keep", "[x]"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("")
    return tmp_path


def test_a_directory_of_this_machine(tree: Path) -> None:
    """Names that look like patterns are taken as they are."""
    (tree / ".gitignore").write_text("node_modules/\n*.pyc\n\\[x\\]\n")
    assert host_patterns(tree, tree) == ("\\[x]", "node_modules", "src/a.pyc")
    assert host_patterns(tree / "src", tree) == ("a.pyc",)


def test_an_exception_in_an_ignored_folder(tree: Path) -> None:
    """It is looked for there, unlike where no pattern could bring anything back."""
    (tree / ".gitignore").write_text("node_modules/\n!.keep\n")
    assert host_patterns(tree, tree) == ("node_modules", "!node_modules/.keep")
    (tree / ".gitignore").write_text("node_modules/\n!/src/x\n")
    assert host_patterns(tree, tree) == ("node_modules",)


def test_an_edit_is_seen_at_once(tree: Path) -> None:
    """Of the rules, and of what lies there; what did not change is not looked at again."""
    (tree / ".gitignore").write_text("*.pyc\n")
    assert host_patterns(tree, tree) == ("src/a.pyc",)
    (tree / "src" / "b.pyc").write_text("")
    assert host_patterns(tree, tree) == ("src/a.pyc", "src/b.pyc")
    (tree / ".gitignore").write_text("*.py\n")
    assert host_patterns(tree, tree) == ("src/a.py",)
