"""Revision, version and source for the images' labels, from the files in .git."""

import pytest

from slipway.git import UNKNOWN, Origin, read, web_address

SHA = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
CONFIG = '[core]\n\tbare = false\n[remote "origin"]\n\turl = git@host.example:team/app.git\n'


def test_a_branch_checked_out() -> None:
    """HEAD names a branch, whose file holds the commit."""
    files = {"HEAD": "ref: refs/heads/main\n", "refs/heads/main": f"{SHA}\n", "config": CONFIG}
    assert read(files) == Origin(SHA, (), (), "https://host.example/team/app")


def test_a_detached_head_with_packed_refs_and_an_annotated_tag() -> None:
    """CI checks out a commit; the tag's own object is not the commit, its peeled line is."""
    packed = f"# pack-refs with: peeled fully-peeled\n{OTHER} refs/tags/v1.4.0\n^{SHA}\n"
    assert read({"HEAD": f"{SHA}\n", "packed-refs": packed}).tag == "v1.4.0"


def test_a_loose_ref_wins_over_a_packed_one() -> None:
    """New values are written loose and packed later."""
    files = {
        "HEAD": "ref: refs/heads/main",
        "refs/heads/main": SHA,
        "packed-refs": f"{OTHER} refs/heads/main\n",
    }
    assert read(files).revision == SHA


@pytest.mark.parametrize(
    "files", [{}, {"HEAD": "ref: refs/heads/none"}, {"HEAD": "gitdir: /else"}, {"config": "[core"}]
)
def test_what_cannot_be_told_is_unknown(files: dict[str, str]) -> None:
    """A worktree, an empty repo or no repo at all builds all the same."""
    assert read(files) == Origin(UNKNOWN, (), (), UNKNOWN)


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("git@host.example:team/app.git", "https://host.example/team/app"),
        ("host.example:team/app", "https://host.example/team/app"),
        ("ssh://git@host.example:2222/team/app.git", "https://host.example/team/app"),
        ("https://host.example/team/app.git/", "https://host.example/team/app"),
        ("https://user:s3cret@host.example:8443/a.git", "https://host.example:8443/a"),
        ("https://oauth2:s3cret@host.example/a?token=s3cret#s3cret", "https://host.example/a"),
        ("http://host.example/a", "http://host.example/a"),
        ("git@host.example:team/app.git/", "https://host.example/team/app"),
        ("git@host.example:team/app.GIT", "https://host.example/team/app"),
        ("ssh://git@[2001:db8::1]:22/team/app.git", "https://[2001:db8::1]/team/app"),
        ("ssh://git@host.example:team/app.git", UNKNOWN),
        ("/srv/git/app.git", UNKNOWN),
        ("file:///srv/git/app.git", UNKNOWN),
        ("../app", UNKNOWN),
    ],
)
def test_the_address_of_a_remote_has_no_credentials(url: str, address: str) -> None:
    """A label is public: user, password and query do not reach it."""
    assert web_address(url) == address
