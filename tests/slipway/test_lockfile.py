"""pnpm-lock.yaml: packages, links between them, and local files an install reads."""

import pytest

from slipway.errors import ConfigError
from slipway.lockfile import Importer, parse

LOCK = """lockfileVersion: '9.0'

settings:
  autoInstallPeers: true

catalogs:
  default:
    react:
      specifier: ^19.0.0
      version: 19.0.0

patchedDependencies:
  lodash@4.17.21:
    hash: abc123
    path: patches/lodash@4.17.21.patch

importers:

  .:
    devDependencies:
      typescript:
        specifier: 5.9.3
        version: 5.9.3

  apps/api:
    dependencies:
      '@acme/shared':
        specifier: workspace:*
        version: link:../../packages/shared
      '@nestjs/core':
        specifier: 11.2.6
        version: 11.2.6(@nestjs/common@11.2.6(rxjs@7.8.2))(rxjs@7.8.2)
      local:
        specifier: file:../../vendor/local
        version: file:vendor/local
    devDependencies:
      '@acme/eslint-config':
        specifier: workspace:^
        version: link:../../packages/eslint-config
    optionalDependencies:
      '@acme/extra':
        specifier: workspace:*
        version: file:packages/extra(react@19.0.0)

  packages/empty: {}

  'packages/it''s odd':
    dependencies:
      left-pad:
        specifier: 1.3.0
        version: 1.3.0

packages:

  '@acme/extra@file:packages/extra':
    resolution: {directory: packages/extra, type: directory}

  local@file:vendor/local:
    resolution: {directory: vendor/local, type: directory}

  tarred@file:vendor/tarred.tgz:
    resolution: {integrity: sha512-x, tarball: file:vendor/tarred.tgz}
    version: 1.0.0
"""


def test_packages_and_their_links() -> None:
    """Links keep apart what is needed to run and what is needed to develop."""
    found = parse(LOCK).importers
    assert list(found)[:3] == [".", "apps/api", "packages/empty"]
    assert found["."] == found["packages/empty"] == Importer()
    assert found["apps/api"] == Importer(
        production=frozenset({"packages/shared", "packages/extra", "vendor/local"}),
        development=frozenset({"packages/eslint-config"}),
        injected=frozenset({"packages/extra", "vendor/local"}),
    )


def test_local_files_of_an_install() -> None:
    """Patches, tarballs and folders outside the workspace have to lie in the install layer."""
    assert parse(LOCK).files == (
        "packages/extra/**",
        "patches/lodash@4.17.21.patch",
        "vendor/local/**",
        "vendor/tarred.tgz",
    )


def test_an_injected_workspace_package_is_no_local_folder() -> None:
    """A package of the workspace comes with its manifest; its sources stay out of the layer."""
    lock = LOCK.replace("  packages/empty: {}", "  packages/extra: {}")
    assert "packages/extra/**" not in parse(lock).files


def test_one_package_without_a_workspace() -> None:
    """A repo with one package has one importer, the root."""
    lock = (
        "lockfileVersion: '6.0'\n\ndependencies:\n  react:\n    specifier: ^19\n    version: 19\n"
    )
    assert parse(lock).importers == {".": Importer()}


def test_a_second_document_in_front_is_read_over() -> None:
    """From version 11 on, pnpm puts a document about itself before the workspace's own."""
    front = "lockfileVersion: '9.0'\n\nimporters:\n\n  .:\n    configDependencies: {}\n\n---\n"
    assert "apps/api" in parse(front + LOCK).importers


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("lockfileVersion: 5.4\n", "lockfileVersion 5 is too old"),
        ("# nothing\n", "no lockfileVersion in it"),
    ],
)
def test_other_lockfiles_are_refused(text: str, problem: str) -> None:
    """A lockfile that cannot be read says what to run."""
    with pytest.raises(ConfigError, match=problem):
        parse(text)
