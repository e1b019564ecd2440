"""collect.mjs: the packages a program needs, out of node_modules as pnpm lays them out."""

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

import slipway

SCRIPT = Path(slipway.__file__).parent / "scripts" / "collect.mjs"
STORE = "node_modules/.pnpm"


class Workspace:
    """An installed workspace in a folder, in pnpm's default layout."""

    def __init__(self, root: Path) -> None:
        """An empty one."""
        self.root = root

    def package(self, name: str, manifest: dict[str, Any] | None = None, **files: str) -> Path:
        """Install a package into the store; its files are named with "_" for "."."""
        folder = self.root / STORE / f"{name.replace('/', '+')}@1.0.0/node_modules" / name
        folder.mkdir(parents=True)
        content = {"package.json": json.dumps({"name": name, **(manifest or {})}), **files}
        for file, text in content.items():
            (folder / file.replace("_", ".")).write_text(text, encoding="utf-8")
        return folder

    def link(self, place: str | Path, name: str, target: Path) -> None:
        """Make a package available below a folder's node_modules."""
        link = self.root / place / "node_modules" / name
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(os.path.relpath(target, link.parent))

    def beside(self, package: Path, name: str, target: Path) -> None:
        """Link a dependency beside a package of the store."""
        (package.parent / name).symlink_to(os.path.relpath(target, package.parent))

    def collect(self, **plan: Any) -> Path:
        """Run the script; what it laid out, seen from the repo."""
        out = self.root.parent / "out"
        whole = {"bins": None, "runners": [], "scripts": {}, "drop": [], **plan}
        command = ["node", str(SCRIPT), json.dumps(whole), str(self.root), str(out)]
        subprocess.run(command, check=True, timeout=60, capture_output=True)
        return out / str(self.root).lstrip("/")


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """An API that needs a client, which names Prisma's command line as an optional peer."""
    made = Workspace(tmp_path / "repo")
    tool = made.package("prisma", {"bin": "cli.js"}, cli_js="console.log(process.argv.length)")
    base = made.package("base", index_js="1", index_d_ts="2", index_js_map="3")
    client = made.package(
        "client",
        {
            "dependencies": {"base": "1"},
            "peerDependencies": {"prisma": "*"},
            "peerDependenciesMeta": {"prisma": {"optional": True}},
        },
    )
    made.beside(client, "base", base)
    made.beside(client, "prisma", tool)
    made.link("apps/api", "client", client)
    made.link("apps/api", "prisma", tool)
    return made


def names(folder: Path) -> list[str]:
    """What a folder holds, in order."""
    return sorted(path.name for path in folder.iterdir())


def packages(root: Path) -> list[str]:
    """The packages in a collected store."""
    return sorted(path.name for path in (root / STORE).iterdir() if path.name != "node_modules")


def test_what_a_dependency_needs_comes_along(workspace: Workspace) -> None:
    """Links resolve in the copy as they did in the workspace."""
    root = workspace.collect(roots={"apps/api": ["client"]})
    assert packages(root) == ["base@1.0.0", "client@1.0.0"]
    client = (root / "apps/api/node_modules/client").resolve()
    assert (client.parent / "base/index.js").read_text(encoding="utf-8") == "1"


def test_an_optional_peer_that_only_development_brought_stays_behind(workspace: Workspace) -> None:
    """`pnpm install --prod` would ship Prisma's command line and TypeScript."""
    root = workspace.collect(roots={"apps/api": ["client"]})
    assert not (root / STORE / "client@1.0.0/node_modules/prisma").is_symlink()


def test_an_optional_peer_that_the_app_needs_is_kept(workspace: Workspace) -> None:
    """It is a dependency of its own then."""
    root = workspace.collect(roots={"apps/api": ["client", "prisma"]})
    assert "prisma@1.0.0" in packages(root)


