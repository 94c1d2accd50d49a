"""Regular expressions as the language has them: the syntax of Go's `regexp`, matched in linear time by RE2.

The syntax has no backreferences and no look-around (https://github.com/google/re2/wiki/Syntax). Matching
works on UTF-8 bytes, so that positions cost nothing to compute.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

from twinfra.dataclass import dataclass

_CACHED_PATTERNS = 512

# What matters for finding groups: escapes (\\Q quotes up to \\E), the start of a class, the start of a group.
_TOKEN = re.compile(r"\\Q.*?(?:\\E|\Z)|\\p\{[^}]*\}|\\.|\[\^?\]?|\((?:\?(?:P?<([^>]*)>|P=)?)?", re.DOTALL)
_CLASS_TOKEN = re.compile(r"\[:\^?\w+:\]|\\.|\]|[^\\\]\[]+|\[", re.DOTALL)
_GROUP_NAME = re.compile(r"[A-Za-z0-9_]+")
_EXPANSION = re.compile(r"\$(?:\$|\{(\w+)\}|(\w+))")


class PatternError(Exception):
    """Why a text is no regular expression of the language, in words for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


Match = tuple[str | None, ...]
"""One match: the whole text that matched, then each group's, None where a group took no part."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A compiled regular expression. `names` are those of its groups, in order, empty where unnamed."""

    compiled: Any
    names: tuple[str, ...]

    def first(self, text: str) -> Match | None:
        """The first match in the text, or None."""
        data = text.encode("utf-8", "surrogatepass")
        for spans in self._spans(data):
            return _texts(data, spans)
        return None

    def all(self, text: str) -> list[Match]:
        """All matches in the text, which do not overlap, in order."""
        data = text.encode("utf-8", "surrogatepass")
        return [_texts(data, spans) for spans in self._spans(data)]

    def replace(self, text: str, replacement: str) -> str:
        """The text with each match replaced; `$1`, `${1}`, `$name` stand for groups, `$$` for a dollar."""
        data = text.encode("utf-8", "surrogatepass")
        parts: list[str] = []
        end = 0
        for spans in self._spans(data):
            parts.append(_text(data, (end, spans[0][0])))
            parts.append(
                self._expand(replacement, _texts(data, spans)) if "$" in replacement else replacement
            )
            end = spans[0][1]
        parts.append(_text(data, (end, len(data))))
        return "".join(parts)

    def _spans(self, data: bytes) -> Iterator[list[tuple[int, int]]]:
        """Where each match and its groups are; an empty match just after another does not count."""
        at = 0
        last_end = -1
        while at <= len(data):
            found = self.compiled.search(data, at)
            if found is None:
                return
            spans = [found.span(group) for group in range(len(self.names) + 1)]
            start, end = spans[0]
            if end > start:
                at = end
            else:
                at = end + _width(data, end)
                if end == last_end:
                    continue
            last_end = end
            yield spans

    def _expand(self, replacement: str, match: Match) -> str:
        def group(reference: re.Match[str]) -> str:
            if reference[0] == "$$":
                return "$"
            name = reference[1] or reference[2]
            if name.isascii() and name.isdigit() and (name == "0" or name[0] != "0"):
                return (match[int(name)] or "") if len(name) < 9 and int(name) < len(match) else ""
            for at, known in enumerate(self.names, 1):
                if known == name and match[at] is not None:
                    return match[at] or ""
            return ""

        return _EXPANSION.sub(group, replacement)


def _width(data: bytes, at: int) -> int:
    """How many bytes the character at a position has."""
    lead = data[at] if at < len(data) else 0
    return 1 if lead < 0xC0 else 2 if lead < 0xE0 else 3 if lead < 0xF0 else 4


def _text(data: bytes, span: tuple[int, int]) -> str:
    return data[span[0] : span[1]].decode("utf-8", "surrogatepass")


def _texts(data: bytes, spans: list[tuple[int, int]]) -> Match:
    return tuple(None if span[0] < 0 else _text(data, span) for span in spans)


@lru_cache(maxsize=_CACHED_PATTERNS)
def compile_pattern(source: str) -> Pattern:
    """The compiled pattern. Raises `PatternError` for what the syntax does not have."""
    import re2

    bare, names = _without_names(source)
    options = re2.Options()
    options.log_errors = False
    try:
        compiled = re2.compile(bare.encode("utf-8", "surrogatepass"), options)
    except re2.error as failure:
        reason = failure.args[0] if failure.args else "not a regular expression"
        raise PatternError(_reason(reason, source)) from failure
    return Pattern(compiled, tuple(names))


def _reason(reason: object, source: str) -> str:
    text = reason.decode("utf-8", "replace") if isinstance(reason, bytes) else str(reason)
    if re.search(r"\(\?(?:[=!]|<[=!])", source):
        return "look-around, such as (?=...), is not part of the syntax"
    if re.search(r"\\[1-9]", source):
        return "backreferences, such as \\1, are not part of the syntax"
    return text


def _without_names(source: str) -> tuple[str, list[str]]:
    """The pattern with all its named groups made nameless, and the names of all groups in order.

    Go allows one name for several groups, which RE2 does not.
    """
    parts: list[str] = []
    names: list[str] = []
    at = 0
    while found := _TOKEN.search(source, at):
        token = found[0]
        parts.append(source[at : found.start()])
        at = found.end()
        if token == "\\C":
            raise PatternError("\\C, one byte of a character, is not part of the syntax")
        if token.startswith("["):
            at = _class_end(source, at)
            token = source[found.start() : at]
        elif found[1] is not None and not found[1].startswith(("=", "!")):
            if not _GROUP_NAME.fullmatch(found[1]):
                raise PatternError(f'"{found[1]}" cannot be the name of a group')
            names.append(found[1])
            token = "("
        elif token == "(":
            names.append("")
        parts.append(token)
    parts.append(source[at:])
    return "".join(parts), names


def _class_end(source: str, at: int) -> int:
    """The position just after the class whose inside starts at `at`."""
    while found := _CLASS_TOKEN.match(source, at):
        at = found.end()
        if found[0] == "]":
            break
    return at
