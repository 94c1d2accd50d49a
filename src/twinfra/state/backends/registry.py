"""Finds a backend by its type: every module of this package is one but `protocol`, `records`, this one
and those that begin with an underscore."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, cast

from twinfra.diagnostics import DiagnosticError, error, nearest
from twinfra.schema import Block
from twinfra.state import backends
from twinfra.state.backends.protocol import Backend, BackendModule, Place
from twinfra.values.value import Marked, is_null

_NOT_BACKENDS = ("protocol", "records", "registry")


def backend_types() -> list[str]:
    """The types that a `backend` block may name, sorted."""
    return sorted(
        module.name
        for module in iter_modules(backends.__path__)
        if module.name not in _NOT_BACKENDS and not module.name.startswith("_")
    )


def backend_schema(type: str) -> Block:
    """The settings of a backend type. Raises `DiagnosticError` where there is no such type."""
    return _module(type).SCHEMA


def connect(type: str, config: Mapping[str, Any], place: Place) -> Backend:
    """A backend with these settings: plain Python by its schema, None or absent where not given.

    Raises `DiagnosticError` for a type or a setting that is not known, or that is missing or wrong.
    """
    module = _module(type)
    known = module.SCHEMA.attributes
    for name in config:
        if name not in known and name not in module.SCHEMA.blocks:
            raise DiagnosticError(
                error(
                    "Unknown setting of a backend",
                    f'The "{type}" backend has no setting "{name}".',
                    mend=nearest(name, known) or "Remove it.",
                    path=(name,),
                )
            )
    for name, attribute in known.items():
        if attribute.required and is_null(config.get(name)):
            raise DiagnosticError(
                error(
                    "Missing setting of a backend",
                    f'The "{type}" backend needs the setting "{name}". {attribute.description}'.rstrip(),
                    mend=f"Set {name} in the backend block, or give -backend-config={name}=VALUE to init.",
                )
            )
    return module.connect({name: _plain(config.get(name)) for name in (*known, *module.SCHEMA.blocks)}, place)


def _plain(value: Any) -> Any:
    """A value of the language without what backends need not know: types of nulls and marks."""
    if isinstance(value, Marked):
        return _plain(value.value)
    if is_null(value):
        return None
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, tuple):
        return tuple(_plain(inner) for inner in value)
    return value


def _module(type: str) -> BackendModule:
    known = backend_types()
    if type not in known:
        raise DiagnosticError(
            error(
                "Unknown backend",
                f'There is no backend of type "{type}". There is: {", ".join(known)}.',
                mend=nearest(type, known) or "Correct the type in the backend block.",
            )
        )
    return cast(BackendModule, import_module(f"{backends.__name__}.{type}"))
