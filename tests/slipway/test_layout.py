"""What build steps lay out for images and other builds, by the script itself."""

import json
import os
import re
import shlex
import subprocess
import time
from pathlib import Path

import pytest

import slipway
from slipway import layout
from slipway.layout import Layout

SCRIPT = Path(slipway.__file__).parent / "scripts" / "layout.mjs"


def laid_out(*layouts: Layout) -> None:
    """Run the line of a step, on this machine."""
    (_, _, plan) = shlex.split(layout.line(layouts))
    subprocess.run(["node", str(SCRIPT), plan], check=True, timeout=60, capture_output=True)


def tree(root: Path) -> dict[str, str]:
    """What is below a folder: text by path, `→ target` for links."""
    return {
        path.relative_to(root).as_posix(): f"→ {path.readlink()}"
        if path.is_symlink()
        else path.read_text()
        for path in sorted(root.rglob("*"))
        if path.is_symlink() or path.is_file()
    }


def stats(root: Path) -> dict[str, tuple[int, float]]:
    """Mode and time of everything below a folder."""
    found = {path.relative_to(root).as_posix(): path.lstat() for path in root.rglob("*")}
    return {name: (stat.st_mode & 0o7777, stat.st_mtime) for name, stat in found.items()}


@pytest.fixture
def app(tmp_path: Path) -> Path:
    """A built app."""
    files = ["dist/main.js", "dist/main.d.ts", "src/main.ts", "node_modules/a/index.js", "test.md"]
    for name in [*files, "sources.txt", "nested/src/kept.js"]:
        file = tmp_path / "app" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return tmp_path / "app"


def test_what_is_dropped_stays_behind(app: Path, tmp_path: Path) -> None:
    """A name names the path from the folder on, and all below; `**/` reaches deeper."""
    patterns = ("node_modules", "src", "**/*.d.ts", "*.md")
    laid_out(Layout(str(app), str(tmp_path / "out"), patterns))
    assert list(tree(tmp_path / "out")) == ["dist/main.js", "nested/src/kept.js", "sources.txt"]


def test_files_do_not_tell_when_and_where_they_were_made(app: Path, tmp_path: Path) -> None:
    """Modes are those that Git keeps, whatever the umask was; a file's time is made of what is in it."""
    program, text = app / "dist/main.js", app / "sources.txt"
    program.chmod(0o700)
    text.chmod(0o600)
    (app / "dist").chmod(0o700)
    laid_out(Layout(str(app), str(tmp_path / "out"), inside="/app/api"))
    first = stats(tmp_path / "out")
    os.utime(text, (5, 5))
    text.chmod(0o664)
    laid_out(Layout(str(app), str(tmp_path / "again"), inside="/app/api"))
    assert stats(tmp_path / "again") == first
    assert first["app/api/dist/main.js"][0] == 0o755
    assert first["app/api/sources.txt"][0] == 0o644
    assert first["app/api/dist"] == first["app"] == (0o755, 0)


def test_a_changed_file_of_the_same_size_has_another_time(app: Path, tmp_path: Path) -> None:
    """A web server's ETag is made of both: a browser would keep the old one. And 0 means "now" to Next."""
    laid_out(Layout(str(app), str(tmp_path / "out")))
    before = (tmp_path / "out/sources.txt").stat()
    (app / "sources.txt").write_text("SOURCES.TXT")
    laid_out(Layout(str(app), str(tmp_path / "changed")))
    after = (tmp_path / "changed/sources.txt").stat()
    assert before.st_size == after.st_size
    assert before.st_mtime != after.st_mtime
    assert 0 < after.st_mtime < time.time()


def test_links_stay_links(app: Path, tmp_path: Path) -> None:
    """Those that lead nowhere too; what they lead to is left alone."""
    (app / "link").symlink_to("../elsewhere")
    outside = tmp_path / "outside"
    outside.write_text("")
    outside.chmod(0o600)
    (app / "absolute").symlink_to(outside)
    laid_out(Layout(str(app), str(tmp_path / "out")))
    assert tree(tmp_path / "out")["link"] == "→ ../elsewhere"
    assert tree(tmp_path / "out")["absolute"] == f"→ {outside}"
    assert (tmp_path / "out/link").lstat().st_mtime == 0
    assert outside.stat().st_mtime > 0
    assert outside.stat().st_mode & 0o777 == 0o600


def test_a_client_in_the_store_is_found_in_every_copy(tmp_path: Path) -> None:
    """Prisma before version 7 generates beside each copy of its package."""
    store = "node_modules/.pnpm"
    for name in (
        f"{store}/@prisma+client@6.0.0_a/node_modules/.prisma/client/index.js",
        f"{store}/@prisma+client@6.0.0_b/node_modules/.prisma/client/index.js",
        f"{store}/@prisma+client@6.0.0_b/node_modules/@prisma/client/index.js",
        "node_modules/.prisma/client/index.js",
        "other/file.js",
    ):
        (tmp_path / "app" / name).parent.mkdir(parents=True)
        (tmp_path / "app" / name).write_text(name)
    found = layout.client(str(tmp_path / "app"), "apps/api")
    laid_out(Layout(found.source, str(tmp_path / "out"), only=found.only))
    assert [name.count("/.prisma/") for name in tree(tmp_path / "out")] == [1, 1, 1]


def test_a_folder_that_is_not_there_is_an_empty_one(tmp_path: Path) -> None:
    """An image can then copy it all the same."""
    (tmp_path / "app").mkdir()
    laid_out(layout.Layout(str(tmp_path / "app"), str(tmp_path / "out"), only=("node_modules/a*",)))
    assert tree(tmp_path / "out") == {}
    assert (tmp_path / "out").is_dir()


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("src", "src", True),
        ("src", "src/a.ts", True),
        ("src", "srcs", False),
        ("src", "lib/src", False),
        ("*.md", "README.md", True),
        ("*.md", "docs/a.md", False),
        ("**/.env.*", ".env.local", True),
        ("**/.env.*", "a/b/.env.local", True),
        ("prisma/seed*", "prisma/seeds/a.ts", True),
        ("jest*", "jest.config.js", True),
        ("a.b", "aXb", False),
    ],
)
def test_patterns(pattern: str, path: str, matches: bool) -> None:
    """As in a `.dockerignore`."""
    assert bool(re.search(layout.expression(pattern), path)) is matches


def test_the_plan_is_one_word_of_the_shell() -> None:
    """Whatever is in it."""
    text = layout.line([Layout("/app/my api", layout.APP, ("it's",))])
    plan = json.loads(shlex.split(text)[2])
    assert plan[0]["source"] == "/app/my api"
    assert plan[0]["drop"] == ["^it's(?:/|$)"]
