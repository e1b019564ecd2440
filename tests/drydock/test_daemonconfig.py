"""The daemon's configuration."""

import shutil
import tomllib
from pathlib import Path

import certifi
import pytest

from drydock.daemonconfig import Registry, buildkitd_config, load
from drydock.errors import DrydockError


def test_no_file_is_no_registry(tmp_path: Path) -> None:
    """Defaults need no file."""
    assert load(tmp_path / "none.toml") == {}


def test_mirrors_and_certificates_reach_buildkit(tmp_path: Path) -> None:
    """Each registry with its mirrors in order, its protocol, its certificate authority."""
    shutil.copy(certifi.where(), tmp_path / "b.pem")
    file = tmp_path / "config.toml"
    file.write_text(
        '[registry."docker.io"]\nmirrors = ["a.test:5000", "b.test/proxy"]\n'
        '[registry."a.test:5000"]\nhttp = true\n[registry."b.test"]\nca = "b.pem"\n'
    )
    config = tomllib.loads(_buildkitd(load(file)))
    assert config["registry"] == {
        "docker.io": {"mirrors": ["a.test:5000", "b.test/proxy"]},
        "a.test:5000": {"http": True},
        "b.test": {"http": False, "ca": [str(tmp_path / "b.pem")]},
    }
    assert config["worker"]["oci"]["networkMode"] == "cni"
    assert config["worker"]["oci"]["maxUsedSpace"] == "30GB"
    assert config["grpc"]["address"] == ["unix:///run/x/buildkitd.sock"]


def test_without_root_names_are_asked_of_the_daemons_own_network() -> None:
    """The machine's resolver may be on its loopback, which an exec does not reach."""
    config = tomllib.loads(_buildkitd({}, nameserver="10.1.2.3"))
    assert config["worker"]["oci"]["rootless"] is True
    assert config["dns"] == {"nameservers": ["10.1.2.3"]}
    assert "dns" not in tomllib.loads(_buildkitd({}))


def _buildkitd(registries: dict[str, Registry], **options: str) -> str:
    cni = ("/cni", "/net.conflist")
    return buildkitd_config(registries, root="/var/lib/x", run="/run/x", cni=cni, **options)


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


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('[registry."https://a.test"]', "expected a registry's host and port"),
        ('[registry."a.test"]\nmirrors = ["http://b.test"]', "no scheme, got 'http://b.test'"),
        ('[registry."a.test"]\nmirrors = [5000]', "no scheme, got 5000"),
        ('[registry."a.test"]\nca = "none.pem"', "none.pem cannot be read: No such file"),
        ('[registry."a.test"]\nca = "config.toml"', "holds no certificate in PEM format"),
        ('[registry."a.test"]\nhttp = true\nca = "x"', "http and ca exclude each other"),
        ('registry = "a.test"', "registry: expected a table, got 'a.test'"),
        ('[registry]\n"a.test" = 1', 'registry."a.test": expected a table, got 1'),
    ],
)
def test_a_value_that_cannot_work_is_refused(tmp_path: Path, text: str, told: str) -> None:
    """Before a daemon is started with it, which would fail at the first image."""
    file = tmp_path / "config.toml"
    file.write_text(text)
    with pytest.raises(DrydockError) as caught:
        load(file)
    assert told in str(caught.value)


def test_what_cannot_be_read_is_told(tmp_path: Path) -> None:
    """A folder, or a file that is no text."""
    with pytest.raises(DrydockError, match="cannot be read: Is a directory"):
        load(tmp_path)
    file = tmp_path / "config.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(DrydockError, match="utf-8"):
        load(file)


def test_broken_toml_names_the_line(tmp_path: Path) -> None:
    """As the parser does."""
    file = tmp_path / "config.toml"
    file.write_text("[registry\n")
    with pytest.raises(DrydockError, match="line 1"):
        load(file)


def test_defaults_of_a_registry() -> None:
    """HTTPS, no mirror, the machine's own certificates."""
    assert Registry() == Registry(mirrors=(), http=False, ca="")
