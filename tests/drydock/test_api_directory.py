"""Directories and files on a real daemon, through the SDK's own client."""

from pathlib import Path

import dagger
import pytest

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"


def tree(dag: dagger.Client) -> dagger.Directory:
    """A small tree: code and documents, in folders and not."""
    made = dag.directory()
    for path in (
        "a.txt",
        "b.md",
        "src/c.txt",
        "src/deep/d.txt",
        "src/deep/e.md",
        "node_modules/x/f.txt",
    ):
        made = made.with_new_file(path, path)
    return made


async def paths(directory: dagger.Directory) -> list[str]:
    """Every file in a directory."""
    return [path for path in await directory.glob("**/*") if not path.endswith("/")]


async def test_entries_are_sorted_and_directories_have_a_slash(dag: dagger.Client) -> None:
    """Of the directory itself, or of one in it."""
    made = tree(dag).with_new_directory("empty")
    assert await made.entries() == ["a.txt", "b.md", "empty/", "node_modules/", "src/"]
    assert await made.entries(path="src") == ["c.txt", "deep/"]
    assert await dag.directory().entries() == []


@pytest.mark.parametrize(
    ("include", "exclude", "left"),
    [
        (["*.txt"], [], ["a.txt"]),
        (["**/*.txt"], ["node_modules"], ["a.txt", "src/c.txt", "src/deep/d.txt"]),
        ([], ["**/*.md", "node_modules/"], ["a.txt", "src/c.txt", "src/deep/d.txt"]),
        (["src"], ["src/deep"], ["src/c.txt"]),
        ([], ["src", "!src/c.txt", "node_modules", "*.md"], ["a.txt", "src/c.txt"]),
        (["src/*.txt", "b.*"], [], ["b.md", "src/c.txt"]),
    ],
)
async def test_include_and_exclude(
    dag: dagger.Client, include: list[str], exclude: list[str], left: list[str]
) -> None:
    """Patterns as in a .dockerignore: a folder means all below it, exclude wins, an exception comes last."""
    assert await paths(tree(dag).filter(include=include, exclude=exclude)) == left
    copied = dag.directory().with_directory("/", tree(dag), include=include, exclude=exclude)
    assert await paths(copied) == left


async def test_glob(dag: dagger.Client) -> None:
    """A star stays within a name, two cross folders."""
    assert await tree(dag).glob("*.txt") == ["a.txt"]
    assert await tree(dag).glob("**/*.md") == ["b.md", "src/deep/e.md"]
    assert await tree(dag).glob("src/*") == ["src/c.txt", "src/deep/"]
    assert await tree(dag).glob("nothing/*") == []


async def test_a_merge_keeps_what_was_there_and_replaces_files(dag: dagger.Client) -> None:
    """Directories join, files of the same path are the newer ones."""
    first = dag.directory().with_new_file("d/a", "1").with_new_file("d/b", "1")
    second = dag.directory().with_new_file("b", "2").with_new_file("c", "2")
    merged = first.with_directory("d", second)
    assert [await merged.file(f"d/{name}").contents() for name in "abc"] == ["1", "2", "2"]


async def test_removing_takes_files_and_folders(dag: dagger.Client) -> None:
    """What is not there is no error; a star matches within a folder."""
    left = (
        tree(dag).without_directory("src").without_file("a.txt").without_files(["no/such", "*.md"])
    )
    assert await paths(left) == ["node_modules/x/f.txt"]


async def test_a_subdirectory_is_the_root_of_what_it_gives(dag: dagger.Client) -> None:
    """Paths in it start there; writing to it keeps it where it is."""
    src = tree(dag).directory("src")
    assert await src.entries() == ["c.txt", "deep/"]
    assert await paths(src.with_new_file("new", "x")) == ["c.txt", "deep/d.txt", "deep/e.md", "new"]
    assert await src.name() == "src/"


async def test_whether_something_exists(dag: dagger.Client) -> None:
    """And of what kind it is; a link is followed unless asked for."""
    made = tree(dag).with_symlink("a.txt", "link").with_symlink("nowhere", "dangling")
    regular, folder, link = (
        dagger.ExistsType.REGULAR_TYPE,
        dagger.ExistsType.DIRECTORY_TYPE,
        dagger.ExistsType.SYMLINK_TYPE,
    )
    assert await made.exists("src/deep")
    assert not await made.exists("src/nothing")
    assert await made.exists("link", expected_type=regular)
    assert await made.exists("link", expected_type=link)
    assert not await made.exists("a.txt", expected_type=folder)
    assert not await made.exists("dangling")


async def test_digests_tell_content_not_times(dag: dagger.Client) -> None:
    """The same files by another way, at another time, have the same digest."""
    again = dag.directory().with_directory("/", tree(dag))
    assert await tree(dag).digest() == await again.digest()
    assert await tree(dag).with_timestamps(1).digest() == await tree(dag).digest()
    assert await tree(dag).with_new_file("a.txt", "other").digest() != await tree(dag).digest()


async def test_a_missing_file_is_told_by_the_path_that_was_asked(dag: dagger.Client) -> None:
    """Also a directory in a file's place."""
    with pytest.raises(dagger.QueryError, match="stat no/such: no such file or directory"):
        await tree(dag).file("no/such").contents()
    with pytest.raises(dagger.QueryError, match="path src is a directory, not a file"):
        await tree(dag).file("src").contents()


