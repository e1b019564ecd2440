"""Publishing, before anything happens: which tags go where, and what is refused."""

import pytest

from slipway.config import EnvironmentConfig, RegistryConfig
from slipway.errors import ConfigError
from slipway.git import Origin
from slipway.project import App, Project
from slipway.publication import Plan, Request, Tags, Tree, requested, words
from slipway.publishplan import plan

COMMIT = "0123456789abcdef0123456789abcdef01234567"
OTHER = "f" * 40
REGISTRY = "registry.test:5443/team/app"
ENVIRONMENTS = {
    "staging": EnvironmentConfig(),
    "prod": EnvironmentConfig(),
    "live": EnvironmentConfig(production=True, tag="latest"),
    "preview": EnvironmentConfig(tag="pr"),
}
CLEAN = Tree()
APPS = (App("api", "apps/api", "nest", 3000), App("web", "apps/web", "next", 3000))
DIRTY = Tree(("src/a.ts", "src/b.ts"), "feedfacecafebeef")


def planned(
    env: str = "staging",
    *,
    origin: Origin = Origin(COMMIT, ("v1.2.0",)),  # noqa: B008 - frozen
    tree: Tree = CLEAN,
    configured: RegistryConfig | None = None,
    repositories: dict[str, str] | None = None,
    registry: str | None = REGISTRY,
    user: str | None = None,
    revision: str | None = None,
    version: str | None = None,
    password: bool = False,
    force: bool = False,
    api_url: str | None = None,
    environments: dict[str, EnvironmentConfig] = ENVIRONMENTS,
) -> Plan:
    """A plan for two images."""
    project = Project(
        "app",
        "node:22",
        "node:22",
        "10",
        APPS,
        environments=environments,
        registry=configured or RegistryConfig(),
        repositories=repositories or {},
    )
    request = Request(
        env,
        ("api", "web"),
        registry,
        user,
        password,
        revision,
        version,
        force=force,
        api_url=api_url,
    )
    return plan(project, request, origin, tree)


def refusals(*args: str, **kwargs: object) -> tuple[str, ...]:
    """The problems that a plan is refused for."""
    with pytest.raises(ConfigError) as caught:
        planned(*args, **kwargs)  # type: ignore[arg-type]
    return caught.value.problems


@pytest.mark.parametrize(
    ("env", "tags"),
    [
        ("staging", (COMMIT, "staging")),
        ("preview", (COMMIT, "pr")),
        ("prod", ("v1.2.0", COMMIT, "prod")),
        ("live", ("v1.2.0", COMMIT, "latest")),
    ],
)
def test_each_image_gets_tags_that_stay_and_one_that_moves(env: str, tags: tuple[str, ...]) -> None:
    """The commit stays, and in production the Git tag; the environment's tag moves."""
    made = planned(env)
    assert {name: one.all for name, one in made.tags.items()} == {"api": tags, "web": tags}
    assert made.repositories == {"api": f"{REGISTRY}/api", "web": f"{REGISTRY}/web"}


def test_environments_that_build_other_images_have_tags_of_their_own() -> None:
    """A front end has its API's address in it: the same commit makes one image for each address."""
    environments = {
        "staging": EnvironmentConfig(api_url="https://a.test"),
        "preview": EnvironmentConfig(api_url="https://b.test"),
        "prod": EnvironmentConfig(api_url="https://c.test"),
    }
    staging = planned("staging", environments=environments).tags
    assert staging["web"].all == (f"{COMMIT}-staging", "staging")
    assert staging["api"].all == (COMMIT, "staging")
    (note,) = planned("staging", environments=environments).notes
    assert note == "web is built for staging alone, with NEXT_PUBLIC_API_URL=https://a.test"
    production = planned("prod", environments=environments).tags
    assert production["web"].all == ("v1.2.0", f"{COMMIT}-prod", "prod")
    assert production["api"].all == ("v1.2.0", COMMIT, "prod")


