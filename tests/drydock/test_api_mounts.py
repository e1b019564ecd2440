"""What a container holds, mounts and passes on: one session's worth of small execs."""

import asyncio
import uuid
from typing import Any

import dagger
import pytest

from drydock.buildkit import Solved
from drydock.session import Session

pytestmark = pytest.mark.engine
BASE = "debian:bookworm-slim"


def file(dag: dagger.Client, text: str) -> dagger.Directory:
    return dag.directory().with_new_file("file", text)


async def test_a_mount_takes_the_place_of_those_at_and_below_it(dag: dagger.Client) -> None:
    """And none comes back when it goes."""
    base = dag.container().from_(BASE).with_mounted_directory("/mnt/dir", file(dag, "lower"))
    replaced = base.with_mounted_directory("/mnt/dir", file(dag, "upper"))
    assert await replaced.mounts() == ["/mnt/dir"]
    assert await replaced.file("/mnt/dir/file").contents() == "upper"
    assert await replaced.without_mount("/mnt/dir").mounts() == []
    parent = replaced.with_mounted_directory("/mnt", file(dag, "parent"))
    assert await parent.mounts() == ["/mnt"]
    again = parent.with_mounted_directory("/mnt/dir", file(dag, "below"))
    cat = again.with_exec(["cat", "/mnt/file", "/mnt/dir/file"])
    assert (await again.mounts(), await cat.stdout()) == (["/mnt", "/mnt/dir"], "parentbelow")


async def test_what_is_written_goes_where_it_is_mounted(dag: dagger.Client) -> None:
    """Into the directory that is mounted, also where that is only a part of one; not into the image."""
    whole = dag.directory().with_new_file("top/sub/file", "x")
    base = dag.container().from_(BASE).with_mounted_directory("/mnt", whole.directory("top"))
    made = base.with_directory("/mnt/sub/copied", file(dag, "y")).with_new_file("/mnt/new", "z")
    found = await made.with_exec(["sh", "-c", "cd /mnt && find . -type f | sort"]).stdout()
    assert found.split() == ["./new", "./sub/copied/file", "./sub/file"]
    assert await made.rootfs().directory("mnt").entries() == []
    assert await made.without_file("/mnt/new").directory("/mnt").entries() == ["sub/"]


async def test_a_file_at_the_place_of_a_mount(dag: dagger.Client) -> None:
    """The mount goes; what is written there is in the image."""
    base = dag.container().from_(BASE).with_mounted_file("/etc/x", dag.file("f", "mounted"))
    assert await base.with_exec(["cat", "/etc/x"]).stdout() == "mounted"
    made = base.with_new_file("/etc/x", "written")
    assert (await made.mounts(), await made.rootfs().file("etc/x").contents()) == ([], "written")


async def test_paths_start_at_the_working_directory(dag: dagger.Client) -> None:
    """Of mounts, files and directories; each relative working directory at the one before."""
    made = (
        dag.container()
        .from_(BASE)
        .with_workdir("/srv")
        .with_workdir("app")
        .with_mounted_directory("dir", file(dag, "m"))
        .with_mounted_temp("tmp")
        .with_mounted_cache("cache", dag.cache_volume(uuid.uuid4().hex))
        .with_new_file("here", "h")
        .with_new_file("../up", "u")
    )
    assert await made.workdir() == "/srv/app"
    assert await made.mounts() == ["/srv/app/dir", "/srv/app/tmp", "/srv/app/cache"]
    ran = made.with_exec(["sh", "-c", "touch dir/more && cat here /srv/up"])
    assert await ran.stdout() == "hu"
    assert await ran.directory("dir").entries() == ["file", "more"]
    assert await ran.without_mount("cache").mounts() == ["/srv/app/dir", "/srv/app/tmp"]


async def test_links_in_an_image_are_followed(dag: dagger.Client) -> None:
    """By what is written through them, and by what is taken from them."""
    script = "mkdir -p /store/real && echo hi > /store/real/marker && ln -s /store/real /link"
    base = dag.container().from_(BASE).with_exec(["sh", "-c", script])
    written = base.with_new_file("/link/file", "text")
    assert await written.file("/store/real/file").contents() == "text"
    assert await written.directory("/link").entries() == ["file", "marker"]
    taken = dag.container().from_(BASE).with_directory("/release", base.directory("/link"))
    assert await taken.with_exec(["cat", "/release/marker"]).stdout() == "hi\n"


async def test_another_base_keeps_what_was_set(dag: dagger.Client) -> None:
    """Variables, labels and mounts; the new image's own win, and its command counts."""
    node = (
        dag.container()
        .from_(BASE)
        .with_env_variable("MINE", "1")
        .with_env_variable("PATH", "/nowhere")
        .with_label("mine", "1")
        .with_mounted_directory("/mnt", dag.directory())
        .with_exec(["/bin/sh", "-c", "echo a >> /mnt/log"])
        .from_("node:22-bookworm-slim")
    )
    ran = node.with_exec(["sh", "-c", "echo $MINE >> /mnt/log; cat /mnt/log"])
    assert await ran.stdout() == "a\n1\n"
    assert (await node.label("mine"), await node.env_variable("PATH") or "")[0] == "1"
    assert "/usr/bin" in (await node.env_variable("PATH") or "")


