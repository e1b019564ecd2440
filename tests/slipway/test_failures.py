"""What a user sees when a step fails: which step, and what its tool said."""

import pytest
from dagger.mod._exceptions import FunctionError

from slipway.build import shell, step
from slipway.errors import BuildError, ConfigError
from slipway.evaluation import side_by_side
from slipway.failures import joined, message, reported, step_error, step_name


def test_a_failed_step_goes_by_its_name() -> None:
    """The tool's own words follow, from both streams."""
    error = step_error(step("api: build", "pnpm", "run", "build"), 2, "src/a.ts:1 error TS1\n", "x")
    assert str(error) == "api: build failed (exit code 2)\nsrc/a.ts:1 error TS1\nx"


def test_long_output_is_cut_at_the_top() -> None:
    """What matters stands at the end."""
    output = "\n".join(f"line {number}" for number in range(100))
    lines = str(step_error(step("a", "b"), 1, output, "")).splitlines()
    assert lines[1:3] == ["(60 lines above)", "line 60"]
    assert lines[-1] == "line 99"


def test_a_native_package_without_a_compiler_gets_a_hint() -> None:
    """The setting that helps is named after the tool's own words."""
    error = step_error(step("dependencies", "pnpm"), 1, "gyp ERR! find Python x", "")
    assert "set [node] build_image in slipway.toml" in str(error).splitlines()[-1]


@pytest.mark.parametrize(
    ("code", "hint"),
    [
        ("ERR_PNPM_OUTDATED_LOCKFILE", "Run `pnpm install` and commit pnpm-lock.yaml"),
        ("ERR_PNPM_BROKEN_LOCKFILE", "Run `pnpm install` and commit pnpm-lock.yaml"),
        ("ERR_PNPM_FETCH_404", "--npmrc file:$HOME/.npmrc"),
        ("ERR_PNPM_UNSUPPORTED_ENGINE", "[node] version"),
    ],
)
def test_what_pnpm_complains_of_comes_with_what_to_do(code: str, hint: str) -> None:
    """The advice of pnpm itself is for a developer's checkout, and helps no build."""
    error = step_error(step("dependencies", "pnpm"), 1, f" {code}  and its words\n", "")
    assert hint in str(error).splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (shell("api: build", ["cd /app", "pnpm run build"]), "api: build"),
        (["node", "/image.mjs"], "node /image.mjs"),
        (["/bin/sh", "-c", "make all"], "RUN make all"),
    ],
)
def test_the_name_of_a_step(command: list[str], name: str) -> None:
    """Its given name, or the command where it has none."""
    assert step_name(command) == name


def test_images_that_share_a_failed_step_report_it_once() -> None:
    """Three images on one failed install are one failure."""
    error = BuildError("dependencies failed (exit code 1)")
    assert joined([error, BuildError(str(error)), BuildError("x")]) == f"{error}\n\nx"


def test_the_engines_trace_is_not_the_users_business() -> None:
    """Its errors end with an identifier of the trace."""
    error = RuntimeError("failed to resolve image node:99 [traceparent:0af7-b7ad]")
    assert message(error) == "failed to resolve image node:99"


def test_what_the_user_can_put_right_has_no_traceback() -> None:
    """The SDK prints a FunctionError's text and nothing else."""
    with pytest.raises(FunctionError) as caught, reported():
        raise ConfigError("slipway.toml", ["a: unknown key"])
    assert str(caught.value) == "slipway.toml: 1 problem\n  - a: unknown key"
    assert type(caught.value).__module__ == "builtins"
    assert caught.value.__cause__ is None


def test_a_fault_of_our_own_keeps_its_traceback() -> None:
    """A bug must not look like a user's mistake."""
    with pytest.raises(ZeroDivisionError), reported():
        raise ZeroDivisionError


async def test_every_image_comes_to_its_end() -> None:
    """One image's failure does not cut off the others; all failures are raised together."""
    done = []

    async def work(name: str) -> str:
        if name.startswith("bad"):
            raise BuildError(name)
        done.append(name)
        return name

    with pytest.raises(FunctionError, match="bad 1\n\nbad 2"), reported():
        await side_by_side(work, ["bad 1", "good", "bad 2"])
    assert done == ["good"]
    assert await side_by_side(work, ["a", "b"]) == ["a", "b"]
