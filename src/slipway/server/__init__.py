"""The server: what a deploy does there, planned as plain values and then carried out over SSH."""
