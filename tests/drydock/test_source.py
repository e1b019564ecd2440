"""A module's source on this machine."""

import json
from pathlib import Path

import pytest

from drydock.errors import DrydockError
from drydock.source import find, read


def module(root: Path, **config: object) -> Path:
    """A module in `root`, with these entries in its dagger.json."""
    (root / "src" / "thing").mkdir(parents=True)
    (root / "src" / "thing" / "__init__.py").write_text("A = 1\n")
    (root / "pyproject.toml").write_text('[project]\nname = "thing"\n')
    values = {"name": "thing", "sdk": {"source": "python"}, **config}
    (root / "dagger.json").write_text(json.dumps(values))
    return root


def test_a_module_is_found_from_a_folder_below(tmp_path: Path) -> None:
    """As Git finds its repository."""
    root = module(tmp_path / "repo")
    below = root / "apps" / "web"
    below.mkdir(parents=True)
    assert find(None, below).root == root
    assert find("../..", below).root == root


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        (None, "no dagger.json in .* name one with -m PATH"),
        ("nowhere", "-m nowhere: .*nowhere does not exist"),
        ("file.txt", "file.txt is a file"),
        ("github.com/somebody/thing", "runs modules on this machine only"),
        ("https://example.com/thing", "runs modules on this machine only"),
    ],
)
def test_what_is_no_module_is_refused(tmp_path: Path, reference: str | None, message: str) -> None:
    """The message says where drydock looked and what to do."""
    (tmp_path / "file.txt").touch()
    with pytest.raises(DrydockError, match=message):
        find(reference, tmp_path)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"sdk": {"source": "go"}}, "SDK is 'go'"),
        ({"sdk": None}, "SDK is None"),
        ({"dependencies": [{"name": "x", "source": "../x"}]}, "depend on other modules"),
        ({"name": ""}, '"name" is missing'),
        ({"source": "../elsewhere"}, "leads out of the module"),
    ],
)
def test_what_drydock_does_not_serve_is_refused(
    tmp_path: Path, config: dict[str, object], message: str
) -> None:
    """At once, with the file."""
    root = module(tmp_path / "repo", **config)
    with pytest.raises(DrydockError, match=message):
        read(root)


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    """Not a traceback."""
    root = module(tmp_path / "repo")
    (root / "dagger.json").write_text("{")
    with pytest.raises(DrydockError, match=r"dagger\.json: cannot be read"):
        read(root)


@pytest.mark.parametrize(
    ("pyproject", "package"),
    [
        ('[project]\nname = "my-thing"\n', "my_thing"),
        ('[project]\nname = "My-Thing"\n', "My_Thing"),
        ("", "my_mod_2_x"),
        (
            '[project]\nname = "a"\n[project.entry-points."dagger.mod"]\nmain_object = "b.c:D"\n',
            "b.c",
        ),
    ],
)
def test_the_package_is_found_as_the_dagger_engine_does(
    tmp_path: Path, pyproject: str, package: str
) -> None:
    """The entry point, else the project's name, else the module's."""
    root = module(tmp_path / "repo", name="my-mod2x")
    (root / "pyproject.toml").write_text(pyproject)
    source = read(root)
    assert source.package == package
    assert source.main_object == "MyMod2X"


def test_code_below_the_source_folder_is_found(tmp_path: Path) -> None:
    """`"source": ".dagger"` keeps a module out of a repository's way."""
    root = module(tmp_path / "repo", source=".dagger")
    module(root / ".dagger")
    assert read(root).import_path == root / ".dagger" / "src"


def test_the_digest_follows_what_the_types_depend_on(tmp_path: Path) -> None:
    """An edit of the code is seen, one of a test or of the tree around it is not."""
    root = module(tmp_path / "repo")
    before = read(root).digest
    for other in ("README.md", "tests/test_a.py", ".venv/lib/a.py", "src/thing/__pycache__/a.pyc"):
        (root / other).parent.mkdir(parents=True, exist_ok=True)
        (root / other).write_text("x")
    assert read(root).digest == before
    (root / "src" / "thing" / "__init__.py").write_text("A = 2\n")
    assert read(root).digest != before
    edited = read(root).digest
    (root / "src" / "thing" / "more.py").write_text("")
    assert read(root).digest != edited


def test_the_context_is_the_repository_around_the_module(tmp_path: Path) -> None:
    """Default paths may reach so far, and no further."""
    root = module(tmp_path / "repo" / "ci")
    assert read(root).context == root
    (tmp_path / "repo" / ".git").mkdir()
    assert read(root).context == tmp_path / "repo"
