"""What a user writes for an object of the API: a path, an image, where a secret is."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from drydock.errors import ApiError, DrydockError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from drydock.session import Session

GIT = re.compile(r"^(git@|ssh://|git://|https?://)")
SERVICE = re.compile(r"^(?P<protocol>tcp|udp)://(?P<host>[^:/]+):(?P<port>\d+)$")
LEGACY_SECRET = re.compile(r"^(?P<scheme>env|file|cmd):(?!//)(?P<rest>.*)$", re.DOTALL)

SUPPORTED = frozenset(
    {"CacheVolume", "Container", "Directory", "File", "Secret", "Service", "Socket"}
)


async def load(session: Session, type_name: str, text: str, ignore: Sequence[str] = ()) -> str:
    """The id of the object that a user's text names.

    Args:
        session: Whose object it will be; paths start at its engine's folder.
        type_name: The object's type, one of `SUPPORTED`.
        text: A path, an image reference, a secret's URI, `tcp://host:port`, a cache volume's name.
        ignore: Patterns of what is left out of a directory.

    Raises:
        DrydockError: If it names nothing that drydock can give.
    """
    if not text:
        raise DrydockError(f"a {type_name} cannot be empty")
    selection = _selection(session, type_name, text, list(ignore))
    value: Any = await ask(
        session, "{ " + " { ".join([*selection, "id"]) + " }" * (len(selection) + 1)
    )
    while isinstance(value, dict):
        value = next(iter(value.values()))
    return str(value)


async def ask(session: Session, query: str) -> Any:
    """The data that a query answers.

    Raises:
        ApiError: If it fails.
    """
    result = await session.execute(query)
    if result.errors:
        error = result.errors[0]
        raise ApiError(error.message, error.extensions)
    return result.data


def _selection(session: Session, type_name: str, text: str, ignore: list[str]) -> list[str]:
    match type_name:
        case "Container":
            steps = ["container", f"from(address: {_quoted(text)})"]
        case "Directory":
            path = _path(session, text, "directory")
            steps = ["host", f"directory(path: {_quoted(path)}, exclude: {json.dumps(ignore)})"]
        case "File":
            steps = ["host", f"file(path: {_quoted(_path(session, text, 'file'))})"]
        case "Secret":
            steps = [f"secret(uri: {_quoted(secret_uri(text))})"]
        case "CacheVolume":
            steps = [f"cacheVolume(key: {_quoted(text)})"]
        case "Socket":
            steps = ["host", f"unixSocket(path: {_quoted(text.removeprefix('unix://'))})"]
        case "Service":
            steps = ["host", _service(text)]
        case _:
            raise DrydockError(f"a {type_name} cannot be given as text")
    return steps


def _path(session: Session, text: str, kind: str) -> str:
    if GIT.match(text):
        raise DrydockError(
            f"{text}: drydock takes a {kind} of this machine only. Clone the repository first."
        )
    path = session.engine.host(text.removeprefix("file://"))
    if not path.exists():
        raise DrydockError(f"{path}: no such {kind}")
    if (kind == "directory") != path.is_dir():
        raise DrydockError(
            f"{path} is a {'file' if kind == 'directory' else 'directory'}, not a {kind}"
        )
    return str(path)


def _service(text: str) -> str:
    found = SERVICE.match(text)
    if not found:
        raise DrydockError(
            f'unsupported service address: "{text}". Must be a valid tcp:// or udp:// URL'
        )
    port, protocol = found["port"], found["protocol"].upper()
    forward = f"{{frontend: {port}, backend: {port}, protocol: {protocol}}}"
    return f"service(host: {_quoted(found['host'])}, ports: [{forward}])"


def secret_uri(text: str) -> str:
    """A secret's URI; `env:NAME`, `file:PATH`, `cmd:COMMAND` and a bare name are older forms."""
    if found := LEGACY_SECRET.match(text):
        rest = found["rest"]
        if found["scheme"] == "cmd" and rest[:1] == rest[-1:] == '"':
            rest = rest[1:-1]
        return f"{found['scheme']}://{rest}"
    return text if "://" in text else f"env://{text}"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
