"""Environments: what `twinfra.toml` declares, and what is told of two of them or of one over time."""
