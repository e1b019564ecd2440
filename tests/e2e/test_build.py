"""Slipway's build and release as a user types them, on the example."""

import json
import re
import tarfile
import uuid
from pathlib import Path

import pytest

from slipway.plainmanifest import plain
from slipway.tarballs import Packed
from tests.e2e.example import IMAGES, ROOT, Monorepo, Pushed, copy_example, drydock, publish

pytestmark = pytest.mark.engine


def step(report: str, name: str) -> str:
    """What the report says of a step: `reused`, or `built in …`."""
    found = re.search(rf"^\s*{re.escape(name)}\s+(reused|built in .*)$", report, re.MULTILINE)
    assert found, f"no step {name!r} in:\n{report}"
    return found[1].split()[0]


def published(released: Pushed, name: str) -> Packed:
    """What `publish` makes of an image that was pushed as the engine has it."""
    parts = (released.manifests[name], released.configs[name])
    return Packed(*plain(*(json.dumps(part).encode() for part in parts)))


def unique() -> str:
    """A text that no build has seen before: the daemon remembers every other."""
    return uuid.uuid4().hex


def test_build_reports_every_image(monorepo: Monorepo) -> None:
    """Name, digest, compressed size, and which steps ran."""
    report = monorepo.call("build").stdout
    for name in IMAGES:
        assert re.search(rf"^{name}\s+sha256:[0-9a-f]{{64}}\s+[\d.]+ MB", report, re.MULTILINE), (
            report
        )
    assert "NEXT_PUBLIC_API_URL is https://" in report


def test_nothing_changed_means_nothing_built(monorepo: Monorepo, released: Pushed) -> None:
    """A second build reuses every step and gives the digests that `publish` makes of what was pushed."""
    report = monorepo.call("build").stdout
    assert "built in" not in report
    for name in IMAGES:
        assert published(released, name).facts(name).digest in report


def test_without_a_config_the_layout_is_detected_and_said(tmp_path: Path) -> None:
    """Each finding with its reason."""
    repo = copy_example(tmp_path / "plain")
    (repo.path / "slipway.toml").unlink()
    report = repo.call("build").stdout
    assert "No slipway.toml; detected:" in report
    for finding in (
        r"frontend\s+apps/frontend-next",
        r"api\s+apps/api-nest",
        r"node\s+22",
        r"pnpm\s+10\.34\.9",
    ):
        assert re.search(finding, report), finding


def test_slipway_is_a_module_in_its_own_repository_too() -> None:
    """Without -m, from a folder of the repository: the functions are listed."""
    listed = drydock("functions", cwd=ROOT / "examples").stdout
    assert re.search(r"^build\s+Build every image", listed, re.MULTILINE)
    assert re.search(r"^release\s", listed, re.MULTILINE)


def test_help_comes_from_the_docstrings(monorepo: Monorepo) -> None:
    """Of a function, with its flags."""
    text = monorepo.call("build", "--help").stdout
    assert "--env" in text
    assert "--api-url" in text


def test_a_release_can_be_chained(monorepo: Monorepo) -> None:
    """Into the core types, as on the Dagger engine."""
    assert "dist/" in monorepo.call("release", "api", "directory", "--path", ".", "entries").stdout
    assert monorepo.call("release", "frontend", "user").stdout == "1000:1000"


def test_export_writes_tarballs_and_a_manifest(
    monorepo: Monorepo, released: Pushed, tmp_path: Path
) -> None:
    """Digests and sizes in release.json are those of the archives, and those that `publish` has."""
    out = tmp_path / "out"
    monorepo.call("release", "export", "export", "--path", str(out))
    release = json.loads((out / "release.json").read_text())
    assert sorted(p.name for p in out.iterdir()) == [
        "api.tar",
        "frontend.tar",
        "migrator.tar",
        "release.json",
    ]
    assert release["environment"] == "staging"
    for name in IMAGES:
        with tarfile.open(out / f"{name}.tar") as archive:
            index = json.load(archive.extractfile("index.json"))  # type: ignore[arg-type]
        facts = published(released, name).facts(name)
        told = (release["images"][name]["digest"], release["images"][name]["size"])
        assert told == (facts.digest, facts.size)
        assert index["manifests"][0]["digest"] == facts.digest


def test_an_api_edit_builds_the_api_alone_and_pushes_kilobytes(
    tmp_path: Path, registry_host: str, released: Pushed
) -> None:
    """Dependencies and the front end are reused; of the image only the small layers on top are new."""
    repo = copy_example(tmp_path / "edited")
    repo.call("build")
    repo.edit(
        "apps/api-nest/src/main.ts",
        "await app.listen(",
        f"console.log('{unique()}');\n  await app.listen(",
    )
    report = repo.call("build").stdout
    assert step(report, "dependencies") == "reused"
    assert step(report, "frontend: build") == "reused"
    assert step(report, "api: build") == "built"
    after = publish(repo, registry_host, "edited")
    before = {layer["digest"] for layer in released.manifests["api"]["layers"]}
    new = [layer for layer in after.manifests["api"]["layers"] if layer["digest"] not in before]
    assert 0 < sum(layer["size"] for layer in new) < 200_000


