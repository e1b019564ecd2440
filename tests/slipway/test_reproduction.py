"""What is told of an image that was made again."""

import subprocess
from pathlib import Path

import dagger
import pytest

from slipway.reproduction import Comparison, Difference, compared

NODE = "node:22-bookworm-slim"


def test_an_image_that_is_the_same() -> None:
    """One line says it."""
    comparison = Comparison("api")
    assert comparison.same
    assert (
        comparison.text() == "api: made again from its commit, the same in every file and setting"
    )


def test_what_differs_is_counted_and_listed() -> None:
    """Settings with both values, paths with what of them."""
    files = (Difference("app/a.js", "content"), Difference("app/b", "only in the rebuilt image"))
    counts = {"content": 1, "only in the rebuilt image": 1}
    comparison = Comparison("api", files, counts, ('user: "1" published, "2" rebuilt',))
    assert not comparison.same
    assert comparison.text().splitlines() == [
        "api: not the same when made again: 2 paths and 1 setting differ",
        '  user: "1" published, "2" rebuilt',
        "  content                    app/a.js",
        "  only in the rebuilt image  app/b",
    ]


def test_one_difference_is_one() -> None:
    """In words too."""
    settings = Comparison("api", config=("user: 1 published, 2 rebuilt",))
    assert settings.text().splitlines()[0].endswith("made again: 1 setting differs")
    path = Comparison("api", (Difference("a", "time"),), {"time": 1})
    assert path.text().splitlines()[0].endswith("made again: 1 path differs")


def test_a_long_list_is_cut() -> None:
    """What is left out is counted, by what of the paths differs."""
    files = tuple(Difference(f"file{number:02}", "content") for number in range(30))
    lines = Comparison("api", files, {"content": 4000, "time": 5}).text().splitlines()
    assert lines[0] == "api: not the same when made again: 4005 paths differ"
    assert len(lines) == 22
    assert lines[-1] == "  … and 3985 more; in all: 4000 content, 5 time"


def test_pages_that_are_made_anew_are_no_difference() -> None:
    """They have the time when they were made; it is said, as the image's digest is another."""
    comparison = Comparison("frontend", renewed=3)
    assert comparison.same
    assert comparison.text().splitlines()[1:] == [
        "  but for the time of 3 files of pages that Next makes anew after a while"
    ]


# Makes a tree in /made; the letter is which of two.
TREE = r"""
set -eu
mkdir -p /made/folder /made/same
cd /made
echo same > same/file
case $1 in
  a) echo here > only-a; echo one > content; echo x > kind; ln -s a link ;;
  b) mkdir only-b; echo x > only-b/deep; echo two > content; mkdir kind; ln -s b link ;;
esac
for name in mode owner time folder/time; do echo "$name" > "$name"; done
case $1 in
  a) chmod 600 mode; chown 5:6 owner ;;
  b) chmod 644 mode ;;
esac
find . -exec touch -h -d @7 {} +
if [ "$1" = b ]; then touch -d @8 time folder/time; fi
for name in renewed rewritten; do echo page > $name; chown 1000 $name; touch -d @180000000$# $name; done
if [ "$1" = b ]; then touch -d @1800000009 renewed; touch -d @9 rewritten; fi
"""
PLANTED = {
    "content": "content",
    "folder/time": "time",
    "kind": "kind of file",
    "link": "link target",
    "mode": "mode",
    "only-a": "only in the published image",
    "only-b": "only in the rebuilt image",
    "owner": "owner",
    "rewritten": "time",
    "time": "time",
}


def image(dag: dagger.Client, which: str) -> dagger.Container:
    """One of two images whose files differ in every way."""
    made = dag.container().from_(NODE).with_exec(["sh", "-euc", TREE, "sh", which])
    return dag.container().with_rootfs(made.directory("/made"))


@pytest.mark.engine
async def test_every_kind_of_difference_is_found(dag: dagger.Client) -> None:
    """In files and in the config; what is the same is not told."""
    first = image(dag, "a").with_label("version", "1").with_env_variable("SAME", "1")
    first = first.with_env_variable("MODE", "x").with_user("1000").with_exposed_port(80)
    first = first.with_entrypoint(["node", "a"]).with_workdir("/app")
    second = image(dag, "b").with_label("other", "2").with_env_variable("SAME", "1")
    second = second.with_env_variable("MODE", "y" * 200).with_exposed_port(81)
    second = second.with_entrypoint(["node", "b"]).with_default_args(["c"]).with_workdir("/")
    found = await compared("api", first, second, NODE)
    assert {one.path: one.what for one in found.files} == PLANTED
    assert found.counts["time"] == 3
    assert found.renewed == 1
    assert found.config == (
        'arguments: [] published, ["c"] rebuilt',
        'entrypoint: ["node", "a"] published, ["node", "b"] rebuilt',
        'label other: none published, "2" rebuilt',
        'label version: "1" published, none rebuilt',
        "port 80/tcp: exposed published, none rebuilt",
        "port 81/tcp: none published, exposed rebuilt",
        'user: "1000" published, "" rebuilt',
        f'variable MODE: "x" published, "{"y" * 99}… rebuilt',
        'working directory: "/app" published, "/" rebuilt',
    )


@pytest.mark.engine
async def test_an_image_beside_itself(dag: dagger.Client) -> None:
    """From a registry, and through an archive: how it is put into layers is no difference."""
    base = dag.container().from_(NODE)
    flat = base.with_rootfs(dag.directory().with_directory("/", base.rootfs()))
    assert (await compared("base", base, flat, NODE)).same


def test_no_more_than_the_limit_is_listed(tmp_path: Path) -> None:
    """All are counted."""
    for which in ("published", "rebuilt"):
        (tmp_path / which).mkdir()
    for number in range(5):
        (tmp_path / "published" / str(number)).write_text("")
    script = Path(__file__).parents[2] / "src/slipway/scripts/compare.mjs"
    done = subprocess.run(
        ["node", script, tmp_path / "published", tmp_path / "rebuilt", "2"],
        capture_output=True,
        check=True,
        timeout=30,
    )
    assert done.stdout.decode() == (
        '{"differences":[["0","only in the published image"],["1","only in the published image"]],'
        '"counts":{"only in the published image":5},"renewed":0}\n'
    )
