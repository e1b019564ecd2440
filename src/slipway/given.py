"""What a caller gives with every call, whichever function it is."""

from dataclasses import dataclass

import dagger


@dataclass(frozen=True)
class Given:
    """The arguments of the module's constructor, as `dagger call --help` describes them."""

    ws: dagger.Workspace
    config: str
    npmrc: dagger.Secret | None
    next_key: dagger.Secret | None
    revision: str | None
    version: str | None
    source: str | None
    registry: str | None
    registry_user: str | None
    registry_password: dagger.Secret | None
    pull_user: str | None
    pull_password: dagger.Secret | None
    ssh_key: dagger.Secret | None
    api_env: dagger.Secret | None
    db_env: dagger.Secret | None
    actor: str | None
    job: str | None
