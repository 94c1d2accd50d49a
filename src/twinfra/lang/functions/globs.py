"""Finding files by a pattern, as `fileset` does: `*`, `?`, `[a-z]`, `[^a-z]`, `{a,b}`, `\\` and `**`.

A pattern is taken apart at its slashes first; `**` as a part of its own stands for any number of directories.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import lru_cache

_SPECIAL = frozenset("*?[{\\")


class PatternError(Exception):
    """A malformed pattern."""


def find_paths(base: str, pattern: str) -> Iterator[str]:
    """The paths that match a cleaned pattern, which starts from the directory `base` unless it is absolute.

    Paths come as the pattern has them, some perhaps twice. Raises `PatternError`.
    """
    absolute = pattern.startswith("/")
    parts = tuple(part for part in pattern.split("/") if part)
    return _find("/" if absolute else "", parts, base, ())


def _find(path: str, parts: tuple[str, ...], base: str, above: tuple[str, ...]) -> Iterator[str]:
    """What matches the parts below a path. `above` are the real paths of directories entered by `**`."""
    plain = 0
    while plain < len(parts) and not _SPECIAL.intersection(parts[plain]):
        plain += 1
    path = os.path.join(path, *parts[:plain])
    parts = parts[plain:]
    real = os.path.join(base, path)
    if not parts:
        if os.path.lexists(real):
            yield path
        return
    try:
        names = sorted(os.listdir(real))
    except OSError:
        return
    first, rest = parts[0], parts[1:]
    if first == "**":
        # A link to a directory above would have no end.
        here = os.path.realpath(real)
        if here in above:
            return
        for name in names:
            inner = os.path.join(path, name)
            if os.path.isdir(os.path.join(base, inner)):
                yield from _find(inner, parts, base, (*above, here))
            elif not rest and os.path.exists(os.path.join(base, inner)):
                yield inner
        if not rest:
            return
        first, rest = rest[0], rest[1:]
    for name in names:
        if matches(first, name):
            inner = os.path.join(path, name)
            if rest:
                yield from _find(inner, rest, base, above)
            else:
                yield inner


@lru_cache(maxsize=8192)
def matches(pattern: str, name: str) -> bool:
    """Whether one part of a pattern matches a name. Raises `PatternError` on coming to a malformed place."""
    at = 0
    for position, character in enumerate(name):
        if at >= len(pattern):
            return False
        token = pattern[at]
        if token == "*":
            rest = pattern[at + 1 :]
            return not rest or any(matches(rest, name[start:]) for start in range(position, len(name)))
        if token == "{":
            options, after = _options(pattern, at + 1)
            return any(matches(option + pattern[after:], name[position:]) for option in options)
        if token == "[":
            end = _index_unescaped(pattern, "]", at + 1)
            if end < 0 or not _in_class(pattern[at + 1 : end], character):
                if end < 0:
                    raise PatternError
                return False
            at = end + 1
            continue
        if token == "\\":
            at += 1
            if at >= len(pattern):
                raise PatternError
            token = pattern[at]
        elif token == "?":
            token = character
        if token != character:
            return False
        at += 1
    return at >= len(pattern) or pattern[at:] in ("*", "**")


def _index_unescaped(text: str, wanted: str, start: int) -> int:
    """Where a character first occurs without a backslash before it, or -1."""
    at = start
    while at < len(text):
        if text[at] == "\\":
            at += 1
        elif text[at] == wanted:
            return at
        at += 1
    return -1


def _options(pattern: str, start: int) -> tuple[list[str], int]:
    """The options of a brace whose inside starts here, and the position after it."""
    end = _index_unescaped(pattern, "}", start)
    if end < 0:
        raise PatternError
    options: list[str] = []
    inside = pattern[:end]
    while (comma := _index_unescaped(inside, ",", start)) >= 0:
        options.append(inside[start:comma])
        start = comma + 1
    return [*options, inside[start:]], end + 1


def _in_class(inside: str, character: str) -> bool:
    if not inside:
        raise PatternError
    negated = inside.startswith("^")
    found = False
    at = int(negated)
    while at < len(inside):
        low, at = _class_character(inside, at)
        high = low
        if inside.startswith("-", at):
            high, at = _class_character(inside, at + 1)
        found = found or low <= character <= high
    return found != negated


def _class_character(inside: str, at: int) -> tuple[str, int]:
    if at < len(inside) and inside[at] == "\\":
        at += 1
    elif inside.startswith("-", at):
        raise PatternError
    if at >= len(inside):
        raise PatternError
    return inside[at], at + 1
