"""What is written to this machine, through the SDK's own client."""

import os
from pathlib import Path

import dagger
import pytest

pytestmark = pytest.mark.engine


def tree(dag: dagger.Client) -> dagger.Directory:
    return (
        dag.directory()
        .with_new_file("run", "#!/bin/sh\n", permissions=0o755)
        .with_new_file("sub/file", "new")
        .with_new_directory("empty", permissions=0o755)
        .with_symlink("sub/file", "link")
        .with_symlink("/nowhere", "dangling")
    )


async def test_a_directory_is_merged_into_what_is_there(
    dag: dagger.Client, client_folder: Path
) -> None:
    """Files and links are replaced, others stay; modes and links come through."""
    target = client_folder / "out"
    (target / "sub").mkdir(parents=True)
    (target / "sub" / "file").write_text("old")
    (target / "sub" / "own").write_text("mine")
    (target / "run").symlink_to("sub/own")
    (target / "link").mkdir()
    assert await tree(dag).export("out") == str(target)
    assert (target / "sub" / "file").read_text() == "new"
    assert (target / "sub" / "own").read_text() == "mine"
    assert (target / "run").read_text() == "#!/bin/sh\n"
    assert (target / "run").stat().st_mode & 0o777 == 0o755
    assert str((target / "link").readlink()) == "sub/file"
    assert str((target / "dangling").readlink()) == "/nowhere"
    assert (target / "empty").is_dir()
    assert {path.stat(follow_symlinks=False).st_uid for path in target.rglob("*")} == {os.getuid()}


async def test_a_wipe_leaves_nothing_else(dag: dagger.Client, client_folder: Path) -> None:
    """Of the folder that is written to, and only of that."""
    (client_folder / "out" / "old").mkdir(parents=True)
    (client_folder / "beside").write_text("stays")
    await tree(dag).export("out", wipe=True)
    names = sorted(path.name for path in (client_folder / "out").iterdir())
    assert names == ["dangling", "empty", "link", "run", "sub"]
    assert sorted(path.name for path in client_folder.iterdir()) == ["beside", "out"]


async def test_new_folders_are_private(dag: dagger.Client, client_folder: Path) -> None:
    """As on the Dagger engine; paths may be absolute, lead upwards, or begin at home."""
    written = await dag.file("f", "x").export("../client/a/b/f")
    assert written == str(client_folder / "a" / "b" / "f")
    assert (client_folder / "a").stat().st_mode & 0o777 == 0o700
    assert await dag.directory().export(str(client_folder / "new")) == str(client_folder / "new")
    assert (client_folder / "new").stat().st_mode & 0o777 == 0o700


async def test_a_file_takes_the_place_of_another(dag: dagger.Client, client_folder: Path) -> None:
    """Whose mode stays; a link to it stays a link."""
    (client_folder / "real").write_text("old")
    (client_folder / "real").chmod(0o600)
    (client_folder / "link").symlink_to("real")
    await dag.file("f", "new", permissions=0o755).export("link")
    assert (client_folder / "link").is_symlink()
    assert (client_folder / "real").read_text() == "new"
    assert (client_folder / "real").stat().st_mode & 0o777 == 0o600
    await dag.file("f", "x", permissions=0o755).export("fresh")
    assert (client_folder / "fresh").stat().st_mode & 0o777 == 0o755


async def test_a_file_goes_into_a_folder_only_when_told(
    dag: dagger.Client, client_folder: Path
) -> None:
    """The folder's path is the answer then."""
    file = dag.file("name", "x")
    with pytest.raises(dagger.QueryError, match="is a directory; must be a file path unless"):
        await file.export(".")
    assert await file.export(".", allow_parent_dir_path=True) == str(client_folder)
    assert (client_folder / "name").read_text() == "x"


async def test_a_failed_export_leaves_nothing_behind(
    dag: dagger.Client, client_folder: Path
) -> None:
    """Neither the target nor what was made on the way; what was there stays."""
    (client_folder / "there").write_text("old")
    broken = dag.container().from_("debian:bookworm-slim").with_exec(["false"])
    with pytest.raises(dagger.ExecError):
        await broken.directory("/etc").export("new/folder")
    with pytest.raises(dagger.ExecError):
        await broken.file("/etc/passwd").export("there")
    with pytest.raises(dagger.ExecError):
        await broken.export("image.tar")
    assert [path.name for path in client_folder.iterdir()] == ["there"]
    assert (client_folder / "there").read_text() == "old"


async def test_a_big_file_comes_through(dag: dagger.Client, client_folder: Path) -> None:
    """200 MB; its text is more than a query may ask for."""
    script = ["sh", "-c", "head -c 200000000 /dev/zero > /big"]
    big = dag.container().from_("debian:bookworm-slim").with_exec(script).file("/big")
    assert await big.size() == 200_000_000
    await big.export("big")
    assert (client_folder / "big").stat().st_size == 200_000_000
    with pytest.raises(dagger.QueryError, match="file size 200000000 exceeds limit 134217728"):
        await big.contents()
