"""Where each key of a TOML text stands, so that what is wrong with it can be shown; values are `tomllib`'s to read.

See https://toml.io/en/v1.0.0. The text must be valid TOML: nothing is checked here.
"""

from __future__ import annotations

import re
from typing import TypeAlias

from twinfra.diagnostics import Source, SourceRange

Path: TypeAlias = tuple[str | int, ...]
"""Keys and positions from the top of the document: `("twins", "allow", 0, "path")`."""

_BLANK = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*")
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_STRING = re.compile(
    r"""
      \"{3} (?: [^\\] | \\. )*? \"{3,5}    # basic, of several lines
    | '{3} .*? '{3,5}                       # literal, of several lines
    | \" (?: [^"\\\n] | \\. )* \"
    | ' [^'\n]* '
    """,
    re.DOTALL | re.VERBOSE,
)
_SCALAR = re.compile(r"[^,\]}#\r\n]*[^,\]}#\r\n \t]")


def places(source: Source) -> dict[Path, SourceRange]:
    """The range of every key of a valid TOML text, by the path to its value. Takes one pass."""
    return _Walk(source).run()


class _Walk:
    def __init__(self, source: Source) -> None:
        self._source = source
        self._text = source.text
        self._at = 0
        self._found: dict[Path, SourceRange] = {}
        self._elements: dict[Path, int] = {}

    def run(self) -> dict[Path, SourceRange]:
        table: Path = ()
        self._skip()
        while self._at < len(self._text):
            if self._take("[["):
                table = self._header(element=True)
            elif self._take("["):
                table = self._header(element=False)
            else:
                self._pair(table)
            self._skip()
        return self._found

    def _take(self, token: str) -> bool:
        taken = self._text.startswith(token, self._at)
        if taken:
            self._at += len(token)
        return taken

    def _skip(self) -> None:
        match = _BLANK.match(self._text, self._at)
        if match is not None:
            self._at = match.end()

    def _header(self, element: bool) -> Path:
        keys = self._keys()
        self._skip()
        self._take("]]" if element else "]")
        path: Path = ()
        for key, place in keys[:-1]:
            path = (*path, key)
            self._found.setdefault(path, place)
            if path in self._elements:
                path = (*path, self._elements[path])
        key, place = keys[-1]
        path = (*path, key)
        if element:
            self._elements[path] = self._elements.get(path, -1) + 1
            self._found.setdefault(path, place)
            path = (*path, self._elements[path])
        self._found[path] = place
        return path

    def _keys(self) -> list[tuple[str, SourceRange]]:
        """A dotted key, each part with its place."""
        found: list[tuple[str, SourceRange]] = []
        while True:
            self._skip()
            match = _BARE.match(self._text, self._at) or _STRING.match(self._text, self._at)
            if match is None:
                raise ValueError("not a TOML key")
            self._at = match.end()
            found.append((_plain(match.group()), SourceRange(self._source, match.start(), match.end())))
            self._skip()
            if not self._take("."):
                return found

    def _pair(self, table: Path) -> None:
        path = table
        for key, place in self._keys():
            path = (*path, key)
            self._found.setdefault(path, place)
        self._take("=")
        self._value(path)

    def _value(self, path: Path) -> None:
        self._skip()
        if self._take("["):
            self._array(path)
        elif self._take("{"):
            self._inline(path)
        else:
            match = _STRING.match(self._text, self._at) or _SCALAR.match(self._text, self._at)
            if match is None:
                raise ValueError("not a TOML value")
            self._at = match.end()

    def _array(self, path: Path) -> None:
        number = 0
        self._skip()
        while not self._take("]"):
            start = self._at
            self._value((*path, number))
            self._found[(*path, number)] = SourceRange(self._source, start, self._at)
            number += 1
            self._skip()
            self._take(",")
            self._skip()

    def _inline(self, path: Path) -> None:
        self._skip()
        while not self._take("}"):
            self._pair(path)
            self._skip()
            self._take(",")
            self._skip()


def _plain(key: str) -> str:
    """The text of a key as written, quotes and escapes resolved."""
    if key[0] not in "\"'":
        return key
    import tomllib

    resolved: str = tomllib.loads(f"key = {key}")["key"]
    return resolved
