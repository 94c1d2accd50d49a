"""Secrets that would be told by chance: copies, without a mark, of what is sensitive elsewhere in an object.

Providers copy what they were given, as `terraform_data` copies `input` to `output`, and the copy has no mark.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinfra.values.marks import has_marks
from twinfra.values.numbers import format_number, is_number
from twinfra.values.value import SENSITIVE, List, Map, Marked, Set, Value

_WITHIN = 6
"""A secret of so many characters is also looked for inside longer texts; a shorter one would be found by chance."""
_DIGITS = 4
"""A number of fewer digits is found by chance."""


def secrets_in(*values: Value) -> frozenset[str]:
    """The texts inside the sensitive parts of these values."""
    found: set[str] = set()
    for value in values:
        if has_marks(value, SENSITIVE):
            _collect(value, False, found)
    return frozenset(found - {""})


def _collect(value: Value, hidden: bool, found: set[str]) -> None:
    kind = type(value)
    if kind is Marked:
        _collect(value.value, hidden or SENSITIVE in value.marks, found)
    elif kind is str:
        if hidden:
            found.add(value)
    elif is_number(value):
        if hidden and len(text := format_number(value)) >= _DIGITS:
            found.add(text)
    elif isinstance(value, dict):
        for inner in value.values():
            _collect(inner, hidden, found)
    elif isinstance(value, tuple):
        for inner in value:
            _collect(inner, hidden, found)


def hide(value: Value, secrets: frozenset[str]) -> Value:
    """The value with each text that is, or holds, one of the secrets marked sensitive; itself where none does."""
    if not secrets:
        return value
    kind = type(value)
    if kind is str:
        return Marked(value, frozenset({SENSITIVE})) if _tells(value, secrets) else value
    if is_number(value):
        return Marked(value, frozenset({SENSITIVE})) if format_number(value) in secrets else value
    if kind is dict:
        return {name: hide(inner, secrets) for name, inner in value.items()}
    if kind is Map:
        return Map({name: hide(inner, secrets) for name, inner in value.items()}, value.element)
    if kind is tuple:
        return tuple(hide(inner, secrets) for inner in value)
    if kind is List:
        return List([hide(inner, secrets) for inner in value], value.element)
    if kind is Set and any(type(hide(inner, secrets)) is Marked for inner in value):
        return Marked(value, frozenset({SENSITIVE}))
    return value


def _tells(text: str, secrets: Iterable[str]) -> bool:
    return any(text == secret or (len(secret) >= _WITHIN and secret in text) for secret in secrets)
