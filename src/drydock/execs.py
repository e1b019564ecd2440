"""From a container of the API to an exec of the graph."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError
from drydock.graph import Exec, ExecMount, ExecRoot, FsMount, Mount, SecretMount
from drydock.images import DEFAULT_PATH
from drydock.objects import Container, ImageConfig, Pairs, SecretFile

if TYPE_CHECKING:
    from drydock.engine import Engine

_REFERENCE = re.compile(r"\$(?:(\w+)|\{([^}]*)\})")


async def make_exec(engine: Engine, container: Container, args: list[str], **options: Any) -> Exec:
    """The exec that runs `args` in a container.

    Args:
        engine: Gives the secrets' identities.
        container: Where to run.
        args: The whole command line.
        options: Further fields of `Exec`.
    """
    secret_env = [(name, await engine.secrets.ref(secret)) for name, secret in container.secret_env]
    mounts = [await _mount(engine, mount) for mount in container.mounts]
    return Exec(
        root=container.fs,
        args=tuple(args),
        env=environment(container),
        cwd=container.config.workdir or "/",
        user=container.config.user,
        mounts=tuple(mounts),
        secret_env=tuple(secret_env),
        volatile=tuple(
            (name, engine.secrets.volatile(name, value)) for name, value in container.volatile
        ),
        hosts=container.bindings,
        **options,
    )


def environment(container: Container) -> Pairs:
    """The variables of an exec: the container's, and a PATH where it names none."""
    hidden = {name for name, _ in (*container.secret_env, *container.volatile)}
    env = tuple((name, value) for name, value in container.config.env if name not in hidden)
    return env if any(name == "PATH" for name, _ in env) else (*env, ("PATH", DEFAULT_PATH))


async def _mount(engine: Engine, mount: Mount) -> Mount:
    if isinstance(mount, SecretFile):
        secret = await engine.secrets.ref(mount.secret)
        return SecretMount(mount.dest, secret, mount.uid, mount.gid, mount.mode)
    return mount


def health_check(config: ImageConfig) -> str:
    """The check by which an image tells whether it is well (Docker's `Healthcheck`), as JSON; empty without one."""
    extra = json.loads(config.extra)
    check = extra.get("Healthcheck") or {}
    if (check.get("Test") or ["NONE"])[0] == "NONE":
        return ""
    return json.dumps({**check, "Shell": extra.get("Shell") or []})


def after(container: Container, spec: Exec) -> Container:
    """The container that an exec leaves: its root, and every directory mounted to be written to."""
    mounts = [
        replace(mount, source=ExecMount(spec, mount.dest))
        if isinstance(mount, FsMount) and not mount.readonly
        else mount
        for mount in container.mounts
    ]
    return container.changed(fs=ExecRoot(spec), mounts=tuple(mounts), last=spec)


def expand(container: Container, text: str) -> str:
    """`$NAME` and `${NAME}` in a text by the container's variables; one that is not set is empty.

    Raises:
        ApiError: If it names a secret variable.
    """
    known = dict(container.config.env)
    secrets = {name for name, _ in container.secret_env}

    def value(match: re.Match[str]) -> str:
        name = match[1] or match[2]
        if name in secrets:
            raise ApiError(f'expand cannot be used with secret env variable "{name}"')
        if name in dict(container.volatile):
            raise ApiError(f'expand cannot be used with volatile env variable "{name}"')
        return known.get(name, "")

    return _REFERENCE.sub(value, text)
