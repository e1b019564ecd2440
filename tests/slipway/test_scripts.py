"""The scripts of the build steps, run for real on small folders."""

import base64
import json
import os
import re
import subprocess
import time
from pathlib import Path

import pytest

import slipway

SCRIPTS = Path(slipway.__file__).parent / "scripts"


def run(*command: str | Path, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """A command that ends within a minute, with what it printed."""
    return subprocess.run(
        list(map(str, command)),
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def script(name: str, *arguments: str | Path, cwd: Path, **environment: str) -> str:
    """What a shell script prints when it succeeds."""
    done = run("sh", SCRIPTS / name, *arguments, cwd=cwd, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write(root: Path, files: dict[str, str]) -> None:
    """Files below a folder."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def tree(root: Path) -> list[str]:
    """Every file and link below a folder, in order."""
    found = (path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())
    return sorted(str(path.relative_to(root)) for path in found)


# A program that compiles as tsc does: it writes what changed since its build info, and the info.
TSC = """
set -eu
mkdir -p dist
for file in src/*.ts; do
  out=dist/$(basename "$file" .ts).js
  if ! [ -f app.tsbuildinfo ] || ! grep -qF "$(cksum "$file")" app.tsbuildinfo; then
    echo "compiled $file"
    cp "$file" "$out"
  fi
done
cksum src/*.ts > app.tsbuildinfo
"""


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package of two sources."""
    root = tmp_path / "package"
    write(root, {"tsc.sh": TSC, "tsconfig.json": "{}", "src/a.ts": "a", "src/b.ts": "b"})
    return root


def fresh(package: Path) -> None:
    """The package as the next build gets it: sources, and nothing that was built."""
    for name in tree(package):
        if name.startswith("dist/") or name.endswith(".tsbuildinfo"):
            (package / name).unlink()
    if (package / "dist").exists():
        (package / "dist").rmdir()


def compile_package(package: Path, command: str = "sh tsc.sh") -> str:
    """One build of the package with its cache beside it."""
    return script("compile.sh", "dist", package.parent / "cache", "sh", "-c", command, cwd=package)


def test_build_info_makes_the_next_build_small(package: Path) -> None:
    """After an edit only the edited file is compiled; the output is complete."""
    compile_package(package)
    fresh(package)
    (package / "src/a.ts").write_text("changed", encoding="utf-8")
    assert compile_package(package).splitlines() == ["compiled src/a.ts"]
    assert (package / "dist/a.js").read_text(encoding="utf-8") == "changed"
    assert (package / "dist/b.js").read_text(encoding="utf-8") == "b"


@pytest.mark.parametrize("change", ["rename", "tsconfig"])
def test_nothing_stale_survives(package: Path, change: str) -> None:
    """A renamed source or another tsconfig is built from nothing."""
    compile_package(package)
    fresh(package)
    if change == "rename":
        (package / "src/a.ts").rename(package / "src/c.ts")
    else:
        (package / "tsconfig.json").write_text('{"x": 1}', encoding="utf-8")
    assert len(compile_package(package).splitlines()) == 2
    assert ("a.js" in tree(package / "dist")) == (change == "tsconfig")


def test_a_build_that_clears_its_output_is_run_again(package: Path) -> None:
    """`rimraf dist && tsc` with build info beside dist would emit nothing."""
    compile_package(package, "rm -rf dist; sh tsc.sh")
    fresh(package)
    assert "building again without it" in compile_package(package, "rm -rf dist; sh tsc.sh")
    assert tree(package / "dist") == ["a.js", "b.js"]


def test_nest_does_not_delete_what_was_kept(package: Path) -> None:
    """With deleteOutDir the build info would be gone before the compiler sees it."""
    config = {"compilerOptions": {"deleteOutDir": True, "assets": ["**/*.hbs"]}}
    write(package, {"nest-cli.json": json.dumps(config)})
    compile_package(package)
    changed = json.loads((package / "nest-cli.json").read_text(encoding="utf-8"))
    assert changed["compilerOptions"] == {"deleteOutDir": False, "assets": ["**/*.hbs"]}


def test_a_failed_build_keeps_the_last_good_one(package: Path) -> None:
    """Its exit code is the step's, and the cache stays as it was."""
    compile_package(package)
    fresh(package)
    done = run("sh", SCRIPTS / "compile.sh", "dist", package.parent / "cache", "false", cwd=package)
    assert done.returncode == 1
    fresh(package)
    assert compile_package(package) == ""
    assert tree(package / "dist") == ["a.js", "b.js"]


@pytest.mark.parametrize("name", ["dist/main", "dist/main.js", "dist"])
def test_the_program_of_an_image_is_there(tmp_path: Path, name: str) -> None:
    """Node adds the ending itself, and index.js to a folder."""
    write(tmp_path, {"dist/main.js": "", "dist/index.js": ""})
    script("present.sh", name, "api", cwd=tmp_path)


def test_a_program_that_was_built_elsewhere_is_pointed_out(tmp_path: Path) -> None:
    """Nest writes dist/src/main.js when a file beside src is compiled too."""
    write(tmp_path, {"dist/src/main.js": "", "node_modules/x/main.js": ""})
    done = run("sh", SCRIPTS / "present.sh", "dist/main", "api", cwd=tmp_path)
    assert done.returncode == 1
    assert done.stderr == (
        "the build made no dist/main, but dist/src/main.js: "
        "set [apps.api] entry to the file to start\n"
    )


BUILT = {
    ".next/required-server-files.json": "{}",
    ".next/static/chunk.js": "static",
    "public/robots.txt": "robots",
}
SERVER = {".next/BUILD_ID": "x", "server.js": "server", ".next/server/app/server.js": "a route"}


def lay_out(
    repo: Path, inside: str, files: dict[str, str] | None = None, **environment: str
) -> Path:
    """A built app in apps/web whose standalone server lies in one folder of the traced tree."""
    traced = {f".next/standalone/{inside}/{name}": text for name, text in SERVER.items()}
    traced[".next/standalone/node_modules/next/server.js"] = "next"
    built = {**BUILT, **traced, **(files or {})}
    built = {name: text for name, text in built.items() if not (repo / "apps/web" / name).exists()}
    write(repo / "apps/web", built)
    script("standalone.sh", "apps/web", repo, repo / "out", cwd=repo, **environment)
    return repo / "out"


@pytest.mark.parametrize(
    ("inside", "modules"), [("apps/web", "."), ("web", "apps"), (".", "apps/web")]
)
def test_a_standalone_server_keeps_the_repos_layout(
    tmp_path: Path, inside: str, modules: str
) -> None:
    """Whether tracing began at the repo, at a folder between, or at the app."""
    out = lay_out(tmp_path, inside)
    home = out / "app" / str(tmp_path).lstrip("/") / "apps/web"
    assert tree(home) == [
        ".next/BUILD_ID",
        ".next/server/app/server.js",
        ".next/static/chunk.js",
        "public/robots.txt",
        "server.js",
    ]
    assert (home / ".next/cache").is_dir()
    dependencies = out / "dependencies" / str(tmp_path).lstrip("/") / modules
    assert tree(dependencies) == ["node_modules/next/server.js"]


def times(folder: Path) -> dict[str, float]:
    """When each entry below a folder was changed last."""
    found = folder.rglob("*")
    return {path.relative_to(folder).as_posix(): path.lstat().st_mtime for path in found}


def test_what_a_front_end_takes_is_the_same_whenever_it_was_built(tmp_path: Path) -> None:
    """Times, and modes whatever the umask of the checkout was."""
    first, second = tmp_path / "1/repo", tmp_path / "2/repo"
    for repo in (first, second):
        write(repo / "apps/web", {"public/robots.txt": "robots"})
    (second / "apps/web/public").chmod(0o700)
    (second / "apps/web/public/robots.txt").chmod(0o600)
    os.utime(second / "apps/web/public/robots.txt", (5, 5))
    outs = [lay_out(repo, "apps/web") for repo in (first, second)]
    homes = [out / "app" / str(out.parent).lstrip("/") for out in outs]
    assert times(homes[0]) == times(homes[1])
    assert (homes[1] / "apps/web/public").stat().st_mode & 0o777 == 0o755
    assert (homes[1] / "apps/web/public/robots.txt").stat().st_mode & 0o777 == 0o644
    assert set(times(outs[0] / "dependencies").values()) == {0}


PRERENDERED = {
    "prerender-manifest.json": json.dumps(
        {
            "routes": {
                "/": {"initialRevalidateSeconds": 60},
                "/blog/a": {"initialRevalidateSeconds": 3600},
                "/about": {"initialRevalidateSeconds": False},
            },
            "dynamicRoutes": {
                "/shop/[id]": {"fallbackRevalidate": 5},
                "/[x]": {"fallbackRevalidate": False},
            },
        }
    ),
    "server/app/index.html": "",
    "server/app/blog/a.segments/page.rsc": "",
    "server/app/blog/ab.html": "",
    "server/app/about.html": "",
    "server/app/shop/[id].html": "",
    "server/pages/index.json": "",
}


@pytest.mark.parametrize("given", ["1800000000", ""])
def test_a_page_that_is_to_be_renewed_keeps_the_time_when_it_was_made(
    tmp_path: Path, given: str
) -> None:
    """Next counts from there: without one it would never be renewed, or before the first answer. One can be given."""
    began = int(time.time())
    server = {f".next/standalone/apps/web/.next/{name}": text for name, text in PRERENDERED.items()}
    out = lay_out(tmp_path, "apps/web", SOURCE_DATE_EPOCH=given, files=server)
    found = times(out / "app" / str(tmp_path).lstrip("/") / "apps/web/.next")
    made = {name for name, moment in found.items() if moment >= (int(given) if given else began)}
    assert made == {
        "server/app/index.html",
        "server/app/blog/a.segments/page.rsc",
        "server/app/shop/[id].html",
        "server/pages/index.json",
    }


def test_a_build_without_a_standalone_server_is_an_error(tmp_path: Path) -> None:
    """The message names the setting."""
    write(tmp_path / "apps/web", BUILT)
    done = run("sh", SCRIPTS / "standalone.sh", "apps/web", tmp_path, tmp_path, cwd=tmp_path)
    assert done.returncode == 1
    assert "set output: 'standalone' in next.config" in done.stderr


def test_a_step_notes_when_it_ran(tmp_path: Path) -> None:
    """The log is what the report reads; a failed step's exit code is kept."""
    text = (SCRIPTS / "step.sh").read_text(encoding="utf-8")
    local = tmp_path / "step.sh"
    local.write_text(text.replace("/slipway/steps.tsv", str(tmp_path / "log")), encoding="utf-8")
    assert run("sh", local, "api: build", "echo", "a  b", cwd=tmp_path).stdout == "a  b\n"
    assert run("sh", local, "bad", "sh", "-c", "exit 7", cwd=tmp_path).returncode == 7
    begun, ended, name = (tmp_path / "log").read_text(encoding="utf-8").rstrip("\n").split("\t")
    assert (int(begun) <= int(ended), name) == (True, "api: build")


def test_pnpm_is_installed_only_where_another_is_there(tmp_path: Path) -> None:
    """An exact version or a major that is there stays; else npm installs the wanted one."""
    write(tmp_path, {"pnpm": "#!/bin/sh\necho 10.4.1\n", "npm": '#!/bin/sh\necho "npm $*"\n'})
    for name in ("pnpm", "npm"):
        (tmp_path / name).chmod(0o755)
    path = f"{tmp_path}:/usr/bin:/bin"
    assert script("pnpm.sh", "10.4.1", cwd=tmp_path, PATH=path) == ""
    assert script("pnpm.sh", "10", cwd=tmp_path, PATH=path) == ""
    assert script("pnpm.sh", "9.15.0", cwd=tmp_path, PATH=path).rstrip().endswith("pnpm@9.15.0")


def build_id(repo: Path, *variables: str, **environment: str) -> str:
    """The id of a front end's build."""
    done = run("node", SCRIPTS / "buildid.mjs", repo, *variables, cwd=repo, **environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_a_builds_id_is_made_of_what_goes_into_it(tmp_path: Path) -> None:
    """Wherever the checkout is and whenever it was made; not of what is installed or was built before."""
    files = {"apps/web/page.tsx": "page", "packages/a/dist/index.js": "a", "pnpm-lock.yaml": ""}
    first, second = tmp_path / "first", tmp_path / "a longer path/second"
    write(first, files)
    write(second, {**files, "apps/web/.next/cache/x": "", "node_modules/x/index.js": ""})
    os.utime(second / "apps/web/page.tsx", (5, 5))
    found = build_id(first, "A", "B", A="1", B="2")
    assert re.fullmatch(r"[0-9b-g]{24}", found)
    assert build_id(second, "B", "A", A="1", B="2", C="3") == found
    assert build_id(first, "A", "B", A="1", B="3") != found
    (first / "apps/web/page.tsx").write_text("edited", encoding="utf-8")
    assert build_id(first, "A", "B", A="1", B="2") != found


CONFIG = """
import adapter from '{adapter}';
const config = adapter.modifyConfig({config});
const id = config.generateBuildId ? await config.generateBuildId() : null;
console.log(JSON.stringify([id, 'adapterPath' in config, Object.keys(config.experimental ?? {{}})]));
"""


@pytest.mark.parametrize(
    ("config", "found"),
    [
        ("{adapterPath: 'x'}", "given"),
        ("{experimental: {adapterPath: 'x', kept: 1}}", "given"),
        ("{generateBuildId: () => null}", "given"),
        ("{generateBuildId: async () => 'own'}", "own"),
        ("{deploymentId: 'v1'}", None),
    ],
)
def test_next_takes_the_builds_id_where_the_project_sets_none(
    tmp_path: Path, config: str, found: str | None
) -> None:
    """Through an adapter that is no more then: it would change what Next makes."""
    write(tmp_path, {"run.mjs": CONFIG.format(adapter=SCRIPTS / "next.mjs", config=config)})
    done = run("node", "run.mjs", cwd=tmp_path, SLIPWAY_BUILD_ID="given")
    expected = [found, False, ["kept"] if "kept" in config else []]
    assert json.loads(done.stdout) == expected, done.stderr


KEY = base64.b64encode(bytes(range(32))).decode()
PREVIEW = {
    "previewModeId": "a" * 32,
    "previewModeSigningKey": "b" * 64,
    "previewModeEncryptionKey": "c" * 64,
}


def with_keys(dist: Path, key: str) -> dict[str, str]:
    """A front end's preview keys after it was built with a key; a file that has one too."""
    write(dist, {"prerender-manifest.json": json.dumps({"preview": PREVIEW})})
    write(dist, {"server/edge.js": f"const key = '{'b' * 64}', none = '{'b' * 63}';"})
    done = run("node", SCRIPTS / "keys.mjs", dist, cwd=dist, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY=key)
    assert done.returncode == 0, done.stderr
    assert key == "" or key not in done.stdout + done.stderr
    return dict(json.loads((dist / "prerender-manifest.json").read_text())["preview"])


def test_preview_keys_are_made_of_the_key_that_is_given(tmp_path: Path) -> None:
    """The same each time, each another, none the key itself; wherever they are."""
    first, second = with_keys(tmp_path / "1", KEY), with_keys(tmp_path / "2", KEY)
    assert first == second
    assert [len(value) for value in first.values()] == [32, 64, 64]
    assert len({*first.values(), *PREVIEW.values()}) == 6
    assert bytes(range(8)).hex() not in json.dumps(first)
    edge = (tmp_path / "1/server/edge.js").read_text()
    assert first["previewModeSigningKey"] in edge
    assert f"'{'b' * 63}'" in edge
    other = base64.b64encode(bytes(range(1, 33))).decode()
    assert with_keys(tmp_path / "3", other) != first


def test_without_a_key_they_stay_as_next_made_them(tmp_path: Path) -> None:
    """By chance: never made of what anybody could read."""
    assert with_keys(tmp_path, "") == PREVIEW


@pytest.mark.parametrize("key", ["", "short", base64.b64encode(bytes(31)).decode()])
def test_what_is_no_key_is_told_before_the_build(tmp_path: Path, key: str) -> None:
    """Without repeating it."""
    done = run("node", SCRIPTS / "keys.mjs", cwd=tmp_path, NEXT_SERVER_ACTIONS_ENCRYPTION_KEY=key)
    assert done.returncode == 1
    assert "openssl rand -base64 32" in done.stderr
    assert key == "" or key not in done.stderr
