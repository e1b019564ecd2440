"""What lies where after files and directories were written: one session's worth of small trees."""

import asyncio

import dagger
import pytest

pytestmark = pytest.mark.engine
BASE = "debian:bookworm-slim"


def listing(source: dagger.Directory) -> dagger.Container:
    """A container with the directory's content, its owners kept, at `/d`."""
    return dagger.dag.container().from_(BASE).with_directory("/d", source).with_workdir("/d")


async def shown(source: dagger.Directory) -> dict[str, str]:
    """Mode, owner and what it is (a file's text, a link's target) of each path."""
    script = (
        "find . -mindepth 1 -printf '%P\\t%M %U:%G ' "
        '\\( -type f -exec sh -c \'printf "%s\\0" "$(cat "$1")"\' - {} \\; '
        "-o -type l -printf '%l\\0' -o -printf '\\0' \\)"
    )
    out = await listing(source).with_exec(["sh", "-c", script]).stdout()
    lines = (line.split("\t", 1) for line in out.split("\0") if line)
    return {path: facts.strip() for path, facts in lines}


async def test_files_go_where_they_are_told(dag: dagger.Client) -> None:
    """Onto a path; into a directory that is there, or that a slash says is meant."""
    file = dag.file("name", "x", permissions=0o640)
    made = (
        dag.directory()
        .with_new_directory("there", permissions=0o755)
        .with_file("plain", file)
        .with_file("there", file)
        .with_file("slash/", file)
        .with_file("", file)
        .with_file("deep/er/as", file, permissions=0o600, owner="1000:2000")
        .with_files("many", [file, dag.file("other", "y")])
    )
    assert await shown(made) == {
        "plain": "-rw-r----- 0:0 x",
        "there": "drwxr-xr-x 0:0",
        "there/name": "-rw-r----- 0:0 x",
        "slash": "drwxr-xr-x 0:0",
        "slash/name": "-rw-r----- 0:0 x",
        "name": "-rw-r----- 0:0 x",
        "deep": "drwxr-xr-x 0:0",
        "deep/er": "drwxr-xr-x 0:0",
        "deep/er/as": "-rw------- 1000:2000 x",
        "many": "drwxr-xr-x 0:0",
        "many/name": "-rw-r----- 0:0 x",
        "many/other": "-rw-r--r-- 0:0 y",
    }


async def test_what_is_in_the_way_is_replaced(dag: dagger.Client) -> None:
    """A file by a directory, a directory by a file, a link by a file; directories are merged."""
    base = (
        dag.directory()
        .with_new_file("file", "f")
        .with_new_file("folder/inside", "i")
        .with_new_file("both/old", "o")
        .with_symlink("file", "link")
    )
    over = (
        dag.directory()
        .with_new_file("file/now", "n")
        .with_new_file("folder", "now a file")
        .with_new_file("both/new", "n")
        .with_new_file("link", "no link")
    )
    assert await shown(base.with_directory("/", over)) == {
        "file": "drwxr-xr-x 0:0",
        "file/now": "-rw-r--r-- 0:0 n",
        "folder": "-rw-r--r-- 0:0 now a file",
        "both": "drwxr-xr-x 0:0",
        "both/old": "-rw-r--r-- 0:0 o",
        "both/new": "-rw-r--r-- 0:0 n",
        "link": "-rw-r--r-- 0:0 no link",
    }


async def test_modes_and_owners_of_a_directory(dag: dagger.Client) -> None:
    """Given ones are for all that is copied, and nothing above it; else they stay as they are."""
    source = dag.directory().with_new_file("run", "x", permissions=0o755).with_new_directory("e")
    made = (
        dag.directory()
        .with_directory("own/er", source, owner="1:2")
        .with_directory("mode/s", source, permissions=0o700)
        .with_directory("kept", source)
    )
    assert await shown(made) == {
        "own": "drwxr-xr-x 0:0",
        "own/er": "drwxr-xr-x 1:2",
        "own/er/run": "-rwxr-xr-x 1:2 x",
        "own/er/e": "drw-r--r-- 1:2",
        "mode": "drwxr-xr-x 0:0",
        "mode/s": "drwx------ 0:0",
        "mode/s/run": "-rwx------ 0:0 x",
        "mode/s/e": "drwx------ 0:0",
        "kept": "drwxr-xr-x 0:0",
        "kept/run": "-rwxr-xr-x 0:0 x",
        "kept/e": "drw-r--r-- 0:0",
    }


