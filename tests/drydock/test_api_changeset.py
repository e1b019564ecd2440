"""Changesets and patches, through the SDK's own client."""

from pathlib import Path

import dagger
import pytest

pytestmark = pytest.mark.engine


def before(dag: dagger.Client) -> dagger.Directory:
    return (
        dag.directory()
        .with_new_file("keep", "same\n")
        .with_new_file("edit", "one\ntwo\n")
        .with_new_file("gone/a", "a\n")
        .with_new_file("gone/b", "b\n")
        .with_new_file("single", "s\n")
    )


def after(dag: dagger.Client) -> dagger.Directory:
    return (
        before(dag)
        .with_new_file("edit", "one\nTWO\nthree\n")
        .without_directory("gone")
        .without_file("single")
        .with_new_file("new/deep/file", "new\n")
        .with_new_directory("empty", permissions=0o755)
    )


async def test_paths_are_told_by_what_happened_to_them(dag: dagger.Client) -> None:
    """Sorted; a directory ends with a slash, and one that is gone stands for all that was in it."""
    changes = after(dag).changes(before(dag))
    assert await changes.added_paths() == ["empty/", "new/", "new/deep/", "new/deep/file"]
    assert await changes.modified_paths() == ["edit"]
    assert await changes.removed_paths() == ["gone/", "single"]
    assert not await changes.is_empty()


async def test_what_is_the_same_is_no_change(dag: dagger.Client) -> None:
    """Also where times differ, or a directory alone is new: as `git diff` has it."""
    same = before(dag).with_timestamps(1).with_new_directory("empty", permissions=0o755)
    changes = same.changes(before(dag))
    assert await changes.is_empty()
    assert await changes.modified_paths() == []
    assert await dag.changeset().is_empty()


async def test_a_mode_that_git_sees_is_a_change(dag: dagger.Client) -> None:
    """A file that can be executed, and not one that others may read."""
    made = dag.directory().with_new_file("run", "x", permissions=0o644)
    executable = dag.directory().with_new_file("run", "x", permissions=0o755)
    private = dag.directory().with_new_file("run", "x", permissions=0o600)
    assert await executable.changes(made).modified_paths() == ["run"]
    assert await private.changes(made).modified_paths() == []


async def test_changes_go_onto_another_directory(dag: dagger.Client) -> None:
    """What it has beside them stays."""
    target = before(dag).with_new_file("own", "mine")
    made = target.with_changes(after(dag).changes(before(dag)))
    assert await made.entries() == ["edit", "empty/", "keep", "new/", "own"]
    assert await made.file("edit").contents() == "one\nTWO\nthree\n"


async def test_the_layer_holds_what_was_added_or_modified(dag: dagger.Client) -> None:
    """And nothing else."""
    layer = after(dag).changes(before(dag)).layer()
    assert await layer.glob("**") == ["edit", "empty/", "new/", "new/deep/", "new/deep/file"]


async def test_a_patch_goes_there_and_back(dag: dagger.Client) -> None:
    """What `git diff` would print; applied to the older side it gives the newer one."""
    changes = after(dag).changes(before(dag))
    patch = await changes.as_patch().contents()
    assert "+++ b/edit\n" in patch
    assert "deleted file mode" in patch
    again = before(dag).with_patch(patch).with_new_directory("empty", permissions=0o755)
    assert await again.changes(after(dag)).is_empty()
    assert await before(dag).with_patch_file(changes.as_patch()).file("edit").contents() == (
        "one\nTWO\nthree\n"
    )


async def test_a_patch_that_does_not_apply_is_refused(dag: dagger.Client) -> None:
    """With Git's words."""
    patch = await after(dag).changes(before(dag)).as_patch().contents()
    with pytest.raises(dagger.QueryError, match=r"git apply: error: patch failed: edit:1"):
        await dag.directory().with_new_file("edit", "else").with_patch(patch).sync()


async def test_lines_are_counted(dag: dagger.Client) -> None:
    """By path, with renames told as such."""
    moved = before(dag).without_file("edit").with_new_file("moved", "one\ntwo\n")
    stats = {
        await stat.path(): (
            await stat.kind(),
            await stat.added_lines(),
            await stat.removed_lines(),
            await stat.old_path(),
        )
        for stat in await moved.with_new_file("keep", "x\ny\n").changes(before(dag)).diff_stats()
    }
    assert stats["moved"] == (dagger.DiffStatKind.RENAMED, 0, 0, "edit")
    assert stats["keep"] == (dagger.DiffStatKind.MODIFIED, 2, 1, None)
    assert set(stats) == {"moved", "keep"}


async def test_an_export_adds_and_removes(dag: dagger.Client, client_folder: Path) -> None:
    """On this machine; what is no part of the changes stays."""
    await before(dag).export("target")
    (client_folder / "target" / "own").write_text("mine")
    written = await after(dag).changes(before(dag)).export("target")
    target = client_folder / "target"
    assert written == str(target)
    names = sorted(str(path.relative_to(target)) for path in target.rglob("*"))
    assert names == ["edit", "empty", "keep", "new", "new/deep", "new/deep/file", "own"]


async def test_changes_become_one(dag: dagger.Client) -> None:
    """Where they do not meet; with what was there before in either."""
    base = before(dag)
    ours = base.with_new_file("edit", "ONE\ntwo\n").without_file("single").changes(base)
    theirs = base.with_new_file("new", "n").changes(base)
    merged = ours.with_changeset(theirs)
    facts = [
        await merged.added_paths(),
        await merged.modified_paths(),
        await merged.removed_paths(),
    ]
    assert facts == [["new"], ["edit"], ["single"]]
    more = ours.with_changesets([theirs, base.with_new_file("more", "m").changes(base)])
    assert await more.added_paths() == ["more", "new"]
    assert await more.after().file("edit").contents() == "ONE\ntwo\n"


async def test_changes_that_meet_are_refused_or_settled(dag: dagger.Client) -> None:
    """As it was asked for."""
    base = before(dag)
    ours = base.with_new_file("edit", "ours\n").without_file("keep").changes(base)
    theirs = base.with_new_file("edit", "theirs\n").with_new_file("keep", "k\n").changes(base)
    how = dagger.ChangesetMergeConflict
    with pytest.raises(dagger.QueryError, match='at path "edit": path modified in both'):
        await ours.with_changeset(theirs, on_conflict=how.FAIL_EARLY).is_empty()
    with pytest.raises(dagger.QueryError, match=r"(?s)git merge: .*CONFLICT"):
        await ours.with_changeset(theirs).is_empty()
    mine = ours.with_changeset(theirs, on_conflict=how.PREFER_OURS).after()
    assert (await mine.file("edit").contents(), await mine.exists("keep")) == ("ours\n", False)
    other = ours.with_changeset(theirs, on_conflict=how.PREFER_THEIRS).after()
    assert await other.file("edit").contents() == "theirs\n"
    assert await other.file("keep").contents() == "k\n"
    marked = ours.with_changeset(theirs, on_conflict=how.LEAVE_CONFLICT_MARKERS).after()
    assert "<<<<<<<" in await marked.file("edit").contents()
    assert await marked.file("keep").contents() == "k\n"
