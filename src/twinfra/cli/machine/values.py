"""What of a value is known, unknown and sensitive, as the public format tells these apart."""

from __future__ import annotations

from typing import Any

from twinfra.values.types import DynamicType, ListType, PrimitiveType, SetType, TupleType
from twinfra.values.value import SENSITIVE, Marked, Null, Unknown, Value


def plain(value: Value) -> Any:
    """A value as JSON: marks dropped, unknown attributes left out of objects, null in their place in lists."""
    kind = type(value)
    if kind is str or kind is int or kind is bool or value is None:
        return value
    if kind is Marked:
        return plain(value.value)
    if kind is Null or kind is Unknown:
        return None
    if isinstance(value, dict):
        return {key: plain(value[key]) for key in sorted(value) if not unknown(value[key])}
    if isinstance(value, tuple):
        return [plain(inner) for inner in value]
    return value


def unknown(value: Value) -> bool:
    """Whether the value itself (not something in it) is unknown."""
    return type(value) is Unknown or (type(value) is Marked and type(value.value) is Unknown)


def unknown_flags(value: Value) -> Any:
    """`true` where a value is unknown; in objects only what is or contains something that may be."""
    kind = type(value)
    if kind is Marked:
        value = value.value
        kind = type(value)
    if kind is Unknown:
        return True
    if isinstance(value, dict):
        flags = {key: unknown_flags(value[key]) for key in sorted(value)}
        return {key: flag for key, flag in flags.items() if flag is not False}
    if isinstance(value, tuple):
        return [unknown_flags(inner) for inner in value]
    return False


def sensitive_flags(value: Value) -> Any:
    """`true` where a value is sensitive; in objects only what is or may contain something that is."""
    kind = type(value)
    if kind is Marked:
        if SENSITIVE in value.marks:
            return True
        value = value.value
        kind = type(value)
    if kind is Unknown:
        if isinstance(value.type, PrimitiveType | DynamicType):
            return False
        return [] if isinstance(value.type, ListType | SetType | TupleType) else {}
    if isinstance(value, dict):
        flags = {key: sensitive_flags(value[key]) for key in sorted(value)}
        return {key: flag for key, flag in flags.items() if flag is not False}
    if isinstance(value, tuple):
        return [sensitive_flags(inner) for inner in value]
    return False


def wholly_known(value: Value) -> bool:
    """Whether nothing in it is unknown."""
    kind = type(value)
    if kind is Marked:
        return wholly_known(value.value)
    if kind is Unknown:
        return False
    if isinstance(value, dict):
        return all(map(wholly_known, value.values()))
    if isinstance(value, tuple):
        return all(map(wholly_known, value))
    return True
