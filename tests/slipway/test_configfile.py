"""slipway.toml: what it may say, and what its writer is told about every mistake."""

import pytest
from pydantic import ValidationError

from slipway.config import Config
from slipway.configfile import load
from slipway.errors import ConfigError


def problems(text: str, packages: tuple[str, ...] = (), files: tuple[str, ...] = ()) -> list[str]:
    """The problems that a config is refused for."""
    with pytest.raises(ConfigError) as caught:
        load(text, packages=packages, files=files)
    return list(caught.value.problems)


def test_a_complete_file_is_read() -> None:
    """Every table the documentation shows ends up in the model."""
    config = load(
        """
        name = "mindfulspace"
        [node]
        version = 22
        [apps.frontend]
        path = "apps/web"
        kind = "next"
        build_args = { NEXT_PUBLIC_SITE = "a" }
        [apps.api]
        path = "apps/api"
        port = 3001
        [migrator]
        path = "apps/api"
        packages = ["bcrypt"]
        [environments.staging]
        api_url = "https://api.staging.example"
        """,
        packages=("apps/web", "apps/api"),
    )
    assert config.node.version == "22"
    assert config.apps["frontend"].build_args == {"NEXT_PUBLIC_SITE": "a"}
    assert config.migrator.packages == ("bcrypt",)
    assert config.environments["staging"].api_url == "https://api.staging.example"


def test_an_empty_file_leaves_everything_open() -> None:
    """No key is required: what is left out is detected."""
    assert load("") == Config()


def test_the_config_does_not_change() -> None:
    """A value that was validated cannot be replaced by one that was not."""
    with pytest.raises(ValidationError):
        Config().name = "other"


def test_every_error_is_reported_at_once() -> None:
    """Wrong values, unknown keys and wrong paths come in one message, each with its key."""
    found = problems(
        """
        name = "My App"
        [apps.api]
        path = "apps/ap"
        prot = 3001
        port = 99999
        [environments.prod]
        api_url = "api.example"
        """,
        packages=("apps/api",),
    )
    assert found == [
        'name: "My App" — expected lower-case letters, digits and single separators (. _ -)',
        "apps.api.port: 99999 — expected a number, 65535 or less",
        'apps.api.prot: unknown key; did you mean "port"?',
        'environments.prod.api_url: "api.example" — expected an http:// or https:// address',
        'apps.api.path: "apps/ap" — no workspace package there; did you mean "apps/api"?',
    ]


def test_the_message_counts_and_names_the_file() -> None:
    """The first line says where and how many."""
    with pytest.raises(ConfigError, match=r"^deploy\.toml: 2 problems\n  - a: unknown key"):
        load("a = 1\nb = 2", where="deploy.toml")


def test_a_syntax_error_names_its_line() -> None:
    """TOML that cannot be parsed is one problem, with line and column."""
    (problem,) = problems('name = "a"\nport = = 3\n')
    assert problem.startswith("not valid TOML:")
    assert "line 2" in problem


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("apps = 3", "apps: 3 — expected a table"),
        ("[nod]", 'nod: unknown key; did you mean "node"?'),
        (
            "[node]\nzzz = 1",
            "node.zzz: unknown key (known: build_image, image, pnpm, version)",
        ),
        (
            '[node]\nversion = "lts"',
            'node.version: "lts" — expected a version such as 22 or 22.11.0',
        ),
        ("[apps.web]", "apps.web: expected path (a folder with a package.json) or dockerfile"),
        (
            '[apps.web]\npath = "../other"',
            'apps.web.path: "../other" — expected a path inside the repo, such as apps/web',
        ),
        (
            '[apps.web]\npath = "apps/web"\nkind = "nuxt"',
            "apps.web.kind: \"nuxt\" — expected 'next', 'nest' or 'node'",
        ),
        (
            '[apps.web]\npath = "apps/web"\ntarget = "run"',
            'apps.web.target: "run" — expected only together with dockerfile',
        ),
        (
            '[apps.web]\ndockerfile = "Dockerfil"',
            'apps.web.dockerfile: "Dockerfil" — no such file in ./; did you mean "Dockerfile"?',
        ),
        (
            '[environments.prod.build_args]\n"9A" = "x"',
            'environments.prod.build_args.9A: "9A" — expected the name of an environment variable',
        ),
        (
            '[registry]\nca = "/etc/ssl/ca.pem"',
            'registry.ca: "/etc/ssl/ca.pem" — expected a path inside the repo, such as apps/web',
        ),
        (
            '[migrator]\npath = "apps/db"',
            'migrator.path: "apps/db" — no workspace package there; did you mean "apps/web"?',
        ),
    ],
)
def test_one_mistake_one_line(text: str, problem: str) -> None:
    """Each kind of mistake says the key, the value and what was expected."""
    assert problems(text, packages=("apps/web",), files=("Dockerfile",)) == [problem]


def test_a_dockerfile_is_looked_up_in_its_context() -> None:
    """The Dockerfile's path is relative to the context it is built with."""
    text = '[apps.web]\ncontext = "apps/web"\ndockerfile = "docker/web.Dockerfile"'
    config = load(text, files=("apps/web/docker/web.Dockerfile",))
    assert config.apps["web"].dockerfile == "docker/web.Dockerfile"


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("http://registry.lan:5000", "http://registry.lan:5000"),
        ("https://registry.lan/", "https://registry.lan"),
        ("https://[2001:db8::1]:5050/docker/v2/", "https://[2001:db8::1]:5050/docker"),
    ],
)
def test_the_address_of_a_registrys_api_is_its_base(written: str, read: str) -> None:
    """The version that every request begins with may be written, too."""
    assert load(f'[registry]\napi = "{written}"').registry.api == read


@pytest.mark.parametrize(
    "api",
    [
        "registry.lan:5000",
        "https://ci:pass@registry.lan",
        "https://registry.lan/?a=b",
        "ftp://registry.lan",
        "http://registry.lan:port",
    ],
)
def test_what_is_no_address_of_an_api_is_refused(api: str) -> None:
    """No scheme, a login, parameters, another protocol, a port that is none."""
    (problem,) = problems(f'[registry]\napi = "{api}"')
    assert problem.startswith(f'registry.api: "{api}" — expected an http:// or https:// address')
    assert problem.endswith("the login comes by --registry-user and --registry-password")