async def test_names_are_taken_as_they_are(dag: dagger.Client) -> None:
    """Spaces, other alphabets, leading dashes, what is special in patterns, in a shell, in a URL."""
    names = ["a b", "ünï", "-rf", "[x]", "q?", "back\\slash", "#%&+", "'\"", "$HOME", "new\nline"]
    made = dag.directory()
    for name in names:
        made = made.with_new_file(name, name)
    assert await made.entries() == sorted(names)
    for name in names:
        assert await made.file(name).contents() == name
        assert await made.exists(name)
    kept = made
    for name in ("[x]", "q?", "back\\slash"):
        kept = kept.without_file(name)
    assert set(names) - set(await kept.entries()) == {"[x]", "q?", "back\\slash"}
    again = dag.directory().with_files("d", [made.file(name) for name in names])
    assert await again.directory("d").entries() == sorted(names)


async def test_removing_by_pattern_and_what_is_not_there(dag: dagger.Client) -> None:
    """A star matches within a name; a directory goes with all that is in it; nothing is no error."""
    made = dag.directory()
    for name in ("a.txt", "b.txt", "c.md", "sub/d.txt", "sub/e/f.txt", "other/g"):
        made = made.with_new_file(name, "")
    assert await made.without_file("*.txt").glob("**") == [
        "c.md",
        "other/",
        "other/g",
        "sub/",
        "sub/d.txt",
        "sub/e/",
        "sub/e/f.txt",
    ]
    assert await made.without_files(["s*", "no/such", "nothing*"]).entries() == [
        "a.txt",
        "b.txt",
        "c.md",
        "other/",
    ]
    assert await made.without_file("sub/*/f.txt").glob("sub/**") == ["sub/d.txt", "sub/e/"]
    assert await made.without_directory("sub/d.txt").entries(path="sub") == ["e/"]


async def test_links_are_kept_and_followed(dag: dagger.Client) -> None:
    """Copied as links; followed by name, inside of the tree alone, also by way of a folder."""
    made = (
        dag.directory()
        .with_new_file("real/file", "text")
        .with_symlink("real", "folder")
        .with_symlink("real/file", "relative")
        .with_symlink("/real/file", "absolute")
        .with_symlink("../../../real/file", "outside")
        .with_symlink("nowhere", "dangling")
    )
    for path in ("relative", "absolute", "outside", "folder/file"):
        assert await made.file(path).contents() == "text"
        assert await made.exists(path, expected_type=dagger.ExistsType.REGULAR_TYPE)
    assert await made.directory("folder").entries() == ["file"]
    assert await made.file("relative").name() == "relative"
    assert await made.exists("dangling", do_not_follow_symlinks=True)
    assert not await made.exists("dangling")
    with pytest.raises(dagger.QueryError, match="stat dangling: no such file or directory"):
        await made.file("dangling").contents()
    copied = await shown(dag.directory().with_directory("/", made))
    assert copied["outside"] == "lrwxrwxrwx 0:0 ../../../real/file"
    with pytest.raises(dagger.QueryError, match="file exists"):
        await made.with_symlink("x", "relative").sync()


