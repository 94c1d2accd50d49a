"""Whether what came out is what was planned: known values must stay as they were planned."""

from __future__ import annotations

from typing import Any

from twinfra.values.equality import identical
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import GetAttr, Index, List, Map, Path, Set, Unknown, Value, is_null


def first_difference(planned: Value, actual: Value) -> Path | None:
    """The path of the first value that was planned to be something else; None where all is as planned.

    Both are unmarked. What was unknown when planned may be anything now; elements of a set that holds
    unknowns are
    only counted.
    """
    if planned is actual:
        return None
    kind = type(planned)
    if kind is Unknown:
        return None
    if kind is dict or kind is Map:
        if not isinstance(actual, dict):
            return ()
        for name, value in planned.items():
            if name not in actual:
                return _under(kind, name, ())
            found = first_difference(value, actual[name])
            if found is not None:
                return _under(kind, name, found)
        extra = actual.keys() - planned.keys()
        return _under(kind, min(extra), ()) if extra else None
    if kind is tuple or kind is List:
        if not isinstance(actual, tuple) or len(actual) != len(planned):
            return ()
        for at, value in enumerate(planned):
            found = first_difference(value, actual[at])
            if found is not None:
                return (Index(at), *found)
        return None
    if kind is Set and contains_unknown(planned):
        return None if isinstance(actual, tuple) and len(actual) <= len(planned) else ()
    if is_null(planned) and is_null(actual):
        return None
    return None if identical(planned, actual) else ()


def _under(kind: type, name: Any, rest: Path) -> Path:
    return (GetAttr(name) if kind is dict else Index(name), *rest)


def path_text(path: Path) -> str:
    """A path as people write it: `tags["Name"]`."""
    text = ""
    for step in path:
        if isinstance(step, GetAttr):
            text += f".{step.name}" if text else step.name
        else:
            text += f"[{step.key}]" if isinstance(step.key, int) else f'["{step.key}"]'
    return text or "the object"
