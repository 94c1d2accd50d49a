"""What the emulator lacks and our providers need, added with its own backend and response classes.

A module here is named for the service of moto that it extends, up to the first underscore (`ec2_images`
extends `ec2`), and has `install()`, which corrects moto at run time. It is called when, and only when,
that service is first loaded: by a request, by a snapshot, or by another service.
"""

from __future__ import annotations

import sys
from functools import cache
from importlib import import_module
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pkgutil import iter_modules
from types import ModuleType
from typing import Any


@cache
def install() -> None:
    """Have every extension installed as soon as the service that it extends is there."""
    waiting: dict[str, list[str]] = {}
    for module in iter_modules(__path__):
        extended = f"moto.{module.name.partition('_')[0]}.models"
        waiting.setdefault(extended, []).append(f"{__name__}.{module.name}")
    sys.meta_path.insert(0, _AfterLoading(waiting))
    for extended in [name for name in waiting if name in sys.modules]:
        _install(waiting.pop(extended))


class _AfterLoading(MetaPathFinder):
    """Lets the ordinary import find a service, and installs its extensions when it has been loaded."""

    def __init__(self, waiting: dict[str, list[str]]) -> None:
        self._waiting = waiting

    def find_spec(self, name: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        extensions = self._waiting.pop(name, None)
        if extensions is None:
            return None
        spec = PathFinder.find_spec(name, path, target)
        if spec is not None and spec.loader is not None:
            load = spec.loader.exec_module

            def load_and_install(module: ModuleType) -> None:
                load(module)
                _install(extensions)

            spec.loader.exec_module = load_and_install  # type: ignore[method-assign]
        return spec


def _install(extensions: list[str]) -> None:
    for extension in extensions:
        import_module(extension).install()
