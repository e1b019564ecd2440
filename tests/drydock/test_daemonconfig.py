"""The daemon's configuration."""

import tomllib
from pathlib import Path

import pytest

from drydock.daemonconfig import Registry, buildkitd_config, load
from drydock.errors import DrydockError


def test_no_file_is_no_registry(tmp_path: Path) -> None:
    """Defaults need no file."""
    assert load(tmp_path / "none.toml") == {}


def test_mirrors_and_certificates_reach_buildkit(tmp_path: Path) -> None:
    """Each registry with its mirrors in order, its protocol, its certificate authority."""
    file = tmp_path / "config.toml"
    file.write_text(
        '[registry."docker.io"]\nmirrors = ["a.test:5000", "b.test"]\n'
        '[registry."a.test:5000"]\nhttp = true\n[registry."b.test"]\nca = "/etc/b.pem"\n'
    )
    text = buildkitd_config(
        load(file), root="/var/lib/x", socket="/run/x.sock", cni=("/cni", "/net.conflist")
    )
    config = tomllib.loads(text)
    assert config["registry"] == {
        "docker.io": {"mirrors": ["a.test:5000", "b.test"]},
        "a.test:5000": {"http": True},
        "b.test": {"ca": ["/etc/b.pem"]},
    }
    assert config["worker"]["oci"]["networkMode"] == "cni"
    assert config["worker"]["oci"]["maxUsedSpace"] == "30GB"
    assert config["grpc"]["address"] == ["unix:///run/x.sock"]


def test_every_mistake_is_told_at_once(tmp_path: Path) -> None:
    """With its place, its value, and what was expected."""
    file = tmp_path / "config.toml"
    file.write_text('mirror = "x"\n[registry."docker.io"]\nmirrors = "one"\nhttps = true\n')
    with pytest.raises(DrydockError) as caught:
        load(file)
    message = str(caught.value)
    assert "mirror: unknown" in message
    assert "registry.\"docker.io\".mirrors: expected a list, got 'one'" in message
    assert 'registry."docker.io".https: unknown; expected one of mirrors, http, ca' in message


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    """As the parser does."""
    file = tmp_path / "config.toml"
    file.write_text("[registry\n")
    with pytest.raises(DrydockError, match="line 1"):
        load(file)


def test_defaults_of_a_registry() -> None:
    """HTTPS, no mirror, the machine's own certificates."""
    assert Registry() == Registry(mirrors=(), http=False, ca="")
