"""Measures slipway on drydock against the example's hand-written Dockerfiles; see `ci/bench --help`."""
