"""Modules as other people write them, run as their users run them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from drydock import paths

pytestmark = pytest.mark.slow

DRYDOCK = Path(sys.executable).with_name("drydock")
FIXTURES = Path(__file__).parent / "fixtures"
PASSWORD = "fixture-password-4711"
SECONDS = 180


class Caller:
    """Somebody at a terminal, in a folder of their own."""

    def __init__(self, cwd: Path, cache: Path) -> None:
        """Nothing was called before: types and results are this caller's own."""
        self.cwd = cwd
        self.environment = {**os.environ, "XDG_CACHE_HOME": str(cache), "PGPASSWORD": PASSWORD}

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run drydock to its end."""
        return subprocess.run(
            [str(DRYDOCK), *arguments],
            cwd=self.cwd,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )

    def prints(self, *arguments: str) -> str:
        """What a command prints; it has to succeed."""
        done = self.run(*arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def fails(self, code: int, *arguments: str) -> str:
        """What a command that has to fail says, without a traceback."""
        done = self.run(*arguments)
        assert done.returncode == code, done.stderr
        assert "Traceback" not in done.stderr
        return done.stderr


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache of its own, but for the Python environments, which take long to make."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "drydock").mkdir()
    (folder / "drydock" / "venvs").symlink_to(paths.private(paths.cache() / "venvs"))
    return folder


@pytest.fixture
def caller(tmp_path: Path, cache: Path) -> Caller:
    """A caller in an empty folder: the modules are somewhere else."""
    return Caller(tmp_path, cache)


# -- bakery ----------------------------------------------------------------------------------------

BAKERY = ("-m", str(FIXTURES / "bakery"))
FUNCTIONS = """\
Name            Description
has-recipes     There is something to bake
item            One item
items           Everything on the menu, or what is sold at one time of the day
menu            The menu for a time of the day, with prices
names           -
owner           -
recipes         Where the recipes are
shopping-list   How much of what is needed for one of each
"""


def test_functions_are_listed_with_their_descriptions(caller: Caller) -> None:
    """Fields as well; those of an object that a chain leads to, after it."""
    assert caller.prints("functions", *BAKERY) == FUNCTIONS
    item = caller.prints("functions", *BAKERY, "items")
    names = [line.split()[0] for line in item.splitlines()[1:]]
    assert names == ["cents", "daypart", "discounted", "ingredients", "label", "title"]


def test_help_explains_the_constructor_that_the_class_gives(caller: Caller) -> None:
    """It is `create`, with a default path, and another default than the field's."""
    told = caller.prints("call", *BAKERY, "--help")
    assert told.startswith("A bakery, open as long as there are recipes.\n")
    assert "--recipes Directory   A folder of recipes" in told
    assert '--owner string        Who runs it (default "Ada")' in told


def test_a_default_path_is_the_module_s_own(caller: Caller) -> None:
    """Wherever the caller stands; without what the module ignores."""
    assert caller.prints("call", *BAKERY, "names") == "rye.yaml\ntart.yaml\n"
    menu = "Ada's bakery\n- Rye bread (morning): 890 ct"
    assert caller.prints("call", *BAKERY, "menu") == menu


def test_a_folder_of_the_caller_is_used_instead(caller: Caller) -> None:
    """The same is ignored in it; enums are given by their names."""
    recipes = caller.cwd / "mine"
    recipes.mkdir()
    (recipes / "notes.txt").write_text("no recipe")
    (recipes / "bun.yaml").write_text("{name: Bun, daypart: evening, grams: {flour: 60}}")
    given = (*BAKERY, "--recipes", "mine", "--owner", "Bob")
    menu = caller.prints("call", *given, "menu", "--daypart", "evening", "--currency", "EUR")
    assert menu == "Bob's bakery\n- Bun (evening): 60 EUR"


def test_lists_of_objects_and_objects_in_objects_are_chained(caller: Caller) -> None:
    """One line for each; what a function changed stays changed down the chain."""
    assert caller.prints("call", *BAKERY, "items", "title") == "Rye bread\nPlum tart\n"
    rye = ("call", *BAKERY, "item", "--name", "rye.yaml")
    assert caller.prints(*rye, "ingredients", "name") == "flour\nwater\nsalt\n"
    assert caller.prints(*rye, "discounted", "--percent", "50", "cents") == "445"


def test_a_file_is_saved_where_the_caller_wants_it(caller: Caller) -> None:
    """It was written by the module, in the folder that the function runs in."""
    caller.prints("call", *BAKERY, "-o", "list.csv", "shopping-list", "--scale", "0.5")
    lines = (caller.cwd / "list.csv").read_text().splitlines()
    assert lines == ["butter,62", "flour,375", "plums,300", "salt,5", "water,190"]


def test_what_the_bakery_cannot_do_is_told(caller: Caller) -> None:
    """A wrong choice before anything runs, a missing file by its name."""
    assert "MORNING, EVENING" in caller.fails(2, "call", *BAKERY, "menu", "--daypart", "noon")
    assert "cake.yaml: no such file" in caller.fails(
        1, "call", *BAKERY, "item", "--name", "cake.yaml", "title"
    )


