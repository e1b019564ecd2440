"""Values of the graph: what makes two of them the same."""

from drydock.graph import Copy, Exec, ExecRoot, Image, Local

DEBIAN = Image("docker.io/library/debian:bookworm-slim@sha256:" + "1" * 64, "linux/amd64")


def test_equal_recipes_are_equal_values() -> None:
    """Two clients that build the same chain get the same object, and so the same id."""

    def recipe() -> ExecRoot:
        source = Local("/src", include=("*.json",))
        return ExecRoot(Exec(Copy(DEBIAN, source, "/", "/app", contents=True), ("true",)))

    assert recipe() == recipe()
    assert hash(recipe()) == hash(recipe())
    assert recipe().key == recipe().key
