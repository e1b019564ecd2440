"""Containers on a real daemon, through the SDK's own client."""

import uuid
from pathlib import Path

import dagger
import pytest

pytestmark = pytest.mark.engine

BASE = "debian:bookworm-slim"


async def test_from_pins_the_image_and_takes_its_config(dag: dagger.Client) -> None:
    """The reference holds tag and digest; the image's variables are there."""
    base = dag.container().from_(BASE)
    assert (await base.image_ref()).startswith("docker.io/library/debian:bookworm-slim@sha256:")
    assert "PATH" in [await v.name() for v in await base.env_variables()]
    node = dag.container().from_("node:22-bookworm-slim")
    assert (await node.env_variable("NODE_VERSION") or "").startswith("22.")


async def test_an_image_that_is_not_there_is_named(dag: dagger.Client) -> None:
    """The message has the address as it was asked for, in full."""
    with pytest.raises(
        dagger.QueryError, match=r'failed to resolve image "docker.io/library/no-such:1"'
    ):
        await dag.container().from_("no-such:1").sync()


async def test_a_broken_address_is_refused(dag: dagger.Client) -> None:
    """Before any registry is asked."""
    with pytest.raises(dagger.QueryError, match="failed to parse image address Not_An/Image!"):
        await dag.container().from_("Not_An/Image!").sync()


async def test_output_and_exit_code_of_the_last_exec(dag: dagger.Client) -> None:
    """Both streams apart and together; a later change of the container keeps them."""
    ran = (
        dag.container()
        .from_(BASE)
        .with_exec(["sh", "-c", "echo out; echo err >&2"])
        .with_label("a", "b")
    )
    assert (await ran.stdout(), await ran.stderr(), await ran.exit_code()) == ("out\n", "err\n", 0)
    assert sorted((await ran.combined_output()).split()) == ["err", "out"]


async def test_without_an_exec_there_is_no_output(dag: dagger.Client) -> None:
    """As on the Dagger engine, nothing is run by default."""
    with pytest.raises(dagger.QueryError, match="no command has been set"):
        await dag.container().from_(BASE).stdout()


async def test_a_failing_exec_tells_command_code_and_output(dag: dagger.Client) -> None:
    """What an ExecError of the SDK carries."""
    failing = dag.container().from_(BASE).with_exec(["sh", "-c", "echo out; echo err >&2; exit 3"])
    with pytest.raises(dagger.ExecError) as caught:
        await failing.sync()
    error = caught.value
    assert (error.command, error.exit_code) == (["sh", "-c", "echo out; echo err >&2; exit 3"], 3)
    assert (error.stdout, error.stderr) == ("out", "err")


async def test_the_exec_that_failed_is_told_not_the_last_one(dag: dagger.Client) -> None:
    """A chain stops where it breaks."""
    chain = (
        dag.container().from_(BASE).with_exec(["sh", "-c", "exit 4"]).with_exec(["echo", "later"])
    )
    with pytest.raises(dagger.ExecError) as caught:
        await chain.stdout()
    assert caught.value.exit_code == 4


async def test_a_missing_program_is_an_exec_error(dag: dagger.Client) -> None:
    """With the code that a shell gives."""
    with pytest.raises(dagger.ExecError) as caught:
        await dag.container().from_(BASE).with_exec(["no-such-program"]).sync()
    assert caught.value.exit_code == 127
    assert "no-such-program" in caught.value.stderr


@pytest.mark.parametrize(
    ("expect", "code", "accepted"),
    [
        (dagger.ReturnType.ANY, 3, True),
        (dagger.ReturnType.ANY, 137, False),
        (dagger.ReturnType.FAILURE, 3, True),
        (dagger.ReturnType.FAILURE, 0, False),
    ],
)
async def test_expected_exit_codes(
    dag: dagger.Client, expect: dagger.ReturnType, code: int, accepted: bool
) -> None:
    """An expected failure goes on, with its code to ask for; a refused one is an error with that code."""
    ran = dag.container().from_(BASE).with_exec(["sh", "-c", f"exit {code}"], expect=expect)
    if accepted:
        assert await ran.exit_code() == code
        return
    with pytest.raises(dagger.ExecError) as caught:
        await ran.sync()
    assert caught.value.exit_code == code


