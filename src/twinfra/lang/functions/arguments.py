"""What implementations need to read their arguments and shape their results: whole numbers, normal text."""

from __future__ import annotations

from unicodedata import normalize

from twinfra.lang.functions.declaration import FunctionError
from twinfra.values.numbers import Number, format_number, to_index

_LONGEST = 2**63


def whole_number(number: Number, name: str, argument: int | None = None) -> int:
    """The number as an `int`. Raises `FunctionError` when it has a fraction or does not fit 64 bits.

    `name` is the parameter's; `argument` is the index to blame, where the place of the error is the argument.
    """
    whole = to_index(number)
    if whole is None or not -_LONGEST <= whole < _LONGEST:
        why = "is too great" if whole is not None else f"must be a whole number, not {format_number(number)}"
        raise FunctionError(f'"{name}" {why}', argument)
    return whole


def normal_text(text: str) -> str:
    """The text as a string of the language is: in Unicode's composed normal form (NFC)."""
    return text if text.isascii() else normalize("NFC", text)
