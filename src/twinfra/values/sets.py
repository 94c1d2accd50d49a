"""Sets: their elements without duplicates, in the one order in which the language shows them.

Strings are in order of their code points, numbers ascend, false stands before true; other elements follow the
order of a text made from them, as in stock Terraform. Unknown elements come after known ones, a null last.
"""

from __future__ import annotations

from collections.abc import Iterable

from twinfra.values import numbers
from twinfra.values.marks import mark, unmark_deep
from twinfra.values.types import BOOL, NUMBER, STRING, Type
from twinfra.values.value import List, Map, Null, Set, Unknown, Value, stored_element

_EXACT_BELOW = 10**10
_SORTABLE = (STRING, BOOL, NUMBER)


def make_set(items: Iterable[Value], element: Type) -> Value:
    """The `Set` of the items, which are of type `element` already.

    Marks of items, at any depth, move to the result: then it is a `Marked` set.
    """
    plain: list[Value] = []
    marks: set[str] = set()
    for item in items:
        bare, found = unmark_deep(item)
        marks |= found
        plain.append(stored_element(bare))
    return mark(Set(_ordered(plain, element), element), frozenset(marks))


def _ordered(items: list[Value], element: Type) -> list[Value]:
    if len(items) < 2:
        return items
    known: list[Value] = []
    unknown: list[Value] = []
    null = False
    for item in items:
        if item is None:
            null = True
        elif type(item) is Unknown:
            unknown.append(item)
        else:
            known.append(item)
    known = sorted(set(known)) if element in _SORTABLE else _ordered_by_text(known)
    return known + unknown + ([None] if null else [])


def _ordered_by_text(items: list[Value]) -> list[Value]:
    unique: dict[str, Value] = {}
    doubtful: list[Value] = []
    for item in items:
        text = identity_text(item)
        if text is None:
            doubtful.append(item)
        else:
            unique.setdefault(text, item)
    # Sorting is stable, so that elements which share a short text keep the order they came in.
    return sorted([*unique.values(), *doubtful], key=order_text)


def identity_text(value: Value) -> str | None:
    """A text that is the same for equal values of one type and for no others; None where unknowns are inside."""
    parts: list[str] = []
    return "".join(parts) if _write(value, parts, exact=True) else None


def order_text(value: Value) -> bytes:
    """The text by which sets sort elements that are neither strings, numbers nor bools."""
    parts: list[str] = []
    _write(value, parts, exact=False)
    return "".join(parts).encode("utf-8", "surrogatepass")


def _write(value: Value, parts: list[str], exact: bool) -> bool:
    """Append the text of a value; whether it is wholly known."""
    kind = type(value)
    if kind is str:
        parts.append(quoted(value))
    elif kind is bool:
        parts.append("T" if value else "F")
    elif kind is int:
        parts.append(str(value) if exact or -_EXACT_BELOW < value < _EXACT_BELOW else _ten_digits(value))
    elif value is None or kind is Null:
        parts.append("~")
    elif kind is Unknown:
        parts.append("?")
        return False
    elif kind is dict:
        return _write_all("<", (value[name] for name in sorted(value)), ">", parts, exact)
    elif kind is tuple:
        return _write_all("<", value, ">", parts, exact)
    elif kind is List or kind is Set:
        return _write_all("[", value, "]", parts, exact)
    elif kind is Map:
        known = True
        parts.append("{")
        for key in sorted(value):
            parts += (quoted(key), ":")
            known = _write(value[key], parts, exact) and known
            parts.append(";")
        parts.append("}")
        return known
    elif exact:
        parts.append(numbers.format_number(value) if value else "0")
    else:
        parts.append(_ten_digits(value))
    return True


def _write_all(opening: str, items: Iterable[Value], closing: str, parts: list[str], exact: bool) -> bool:
    known = True
    parts.append(opening)
    for item in items:
        known = _write(item, parts, exact) and known
        parts.append(";")
    parts.append(closing)
    return known


def _ten_digits(number: numbers.Number) -> str:
    """A number in at most ten significant digits, with an exponent where that is shorter (Go's `%.10g`)."""
    if not number or not numbers.is_finite(number):
        return numbers.format_number(number)
    from decimal import ROUND_HALF_EVEN, Context, Decimal

    rounded = Context(prec=10, rounding=ROUND_HALF_EVEN, Emax=10**9, Emin=-(10**9)).create_decimal(
        Decimal(numbers.format_number(number))
    )
    sign, digits, power = rounded.as_tuple()
    text = "".join(map(str, digits)).rstrip("0")
    assert isinstance(power, int)
    exponent = power + len(digits) - 1
    prefix = "-" if sign else ""
    if exponent < -4 or exponent >= 10:
        fraction = f".{text[1:]}" if len(text) > 1 else ""
        return f"{prefix}{text[0]}{fraction}e{'-' if exponent < 0 else '+'}{abs(exponent):02d}"
    if exponent < 0:
        return f"{prefix}0.{'0' * (-exponent - 1)}{text}"
    whole = text[: exponent + 1].ljust(exponent + 1, "0")
    return f"{prefix}{whole}.{text[exponent + 1 :]}" if len(text) > exponent + 1 else prefix + whole


_ESCAPES = {
    "\a": "\\a",
    "\b": "\\b",
    "\f": "\\f",
    "\n": "\\n",
    "\r": "\\r",
    "\t": "\\t",
    "\v": "\\v",
    "\\": "\\\\",
    '"': '\\"',
}


def quoted(text: str) -> str:
    """A string in double quotes, with what does not print escaped (Go's `%q`)."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return f'"{text}"'
    return (
        '"'
        + "".join(char if char.isprintable() and char not in '"\\' else _escape(char) for char in text)
        + '"'
    )


def _escape(char: str) -> str:
    known = _ESCAPES.get(char)
    if known is not None:
        return known
    code = ord(char)
    if code < 0x80:
        return f"\\x{code:02x}"
    return f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
