"""Values of the graph: what makes two of them the same."""

import pytest

from drydock.graph import Copy, Exec, ExecRoot, Expect, Image, Local, MakeFile, Scratch

DEBIAN = Image("docker.io/library/debian:bookworm-slim@sha256:" + "1" * 64, "linux/amd64")


def test_equal_recipes_are_equal_values() -> None:
    """Two clients that build the same chain get the same object, and so the same id."""

    def recipe() -> ExecRoot:
        source = Local("/src", include=("*.json",))
        return ExecRoot(Exec(Copy(DEBIAN, source, "/", "/app", contents=True), ("true",)))

    assert recipe() == recipe()
    assert hash(recipe()) == hash(recipe())
    assert recipe().key == recipe().key


@pytest.mark.parametrize(
    "other",
    [
        MakeFile(Scratch(), "/a", b"other"),
        MakeFile(Scratch(), "/b", b"text"),
        MakeFile(Scratch(), "/a", b"text", mode=0o600),
        MakeFile(DEBIAN, "/a", b"text"),
    ],
)
def test_any_field_makes_a_difference(other: MakeFile) -> None:
    """What differs in content, path, mode or base is another value."""
    assert MakeFile(Scratch(), "/a", b"text") != other


def test_fields_do_not_run_into_each_other() -> None:
    """Arguments that join to the same text are still different commands."""
    assert Exec(DEBIAN, ("a b",)) != Exec(DEBIAN, ("a", "b"))


@pytest.mark.parametrize(
    ("expect", "accepted", "refused"),
    [
        (Expect.SUCCESS, {0}, {1, 127, 137, 255}),
        (Expect.FAILURE, {1, 127, 192, 255}, {0, 128, 137, 191}),
        (Expect.ANY, {0, 1, 127, 192, 255}, {128, 137, 191}),
    ],
)
def test_which_exit_codes_are_expected(
    expect: Expect, accepted: set[int], refused: set[int]
) -> None:
    """A command that a signal ended never counts as done."""
    assert {code for code in accepted | refused if expect.accepts(code)} == accepted