# -- till, and its tests ---------------------------------------------------------------------------

TILL = ("-m", str(FIXTURES / "till"))
TESTS = ("-m", str(FIXTURES / "till" / "tests"))


def test_what_no_command_line_can_give_is_left_out(caller: Caller) -> None:
    """An object that implements an interface comes from another module only."""
    listed = caller.prints("functions", *TILL)
    assert "receipt    All lines and their total\n" in listed
    assert listed.endswith("Skipped 2 function(s) with unsupported types: add, add-all\n")
    assert caller.prints("call", *TILL, "--currency", "EUR", "receipt") == "total: 0 EUR"


def test_checks_of_a_module_of_tests_run_the_modules_that_it_needs(caller: Caller) -> None:
    """An object of the bakery is sold by the till, neither of which knows the other."""
    done = caller.run("check", *TESTS)
    assert done.returncode == 1, done.stderr
    results = {line.split()[1]: line[0] for line in done.stdout.splitlines()}
    passed = dict.fromkeys(["bread", "dearest", "discount", "empty"], "✔")
    assert results == {**passed, "wrong-total": "✘"}
    assert "expected 'total: 1 ct', got 'total: 0 ct'" in done.stderr
    assert caller.run("check", *TESTS, "bread").returncode == 0
    assert caller.prints("call", *TESTS, "all") == ""


def test_an_error_comes_through_two_modules(caller: Caller) -> None:
    """As it was told by the one that failed."""
    assert "cake.yaml: no such file" in caller.fails(1, "call", *TESTS, "missing-recipe")


def test_a_module_knows_what_it_needs(caller: Caller) -> None:
    """By the names that it gives them."""
    assert caller.prints("call", *TESTS, "dependencies") == "till\noven\n"


def test_an_edit_of_a_dependency_is_seen(caller: Caller) -> None:
    """Also where nothing changed in the module that was called."""
    copy = caller.cwd / "modules"
    shutil.copytree(FIXTURES, copy, ignore=shutil.ignore_patterns("__pycache__"))
    tests = ("-m", str(copy / "till" / "tests"))
    assert caller.run("check", *tests, "bread").returncode == 0
    code = copy / "bakery" / "src" / "bakery" / "models.py"
    code.write_text(code.read_text().replace("// 100", "// 50"))
    assert "Rye bread (morning): 1780 ct" in caller.fails(1, "check", *tests, "bread")


# -- postgres-kit ----------------------------------------------------------------------------------

POSTGRES = ("-m", str(FIXTURES / "postgres-kit"))


@pytest.mark.engine
def test_a_database_is_asked_and_its_password_told_nobody(
    caller: Caller, daemon_address: str
) -> None:
    """A service from a default image, a chain of execs on it, a dump of the caller's."""
    assert daemon_address
    (caller.cwd / "dump.sql").write_text("create table t (n int);")
    kit = ("call", *POSTGRES, "--password", "env:PGPASSWORD")
    done = caller.run(*kit, "database", "--name", "shop", "query", "--sql", "select 6 * 7")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    leaked = caller.run(*kit, "leak")
    assert leaked.stdout == "it is ***\n"
    assert PASSWORD not in done.stderr + leaked.stderr


@pytest.mark.engine
def test_a_failing_exec_gives_its_exit_code(caller: Caller, daemon_address: str) -> None:
    """Through the function and the command line."""
    assert daemon_address
    kit = ("call", *POSTGRES, "--password", "env:PGPASSWORD")
    told = caller.fails(1, *kit, "query", "--sql", "select nothing")
    assert 'column "nothing" does not exist' in told


@pytest.mark.engine
def test_a_check_takes_the_constructor_s_arguments_from_the_user_s_file(
    caller: Caller, daemon_address: str
) -> None:
    """A secret's reference in `.env`, by the module's name; without it there is nothing to check."""
    assert daemon_address
    assert "password" in caller.fails(1, "check", *POSTGRES)
    (caller.cwd / ".env").write_text("POSTGRES_KIT_PASSWORD=env://PGPASSWORD\n")
    assert caller.run("check", *POSTGRES).returncode == 0


@pytest.mark.parametrize("version", ["0.21.0", "0.21.11"])
def test_a_module_runs_with_whichever_sdk_of_the_series_it_locks(
    caller: Caller, tmp_path: Path, version: str
) -> None:
    """The oldest and the newest: values, a folder, an error, checks."""
    root = shutil.copytree(FIXTURES / "greeter", tmp_path / "greeter")
    project = '[project]\nname = "greeter"\nversion = "1"\nrequires-python = ">=3.11"\n'
    (root / "pyproject.toml").write_text(f'{project}dependencies = ["dagger-io=={version}"]\n')
    subprocess.run(["uv", "lock", "--quiet"], cwd=root, check=True)
    assert (
        caller.prints("-m", str(root), "call", "hello", "--name", version) == f"Hello, {version}."
    )
    assert caller.prints("-m", str(root), "call", "shelf", "entries").split() == ["a.txt", "b/"]
    assert "odd" in caller.fails(1, "-m", str(root), "call", "fail", "--message", "odd")
    assert "the shelf is empty" in caller.fails(1, "-m", str(root), "check")
