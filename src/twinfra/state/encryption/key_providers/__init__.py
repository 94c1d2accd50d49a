"""Where keys come from: one module for each type of `key_provider`.

A module declares `SCHEMA` (its settings) and `provider(settings, chained)`, which returns a `KeyProvider`.
"""