async def test_a_file_by_lines_size_and_name(dag: dagger.Client) -> None:
    """Its text whole and in part."""
    file = dag.directory().with_new_file("f", "one\ntwo\nthree\n").file("f")
    assert await file.contents(offset_lines=1, limit_lines=1) == "two\n"
    assert (await file.size(), await file.name()) == (14, "f")
    renamed = file.with_name("g")
    assert (await renamed.name(), await renamed.contents()) == ("g", "one\ntwo\nthree\n")


async def test_export_keeps_bytes_modes_and_links(dag: dagger.Client, client_folder: Path) -> None:
    """Empty folders too; what else is in the folder stays, unless wiped."""
    binary = (
        dag.container()
        .from_(BASE)
        .with_exec(["sh", "-c", "printf '\\000\\377' > /bin.dat"])
        .file("/bin.dat")
    )
    made = (
        dag.directory()
        .with_new_file("run", "x", permissions=0o755)
        .with_new_directory("empty", permissions=0o755)
        .with_symlink("run", "link")
        .with_file("bin.dat", binary)
    )
    out = client_folder / "out"
    out.mkdir()
    (out / "mine").write_text("mine")
    assert await made.export("out") == str(out)
    assert (out / "bin.dat").read_bytes() == b"\x00\xff"
    assert (out / "run").stat().st_mode & 0o777 == 0o755
    assert (out / "link").readlink() == Path("run")
    assert (out / "empty").is_dir()
    assert (out / "mine").read_text() == "mine"
    await made.export("out", wipe=True)
    assert not (out / "mine").exists()


async def test_a_failed_export_leaves_what_was_there(
    dag: dagger.Client, client_folder: Path
) -> None:
    """Nothing is written before everything is built."""
    (client_folder / "out").mkdir()
    (client_folder / "out" / "old").write_text("old")
    broken = dag.container().from_(BASE).with_exec(["sh", "-c", "exit 1"]).directory("/etc")
    with pytest.raises(dagger.ExecError):
        await broken.export("out", wipe=True)
    assert [p.name for p in client_folder.rglob("*")] == ["out", "old"]


async def test_a_file_export_needs_a_file_path(dag: dagger.Client, client_folder: Path) -> None:
    """Into a directory only when that is allowed."""
    file = dag.directory().with_new_file("f", "x").file("f")
    with pytest.raises(dagger.QueryError, match="is a directory; must be a file path"):
        await file.export(".")
    await file.export(".", allow_parent_dir_path=True)
    assert (client_folder / "f").read_text() == "x"
    assert await file.export("new/folder/g") == str(client_folder / "new/folder/g")


async def test_diff_has_what_is_new(dag: dagger.Client) -> None:
    """Files that the other directory added or changed."""
    other = tree(dag).with_new_file("new", "x").with_new_file("src/c.txt", "changed")
    assert await paths(tree(dag).diff(other)) == ["new", "src/c.txt"]


async def test_a_dockerfile_is_built(dag: dagger.Client) -> None:
    """With target, arguments, a secret and .dockerignore; the result is a container like any other."""
    dockerfile = """
FROM debian:bookworm-slim AS base
ARG WORD=none
RUN --mount=type=secret,id=token echo "$WORD $(cat /run/secrets/token)" > /word
COPY . /context
FROM base AS runtime
ENV NAME=value
USER nobody
FROM base AS unwanted
RUN exit 1
"""
    context = (
        tree(dag)
        .with_new_file("docker/Dockerfile", dockerfile)
        .with_new_file(".dockerignore", "**/*.md\n")
    )
    built = context.docker_build(
        dockerfile="docker/Dockerfile",
        target="runtime",
        build_args=[dagger.BuildArg(name="WORD", value="hello")],
        secrets=[dag.set_secret("token", "s3cret-token")],
    )
    assert await built.user() == "nobody"
    assert await built.env_variable("NAME") == "value"
    assert await built.with_exec(["cat", "/word"]).stdout() == "hello s3cret-token\n"
    assert "a.txt" in await built.directory("/context").entries()
    assert "b.md" not in await built.directory("/context").entries()


async def test_a_dockerfile_is_built_for_another_platform(dag: dagger.Client) -> None:
    """As long as it runs no command."""
    context = tree(dag).with_new_file("Dockerfile", "FROM scratch\nARG TARGETARCH\nCOPY a.txt /\n")
    built = context.docker_build(platform=dagger.Platform("linux/arm64"))
    assert await built.platform() == "linux/arm64"
    assert await built.rootfs().entries() == ["a.txt"]


async def test_a_failing_run_of_a_dockerfile_is_a_failed_command(dag: dagger.Client) -> None:
    """With what it printed, as of any other command."""
    context = dag.directory().with_new_file(
        "Dockerfile", "FROM debian:bookworm-slim\nRUN echo no luck && echo at all >&2; exit 7\n"
    )
    with pytest.raises(dagger.ExecError, match="exit code: 7") as caught:
        await context.docker_build().sync()
    error = caught.value
    assert error.command == ["/bin/sh", "-c", "echo no luck && echo at all >&2; exit 7"]
    assert (error.exit_code, error.stdout, error.stderr) == (7, "no luck", "at all")


async def test_a_wrong_dockerfile_tells_its_line(dag: dagger.Client) -> None:
    """BuildKit's own message comes through."""
    context = dag.directory().with_new_file("Dockerfile", "FROM scratch\nCOPPY a /\n")
    with pytest.raises(dagger.QueryError, match="parse error on line 2: unknown instruction"):
        await context.docker_build().sync()
