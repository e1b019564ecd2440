"""Slipway: from a pnpm monorepo to a running server, as a Dagger module."""

from .main import Slipway

__all__ = ["Slipway"]
