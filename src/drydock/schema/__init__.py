"""The API: its definition, and the resolvers of the part that drydock serves."""

from drydock.schema import container, directory, file, host, image, module, query, secret, service
from drydock.schema.registry import core

__all__ = [
    "container",
    "core",
    "directory",
    "file",
    "host",
    "image",
    "module",
    "query",
    "secret",
    "service",
]
