"""Finding functions by name, importing only the module that declares the one asked for.

The declarations are found by reading the sources of this package for them, so that a new function needs no
second place to be named in; where sources are not to be had, every module is imported.
"""

from __future__ import annotations

import re
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

from twinfra.diagnostics import nearest
from twinfra.lang.functions.declaration import REGISTERED, Function

_PACKAGE = __name__.rpartition(".")[0]
_DECLARED = re.compile(r'^@function\(\s*"([a-z0-9_:]+)"', re.MULTILINE)
_CORE = "core::"
PROVIDER = "provider::"
"""How the names of functions begin that providers bring."""


def lookup(name: str) -> Function | None:
    """The function of this name, also written `core::name`; None when there is none."""
    if name.startswith(_CORE):
        name = name.removeprefix(_CORE)
        if "::" in name:
            return None
    found = REGISTERED.get(name)
    if found is None:
        module = _modules().get(name)
        if module is None:
            _import_all()
        else:
            import_module(module)
        found = REGISTERED.get(name)
    return found


def catalog() -> dict[str, Function]:
    """All functions by name, in alphabetical order."""
    _import_all()
    return dict(sorted(REGISTERED.items()))


def suggestion(name: str) -> str:
    """What to try instead of a function that does not exist, as a sentence, or an empty string."""
    return nearest(name.removeprefix(_CORE), catalog())


@cache
def _modules() -> dict[str, str]:
    """Which module declares a function, by the function's name."""
    found: dict[str, str] = {}
    for directory in import_module(_PACKAGE).__path__:
        for path in sorted(Path(directory).glob("*.py")):
            source = path.read_text(encoding="utf-8")
            found.update(dict.fromkeys(_DECLARED.findall(source), f"{_PACKAGE}.{path.stem}"))
    return found


@cache
def _import_all() -> None:
    for module in iter_modules(import_module(_PACKAGE).__path__):
        import_module(f"{_PACKAGE}.{module.name}")
