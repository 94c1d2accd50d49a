"""The functions of the language: one module per family, each function a declaration that registers itself.

`lookup(name)` finds one; `catalog()` has all. See `declaration` for how to write one.
"""

from twinfra.lang.functions.catalog import PROVIDER, catalog, lookup, suggestion

__all__ = ["PROVIDER", "catalog", "lookup", "suggestion"]
