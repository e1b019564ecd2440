"""Image names and configs."""

import json

import pytest

from drydock.errors import ApiError
from drydock.images import config_json, merge_config, normalize, parse_config
from drydock.logins import registry
from drydock.objects import Container, ImageConfig

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("address", "full"),
    [
        ("node", "docker.io/library/node:latest"),
        ("node:22-bookworm-slim", "docker.io/library/node:22-bookworm-slim"),
        ("team/app", "docker.io/team/app:latest"),
        ("docker.io/node:22", "docker.io/library/node:22"),
        ("registry.test/team/app:1", "registry.test/team/app:1"),
        ("localhost/app", "localhost/app:latest"),
        ("127.0.0.1:5000/app:1", "127.0.0.1:5000/app:1"),
        (f"node@{DIGEST}", f"docker.io/library/node@{DIGEST}"),
        (f"node:22@{DIGEST}", f"docker.io/library/node:22@{DIGEST}"),
    ],
)
def test_an_address_in_full(address: str, full: str) -> None:
    """Registry, namespace and tag are what they are when left out."""
    assert normalize(address) == full


@pytest.mark.parametrize(
    "address", ["", "Node", "a b", "registry.test/", "node:", "node@sha256:short", "-x"]
)
def test_what_is_no_address_is_refused(address: str) -> None:
    """With the text that was given."""
    with pytest.raises(ApiError, match="failed to parse image address"):
        normalize(address)


@pytest.mark.parametrize(
    ("address", "key"),
    [
        ("registry.test/team/app:1", "registry.test"),
        ("127.0.0.1:5000/app", "127.0.0.1:5000"),
        ("https://registry.test", "registry.test"),
        ("team/app", "https://index.docker.io/v1/"),
        ("docker.io/team/app", "https://index.docker.io/v1/"),
    ],
)
def test_the_registry_of_an_address(address: str, key: str) -> None:
    """As Docker's config file names it."""
    assert registry(address) == key


def test_a_config_comes_through_unchanged() -> None:
    """What an image says is what the next image says, health check and all."""
    config = {
        "Env": ["PATH=/bin", "EMPTY=", "EQ=a=b"],
        "Entrypoint": ["/entry"],
        "Cmd": ["run"],
        "User": "node",
        "WorkingDir": "/app",
        "Labels": {"a": 'quoted "b", c'},
        "ExposedPorts": {"3000/tcp": {}},
        "Volumes": {"/data": {}},
        "StopSignal": "SIGINT",
        "Healthcheck": {"Test": ["CMD", "true"]},
    }
    container = Container(platform="linux/amd64", config=parse_config({"config": config}))
    image = json.loads(config_json(container))
    assert image["config"] == config
    assert (image["os"], image["architecture"]) == ("linux", "amd64")


def test_from_on_a_container_joins_variables_and_takes_the_rest_anew() -> None:
    """As on the Dagger engine: variables, labels and ports join, the command is the new image's."""
    old = ImageConfig(env=(("A", "1"), ("B", "1")), cmd=("old",), ports=("80/tcp",), user="old")
    new = ImageConfig(env=(("B", "2"), ("C", "2")), cmd=("new",), ports=("90/tcp",))
    merged = merge_config(old, new)
    assert merged.env == (("A", "1"), ("B", "2"), ("C", "2"))
    assert (merged.cmd, merged.user, merged.ports) == (("new",), "", ("80/tcp", "90/tcp"))
