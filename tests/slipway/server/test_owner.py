"""Whose a site is: one key for all forms of a repository's address, and who is refused."""

import json

import pytest

from slipway.server.owner import FILE, Owner, read, repository

OWNER = Owner("shop", "prod", "git.example/team/shop")
FOLDER = "slipway/shop--prod"


@pytest.mark.parametrize(
    "address",
    [
        "git@git.example:team/shop.git",
        "git@git.example:team/shop",
        "git@git.example:/team/shop.git",
        "git.example:team/shop.git",
        "deploy@Git.Example:Team/Shop.git",
        "ssh://git@git.example/team/shop.git",
        "ssh://git@git.example:2222/team/shop.git",
        "git+ssh://git@git.example:22/team/shop",
        "git://git.example/team/shop.git",
        "http://git.example/team/shop.git",
        "https://git.example/team/shop",
        "https://git.example/team/shop/",
        "https://git.example/team/shop.git",
        "https://git.example/team/shop.git/",
        "https://git.example:8443/team/shop.git",
        "https://TOKEN@git.example/team/shop.git",
        "https://oauth2:TOKEN@git.example/team/shop.git",
        "https://gitlab-ci-token:TOKEN@GIT.example/Team/SHOP.git",
        "  https://git.example/team/shop.git\n",
    ],
)
def test_every_form_of_a_repositorys_address_gives_one_key(address: str) -> None:
    """Neither the way there nor who asks makes it another one; no token is in it."""
    assert repository(address) == "git.example/team/shop"


@pytest.mark.parametrize(
    "address",
    [
        "https://git.example/team/shop2",
        "https://git.example/other/shop",
        "https://other.example/team/shop",
        "git@git.example:group/team/shop.git",
    ],
)
def test_another_repository_has_another_key(address: str) -> None:
    """Host and whole path count."""
    assert repository(address) not in ("", "git.example/team/shop")


@pytest.mark.parametrize(
    "address",
    ["", "/srv/git/shop.git", "../shop", "file:///srv/git/shop.git", "shop", "unknown", "C:\\shop"],
)
def test_a_local_path_tells_no_repository(address: str) -> None:
    """It is another one on each machine."""
    assert repository(address) == ""


def test_its_own_repository_is_never_refused() -> None:
    """However it was addressed."""
    assert OWNER.refuses(Owner("shop", "prod", OWNER.repository), FOLDER) == []


def test_a_site_that_no_repository_is_named_for_is_for_the_first_that_comes() -> None:
    """Also for one without an address."""
    nobody = Owner("shop", "prod")
    assert nobody.refuses(OWNER, FOLDER) == []
    assert nobody.refuses(nobody, FOLDER) == []


def test_a_checkout_without_a_remote_is_refused_where_a_repository_owns_the_site() -> None:
    """It cannot show that it is the same; `--source` says whose it is."""
    (said,) = OWNER.refuses(Owner("shop", "prod"), FOLDER)
    assert said == (
        "shop, prod on this server belongs to git.example/team/shop, and this checkout, which has no remote, is "
        "another repository: give this project another `name`. Is it the same one, moved? Then hand it over, on "
        "the server: rm slipway/shop--prod/owner.json. Or say whose this is by --source"
    )


def test_what_is_written_is_read_again() -> None:
    """A line of JSON; the file is the one that a hand-over removes."""
    text = OWNER.json_text()
    assert text.endswith("}\n")
    assert text.count("\n") == 1
    assert read(text) == OWNER
    assert FILE == "owner.json"


def test_what_a_later_slipway_says_more_is_passed_over() -> None:
    """The three that are known count."""
    told = json.loads(OWNER.json_text()) | {"since": "2026-01-01"}
    assert read(json.dumps(told)) == OWNER


@pytest.mark.parametrize(
    "text",
    ["", "{", "null", "[]", "7", '"shop"', "{}", '{"project": "shop", "environment": "prod"}'],
)
def test_a_file_that_tells_no_owner_keeps_everybody_out(text: str) -> None:
    """Torn, empty, or of another form: somebody wrote it, and nobody can tell who."""
    (said,) = read(text).refuses(OWNER, "slipway/shop--prod")
    assert "slipway/shop--prod/owner.json on the server cannot be read" in said