async def test_default_arguments_and_entrypoint(dag: dagger.Client) -> None:
    """The entrypoint only counts when asked for; no arguments mean the default ones."""
    made = (
        dag.container()
        .from_(BASE)
        .with_entrypoint(["echo", "entry"])
        .with_default_args(["echo", "default"])
    )
    assert await made.with_exec([]).stdout() == "default\n"
    assert await made.with_exec(["x"], use_entrypoint=True).stdout() == "entry x\n"
    with pytest.raises(dagger.QueryError, match="no command has been set"):
        await made.without_default_args().with_exec([]).stdout()


async def test_standard_input_and_redirections(dag: dagger.Client) -> None:
    """A redirected stream is in its file and still in the answer."""
    ran = (
        dag.container()
        .from_(BASE)
        .with_workdir("/tmp")
        .with_exec(["cat"], stdin="hello", redirect_stdout="copy")
    )
    assert await ran.stdout() == "hello"
    assert await ran.file("/tmp/copy").contents() == "hello"


async def test_user_working_directory_and_variables(dag: dagger.Client) -> None:
    """What the config says holds in the exec."""
    ran = (
        dag.container()
        .from_(BASE)
        .with_user("nobody")
        .with_workdir("/opt")
        .with_env_variable("A", "1")
        .with_env_variable("B", "${A}2", expand=True)
        .with_exec(["sh", "-c", "id -un; pwd; echo $A $B"])
    )
    assert (await ran.stdout()).split("\n") == ["nobody", "/opt", "1 12", ""]


async def test_an_exec_leaves_nothing_of_drydock_in_the_image(dag: dagger.Client) -> None:
    """Neither mount points nor the shim; an image without any file runs too."""
    ran = dag.container().from_(BASE).with_exec(["true"])
    assert [e for e in await ran.rootfs().entries() if "drydock" in e] == []
    assert (
        await ran.directory("/dev").entries()
        == await dag.container().from_(BASE).directory("/dev").entries()
    )


async def test_an_exec_is_cached_by_what_it_reads(dag: dagger.Client) -> None:
    """The same input gives the first run's output; another input runs again."""
    mark = uuid.uuid4().hex

    async def stamp(text: str) -> str:
        source = dag.directory().with_new_file("in", mark + text)
        ran = dag.container().from_(BASE).with_directory("/src", source)
        return await ran.with_exec(["sh", "-c", "date +%s%N"]).stdout()

    first = await stamp("a")
    assert await stamp("a") == first
    assert await stamp("b") != first


async def test_a_cache_volume_lives_on_and_stays_out_of_the_image(dag: dagger.Client) -> None:
    """A second exec finds what the first left; the root file system has only the mount point's place."""
    volume = dag.cache_volume(uuid.uuid4().hex)
    base = dag.container().from_(BASE).with_mounted_cache("/cache", volume)
    await base.with_exec(["sh", "-c", "echo kept > /cache/file"]).sync()
    ran = base.with_env_variable("AGAIN", "1").with_exec(["cat", "/cache/file"])
    assert await ran.stdout() == "kept\n"
    assert "cache/" not in await ran.rootfs().entries()
    with pytest.raises(dagger.QueryError, match="/cache/file: cannot retrieve path from cache"):
        await ran.file("/cache/file").contents()


async def test_what_an_exec_writes_to_a_mounted_directory_is_kept(dag: dagger.Client) -> None:
    """For the next exec and for whoever asks, but not in the image."""
    source = dag.directory().with_new_file("a", "1")
    ran = (
        dag.container()
        .from_(BASE)
        .with_mounted_directory("/data", source)
        .with_exec(["sh", "-c", "echo 2 > /data/b"])
        .with_exec(["ls", "/data"])
    )
    assert await ran.stdout() == "a\nb\n"
    assert await ran.directory("/data").entries() == ["a", "b"]
    assert "data/" not in await ran.rootfs().entries()


