"""Values as text in the notation of the language, for plans, outputs and diagnostics; secrets are never shown."""

from __future__ import annotations

import re
from collections.abc import Iterable

from twinfra.values.sets import quoted as in_quotes
from twinfra.values.types import MapType
from twinfra.values.value import SENSITIVE, Map, Marked, Null, Set, Unknown, Value

IDENTIFIER = re.compile(r"[^\W\d][\w-]*\Z")
SENSITIVE_TEXT = "(sensitive value)"
UNKNOWN_TEXT = "(known after apply)"


def number_text(value: Value) -> str:
    """A number in decimal notation."""
    if type(value) is int:
        return str(value)
    from twinfra.values.numbers import format_number

    return format_number(value)


def scalar_text(value: Value) -> str | None:
    """The text of a null, unknown, sensitive or primitive value; None for collections."""
    if value is None:
        return "null"
    kind = type(value)
    if kind is str:
        return in_quotes(value)
    if kind is bool:
        return "true" if value else "false"
    if kind is Marked:
        return SENSITIVE_TEXT if SENSITIVE in value.marks else scalar_text(value.value)
    if kind is Unknown:
        return UNKNOWN_TEXT
    if kind is Null:
        return "null"
    if isinstance(value, tuple | dict):
        return None
    return number_text(value)


def key_names(keys: Iterable[str], quoted: bool) -> dict[str, str]:
    """How each key is written: quoted in maps, bare in objects where it is an identifier."""
    return {key: in_quotes(key) if quoted or not IDENTIFIER.match(key) else key for key in keys}


def is_map(value: Value) -> bool:
    """Whether its keys are data rather than attribute names."""
    return type(value) is Map or (type(value) in (Null, Unknown) and isinstance(value.type, MapType))


def value_lines(value: Value, indent: int, step: int = 2) -> list[str]:
    """A value as lines of text: the first stands where the caller is, the last is indented by `indent`, and what is
    inside by `step` more.
    """
    if type(value) is Marked and SENSITIVE not in value.marks:
        value = value.value
    text = scalar_text(value)
    if text is not None:
        if type(value) is str and "\n" in value:
            return _heredoc(value, indent, step)
        return [text]
    pad = " " * (indent + step)
    if isinstance(value, dict):
        if not value:
            return ["{}"]
        names = key_names(sorted(value), is_map(value))
        width = max(map(len, names.values()))
        lines = ["{"]
        for key, name in names.items():
            inner = value_lines(value[key], indent + step, step)
            lines.append(f"{pad}{name.ljust(width)} = {inner[0]}")
            lines.extend(inner[1:])
        lines.append(" " * indent + "}")
        return lines
    if not value:
        return ["[]"]
    lines = ["["]
    for element in value:
        inner = value_lines(element, indent + step, step)
        lines.append(pad + inner[0])
        lines.extend(inner[1:])
        lines[-1] += ","
    lines.append(" " * indent + "]")
    return lines


def _heredoc(text: str, indent: int, step: int) -> list[str]:
    marker = "EOT"
    while any(line.strip() == marker for line in text.split("\n")):
        marker += "_"
    pad = " " * (indent + step)
    body = text[:-1] if text.endswith("\n") else text
    return [f"<<-{marker}", *(pad + line for line in body.split("\n")), " " * indent + marker]


def output_text(value: Value) -> str:
    """A root output as `output` and `apply` print it."""
    if type(value) is Set:
        return "toset(" + "\n".join(value_lines(value, 0)) + ")"
    return "\n".join(value_lines(value, 0))
