"""`condition ? a : b` once the values are there: the type of both, and what an unknown condition leaves."""

from __future__ import annotations

from twinfra.values.convert import convert, type_of
from twinfra.values.marks import unmark
from twinfra.values.numbers import Number
from twinfra.values.types import (
    DYNAMIC,
    NUMBER,
    ObjectType,
    TupleType,
    Type,
    describe,
    element_type,
    is_collection,
)
from twinfra.values.unify import unify
from twinfra.values.unknowns import definitely_not_null, refine
from twinfra.values.value import Unknown, Value, is_null, null_of


class BranchError(Exception):
    """The two values of a conditional have no type in common."""

    summary = "Unlike values in a conditional"

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail


def unify_branches(then: Value, otherwise: Value) -> Type:
    """The type of a conditional with these two values. Raises `BranchError`.

    A null of no type takes the type of the other value; with a value whose type is not known, neither is
    converted.
    """
    if then is None:
        return _type(otherwise)
    if otherwise is None:
        return _type(then)
    first, second = _type(then), _type(otherwise)
    if first == second:
        return first
    if first == DYNAMIC or second == DYNAMIC:
        return DYNAMIC
    found = unify((first, second))
    if found is None:
        raise BranchError(f"Both values of a conditional must be of one type: {_difference(first, second)}.")
    return found


def _type(value: Value) -> Type:
    found: Type = type_of(unmark(value)[0])
    return found


def chosen(value: Value, other: Value, type: Type) -> Value:
    """The value that was chosen, converted to the type of the conditional. Raises `ConversionError`."""
    if value is None:
        return null_of(type)
    if other is None or type == DYNAMIC:
        return value
    return convert(value, type)


def when_unknown(type: Type, then: Value, otherwise: Value) -> Value:
    """What is known of a conditional of this type before its condition is; the values have no marks."""
    if is_null(then) and is_null(otherwise):
        return null_of(type)
    unknown = Unknown(type)
    not_null = definitely_not_null(then) and definitely_not_null(otherwise)
    first, second = type_of(then), type_of(otherwise)
    if first == second == NUMBER:
        return refine(
            unknown,
            not_null=not_null,
            lower=_outer(_bound(then, "lower"), _bound(otherwise, "lower"), -1),
            upper=_outer(_bound(then, "upper"), _bound(otherwise, "upper"), 1),
        )
    if first == second and is_collection(first):
        (low, high), (other_low, other_high) = _lengths(then), _lengths(otherwise)
        longest = None if high is None or other_high is None else max(high, other_high)
        return refine(unknown, not_null=not_null, min_length=min(low, other_low), max_length=longest)
    return refine(unknown, not_null=not_null)


_Bound = tuple[Number, bool] | None


def _bound(value: Value, side: str) -> _Bound:
    """The lower or upper bound of a number: of a known one itself."""
    if isinstance(value, Unknown):
        return getattr(value.refinement, side) if value.refinement is not None else None
    return None if is_null(value) else (value, True)


def _outer(first: _Bound, second: _Bound, direction: int) -> _Bound:
    """The bound that lets both through."""
    if first is None or second is None:
        return None
    if first[0] == second[0]:
        return first[0], first[1] or second[1]
    return first if (first[0] > second[0]) == (direction > 0) else second


def _lengths(value: Value) -> tuple[int, int | None]:
    if isinstance(value, Unknown):
        known = value.refinement
        return (known.min_length, known.max_length) if known is not None else (0, None)
    return (0, None) if is_null(value) else (len(value), len(value))


def _difference(first: Type, second: Type) -> str:
    """In what two types that have nothing in common differ, as far down as it can be told."""
    if isinstance(first, ObjectType) and isinstance(second, ObjectType):
        sides = (("first", first, second), ("second", second, first))
        for which, one, other in sides:
            missing = sorted(one.attributes.keys() - other.attributes.keys())
            if missing:
                return f"the {which} has an attribute {missing[0]} that the other lacks"
        for name, kind in sorted(first.attributes.items()):
            if kind != second.attributes[name]:
                return f"in attribute {name}, {_difference(kind, second.attributes[name])}"
    if isinstance(first, TupleType) and isinstance(second, TupleType):
        if len(first.elements) != len(second.elements):
            return f"the first has {len(first.elements)} elements and the second {len(second.elements)}"
        for at, inner in enumerate(zip(first.elements, second.elements, strict=True)):
            if inner[0] != inner[1]:
                return f"in element {at}, {_difference(*inner)}"
    if is_collection(first) and first.__class__ is second.__class__:
        return f"of their elements, {_difference(element_type(first), element_type(second))}"
    return f"the first is {describe(first)} and the second {describe(second)}"
