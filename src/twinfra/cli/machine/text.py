"""JSON text of plain objects in which numbers may be 512-bit floats, written exactly."""

from __future__ import annotations

import json
from typing import Any

_string = json.encoder.encode_basestring_ascii


def dumps(value: Any) -> str:
    """Compact JSON. Takes dict, list, tuple, str, int, bool, None and numbers of the language."""
    try:
        return json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    except TypeError:
        parts: list[str] = []
        _write(value, parts)
        return "".join(parts)


def _write(value: Any, parts: list[str]) -> None:
    if isinstance(value, dict):
        parts.append("{")
        for number, (key, inner) in enumerate(value.items()):
            parts.append(("," if number else "") + _string(key) + ":")
            _write(inner, parts)
        parts.append("}")
    elif isinstance(value, list | tuple):
        parts.append("[")
        for number, inner in enumerate(value):
            if number:
                parts.append(",")
            _write(inner, parts)
        parts.append("]")
    elif value is None or isinstance(value, str | bool | int | float):
        parts.append(json.dumps(value, ensure_ascii=False))
    else:
        from twinfra.values.numbers import format_number

        parts.append(format_number(value))
