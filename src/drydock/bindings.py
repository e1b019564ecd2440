"""Where the Python client of a module's dependencies is: `dag.<dependency>()` and the types it gives.

The SDK takes its client from a module `dagger_gen` where there is one. A Dagger engine writes it
into the module's container; drydock keeps it in its cache.
"""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import paths
from drydock.environment import SDK_VERSION

if TYPE_CHECKING:
    from drydock.source import ModuleSource

FORMAT = 1
"""Number of what `clientcode` writes; to be raised with every change of it."""

FILE = "dagger_gen.py"


def folder(source: ModuleSource) -> Path | None:
    """The folder with the client of a module's dependencies; None where it has none.

    It is there once `ensure` was called for this source.
    """
    if not source.dependencies:
        return None
    facts = [str(FORMAT), SDK_VERSION, *(f"{d.name} {d.digest}" for d in source.dependencies)]
    name = hashlib.sha256("\n".join(facts).encode()).hexdigest()
    return paths.cache() / "bindings" / name[:32]


def are_there(source: ModuleSource) -> bool:
    """Whether the module's process finds all that it imports."""
    target = folder(source)
    return target is None or (target / FILE).exists()


def ensure(source: ModuleSource, definition: str) -> None:
    """Write the client unless it is there.

    Args:
        source: The module.
        definition: Of its dependencies' types, in GraphQL's schema language.
    """
    target = folder(source)
    if target is None or are_there(source):
        return
    from drydock.clientcode import client_code  # noqa: PLC0415  # once for each module

    paths.write(target / FILE, client_code(definition).encode())
