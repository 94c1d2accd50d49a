"""Values of the language as JSON and back, exactly: unknowns, marks, typed nulls, sets and 512-bit numbers
too.

Only saved plans use this form. Strings, bools, null and `int` are themselves, an object is a JSON object, and
everything else a list that begins with a letter. Types are written once, in a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
)
from twinfra.values.value import (
    GetAttr,
    Index,
    List,
    Map,
    Marked,
    Null,
    Refinement,
    Set,
    Unknown,
    Value,
)

_SIMPLE: dict[str, Type] = {"s": STRING, "n": NUMBER, "b": BOOL, "d": DYNAMIC}
_SIMPLE_NAMES = {type: name for name, type in _SIMPLE.items()}
_COLLECTIONS: dict[str, Callable[[Type], Type]] = {"l": ListType, "e": SetType, "m": MapType}
_PLAIN = frozenset((str, bool, int, type(None)))


class ValueWriter:
    """Turns values into JSON; `types` is the table that a `ValueReader` of the result needs."""

    def __init__(self) -> None:
        self.types: list[Any] = []
        self._places: dict[Type, int] = {}

    def value(self, value: Value) -> Any:
        """The JSON form of a value. Raises `TypeError` for what is no value of the language."""
        kind = type(value)
        if kind in _PLAIN:
            return value
        if kind is dict:
            return {name: one if type(one) in _PLAIN else self.value(one) for name, one in value.items()}
        if kind is tuple:
            return ["t", *map(self.value, value)]
        if kind is List:
            return ["l", self.type(value.element), *map(self.value, value)]
        if kind is Set:
            return ["e", self.type(value.element), *map(self.value, value)]
        if kind is Map:
            inner = {name: self.value(one) for name, one in value.items()}
            return ["m", self.type(value.element), inner]
        if kind is Marked:
            return ["k", sorted(value.marks), self.value(value.value)]
        if kind is Unknown:
            return ["u", self.type(value.type), self._refinement(value.refinement)]
        if kind is Null:
            return ["n", self.type(value.type)]
        if kind.__name__ == "mpfr":
            return ["f", *_number(value)]
        raise TypeError(f"a {kind.__name__} is no value of the language")

    def type(self, type: Type) -> int:
        """The place of a type in the table."""
        place = self._places.get(type)
        if place is None:
            form = self._type(type)
            self.types.append(form)
            place = self._places[type] = len(self.types) - 1
        return place

    def path(self, path: Iterable[Any]) -> list[Any]:
        """The JSON form of a path; steps may also be plain names and positions."""
        return [self._step(step) for step in path]

    def _step(self, step: Any) -> Any:
        if type(step) is GetAttr:
            return ["a", step.name]
        return ["i", self.value(step.key)] if type(step) is Index else self.value(step)

    def _type(self, type: Type) -> Any:
        simple = _SIMPLE_NAMES.get(type)
        if simple is not None:
            return simple
        if isinstance(type, ListType):
            return ["l", self.type(type.element)]
        if isinstance(type, SetType):
            return ["e", self.type(type.element)]
        if isinstance(type, MapType):
            return ["m", self.type(type.element)]
        if isinstance(type, TupleType):
            return ["t", *map(self.type, type.elements)]
        if isinstance(type, ObjectType):
            attributes = {name: self.type(one) for name, one in type.attributes.items()}
            return ["o", attributes, sorted(type.optional)]
        raise TypeError(f"{type} has no form in a saved plan")

    def _refinement(self, known: Refinement | None) -> Any:
        if known is None:
            return None
        bounds = [
            None if bound is None else [self.value(bound[0]), bound[1]]
            for bound in (known.lower, known.upper)
        ]
        return [known.not_null, known.prefix, *bounds, known.min_length, known.max_length]


class ValueReader:
    """Turns JSON back into values. Raises `ValueError`, `TypeError` or `LookupError` for other JSON."""

    def __init__(self, types: list[Any]) -> None:
        self._types: list[Type] = []
        for form in types:
            self._types.append(self._type(form))

    def value(self, form: Any) -> Value:
        """The value of a JSON form."""
        kind = type(form)
        if kind in _PLAIN:
            return form
        if kind is dict:
            return {name: one if type(one) in _PLAIN else self.value(one) for name, one in form.items()}
        tag = form[0]
        if tag == "t":
            return tuple(map(self.value, form[1:]))
        if tag == "l":
            return List(map(self.value, form[2:]), self.type(form[1]))
        if tag == "e":
            return Set(map(self.value, form[2:]), self.type(form[1]))
        if tag == "m":
            return Map({name: self.value(one) for name, one in form[2].items()}, self.type(form[1]))
        if tag == "k":
            return Marked(self.value(form[2]), frozenset(form[1]))
        if tag == "u":
            return Unknown(self.type(form[1]), self._refinement(form[2]))
        if tag == "n":
            return Null(self.type(form[1]))
        if tag == "f":
            return _read_number(*form[1:])
        raise ValueError(f"{tag!r} begins no value")

    def type(self, place: int) -> Type:
        """The type at a place of the table."""
        return self._types[place]

    def path(self, form: Iterable[Any]) -> tuple[Any, ...]:
        """The path of a JSON form."""
        return tuple(self._step(step) for step in form)

    def _step(self, form: Any) -> Any:
        if type(form) is list and form[0] == "a":
            return GetAttr(form[1])
        return Index(self.value(form[1])) if type(form) is list and form[0] == "i" else self.value(form)

    def _type(self, form: Any) -> Type:
        if type(form) is str:
            return _SIMPLE[form]
        tag = form[0]
        if tag == "t":
            return TupleType(tuple(map(self.type, form[1:])))
        if tag == "o":
            attributes = {name: self.type(one) for name, one in form[1].items()}
            return ObjectType(attributes, frozenset(form[2]))
        return _COLLECTIONS[tag](self.type(form[1]))

    def _refinement(self, form: Any) -> Refinement | None:
        if form is None:
            return None
        not_null, prefix, lower, upper, least, most = form
        return Refinement(
            not_null,
            prefix,
            None if lower is None else (self.value(lower[0]), lower[1]),
            None if upper is None else (self.value(upper[0]), upper[1]),
            least,
            most,
        )


def _number(number: Any) -> list[Any]:
    """A `gmpy2.mpfr` as precision, mantissa in hex (or a word), and binary exponent."""
    import gmpy2

    if not gmpy2.is_finite(number):
        return [number.precision, "-inf" if number < 0 else "inf", 0]
    if not number:
        return [number.precision, "-0" if gmpy2.is_signed(number) else "0", 0]
    mantissa, exponent = number.as_mantissa_exp()
    return [number.precision, f"{int(mantissa):x}", int(exponent)]


def _read_number(precision: int, mantissa: str, exponent: int) -> Any:
    import gmpy2

    if mantissa in ("inf", "-inf", "0", "-0"):
        return gmpy2.mpfr(mantissa, precision)
    context = gmpy2.context(precision=precision)
    whole = gmpy2.mpfr(int(mantissa, 16), precision)
    return context.mul_2exp(whole, exponent) if exponent >= 0 else context.div_2exp(whole, -exponent)
