"""`publish` as a user and as a job types it: to a registry with TLS, an authority of its own and a login."""

from __future__ import annotations

import gzip
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.model.bom import Bom

from ci.lab.secure_registry import SecureRegistry, tls_registry
from tests.e2e.example import IMAGES, Monorepo, copy_example

pytestmark = pytest.mark.engine

PASSWORD = "sentinel-registry-password"
# What `init` writes and a team commits: references, no value.
ENV = """\
SLIPWAY_REGISTRY=${CI_REGISTRY_IMAGE:-}
SLIPWAY_REGISTRYUSER=${CI_REGISTRY_USER:-}
SLIPWAY_REGISTRYPASSWORD=env://CI_REGISTRY_PASSWORD
SLIPWAY_REVISION=${CI_COMMIT_SHA:-}
SLIPWAY_VERSION=${CI_COMMIT_TAG:-}
SLIPWAY_ACTOR=${GITLAB_USER_LOGIN:-}
SLIPWAY_NEXTKEY=env://NEXT_KEY
"""
# What Next encrypts its server actions with.
KEY = "c2VudGluZWwtbmV4dC1rZXktb2YtMzItYnl0ZXMhISE="


@dataclass
class Job:
    """A checkout as a job of GitLab has it: what differs from one job to the next are its variables."""

    repo: Monorepo
    registry: SecureRegistry
    variables: dict[str, str]
    output: list[str] = field(default_factory=list)

    def call(
        self, *arguments: str, check: bool = True, **variables: str
    ) -> subprocess.CompletedProcess[str]:
        """`drydock call` of slipway with the job's variables."""
        done = self.repo.call(*arguments, check=check, **{**self.variables, **variables})
        self.output += [done.stdout, done.stderr]
        return done

    @property
    def commit(self) -> str:
        """The commit's hash."""
        command = ["git", "rev-parse", "HEAD"]
        return subprocess.check_output(command, cwd=self.repo.path, text=True).strip()


@pytest.fixture(scope="module")
def job(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Job]:
    """The example's checkout, and a registry whose only user has a sentinel for a password."""
    folder = tmp_path_factory.mktemp("registry")
    (folder / "password").touch(0o600)
    (folder / "password").write_text(PASSWORD)
    repo = copy_example(tmp_path_factory.mktemp("job") / "mindfulspace")
    (repo.path / ".env").write_text(ENV)
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.invalid"]
    subprocess.run([*git, "add", "--force", ".env"], cwd=repo.path, check=True)
    subprocess.run([*git, "commit", "--quiet", "-m", "env"], cwd=repo.path, check=True)
    with tls_registry(folder) as registry:
        made = Job(repo, registry, {})
        made.variables |= {
            "CI_REGISTRY_IMAGE": f"{registry.address}/team/mindfulspace",
            "CI_REGISTRY_USER": registry.user,
            "CI_REGISTRY_PASSWORD": PASSWORD,
            "CI_COMMIT_SHA": made.commit,
            "GITLAB_USER_LOGIN": "jane",
            "NEXT_KEY": KEY,
        }
        yield made


@dataclass(frozen=True)
class Release:
    """What a job exported."""

    folder: Path
    file: dict[str, Any]
    commands: frozenset[bytes]
    """Every command line of this machine that was seen meanwhile."""


@pytest.fixture(scope="module")
def release(job: Job) -> Release:
    """The example's release, published to staging, with its bills of materials."""
    with _command_lines() as commands:
        job.call("release", "--env", "staging", "publish", "export", "--path", ".slipway/release")
    folder = job.repo.path / ".slipway" / "release"
    file = json.loads((folder / "release.json").read_text())
    return Release(folder, file, frozenset(commands))


def test_every_image_is_there_by_commit_and_environment(job: Job, release: Release) -> None:
    """Both tags stand for the digest that release.json tells."""
    assert release.file["environment"] == "staging"
    assert release.file["revision"] == job.commit
    assert sorted(release.file["images"]) == sorted(IMAGES)
    for name, image in release.file["images"].items():
        assert image["repository"] == f"{job.registry.address}/team/mindfulspace/{name}"
        assert image["tags"] == [job.commit, "staging"]
        digests = {job.registry.digest(f"team/mindfulspace/{name}", tag) for tag in image["tags"]}
        assert digests == {image["digest"]}
        assert image["size"] > 10_000_000


