"""Git repositories, through the SDK's own client."""

import os
import subprocess
from pathlib import Path

import dagger
import pytest

pytestmark = pytest.mark.engine


def git(folder: Path, *args: str) -> str:
    env = {
        **os.environ,
        "GIT_CONFIG_GLOBAL": "/dev/null",
        "GIT_AUTHOR_NAME": "a",
        "GIT_AUTHOR_EMAIL": "a@b",
        "GIT_COMMITTER_NAME": "a",
        "GIT_COMMITTER_EMAIL": "a@b",
    }
    return subprocess.check_output(["git", *args], cwd=folder, env=env, text=True).strip()


def commit(folder: Path, text: str) -> str:
    (folder / "file").write_text(text)
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", text)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository of two commits on `main`, tags, and a branch."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    commit(folder, "first")
    git(folder, "tag", "v1.9.0")
    git(folder, "tag", "-a", "v1.10.0", "-m", "annotated")
    git(folder, "tag", "v2.0.0-rc.1")
    git(folder, "branch", "side")
    commit(folder, "second")
    return folder


async def test_a_repository_is_asked_by_its_address(dag: dagger.Client, repository: Path) -> None:
    """Head, branch, tag and commit; names in full."""
    repo = dag.git(f"file://{repository}")
    head = git(repository, "rev-parse", "HEAD")
    first = git(repository, "rev-parse", "HEAD~")
    assert (await repo.head().commit(), await repo.head().ref()) == (head, "refs/heads/main")
    assert await repo.branch("side").commit() == first
    assert (await repo.tag("v1.10.0").commit(), await repo.tag("v1.10.0").ref()) == (
        first,
        "refs/tags/v1.10.0",
    )
    assert await repo.commit(first).tree().file("file").contents() == "first"
    assert await repo.ref("main").tree().file("file").contents() == "second"
    assert await repo.head().common_ancestor(repo.branch("side")).commit() == first


async def test_names_are_listed(dag: dagger.Client, repository: Path) -> None:
    """All, or those that match; the newest version is found by its numbers."""
    repo = dag.git(f"file://{repository}")
    assert await repo.branches() == ["main", "side"]
    assert sorted(await repo.tags()) == ["v1.10.0", "v1.9.0", "v2.0.0-rc.1"]
    assert sorted(await repo.tags(patterns=["refs/tags/v1*"])) == ["v1.10.0", "v1.9.0"]
    assert await repo.latest_version().ref() == "refs/tags/v2.0.0-rc.1"


async def test_a_tree_brings_its_history_or_not(dag: dagger.Client, repository: Path) -> None:
    """One commit of it, unless more is asked for; the origin is known."""
    repo = dag.git(f"file://{repository}")
    assert await repo.head().tree().entries() == [".git/", "file"]
    assert await repo.head().tree(discard_git_dir=True).entries() == ["file"]
    deep = repo.head().tree(depth=0)
    assert f"url = file://{repository}" in await deep.file(".git/config").contents()
    assert not await deep.exists(".git/shallow")
    assert await repo.head().tree().exists(".git/shallow")


async def test_what_is_not_there_is_refused(dag: dagger.Client, repository: Path) -> None:
    """A ref, a commit that is none, an address that is none, a repository."""
    repo = dag.git(f"file://{repository}")
    with pytest.raises(dagger.QueryError, match='repository does not contain ref "refs/heads/no"'):
        await repo.branch("no").commit()
    with pytest.raises(dagger.QueryError, match='invalid commit SHA: "abc"'):
        await repo.commit("abc").commit()
    with pytest.raises(dagger.QueryError, match='failed to parse Git URL: "nonsense"'):
        await dag.git("nonsense").head().commit()
    with pytest.raises(dagger.QueryError, match=r"git ls-remote: .*does not (appear|exist)"):
        await dag.git(f"file://{repository}-not").head().commit()


async def test_a_directory_can_be_a_repository(dag: dagger.Client, repository: Path) -> None:
    """Of this machine, with what is not committed told; ignored files are no change."""
    (repository / ".gitignore").write_text("*.log\n")
    commit(repository, "third")
    (repository / "file").write_text("edited")
    (repository / "noise.log").write_text("x")
    (repository / "new").write_text("x")
    repo = dag.host().directory(str(repository)).as_git()
    assert await repo.url() is None
    assert await repo.head().tree().file("file").contents() == "third"
    changes = repo.uncommitted()
    assert await changes.modified_paths() == ["file"]
    assert await changes.added_paths() == ["new"]


async def test_a_built_directory_can_be_a_repository(dag: dagger.Client, repository: Path) -> None:
    """Not only one of this machine."""
    copied = dag.directory().with_directory("r", dag.host().directory(str(repository)))
    assert await copied.directory("r").as_git().head().tree().file("file").contents() == "second"


async def test_an_address_names_what_is_in_a_repository(
    dag: dagger.Client, client_folder: Path, repository: Path
) -> None:
    """Or on this machine; what it may not say is refused."""
    (client_folder / "sub").mkdir()
    (client_folder / "sub" / "x").write_text("local")
    assert await dag.address("./sub").directory().entries() == ["x"]
    assert await dag.address("sub/x").file().contents() == "local"
    assert await dag.address(f"{repository}#side").git_ref().commit() == git(
        repository, "rev-parse", "HEAD~"
    )
    with pytest.raises(dagger.QueryError, match="git repository address cannot contain ref"):
        await dag.address("https://git.test/a/b#main").git_repository().url()
    assert await dag.address("https://git.test/a/b").git_repository().url() == (
        "https://git.test/a/b"
    )
