"""Finds where in a JSON text a value stands, for messages about values that parsed but make no sense."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable

_decode = json.JSONDecoder().raw_decode
_SPACE = re.compile(r"[ \t\r\n]*")


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Line and column (in characters) of an offset, both counted from 1."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def place_of(text: str, path: Iterable[str | int]) -> int | None:
    """The offset at which the value under `path` (keys and positions) begins, or None when it is not there.

    >>> place_of('{"a": [1, 22]}', ("a", 1))
    10
    """
    at = _skip(text, 0)
    try:
        for step in path:
            at = _element(text, at, step) if isinstance(step, int) else _member(text, at, step)
    except (ValueError, IndexError, RecursionError):
        return None
    return at


def _skip(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _after(text: str, at: int) -> int:
    """Where what follows the value at `at` begins."""
    return _skip(text, _decode(text, at)[1])


def _element(text: str, at: int, position: int) -> int:
    if text[at] != "[":
        raise ValueError("not a list")
    at = _skip(text, at + 1)
    for _ in range(position):
        at = _after(text, at)
        if text[at] != ",":
            raise ValueError("the list is shorter")
        at = _skip(text, at + 1)
    return at


def _member(text: str, at: int, wanted: str) -> int:
    """The last member of that name counts, as in the parsed value."""
    if text[at] != "{":
        raise ValueError("not an object")
    found = None
    at = _skip(text, at + 1)
    while text[at] == '"':
        name, end = _decode(text, at)
        at = _skip(text, end)
        at = _skip(text, at + 1)
        if name == wanted:
            found = at
        at = _after(text, at)
        if text[at] != ",":
            break
        at = _skip(text, at + 1)
    if found is None:
        raise ValueError("no such member")
    return found