async def test_a_volume_is_known_by_all_that_made_it(dag: dagger.Client) -> None:
    """With a beginning and an owner by name; another owner has another volume."""
    base = (
        dag.container()
        .from_(BASE)
        .with_exec(["useradd", "-u", "1234", "auser"])
        .with_exec(["groupadd", "-g", "4321", "agroup"])
    )
    seed = dag.directory().with_new_directory("perms", permissions=0o745)
    seed = seed.with_new_file("perms/foo", "x", permissions=0o645).directory("perms")
    key = uuid.uuid4().hex
    by_name = base.with_mounted_cache(
        "/data", dag.cache_volume(key), source=seed, owner="auser:agroup"
    )
    look = ["stat", "-c", "%a:%U:%G", "/data/foo", "/data"]
    assert await by_name.with_exec(look).stdout() == "645:auser:agroup\n745:auser:agroup\n"
    other = base.with_mounted_cache("/data", dag.cache_volume(key, source=seed))
    assert await other.with_exec(["stat", "-c", "%U", "/data/foo"]).stdout() == "root\n"


async def test_an_owner_that_is_not_known_is_refused(dag: dagger.Client) -> None:
    """By name; a number is nobody's business."""
    made = dag.container().from_(BASE)
    assert await made.with_new_file("/f", "", owner="4:5").with_exec(
        ["stat", "-c", "%u:%g", "/f"]
    ).stdout() == ("4:5\n")
    with pytest.raises(dagger.QueryError, match="nobody-here: find uid: no such user: nobody-here"):
        await made.with_new_file("/f", "", owner="nobody-here").sync()
    with pytest.raises(dagger.QueryError, match="open /etc/passwd: no such file or directory"):
        await dag.container().with_new_file("/f", "", owner="root:www-data").sync()


async def test_an_exec_that_changes_nothing_leaves_no_difference(dag: dagger.Client) -> None:
    """Nothing of what was mounted for it either."""
    base = dag.container().from_(BASE)
    assert await base.rootfs().diff(base.with_exec(["true"]).rootfs()).entries() == []


async def test_volatile_variables(dag: dagger.Client) -> None:
    """Seen by a command, not by its cache, the API or the image."""
    mark = uuid.uuid4().hex
    base = dag.container().from_(BASE).with_env_variable("MARK", mark)
    script = ["sh", "-c", 'echo "$RUN $(date +%s%N)"']
    first = await base.with_volatile_variable("RUN", "one").with_exec(script).stdout()
    second = base.with_volatile_variable("RUN", "two")
    assert first.startswith("one ")
    assert await second.with_exec(script).stdout() == first
    again = second.with_new_file("/other", mark)
    assert (await again.with_exec(script).stdout()).startswith("two ")
    assert await second.env_variable("RUN") is None
    gone = second.with_env_variable("RUN", "plain").without_volatile_variable("RUN")
    assert await gone.with_exec(["sh", "-c", "echo $RUN"]).stdout() == "plain\n"
    with pytest.raises(dagger.QueryError, match='with volatile env variable "RUN"'):
        await second.with_env_variable("COPY", "$RUN", expand=True).sync()


async def test_branches_of_a_chain_do_not_meet(dag: dagger.Client) -> None:
    """A call makes a new container; the one that it was made on stays as it is."""
    base = dag.container()
    changed = base.with_env_variable("FOO", "BAR").with_new_file("/f", "x")
    assert (await changed.env_variable("FOO"), await base.env_variable("FOO")) == ("BAR", None)
    assert await base.rootfs().entries() == []


async def test_a_part_of_a_container_can_be_a_root(dag: dagger.Client) -> None:
    """With what was set kept."""
    built = dag.container().from_(BASE).with_exec(["sh", "-c", "mkdir /out && echo x > /out/f"])
    made = dag.container().with_env_variable("A", "b").with_rootfs(built.directory("/out"))
    assert (await made.rootfs().entries(), await made.env_variable("A")) == (["f"], "b")


async def test_who_asks_at_the_same_time_shares_the_work(
    dag: dagger.Client, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One build for all of them; a failure is everybody's."""
    builds = []
    build = session.engine.buildkit.solve

    async def counted(*args: Any, **options: Any) -> Solved:
        builds.append(args)
        return await build(*args, **options)

    base = await dag.container().from_(BASE).sync()
    monkeypatch.setattr(session.engine.buildkit, "solve", counted)
    ran = base.with_exec(["sh", "-c", f"sleep 0.3; echo {uuid.uuid4()}"])
    outputs = await asyncio.gather(*(ran.stdout() for _ in range(5)))
    assert (len(set(outputs)), len(builds)) == (1, 1)
    failing = base.with_exec(["sh", "-c", f"sleep 0.3; echo {uuid.uuid4()}; exit 3"])
    errors = await asyncio.gather(*(failing.sync() for _ in range(3)), return_exceptions=True)
    assert [type(error) for error in errors] == [dagger.ExecError] * 3
    assert len(builds) == 2
