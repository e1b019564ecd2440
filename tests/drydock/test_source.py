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
        ({"sdk": None}, "has no SDK"),
        ({"dependencies": [{"name": "x", "source": "../x"}]}, "no dagger.json in .*x"),
        (
            {"dependencies": [{"source": "github.com/a/b/c@v1", "pin": "12ab"}]},
            "of this machine only",
        ),
        ({"dependencies": [{"name": "x"}]}, 'a dependency has no "source"'),
        ({"dependencies": ["."]}, "depends on itself"),
        ({"toolchains": [{"name": "x"}]}, 'does not serve "toolchains"'),
        ({"blueprint": {"name": "x"}}, 'does not serve "blueprint"'),
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
    for edited in ("__init__.py", "more.py", "build/tests.py", "levels.yaml"):
        file = root / "src" / "thing" / edited
        file.parent.mkdir(exist_ok=True)
        file.write_text("A = 2\n")
        before, digest = read(root).digest, before
        assert before != digest


def test_the_context_is_the_repository_around_the_module(tmp_path: Path) -> None:
    """Default paths may reach so far, and no further."""
    root = module(tmp_path / "repo" / "ci")
    assert read(root).context == root
    (tmp_path / "repo" / ".git").mkdir()
    assert read(root).context == tmp_path / "repo"


# -- dependencies ----------------------------------------------------------------------------------


def dependent(root: Path, **sources: str) -> Path:
    """A module that needs others: a name for each, and the folder."""
    listed = [{"name": name, "source": path} for name, path in sources.items()]
    return module(root, name=root.name, dependencies=listed)


def test_dependencies_come_before_what_needs_them(tmp_path: Path) -> None:
    """Each once, by the name that its dependent gives it."""
    module(tmp_path / "base", name="base")
    dependent(tmp_path / "left", base="../base")
    dependent(tmp_path / "right", base="../base")
    top = read(dependent(tmp_path / "top", left="../left", second="../right"))
    assert [item.name for item in top.all] == ["base", "left", "second", "top"]
    assert top.all[2].original == "right"
    assert top.all[2].main_object == "Right"


def test_a_dependency_without_a_name_keeps_its_own(tmp_path: Path) -> None:
    """Also where it is listed as a plain path, as old modules do."""
    module(tmp_path / "base", name="my-base")
    top = module(tmp_path / "top", dependencies=["../base"])
    assert [d.name for d in read(top).dependencies] == ["my-base"]


def test_two_modules_of_one_name_are_refused(tmp_path: Path) -> None:
    """Their types would be the same: the message says where to give one another name."""
    module(tmp_path / "one", name="base")
    module(tmp_path / "two", name="base")
    dependent(tmp_path / "left", base="../one")
    top = read(dependent(tmp_path / "top", left="../left", base="../two"))
    with pytest.raises(DrydockError, match=r"two modules are called base: .*one and .*two"):
        _ = top.all


def test_modules_that_need_each_other_are_refused(tmp_path: Path) -> None:
    """Instead of being read for ever."""
    dependent(tmp_path / "a", b="../b")
    dependent(tmp_path / "b", a="../a")
    with pytest.raises(DrydockError, match="module a depends on itself"):
        read(tmp_path / "a")


def test_an_edit_of_a_dependency_changes_the_digest(tmp_path: Path) -> None:
    """What it offers is part of what its dependent is written against."""
    base = module(tmp_path / "base", name="base")
    top = dependent(tmp_path / "top", base="../base")
    before = read(top).digest
    (base / "src" / "thing" / "__init__.py").write_text("A = 2\n")
    assert read(top).digest != before
