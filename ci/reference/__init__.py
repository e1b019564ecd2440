"""The JSON schema and the reference page of slipway.toml, both made from its models."""