def test_productions_with_other_values_have_releases_of_their_own() -> None:
    """The front end's; the API is one image for all of them."""
    environments = {
        "eu": EnvironmentConfig(api_url="https://a.test", production=True),
        "us": EnvironmentConfig(api_url="https://b.test", production=True),
    }
    made = planned("eu", environments=environments).tags
    assert made["web"] == Tags(f"{COMMIT}-eu", "v1.2.0-eu", "eu")
    assert made["api"] == Tags(COMMIT, "v1.2.0", "eu")


def test_an_address_of_one_call_is_not_published_as_the_commits() -> None:
    """Whoever publishes the commit after that would be refused; the configured one is in order."""
    environments = {"staging": EnvironmentConfig(api_url="https://a.test")}
    assert planned(environments=environments, api_url="https://a.test").revision == COMMIT
    (problem,) = refusals(environments=environments, api_url="https://b.test")
    assert problem.startswith(
        "--api-url is https://b.test, and staging's api_url is https://a.test"
    )


def test_images_go_where_slipway_toml_says() -> None:
    """Below the registry's address, which may be given with a slash at its end."""
    made = planned(registry=f"{REGISTRY}/", repositories={"api": "backend/api"})
    assert made.repositories["api"] == f"{REGISTRY}/backend/api"
    assert made.host == "registry.test:5443"


def test_an_address_on_the_command_line_comes_first() -> None:
    """That it differs from slipway.toml's is told."""
    made = planned(configured=RegistryConfig(address="other.test/x"))
    assert made.registry == REGISTRY
    assert made.notes == (
        f"Pushed below {REGISTRY}, as --registry or .env says; slipway.toml names other.test/x",
    )


@pytest.mark.parametrize("given", [None, ""])
def test_without_an_address_slipway_toml_has_it(given: str | None) -> None:
    """An empty one, as .env has it outside GitLab, counts as none."""
    configured = RegistryConfig(address="other.test/x", user="bot")
    made = planned(registry=given, user=given, configured=configured, password=True)
    assert (made.registry, made.user) == ("other.test/x", "bot")


def test_a_password_without_a_user_is_no_login() -> None:
    """A committed .env names the password's variable on every machine."""
    assert planned(user="", password=True).user is None


def test_everything_that_is_missing_is_told_at_once() -> None:
    """Registry, password and commit, each with what to do about it."""
    problems = refusals("staging", registry="", user="bot", origin=Origin())
    assert [problem.split(":")[0] for problem in problems] == [
        "no registry",
        'the registry\'s user is "bot", but there is no password',
        "the commit cannot be told",
    ]


@pytest.mark.parametrize(
    "address",
    [
        "https://registry.test/app",
        "registry.test/App",
        "registry.test/app:1",
        "team/app",
        "a b.c/d",
    ],
)
def test_an_address_that_is_none_is_refused(address: str) -> None:
    """With a scheme, capitals, a tag, or without a host."""
    (problem,) = refusals(registry=address)
    assert problem.startswith(f'--registry: "{address}" — expected a registry\'s host')


def test_two_images_in_one_repository_are_refused() -> None:
    """One would overwrite the other."""
    (problem,) = refusals(repositories={"api": "app", "web": "app"})
    assert problem.startswith(f"api and web would both be pushed to {REGISTRY}/app")


def test_changes_that_are_not_committed_never_take_the_commits_tag() -> None:
    """Else the images of the commit itself would be refused for good."""
    made = planned(tree=DIRTY)
    assert made.tags["api"].all == (f"{COMMIT}-dirty-feedfacecafe", "staging")
    assert made.notes[0].startswith("2 files are not committed (src/a.ts, src/b.ts)")


