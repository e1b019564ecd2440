"""This machine and the workspace in it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from drydock.errors import ApiError
from drydock.graph import Value
from drydock.objects import Directory, File
from drydock.schema.registry import core
from drydock.workspace import Workspace, host_directory, host_file

if TYPE_CHECKING:
    from drydock.session import Session


class Host(Value):
    """The machine that the client runs on."""

    type_name = "Host"
    key = "host"
    durable = False


@core.serves("Query", "host")
def host(_session: Session, _query: None) -> Host:
    """This machine."""
    return Host()


@core.serves("Host", "directory")
def directory(
    session: Session,
    _host: Host,
    *,
    path: str,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    no_cache: bool = False,  # noqa: ARG001  # it is read anew for each build
    gitignore: bool = False,
) -> Directory:
    """A directory of this machine."""
    return host_directory(
        session.engine.host(path), exclude or [], include or [], gitignore=gitignore
    )


@core.serves("Host", "file")
def file(session: Session, _host: Host, *, path: str, no_cache: bool = False) -> File:  # noqa: ARG001
    """A file of this machine."""
    return host_file(session.engine.host(path))


@core.serves("Host", "findUp")
def host_find_up(session: Session, _host: Host, *, name: str, no_cache: bool = False) -> str | None:  # noqa: ARG001
    """Path from the client's folder of the nearest `name` in it or above."""
    cwd = session.engine.host(".")
    for level, folder in enumerate((cwd, *cwd.parents)):
        if (folder / name).exists():
            return "../" * level + name
    return None


@core.serves("Query", "currentWorkspace")
def current_workspace(session: Session, _query: None) -> Workspace:
    """The repository that the caller stands in."""
    return session.workspace


@core.serves("Workspace", "directory")
def workspace_directory(
    _session: Session,
    workspace: Workspace,
    *,
    path: str,
    exclude: list[str] | None = None,
    include: list[str] | None = None,
    gitignore: bool = False,
) -> Directory:
    """A directory of the workspace; an absolute path starts at its root."""
    target, root = workspace.resolve(path), Path(workspace.root)
    try:
        return host_directory(target, exclude or [], include or [], gitignore=gitignore, root=root)
    except ApiError as error:
        raise ApiError(f'workspace directory "{path}": {error}') from None


@core.serves("Workspace", "file")
def workspace_file(_session: Session, workspace: Workspace, *, path: str) -> File:
    """A file of the workspace; an absolute path starts at its root."""
    try:
        return host_file(workspace.resolve(path))
    except ApiError as error:
        raise ApiError(f'workspace file "{path}": {error}') from None


@core.serves("Workspace", "findUp")
def workspace_find_up(
    _session: Session, workspace: Workspace, *, name: str, from_: str = "."
) -> str | None:
    """Path from the root of the nearest `name` in a folder or above it; null when there is none."""
    return workspace.find_up(name, from_)


@core.serves("Workspace", "path")
def path_(_session: Session, workspace: Workspace) -> str:
    """The caller's folder, relative to the root."""
    return workspace.path


@core.serves("Workspace", "address")
def address(_session: Session, workspace: Workspace) -> str:
    """The caller's folder as a URL."""
    return workspace.address


@core.serves("Workspace", "clientId")
def client_id(session: Session, _workspace: Workspace) -> str:
    """The client whose workspace it is."""
    return session.token[:12]


@core.serves("Workspace", "configPath")
def config_path(_session: Session, _workspace: Workspace) -> str:
    """Always empty, as in v0.21.8."""
    return ""


@core.serves("Workspace", "hasConfig", "initialized")
def has_config(_session: Session, _workspace: Workspace) -> bool:
    """Always false, as in v0.21.8."""
    return False
