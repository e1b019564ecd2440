"""Drydock: the Dagger API on a stock BuildKit daemon."""
