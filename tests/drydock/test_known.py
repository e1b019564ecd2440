"""What is known of a path without a build."""

from pathlib import Path

import pytest

from drydock.graph import (
    Copy,
    Exec,
    ExecRoot,
    Fs,
    Image,
    Local,
    MakeDir,
    MakeFile,
    Scratch,
    Symlink,
)
from drydock.known import known

FILE = MakeFile(Scratch(), "/a/file", b"text")


def content(fs: Fs, path: str) -> bytes | None:
    found = known(fs, path)
    return found.read() if found and not found.is_dir else None


def test_what_was_written_is_known(tmp_path: Path) -> None:
    """Also by way of a copy, and of a file of this machine; what is above it is a directory."""
    (tmp_path / "local").write_text("here")
    copied = Copy(MakeDir(FILE, "/b"), FILE, "/", "/c", contents=True)
    assert (content(FILE, "/a/file"), content(copied, "/c/a/file")) == (b"text", b"text")
    assert content(MakeFile(Local(str(tmp_path)), "/x", b""), "/local") == b"here"
    above = known(FILE, "/a")
    assert above
    assert above.is_dir


@pytest.mark.parametrize(
    ("fs", "path"),
    [
        (FILE, "/a/other"),
        (Symlink(FILE, "/link", "a"), "/link/file"),
        (Copy(Scratch(), FILE, "/", "/c", contents=True, exclude=("a",)), "/c/a/file"),
        (Copy(MakeDir(Scratch(), "/d"), FILE, "/a/file", "/d", contents=False), "/d"),
        (MakeFile(Image("i", "linux/amd64"), "/f", b""), "/f"),
        (MakeFile(ExecRoot(Exec(Scratch(), ("false",))), "/f", b""), "/f"),
    ],
)
def test_what_only_a_build_can_tell_is_not(fs: Fs, path: str) -> None:
    """By way of links, patterns and places taken; and where a command or an image may fail first."""
    assert known(fs, path) is None
