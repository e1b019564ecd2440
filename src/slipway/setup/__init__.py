"""Prepares a bare Debian 13 for deploys."""