@pytest.mark.parametrize(
    ("origin", "tree", "words"),
    [
        (Origin(COMMIT, ("v1",)), DIRTY, "2 files are not committed"),
        (Origin(COMMIT), CLEAN, "has no Git tag"),
        (Origin(COMMIT, ("release/1",)), CLEAN, 'the Git tag "release/1" cannot be an image tag'),
        (Origin(COMMIT, ("v1",)), Tree(unknown="no checkout"), "cannot be told whether every file"),
    ],
)
def test_production_is_refused_unless_forced(origin: Origin, tree: Tree, words: str) -> None:
    """A dirty tree, an untagged commit; forced, it goes by the commit, and the report says so."""
    (problem,) = refusals("prod", origin=origin, tree=tree)
    assert words in problem
    assert problem.endswith("or pass --force")
    made = planned("prod", origin=origin, tree=tree, force=True)
    assert any(note.startswith("Forced: ") and words in note for note in made.notes)


def test_what_is_forced_into_production_goes_by_the_commit() -> None:
    """There is no Git tag that it could go by."""
    made = planned("prod", origin=Origin(COMMIT), force=True).tags
    assert made["api"] == Tags(COMMIT, None, "prod")
    dirty = planned("prod", tree=DIRTY, force=True).tags
    assert dirty["web"] == Tags(f"{COMMIT}-dirty-feedfacecafe", None, "prod")


def test_every_problem_of_production_is_told_at_once() -> None:
    """Dirty and untagged are two."""
    assert len(refusals("prod", origin=Origin(COMMIT), tree=DIRTY)) == 2


def test_a_version_that_is_no_tag_of_the_commit_is_refused() -> None:
    """Else any commit could be published as any release."""
    (problem,) = refusals("prod", version="v9")
    assert problem.startswith('--version is "v9", but no tag of the commit: its tags are v1.2.0')


def test_of_several_tags_the_given_one_counts() -> None:
    """In GitLab it is the one that the pipeline runs for."""
    origin = Origin(COMMIT, ("v1.2.0", "v1.2.1"))
    made = planned("prod", origin=origin, version="v1.2.0")
    assert made.tags["api"].release == "v1.2.0"


def test_where_git_cannot_be_read_the_given_commit_and_version_count() -> None:
    """In a worktree, whose .git is a file; that the tree cannot be compared is told."""
    unknown = Tree(unknown="no checkout")
    made = planned("prod", origin=Origin(), tree=unknown, revision=COMMIT, version="v3", force=True)
    assert (made.tags["api"].release, made.revision) == ("v3", COMMIT)
    staged = planned(origin=Origin(), tree=unknown, revision=COMMIT)
    assert staged.notes == ("It cannot be told whether every file is committed: no checkout",)


@pytest.mark.parametrize("revision", ["HEAD", COMMIT[:12]])
def test_a_revision_is_a_whole_hash(revision: str) -> None:
    """Anything shorter stands for one commit today and for another tomorrow."""
    assert refusals(revision=revision, origin=Origin()) == (
        f'--revision: "{revision}" — expected the full hash of a commit',
    )


def test_a_revision_that_is_not_checked_out_is_refused() -> None:
    """The images would say that they are of another commit."""
    (problem,) = refusals(revision=OTHER)
    assert problem.startswith("--revision is ffffffffffff, but 0123456789ab is checked out")


def test_a_git_tag_called_like_the_environment_is_refused() -> None:
    """The tag that stays would be the one that moves."""
    (problem,) = refusals("prod", origin=Origin(COMMIT, ("prod",)))
    assert 'the Git tag "prod" is also the tag that moves' in problem


def test_a_request_is_kept_from_one_call_to_the_next() -> None:
    """`release` takes it, its `publish` uses it."""
    request = Request("prod", ("api",), REGISTRY, "bot", password=True, revision=COMMIT)
    assert requested(request.json_text(), force=False) == request


def test_tags_in_a_table_are_short() -> None:
    """A commit by the digits that people compare."""
    assert words((COMMIT, "staging")) == "0123456789ab, staging"
    assert words((f"{COMMIT}-dirty-feedfacecafe", "v1")) == "0123456789ab-dirty-feedfacecafe, v1"