def test_a_dependency_that_only_the_install_knew_is_kept(workspace: Workspace) -> None:
    """With packageExtensions and .pnpmfile.cjs there are links that no manifest names."""
    extra = workspace.package("extra")
    workspace.beside(workspace.root / STORE / "base@1.0.0/node_modules/base", "extra", extra)
    assert "extra@1.0.0" in packages(workspace.collect(roots={"apps/api": ["client"]}))


def test_hoisted_links_are_kept_where_their_target_is(workspace: Workspace) -> None:
    """Undeclared imports resolve through them, as they did while developing."""
    store = workspace.root / STORE
    for name in ("base", "prisma"):
        workspace.link(STORE, name, store / f"{name}@1.0.0/node_modules" / name)
    root = workspace.collect(roots={"apps/api": ["client"]})
    assert (root / STORE / "node_modules/base").exists()
    assert not (root / STORE / "node_modules/prisma").is_symlink()


def test_workspace_packages_are_linked_not_copied(workspace: Workspace) -> None:
    """Their files come in a layer of their own; their dependencies come with the others."""
    shared = workspace.root / "packages/shared"
    shared.mkdir(parents=True)
    (shared / "package.json").write_text("{}", encoding="utf-8")
    workspace.link("apps/api", "@acme/shared", shared)
    workspace.link("packages/shared", "scoped", workspace.package("scoped"))
    roots = {"apps/api": ["@acme/shared"], "packages/shared": ["scoped"]}
    root = workspace.collect(roots=roots)
    link = root / "apps/api/node_modules/@acme/shared"
    assert str(link.readlink()) == "../../../../packages/shared"
    assert packages(root) == ["scoped@1.0.0"]
    assert not (root / "packages/shared/package.json").exists()


def test_files_that_nothing_opens_are_left_out(workspace: Workspace) -> None:
    """By pattern; the rest is copied."""
    drop = [r"\.d\.[cm]?ts$", r"\.js\.map$"]
    root = workspace.collect(roots={"apps/api": ["client"]}, drop=drop)
    base = root / STORE / "base@1.0.0/node_modules/base"
    assert names(base) == ["index.js", "package.json"]


def test_the_same_packages_are_the_same_layer(workspace: Workspace) -> None:
    """Every time is fixed, also of folders and links."""
    root = workspace.collect(roots={"apps/api": ["client"]})
    times = {path.lstat().st_mtime for path in root.rglob("*")}
    assert times == {0}


def test_programs_are_put_where_a_shell_finds_them(workspace: Workspace) -> None:
    """Of the packages asked for; package managers and scripts are stood in for."""
    root = workspace.collect(
        roots={"apps/api": ["prisma"]},
        bins="apps/api",
        runners=["pnpm"],
        scripts={"db:fill": "prisma fill"},
    )
    bins = root / "apps/api/node_modules/.bin"
    assert names(bins) == ["db:fill", "pnpm", "prisma"]
    # The image has the repo where the build had it.
    text = (bins / "prisma").read_text(encoding="utf-8")
    assert f'node "{workspace.root}/{STORE}/prisma@1.0.0/node_modules/prisma/cli.js" "$@"' in text
    done = subprocess.run(
        [bins / "pnpm", "run", "db:fill", "x"],
        check=True,
        timeout=60,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": f"{bins}:{os.environ['PATH']}"},
    )
    assert done.stdout == "4\n"


def test_a_flat_layout_works_too(tmp_path: Path) -> None:
    """node-linker=hoisted puts packages into the root's node_modules, as npm does."""
    root = tmp_path / "repo"
    for name, data in {
        "a": {"dependencies": {"b": "1"}},
        "b": {},
        "tool": {},
        "a/node_modules/c": {},
    }.items():
        folder = root / "node_modules" / name
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(json.dumps(data), encoding="utf-8")
    (root / "apps/api").mkdir(parents=True)
    collected = Workspace(root).collect(roots={"apps/api": ["a"]})
    assert names(collected / "node_modules") == ["a", "b"]
    assert (collected / "node_modules/a/node_modules/c/package.json").exists()
