"""What a module registered, kept on disk by the digest of its source."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import paths, recipes
from drydock.environment import SDK_VERSION
from drydock.typedefs import Module

if TYPE_CHECKING:
    from drydock.source import ModuleSource

FORMAT = 6
"""Number of the format of what is kept; to be raised when type definitions change."""


def known_types(source: ModuleSource) -> Module | None:
    """What this very source registered before; None when it has not."""
    try:
        module = recipes.load(json.loads(_kept(source).read_bytes()))
    except (OSError, *recipes.UNREADABLE):
        return None
    return module if isinstance(module, Module) else None


def keep_types(source: ModuleSource, module: Module) -> None:
    """Keep what a source registered."""
    paths.write(_kept(source), json.dumps(recipes.dump(module)).encode())


def _kept(source: ModuleSource) -> Path:
    name = f"{source.digest[:32]}-{SDK_VERSION}-{FORMAT}.json"
    return paths.cache() / "modules" / name
