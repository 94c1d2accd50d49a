"""JSON text of plain objects in which numbers may be 512-bit floats, written exactly.

Characters with a meaning in HTML and JavaScript are escaped, as stock Terraform writes them.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Any

_string = json.encoder.encode_basestring
_ESCAPED = re.compile("[<>&\u2028\u2029]")
"""They stand in strings alone, so that a finished text can be escaped at once."""


def dumps(value: Any, indent: int | None = None) -> str:
    """JSON, compact or indented. Takes dict, list, tuple, str, int, bool, None and numbers of the language."""
    separators = (",", ":") if indent is None else None
    try:
        text = json.dumps(value, separators=separators, indent=indent, ensure_ascii=False)
    except TypeError:
        parts: list[str] = []
        _write(value, parts, indent, 0)
        text = "".join(parts)
    return _ESCAPED.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _write(value: Any, parts: list[str], indent: int | None, depth: int) -> None:
    if isinstance(value, dict | list | tuple) and value:
        opening, closing = ("{", "}") if isinstance(value, dict) else ("[", "]")
        line = "" if indent is None else "\n" + " " * (indent * (depth + 1))
        parts.append(opening)
        pairs = value.items() if isinstance(value, dict) else ((None, inner) for inner in value)
        for number, (key, inner) in enumerate(pairs):
            parts.append(("," if number else "") + line)
            if key is not None:
                parts.append(_string(key) + (":" if indent is None else ": "))
            _write(inner, parts, indent, depth + 1)
        parts.append(("" if indent is None else "\n" + " " * (indent * depth)) + closing)
    elif value is None or isinstance(value, dict | list | tuple | str | bool | int | float):
        parts.append(json.dumps(value, ensure_ascii=False))
    elif isinstance(value, Decimal):
        parts.append(format(value, "f"))
    else:
        from twinfra.values.numbers import format_number

        parts.append(format_number(value))
