"""Building Dockerfiles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError
from drydock.objects import Container, Directory, Secret
from drydock.schema.query import checked_platform
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@core.serves("Directory", "dockerBuild")
async def docker_build(
    session: Session,
    parent: Directory,
    *,
    dockerfile: str = "Dockerfile",
    platform: str | None = None,
    build_args: list[dict[str, Any]] | None = None,
    target: str = "",
    secrets: list[Secret] | None = None,
    no_init: bool = False,  # noqa: ARG001  # as in withExec
) -> Container:
    """Build a Dockerfile in it."""
    options = {
        "filename": dockerfile,
        **{f"build-arg:{arg['name']}": arg["value"] for arg in build_args or ()},
    }
    if target:
        options["target"] = target
    if any(not secret.name for secret in secrets or ()):
        raise ApiError("secret has no name and cannot be referenced from Dockerfile secret id")
    names = [secret.name for secret in secrets or ()]
    for name in names:
        if names.count(name) > 1:
            raise ApiError(f'multiple secrets provided for dockerBuild secret id "{name}"')
    return await session.engine.images.docker_build(
        parent, options, secrets or [], checked_platform(platform)
    )