async def test_stat_tells_what_is_there(dag: dagger.Client) -> None:
    """Of a file, a directory and a link, followed or not."""
    made = (
        dag.directory()
        .with_new_file("file", "12345", permissions=0o604)
        .with_new_directory("folder", permissions=0o711)
        .with_symlink("file", "link")
    )

    async def facts(path: str, *, follow: bool = True) -> tuple[str, dagger.FileType | None, int]:
        found = made.stat(path, do_not_follow_symlinks=not follow)
        return await found.name(), await found.file_type(), await found.permissions()

    assert await facts("file") == ("file", dagger.FileType.REGULAR, 0o604)
    assert await facts("folder") == ("folder", dagger.FileType.DIRECTORY, 0o711)
    assert (await facts("link"))[1:] == (dagger.FileType.REGULAR, 0o604)
    assert (await facts("link", follow=False))[1] == dagger.FileType.SYMLINK
    assert await made.stat("file").size() == 5
    with pytest.raises(dagger.QueryError, match="stat no/such: no such file or directory"):
        await made.stat("no/such").name()
    inside = dag.container().with_directory("/d", made).with_workdir("/d").stat("file")
    assert await inside.size() == 5


async def test_the_nearest_is_found_upwards(dag: dagger.Client) -> None:
    """From a folder up to the top, not beyond."""
    made = dag.directory().with_new_file("go.mod", "").with_new_file("a/b/c", "")
    assert await made.find_up("go.mod", "a/b") == "go.mod"
    assert await made.find_up("c", "a/b") == "a/b/c"
    assert await made.find_up("nothing", "a/b") is None
    with pytest.raises(dagger.QueryError, match="cannot search outside parent: ../x"):
        await made.find_up("go.mod", "../x")
    with pytest.raises(dagger.QueryError, match="name cannot be empty"):
        await made.find_up("", "a")


async def test_paths_stay_inside(dag: dagger.Client) -> None:
    """However many steps up they take."""
    made = dag.directory().with_new_file("../../x", "1").directory("sub/..").with_new_file("y", "2")
    assert await made.entries() == ["x", "y"]
    with pytest.raises(dagger.QueryError, match="cannot create directory outside parent: ../z"):
        await dag.directory().with_new_directory("../z").sync()


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("no", "stat no: no such file or directory"),
        ("sub/no", "stat sub/no: no such file or directory"),
        ("sub", "path sub is a directory, not a file"),
    ],
)
async def test_a_file_that_is_none(dag: dagger.Client, path: str, message: str) -> None:
    """By the path as it was asked for."""
    made = dag.directory().with_new_file("sub/file", "")
    with pytest.raises(dagger.QueryError, match=message):
        await made.file(path).contents()


async def test_a_directory_that_is_none(dag: dagger.Client) -> None:
    """Nothing there, or a file."""
    made = dag.directory().with_new_file("sub/file", "")
    for ask in (made.directory("no").entries, made.directory("no").sync, made.directory("no").name):
        with pytest.raises(dagger.QueryError, match="no: no such file or directory"):
            await ask()
    with pytest.raises(dagger.QueryError, match="sub/file is a file, not a directory"):
        await made.directory("sub/file").entries()
    with pytest.raises(dagger.QueryError, match="no: no such file or directory"):
        await made.entries(path="no")
    with pytest.raises(dagger.QueryError, match="no: no such file or directory"):
        await dag.directory().directory("no").glob("*")


async def test_errors_that_a_module_raises_on_purpose(dag: dagger.Client) -> None:
    """In the middle of a chain; an empty one is none."""
    with pytest.raises(dagger.QueryError, match="^no good$"):
        await dag.directory().with_error("no good").entries()
    with pytest.raises(dagger.QueryError, match="^bad$"):
        await dag.container().with_error("bad").sync()
    assert await dag.directory().with_error("").entries() == []


async def test_a_long_chain(dag: dagger.Client) -> None:
    """Three hundred calls in one query."""
    made = dag.directory()
    for number in range(300):
        made = made.with_new_file(f"f{number:03}", str(number))
    assert len(await made.entries()) == 300
    assert await made.file("f299").contents() == "299"


async def test_many_files_at_once(dag: dagger.Client) -> None:
    """Ten thousand of them, made in a container, come out as a directory of this machine too."""
    script = "mkdir /many && cd /many && seq 10000 | xargs touch"
    many = dag.container().from_(BASE).with_exec(["sh", "-c", script]).directory("/many")
    entries, matched = await asyncio.gather(many.entries(), many.glob("99*"))
    assert (len(entries), len(matched)) == (10_000, 112 - 1)
