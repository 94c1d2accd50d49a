"""Canonical JSON: one text for each value, so that a digest of it can be recomputed anywhere (docs/fingerprint.md)."""

from __future__ import annotations

import hashlib
import hmac
import json
from decimal import Decimal
from json.encoder import encode_basestring
from typing import Any

PREFIX = "sha256:"
HASHED = "hmac-sha256"
"""The member of what stands for a secret."""

_WIDE = 400
"""Numbers with exponents beyond this are written with an exponent."""

_encode = json.JSONEncoder(
    ensure_ascii=False, separators=(",", ":"), sort_keys=True, allow_nan=False, check_circular=False
).encode


def canonical(value: Any) -> str:
    """The canonical text of a JSON value: dicts with string keys, lists, tuples, strings, bools, None, `int`s
    and `Decimal`s.

    Keys are in the order of their code points, there is no white space, and a number has no superfluous digit.
    Raises `TypeError` for anything else.

    >>> canonical({"b": [1, Decimal("2.50")], "a": None})
    '{"a":null,"b":[1,2.5]}'
    """
    try:
        return _encode(value)
    except (TypeError, ValueError):
        return _text(value)


def digest(value: Any) -> str:
    """`sha256:` and the SHA-256 of a value's canonical text."""
    return digest_text(canonical(value))


def digest_text(text: str) -> str:
    """`sha256:` and the SHA-256 of a text in UTF-8."""
    return PREFIX + hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def digest_bytes(data: bytes) -> str:
    """`sha256:` and the SHA-256 of bytes."""
    return PREFIX + hashlib.sha256(data).hexdigest()


def keyed(key: bytes, value: Any) -> dict[str, str]:
    """What stands for a secret: `{"hmac-sha256": ...}` of its canonical text under `key`."""
    text = canonical(value).encode("utf-8", "surrogatepass")
    return {HASHED: hmac.new(key, text, hashlib.sha256).hexdigest()}


def number_text(number: int | Decimal) -> str:
    """A number in plain notation without superfluous zeros; far beyond what people write, with an exponent."""
    sign, digits, exponent = Decimal(number).as_tuple()
    if not isinstance(exponent, int):
        raise TypeError(f"{number} has no JSON form")
    text = "".join(map(str, digits)).lstrip("0")
    stripped = text.rstrip("0")
    exponent += len(text) - len(stripped)
    if not stripped:
        return "0"
    if abs(exponent) > _WIDE:
        plain = f"{stripped}e{exponent}"
    elif exponent >= 0:
        plain = stripped + "0" * exponent
    else:
        padded = stripped.rjust(1 - exponent, "0")
        plain = f"{padded[:exponent]}.{padded[exponent:]}"
    return ("-" if sign else "") + plain


def _text(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int | Decimal):
        return number_text(value)
    if isinstance(value, dict):
        return (
            "{" + ",".join(f"{encode_basestring(name)}:{_text(value[name])}" for name in sorted(value)) + "}"
        )
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    raise TypeError(f"a value of type {type(value).__name__} has no JSON form")
