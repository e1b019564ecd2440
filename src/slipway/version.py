"""The version of this package, where its metadata is not installed beside it."""

VERSION = "0.3.0"
