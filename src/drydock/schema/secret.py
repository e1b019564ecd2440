"""Secrets."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from drydock.calls import calling
from drydock.objects import Secret
from drydock.schema.registry import core

if TYPE_CHECKING:
    from drydock.session import Session


@core.serves("Query", "setSecret")
def set_secret(session: Session, _query: None, *, name: str, plaintext: str) -> Secret:
    """A secret by its value."""
    return session.engine.secrets.by_value(name, plaintext)


@core.serves("Query", "secret")
def secret(session: Session, _query: None, *, uri: str, cache_key: str | None = None) -> Secret:
    """A secret by where it is: `env://NAME`, `file://PATH`, `cmd://COMMAND`."""
    named = session.engine.secrets.by_uri(uri)
    return replace(named, cache_key=cache_key or "", of_module=calling() is not None)


@core.serves("Secret", "plaintext")
async def plaintext(session: Session, parent: Secret) -> str:
    """Its value."""
    return (await session.engine.secrets.plaintext(parent)).decode()


@core.serves("Secret", "name")
def name(_session: Session, parent: Secret) -> str:
    """Its name; empty when it was given by where it is."""
    return parent.name


@core.serves("Secret", "uri")
def uri(_session: Session, parent: Secret) -> str:
    """Where it is; empty when it was given by value."""
    return parent.uri
