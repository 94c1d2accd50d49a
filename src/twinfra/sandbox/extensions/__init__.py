"""What the emulator lacks and our providers need, added with its own backend and response classes.

Each module has `install()`; it corrects moto at run time and is called once, before the first request.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules


@cache
def install() -> None:
    """Install every extension in this package."""
    for module in iter_modules(__path__):
        import_module(f"{__name__}.{module.name}").install()