@pytest.mark.parametrize(
    ("name", "holds"),
    [("frontend", (None, "next")), ("api", ("@nestjs", "core")), ("migrator", (None, "prisma"))],
)
# The library warns of keys that Syft fills and that CycloneDX 1.6 has newer ones for.
@pytest.mark.filterwarnings("ignore::cyclonedx.schema.deprecation.SchemaDeprecationWarning1Dot6")
def test_a_bill_of_materials_names_what_an_image_holds(
    release: Release, name: str, holds: tuple[str | None, str]
) -> None:
    """Read by CycloneDX's own library: packages of npm, and Debian's."""
    bill = json.loads((release.folder / release.file["images"][name]["sbom"]).read_text())
    assert bill["metadata"]["component"]["name"] == f"mindfulspace-{name}"
    found = Bom.from_json(bill).components  # type: ignore[attr-defined]
    named = {(c.purl.type, c.purl.namespace, c.purl.name) for c in found if c.purl}
    assert ("npm", *holds) in named
    assert ("deb", "debian", "libc6") in named


@pytest.fixture(scope="module")
def second(job: Job, release: Release) -> str:  # noqa: ARG001 - after the first
    """What the same publish tells the second time, as talkative as it can be."""
    return job.call("--verbose", "publish").stdout


def test_a_second_publish_finds_everything_there(second: str, release: Release) -> None:
    """What the first one exported to .slipway makes the tree no dirtier; the report shows release.json."""
    told = re.findall(
        r"  reused, published (?:just now|\d+ min ago) by jane$", second, re.MULTILINE
    )
    assert len(told) == len(IMAGES)
    assert "Steps:" not in second
    shown = json.loads(second.partition("release.json:\n")[2])
    without_bills = {
        name: {key: value for key, value in image.items() if key != "sbom"}
        for name, image in release.file["images"].items()
    }
    assert shown["images"] == without_bills


def test_a_build_tells_the_digests_that_were_published(job: Job, release: Release) -> None:
    """Without a look at the registry: what a build makes now is what was published."""
    report = job.call("build").stdout
    assert [
        name for name, image in release.file["images"].items() if image["digest"] in report
    ] == sorted(IMAGES)


@pytest.mark.usefixtures("second")
def test_a_published_release_can_be_made_again(job: Job) -> None:
    """Every image, built from nothing: each file and setting is the same. Nothing is pushed for it."""
    shown = job.call("reproduce").stdout
    assert shown.count("made again from its commit, the same in every file and setting") == len(
        IMAGES
    )


def test_a_wrong_password_is_one_message(job: Job) -> None:
    """Host, user and what to do; no traceback, and exit code 1."""
    done = job.call("publish", check=False, CI_REGISTRY_PASSWORD="sentinel-wrong-password")
    assert done.returncode == 1
    assert f'{job.registry.address} refuses the user "ci": a wrong user or password' in done.stderr
    assert "Nothing was built or pushed." in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.usefixtures("second")
def test_the_password_is_nowhere(job: Job, release: Release) -> None:
    """In no output, no exported file, no command line, no image's config and no layer."""
    secrets = [PASSWORD.encode(), b"sentinel-wrong-password"]
    seen = ["".join(job.output).encode(), *release.commands]
    seen += [path.read_bytes() for path in release.folder.iterdir()]
    blobs = [*(job.registry.folder / "images").rglob("blobs/**/data")]
    assert len(blobs) > len(IMAGES)
    seen += [_plain(path.read_bytes()) for path in blobs]
    assert not [text[:80] for text in seen if any(secret in text for secret in secrets)]


@contextmanager
def _command_lines() -> Iterator[set[bytes]]:
    """Every command line of this machine that is seen while the context lasts."""
    seen: set[bytes] = set()
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            for path in Path("/proc").glob("[0-9]*/cmdline"):
                try:
                    seen.add(path.read_bytes())
                except OSError:
                    continue  # it has ended

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        done.set()
        thread.join()


def _plain(blob: bytes) -> bytes:
    return gzip.decompress(blob) if blob.startswith(b"\x1f\x8b") else blob
