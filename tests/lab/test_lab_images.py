"""When the lab makes an image again, and that it comes out the same."""

from __future__ import annotations

import os
from io import BytesIO
from typing import TYPE_CHECKING

import pytest

from ci.lab import images, oci
from ci.lab.machine import Machine

if TYPE_CHECKING:
    from pathlib import Path

HERE = Machine(mirror="http://mirror.example/debian")
ELSEWHERE = Machine(mirror="http://elsewhere.example/debian")
EPOCH = 1_700_000_000


@pytest.fixture
def recipes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Recipes of our own in place of the lab's."""
    monkeypatch.setattr(images, "IMAGES", tmp_path)
    for recipe in ("debian", "node", "postgres", "server", "syft", "traefik"):
        (tmp_path / recipe).mkdir()
        (tmp_path / recipe / "dpkg.cfg").write_text("path-exclude=/usr/share/doc/*\n")
    return tmp_path


def keys(machine: Machine = HERE) -> dict[str, str]:
    """Every image's key."""
    return {name: image.key(machine) for name, image in images.catalogue().items()}


def changed(before: dict[str, str]) -> set[str]:
    """The images that would be made again."""
    return {name for name, key in keys().items() if key != before[name]}


@pytest.mark.usefixtures("recipes")
def test_keys_are_the_images_own_and_stay() -> None:
    """Nothing is made again when nothing changed."""
    assert keys() == keys()
    assert len(set(keys().values())) == len(keys())


def test_a_recipes_file_changes_the_images_made_from_it(recipes: Path) -> None:
    """A Debian edit reaches all but static programs; a Node.js edit reaches no other."""
    before = keys()
    (recipes / "node" / "extra").write_text("new")
    assert changed(before) == {"node:22-bookworm-slim"}
    (recipes / "debian" / "dpkg.cfg").write_text("")
    assert changed(before) == set(before) - {"anchore/syft:v1.18.1", "traefik:v3"}


def test_a_renamed_file_counts_and_a_local_install_does_not(recipes: Path) -> None:
    """A developer may run npm in the schema engine's folder."""
    before = keys()
    (recipes / "node" / "node_modules").mkdir()
    (recipes / "node" / "node_modules" / "pg.js").write_text("x")
    assert changed(before) == set()
    (recipes / "postgres" / "dpkg.cfg").rename(recipes / "postgres" / "other.cfg")
    assert changed(before) == {"postgres:17"}


@pytest.mark.usefixtures("recipes")
def test_another_mirror_makes_all_images_anew() -> None:
    """Its address is inside them."""
    assert not set(keys(HERE).values()) & set(keys(ELSEWHERE).values())


def packed(root: Path) -> bytes:
    """A folder as the lab puts it into a layer."""
    out = BytesIO()
    oci.tar_tree(root, out, owner=lambda _: 0, epoch=EPOCH)
    return out.getvalue()


def tree(root: Path, *, umask: int, time: int) -> Path:
    """A folder with a script and a text, as one checkout or another has it."""
    (root / "bin").mkdir(parents=True)
    for name, mode in (("run", 0o777), ("text", 0o666)):
        path = root / "bin" / name
        path.write_text(name)
        path.chmod(mode & ~umask)
        os.utime(path, (time, time))
    return root


def test_a_layer_depends_on_names_and_content_alone(tmp_path: Path) -> None:
    """Neither a checkout's time nor its umask makes another layer; a byte does."""
    one = tree(tmp_path / "one", umask=0o022, time=1)
    other = tree(tmp_path / "other", umask=0o077, time=2)
    assert packed(one) == packed(other)
    (other / "bin" / "text").write_text("Text")
    assert packed(one) != packed(other)


def test_a_layout_gives_back_the_layers_it_was_made_of(tmp_path: Path) -> None:
    """An image that lies on another starts with these."""
    layout = oci.Layout(tmp_path / "layout")
    layers = [layout.add_layer(BytesIO(b"below" * 1000)), layout.add_layer(BytesIO(b"above"))]
    layout.finish(layers, {"Cmd": ["true"]}, EPOCH)
    again = oci.Layout(tmp_path / "layout")
    assert again.layers() == layers
    assert again.open_layer(layers[0]).read() == b"below" * 1000
