"""The functions of the language: one module per family, each function a declaration that registers itself.

`lookup(name)` finds one; `catalog()` has all. See `declaration` for how to write one.
"""

from twinfra.lang.functions.catalog import catalog, lookup, suggestion

__all__ = ["catalog", "lookup", "suggestion"]
