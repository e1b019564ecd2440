"""What a module registered, kept on disk by the digest of its source."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from drydock import paths, typedefs
from drydock.environment import SDK_VERSION

if TYPE_CHECKING:
    from drydock.source import ModuleSource


def known_types(source: ModuleSource) -> typedefs.Module | None:
    """What this very source registered before; None when it has not."""
    try:
        module: typedefs.Module = typedefs.load(json.loads(_kept(source).read_bytes()))
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return module


def keep_types(source: ModuleSource, module: typedefs.Module) -> None:
    """Keep what a source registered."""
    file = _kept(source)
    paths.private(file.parent)
    with tempfile.NamedTemporaryFile("w", dir=file.parent, delete=False) as new:
        json.dump(typedefs.dump(module), new)
    Path(new.name).replace(file)


def _kept(source: ModuleSource) -> Path:
    name = f"{source.digest[:32]}-{SDK_VERSION}-{typedefs.FORMAT}.json"
    return paths.cache() / "modules" / name
