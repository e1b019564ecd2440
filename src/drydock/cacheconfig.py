"""The build cache that machines share through a registry: where it is, by the environment or by the config file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from drydock import daemonconfig, images
from drydock.errors import ApiError, DrydockError

KEYS = ("cache", "cache_export")
NONE = "none"
"""Given as the one to export to: nothing is exported."""
_BETWEEN = re.compile(r"[\s,]+")


@dataclass(frozen=True)
class CacheSettings:
    """Which caches a session reads, and which one it writes."""

    imports: tuple[str, ...] = ()
    """Image addresses with a tag, asked in this order."""
    export: str = ""
    """Empty: none."""
    login: tuple[str, str] | None = field(default=None, repr=False)
    """User and password for the registries of these, where the environment gives them."""

    @property
    def addresses(self) -> set[str]:
        """All of them."""
        return {*self.imports, self.export} - {""}


def load(environment: Mapping[str, str], path: Path) -> CacheSettings:
    """The caches that DRYDOCK_CACHE and DRYDOCK_CACHE_EXPORT name, else those of the config file.

    DRYDOCK_CACHE lists image addresses, with spaces or commas between them; all are imported from, and the first is
    exported to, unless DRYDOCK_CACHE_EXPORT names another one or is `none`. The config file has the same as
    `cache = ["…", "…"]` and `cache_export = "…"`. A variable that is set counts, also when it is empty.
    DRYDOCK_CACHE_USER and DRYDOCK_CACHE_PASSWORD log in to their registries.

    Raises:
        DrydockError: If one is no image address, or one to export to has a digest.
    """
    given = {**_in_file(path), **_in_environment(environment)}
    imports = tuple(_address(item) for item in given.get("cache", ()))
    export, *more = given.get("cache_export") or imports[:1] or [NONE]
    if more:
        raise DrydockError(
            f"cannot export the cache to several addresses, {export} and {', '.join(more)}: expected one, or {NONE}"
        )
    user, password = (environment.get(f"DRYDOCK_CACHE_{name}") for name in ("USER", "PASSWORD"))
    login = (user, password or "") if user else None
    if export == NONE:
        return CacheSettings(imports, login=login)
    address = _address(export)
    if "@" in address:
        raise DrydockError(f"{address} has a digest: no cache can be exported to it; give it a tag")
    return CacheSettings(imports, address, login)


def _in_environment(environment: Mapping[str, str]) -> dict[str, list[str]]:
    names = {key: f"DRYDOCK_{key.upper()}" for key in KEYS}
    return {
        key: [item for item in _BETWEEN.split(environment[name]) if item]
        for key, name in names.items()
        if name in environment
    }


def _in_file(path: Path) -> dict[str, list[str]]:
    data = daemonconfig.read(path)
    given = {
        key: data[key] if isinstance(data[key], list) else [data[key]]
        for key in KEYS
        if key in data
    }
    for key, items in given.items():
        if not all(isinstance(item, str) for item in items):
            raise DrydockError(f"{path}: {key}: expected image addresses, got {data[key]!r}")
    return given


def _address(text: str) -> str:
    try:
        return images.normalize(text)
    except ApiError:
        raise DrydockError(
            f'the cache "{text}" is no image address, as registry.example/team/app/cache:main is; see DRYDOCK_CACHE, '
            "DRYDOCK_CACHE_EXPORT and the config file"
        ) from None
