"""An image's manifest and config, as two builds of one commit agree on them."""

import json

from slipway.plainmanifest import plain
from slipway.registryimage import digest

LAYER = {
    "mediaType": "application/vnd.oci.image.layer.v1.tar+gzip",
    "digest": "sha256:layer",
    "size": 7,
}


def built(time: str, **more: object) -> tuple[bytes, bytes]:
    """What an engine writes at a moment."""
    config = {
        "created": time,
        "history": [{"created": time, "created_by": f"made at {time}"}],
        "architecture": "amd64",
        "os": "linux",
        "rootfs": {"type": "layers", "diff_ids": ["sha256:diff"]},
        "config": {"Env": ["A=1"], "Labels": {"a": "b"}, "Cmd": None, **more},
    }
    manifest = {"schemaVersion": 2, "config": {"digest": "x"}, "layers": [LAYER], "at": time}
    return json.dumps(manifest).encode(), json.dumps(config).encode()


def test_two_builds_of_the_same_layers_are_one_image() -> None:
    """Whenever each was built, and whether an engine writes down what is empty."""
    assert plain(*built("2026-01-01T00:00:00Z")) == plain(*built("2027-02-02T00:00:00Z", User=""))


def test_whatever_decides_how_it_runs_counts() -> None:
    """Another user is another image."""
    assert plain(*built("now")) != plain(*built("now", User="1000:1000"))


def test_the_manifest_names_the_config_beside_it() -> None:
    """By digest and size; layers stay as they were pushed."""
    manifest, config = plain(*built("now"))
    told = json.loads(manifest)
    assert (told["config"]["digest"], told["config"]["size"]) == (digest(config), len(config))
    assert told["layers"] == [LAYER]
    assert json.loads(config)["config"] == {"Env": ["A=1"], "Labels": {"a": "b"}}


def test_a_manifest_of_dockers_becomes_one_of_oci() -> None:
    """The bytes of a layer are the same under both names."""
    manifest, config = built("now")
    docker = manifest.replace(
        b"application/vnd.oci.image.layer.v1.tar+gzip",
        b"application/vnd.docker.image.rootfs.diff.tar.gzip",
    )
    assert plain(docker, config) == plain(manifest, config)
