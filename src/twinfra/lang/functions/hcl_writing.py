"""Writing values as expressions of the language, formatted as `fmt` would."""

from __future__ import annotations

import re

from twinfra.lang.functions.graphemes import grapheme_count
from twinfra.values.numbers import format_number, is_number
from twinfra.values.value import Value, is_null

_BRACKETS = re.compile(r'"(?:[^"\\]|\\.)*"|[\[{]|[\]}]')
_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t", '"': '\\"', "\\": "\\\\"}


def is_identifier(text: str) -> bool:
    """Whether a text can be the name of a variable or an attribute without quotes."""
    return text.replace("-", "_").isidentifier() and not text.startswith("-")


def write_expression(value: Value) -> str:
    """The expression that evaluates to a known value without marks."""
    return _laid_out(_raw(value))


def write_attributes(values: dict[str, Value]) -> str:
    """One line (or more) per name: `name = value`, in alphabetical order."""
    return _laid_out("".join(f"{name} = {_raw(values[name])}\n" for name in sorted(values)))


def _raw(value: Value) -> str:
    """The expression without any indentation or alignment."""
    if is_null(value):
        return "null"
    if isinstance(value, str):
        return f'"{_escaped(value)}"'
    if type(value) is bool:
        return "true" if value else "false"
    if is_number(value):
        return format_number(value)
    if isinstance(value, dict):
        if not value:
            return "{}"
        lines = (f"{_key(name)} = {_raw(value[name])}\n" for name in sorted(value))
        return f"{{\n{''.join(lines)}}}"
    return f"[{', '.join(map(_raw, value))}]"


def _key(name: str) -> str:
    return name if is_identifier(name) else f'"{_escaped(name)}"'


def _escaped(text: str) -> str:
    parts: list[str] = []
    for at, character in enumerate(text):
        if character in _ESCAPES:
            parts.append(_ESCAPES[character])
        elif character in "$%" and text.startswith("{", at + 1):
            parts.append(character * 2)
        elif character.isprintable():
            parts.append(character)
        else:
            code = ord(character)
            parts.append(f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}")
    return "".join(parts)


def _laid_out(raw: str) -> str:
    """The text with lines indented by the brackets open before them, equals signs of neighbours aligned."""
    lines: list[str] = []
    opened: list[int] = []
    aligned: list[tuple[int, str, str]] = []
    for line in raw.split("\n"):
        change = _bracket_change(line)
        if change < 0:
            _close(opened, -change)
        indent = "  " * len(opened)
        name, equals, rest = _split(line)
        if equals and change == 0:
            aligned.append((len(lines), indent + name, rest))
        else:
            _align(lines, aligned)
        lines.append(indent + line if line else "")
        if change > 0:
            opened.append(change)
    _align(lines, aligned)
    return "\n".join(lines)


def _split(line: str) -> tuple[str, str, str]:
    """The name before the equals sign of an attribute, that sign, and what follows."""
    quoted = re.match(r'"(?:[^"\\]|\\.)*"(?= = )', line)
    if quoted:
        return quoted[0], "=", line[quoted.end() + 3 :]
    name, equals, rest = line.partition(" = ")
    return (name, equals, rest) if equals and is_identifier(name) else ("", "", line)


def _align(lines: list[str], aligned: list[tuple[int, str, str]]) -> None:
    width = max((grapheme_count(name) for _, name, _ in aligned), default=0)
    for at, name, rest in aligned:
        lines[at] = f"{name}{' ' * (width - grapheme_count(name))} = {rest}"
    aligned.clear()


def _bracket_change(line: str) -> int:
    """How many more brackets a line opens than it closes."""
    found = [token[0] for token in _BRACKETS.finditer(line)]
    return sum(1 for token in found if token in "[{") - sum(1 for token in found if token in "]}")


def _close(opened: list[int], count: int) -> None:
    """Close brackets: a level of indentation ends when all that one line opened are closed."""
    while count and opened:
        closing = min(count, opened[-1])
        opened[-1] -= closing
        count -= closing
        if not opened[-1]:
            opened.pop()