async def test_owner_and_permissions_of_what_is_added(dag: dagger.Client) -> None:
    """By name, by number, with and without a group."""
    source = dag.directory().with_new_file("f", "x", permissions=0o600)
    ran = (
        dag.container()
        .from_("node:22-bookworm-slim")
        .with_directory("/named", source, owner="node")
        .with_directory("/numbered", source, owner="12:34")
        .with_new_file("/script", "echo hi", permissions=0o755, owner="node:root")
        .with_exec(["stat", "-c", "%n %u:%g %a", "/named/f", "/numbered/f", "/script"])
    )
    assert (await ran.stdout()).splitlines() == [
        "/named/f 1000:1000 600",
        "/numbered/f 12:34 600",
        "/script 1000:0 755",
    ]


async def test_a_file_goes_into_a_directory_or_to_a_path(dag: dagger.Client) -> None:
    """A trailing slash, or a directory that is there, means: into it."""
    file = dag.directory().with_new_file("name.txt", "x").file("name.txt")
    made = (
        dag.container()
        .from_(BASE)
        .with_file("/plain", file)
        .with_file("/into/", file)
        .with_file("/etc", file)
        .with_files("/many", [file])
    )
    for path in ("/plain", "/into/name.txt", "/etc/name.txt", "/many/name.txt"):
        assert await made.file(path).contents() == "x", path


async def test_a_temporary_mount_is_empty_for_each_exec(dag: dagger.Client) -> None:
    """Nothing of it is seen again."""
    base = dag.container().from_(BASE).with_mounted_temp("/scratch")
    ran = base.with_exec(["sh", "-c", "echo x > /scratch/f"]).with_exec(["ls", "/scratch"])
    assert await ran.stdout() == ""


async def test_a_missing_path_is_named(dag: dagger.Client) -> None:
    """Asking for what is not there says so, with the path."""
    base = dag.container().from_(BASE)
    with pytest.raises(dagger.QueryError, match="/no/such.*no such file or directory"):
        await base.file("/no/such").contents()
    with pytest.raises(dagger.QueryError, match="/no/such.*no such file or directory"):
        await base.directory("/no/such").entries()


async def test_two_evaluations_at_once_run_a_command_once(dag: dagger.Client) -> None:
    """Both get the same answer from one run."""
    import asyncio

    ran = (
        dag.container()
        .from_(BASE)
        .with_exec(["sh", "-c", f": {uuid.uuid4()}; date +%s%N; sleep 0.3"])
    )
    answers = await asyncio.gather(*(ran.stdout() for _ in range(4)))
    assert len(set(answers)) == 1


async def test_what_is_not_served_refuses_by_name(dag: dagger.Client) -> None:
    """A field, and an argument."""
    base = dag.container().from_(BASE)
    with pytest.raises(dagger.QueryError, match=r"drydock does not serve Container\.terminal"):
        await base.terminal().sync()
    with pytest.raises(
        dagger.QueryError, match=r"argument experimentalPrivilegedNesting of Container\.withExec"
    ):
        await base.with_exec(["true"], experimental_privileged_nesting=True).sync()


async def test_insecure_root_capabilities(dag: dagger.Client) -> None:
    """Only with them can an exec mount something."""
    base, mount = dag.container().from_(BASE), ["mount", "-t", "tmpfs", "none", "/mnt"]
    await base.with_exec(mount, insecure_root_capabilities=True).sync()
    with pytest.raises(dagger.ExecError):
        await base.with_exec(mount).sync()


async def test_export_writes_an_image_archive(dag: dagger.Client, client_folder: Path) -> None:
    """A relative path starts at the client's folder; the answer is absolute."""
    path = await dag.container().from_(BASE).with_label("a", "b").export("image.tar")
    assert path == str(client_folder / "image.tar")
    assert (client_folder / "image.tar").stat().st_size > 1_000_000
