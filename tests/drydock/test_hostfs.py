"""Directories of this machine without a build: patterns, and what they keep."""

from pathlib import Path

import pytest

from drydock import hostfs
from drydock.errors import ApiError
from drydock.graph import Local
from drydock.objects import Directory, File
from drydock.patterns import literal, matcher


@pytest.mark.parametrize(
    ("pattern", "matched", "not_matched"),
    [
        ("*.ts", ["a.ts"], ["src/a.ts", "a.tsx"]),
        ("**/*.ts", ["a.ts", "src/deep/a.ts"], ["a.js"]),
        ("src/**", ["src/a", "src/b/c"], ["src", "lib/a"]),
        ("apps/*/package.json", ["apps/web/package.json"], ["apps/a/b/package.json"]),
        ("a?c", ["abc"], ["a/c", "ac"]),
        ("[ab].txt", ["a.txt"], ["c.txt"]),
        ("./dir/", ["dir"], ["dir/a"]),
        (literal("a[b]*.txt"), ["a[b]*.txt"], ["ab.txt"]),
        ("a.b+c", ["a.b+c"], ["axb+c"]),
    ],
)
def test_what_a_pattern_matches(pattern: str, matched: list[str], not_matched: list[str]) -> None:
    """A star stays within a name, two cross folders, everything else is itself."""
    matches = matcher(pattern)
    assert [path for path in matched + not_matched if matches(path)] == matched


def test_an_empty_pattern_is_refused() -> None:
    """It would match nothing, which nobody means."""
    with pytest.raises(ApiError, match="empty pattern"):
        matcher("")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Sources, installed packages, a file that is not to be read."""
    for name in (
        "package.json",
        "src/a.ts",
        "src/b.md",
        "node_modules/x/package.json",
        ".env",
        "empty/.keep",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name)
    return tmp_path


@pytest.mark.parametrize(
    ("include", "exclude", "kept"),
    [
        ((), ("**/node_modules", ".env", "empty"), ["package.json", "src/a.ts", "src/b.md"]),
        (("**/package.json",), ("node_modules",), ["package.json"]),
        (("src",), ("**/*.md",), ["src/a.ts"]),
        (("*.json", "src/*.ts"), (), ["package.json", "src/a.ts"]),
        ((), ("*", "!src"), ["src/a.ts", "src/b.md"]),
        ((), ("*", "!src", "**/*.md"), ["src/a.ts"]),
    ],
)
def test_patterns_of_a_directory(
    tree: Path, include: tuple[str, ...], exclude: tuple[str, ...], kept: list[str]
) -> None:
    """The last pattern that matches a path, or a folder above it, has its say."""
    directory = Directory(Local(str(tree), include, exclude))
    assert [path for path in hostfs.names(directory) if not path.endswith("/")] == kept


def test_a_file_that_is_left_out_is_not_read(tree: Path) -> None:
    """A build has to answer, and does: with an error."""
    source = Local(str(tree), exclude=(".env",))
    assert hostfs.file_path(File(source, "/package.json")) == tree / "package.json"
    assert hostfs.file_path(File(source, "/.env")) is None


def test_a_link_out_of_the_directory_is_not_followed(
    tree: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It may point to anything of this machine."""
    outside = tmp_path_factory.mktemp("outside") / "secret"
    outside.write_text("secret")
    (tree / "link").symlink_to(outside)
    assert hostfs.file_path(File(Local(str(tree)), "/link")) is None