def test_a_front_end_edit_builds_the_front_end_alone(tmp_path: Path) -> None:
    """And installs nothing."""
    repo = copy_example(tmp_path / "edited")
    repo.call("build")
    page = repo.path / "apps/frontend-next/app/page.tsx"
    page.write_text(page.read_text() + f"\n// {unique()}\n")
    report = repo.call("build").stdout
    assert step(report, "dependencies") == "reused"
    assert step(report, "api: build") == "reused"
    assert step(report, "frontend: build") == "built"


def test_an_edit_of_the_shared_package_builds_both_and_installs_nothing(tmp_path: Path) -> None:
    """Both apps use it."""
    repo = copy_example(tmp_path / "edited")
    repo.call("build")
    source = repo.path / "packages/shared/src/index.ts"
    source.write_text(source.read_text() + f"\nexport const edited = '{unique()}';\n")
    report = repo.call("build").stdout
    assert step(report, "dependencies") == "reused"
    assert step(report, "@mindfulspace/shared: build") == "built"
    assert step(report, "api: build") == "built"
    assert step(report, "frontend: build") == "built"


def test_an_edit_of_a_document_builds_nothing(tmp_path: Path) -> None:
    """Not of the root's, not of a package's."""
    repo = copy_example(tmp_path / "edited")
    repo.call("build")
    (repo.path / "README.md").write_text("edited")
    (repo.path / "apps/api-nest/NOTES.md").write_text("new")
    assert "built in" not in repo.call("build").stdout


def test_the_api_url_is_the_environments(monorepo: Monorepo) -> None:
    """Baked into the front end's files, each environment's own."""
    for env, url in (
        ("staging", "https://api.staging.mindfulspace.example"),
        ("prod", "https://api.mindfulspace.example"),
    ):
        search = ("with-exec", "--args", f"grep,-rlF,{url},.next", "stdout")
        found = monorepo.call("release", "--env", env, "frontend", *search).stdout
        assert ".next/static" in found, env
    report = monorepo.call(
        "build", "--env", "prod", "--api-url", "https://only-here.example"
    ).stdout
    assert "NEXT_PUBLIC_API_URL is https://only-here.example" in report


@pytest.mark.parametrize("name", IMAGES)
def test_images_are_plain_and_labelled(released: Pushed, name: str) -> None:
    """Not root; labels of the commit and of the inputs; neither token nor tool of the build in what the config says."""
    config = released.configs[name]["config"]
    assert config["User"] == "1000:1000"
    labels = config["Labels"]
    assert labels["org.opencontainers.image.source"] == "https://gitlab.example/team/mindfulspace"
    assert re.fullmatch(r"[0-9a-f]{40}", labels["org.opencontainers.image.revision"])
    # It comes later than the image: production runs what staging ran.
    assert "org.opencontainers.image.version" not in labels
    inputs = json.loads(labels["slipway.inputs.parts"])
    assert inputs["base"].partition("@")[2].startswith("sha256:")
    assert ("argument NEXT_PUBLIC_API_URL" in inputs) == (name == "frontend")
    assert ("files in apps/frontend-next" in inputs) == (name == "frontend")
    assert "sentinel-token" not in json.dumps(released.configs[name])
    assert not [v for v in config["Env"] if v.startswith(("npm_config", "pnpm_config", "CI="))]


def test_a_bad_config_tells_every_error_at_once(tmp_path: Path) -> None:
    """With key path, value and what was expected; exit code not 0, no traceback."""
    repo = copy_example(tmp_path / "bad")
    (repo.path / "slipway.toml").write_text(
        '[apps.frontend]\npath = "apps/no-such"\nkind = "nextjs"\n[environments.staging]\napi_url = 5\nunknown = true\n'
    )
    done = repo.call("build", check=False)
    assert done.returncode == 1
    for word in (
        "apps/no-such",
        "kind",
        "nextjs",
        "environments.staging.api_url",
        "environments.staging.unknown",
    ):
        assert word in done.stderr, word
    assert "Traceback" not in done.stderr


def test_an_unknown_environment_names_the_known_ones(monorepo: Monorepo) -> None:
    """So that the next try is right."""
    done = monorepo.call("build", "--env", "stagin", check=False)
    assert done.returncode == 1
    assert "staging" in done.stderr
    assert "prod" in done.stderr


def test_a_failing_build_shows_the_tools_own_output(tmp_path: Path) -> None:
    """The step and what it printed."""
    repo = copy_example(tmp_path / "broken")
    repo.edit(
        "apps/api-nest/src/main.ts",
        "await app.listen(",
        "const wrong: number = 'text';\n  await app.listen(",
    )
    done = repo.call("build", check=False)
    assert done.returncode != 0
    assert "api: build" in done.stderr
    assert "Type 'string' is not assignable to type 'number'" in done.stderr
    assert "Traceback" not in done.stderr


def test_an_app_can_bring_its_own_dockerfile(tmp_path: Path) -> None:
    """Built to its target, labelled like the others."""
    repo = copy_example(tmp_path / "dockerfile")
    config = (repo.path / "slipway.toml").read_text()
    (repo.path / "slipway.toml").write_text(
        config
        + '\n[apps.site]\npath = "apps/frontend-next"\ndockerfile = "apps/frontend-next/Dockerfile"\n'
        'target = "runtime"\n'
    )
    assert repo.call("release", "images", "name").stdout
