"""Which caches of a registry a session reads and writes."""

from pathlib import Path

import pytest

from drydock.cacheconfig import CacheSettings, load
from drydock.errors import DrydockError

NO_FILE = Path("/nowhere/config.toml")
MAIN, BRANCH = "registry.test/app/cache:main", "registry.test/app/cache:branch"


@pytest.mark.parametrize(
    ("variables", "imports", "export"),
    [
        ({}, (), ""),
        ({"DRYDOCK_CACHE": ""}, (), ""),
        ({"DRYDOCK_CACHE": f"{BRANCH} {MAIN}"}, (BRANCH, MAIN), BRANCH),
        ({"DRYDOCK_CACHE": f"{BRANCH},\n{MAIN}"}, (BRANCH, MAIN), BRANCH),
        ({"DRYDOCK_CACHE": MAIN, "DRYDOCK_CACHE_EXPORT": BRANCH}, (MAIN,), BRANCH),
        ({"DRYDOCK_CACHE": MAIN, "DRYDOCK_CACHE_EXPORT": ""}, (MAIN,), MAIN),
        ({"DRYDOCK_CACHE": MAIN, "DRYDOCK_CACHE_EXPORT": "none"}, (MAIN,), ""),
        ({"DRYDOCK_CACHE": "registry.test/app"}, ("registry.test/app:latest",), None),
    ],
)
def test_all_are_imported_and_the_first_is_exported_to(
    variables: dict[str, str], imports: tuple[str, ...], export: str | None
) -> None:
    """Unless another one, or none, is named."""
    found = load(variables, NO_FILE)
    assert found.imports == imports
    assert found.export == (imports[0] if export is None else export)


def test_the_environment_wins_over_the_config_file(tmp_path: Path) -> None:
    """Key by key; also where it is empty."""
    file = tmp_path / "config.toml"
    file.write_text(f'cache = ["{BRANCH}", "{MAIN}"]\ncache_export = "none"\n')
    assert load({}, file) == CacheSettings((BRANCH, MAIN))
    assert load({"DRYDOCK_CACHE": MAIN, "DRYDOCK_CACHE_EXPORT": MAIN}, file).export == MAIN
    assert load({"DRYDOCK_CACHE": ""}, file) == CacheSettings()


def test_a_login_of_the_environment_is_never_shown() -> None:
    """Not even in a traceback."""
    found = load({"DRYDOCK_CACHE_USER": "ci", "DRYDOCK_CACHE_PASSWORD": "sentinel"}, NO_FILE)
    assert found.login == ("ci", "sentinel")
    assert "sentinel" not in repr(found)


@pytest.mark.parametrize(
    "variables",
    [
        {"DRYDOCK_CACHE": "https://registry.test/app"},
        {"DRYDOCK_CACHE": MAIN, "DRYDOCK_CACHE_EXPORT": "No Address"},
        {"DRYDOCK_CACHE": f"{MAIN}@sha256:{'0' * 64}"},
    ],
)
def test_what_is_no_address_to_write_to_is_refused(variables: dict[str, str]) -> None:
    """Before anything is built."""
    with pytest.raises(DrydockError, match=r"no image address|has a digest|several addresses"):
        load(variables, NO_FILE)


def test_a_wrong_value_in_the_file_is_told_with_its_place(tmp_path: Path) -> None:
    """The key and what it says."""
    file = tmp_path / "config.toml"
    file.write_text("cache = 5\n")
    with pytest.raises(DrydockError, match=r"config.toml: cache: expected .* got 5"):
        load({}, file)
