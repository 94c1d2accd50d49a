"""Unknown values: finding them, saying more about them, and turning them into nulls."""

from __future__ import annotations

from dataclasses import replace

from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, ListType, MapType, SetType, Type
from twinfra.values.value import List, Map, Marked, Null, Refinement, Set, Unknown, Value, null_of

NOT_NULL = Refinement(not_null=True)
UNKNOWN_STRING = Unknown(STRING, NOT_NULL)
UNKNOWN_NUMBER = Unknown(NUMBER, NOT_NULL)
UNKNOWN_BOOL = Unknown(BOOL, NOT_NULL)

PREFIX_LIMIT = 128


def contains_unknown(value: Value) -> bool:
    """Whether it is unknown or anything inside is."""
    kind = type(value)
    if kind is Unknown:
        return True
    if kind is dict or kind is Map:
        return any(contains_unknown(inner) for inner in value.values())
    if kind is tuple or kind is List or kind is Set:
        return any(contains_unknown(inner) for inner in value)
    return kind is Marked and contains_unknown(value.value)


def definitely_not_null(value: Value) -> bool:
    """Whether it is not null and will not be: known and not null, or unknown and refined so. Unmark first."""
    kind = type(value)
    if kind is Unknown:
        return value.refinement is not None and value.refinement.not_null
    return value is not None and kind is not Null


def not_null(value: Value) -> Value:
    """An unknown value (marked or not) refined to be not null; any other value as it is.

    An unknown whose type is not known either stays as it is.
    """
    if type(value) is Marked:
        return Marked(not_null(value.value), value.marks)
    return refine(value, not_null=True) if type(value) is Unknown else value


def refine(
    value: Unknown,
    *,
    not_null: bool = False,
    prefix: str = "",
    lower: tuple[Value, bool] | None = None,
    upper: tuple[Value, bool] | None = None,
    min_length: int = 0,
    max_length: int | None = None,
) -> Value:
    """The unknown value with more known about it, on top of what was; the narrower bounds hold.

    An unknown of unknown type carries no refinements. Bounds of a number are (value, inclusive). Where only one
    number is left, or a list of one length, that is the result.
    """
    if value.type == DYNAMIC:
        return value
    known = value.refinement or Refinement()
    if known.lower is not None and (lower is None or _tighter(known.lower, lower, below=True)):
        lower = known.lower
    if known.upper is not None and (upper is None or _tighter(known.upper, upper, below=False)):
        upper = known.upper
    if known.max_length is not None and (max_length is None or known.max_length < max_length):
        max_length = known.max_length
    refined = Refinement(
        not_null=known.not_null or not_null,
        prefix=known.prefix if len(known.prefix) >= len(prefix) else prefix,
        lower=lower,
        upper=upper,
        min_length=max(known.min_length, min_length),
        max_length=max_length,
    )
    if refined.not_null:
        known_value = _determined(value.type, refined)
        if known_value is not None:
            return known_value
    return replace(value, refinement=refined if refined != Refinement() else None)


def _determined(type: Type, known: Refinement) -> Value:
    """The only value that is left, with unknown elements; None where there are several."""
    if isinstance(type, ListType | SetType | MapType):
        length = known.min_length
        if known.max_length != length:
            return None
        if isinstance(type, ListType):
            return List([Unknown(type.element)] * length, type.element)
        if not length:
            return Set((), type.element) if isinstance(type, SetType) else Map({}, type.element)
        return (
            Set((Unknown(type.element),), type.element) if isinstance(type, SetType) and length == 1 else None
        )
    if known.lower is not None and known.upper is not None and known.lower == known.upper and known.lower[1]:
        return known.lower[0]
    return None


def _tighter(one: tuple[Value, bool], other: tuple[Value, bool], below: bool) -> bool:
    """Whether the bound `one` leaves less room than `other`."""
    if one[0] == other[0]:
        return not one[1]
    return bool(one[0] > other[0]) == below


def unknown_text(prefix: str = "") -> Unknown:
    """An unknown string, never null, of which the start may be known already.

    The last character of the start is dropped, since what follows may combine with it, and so is all beyond
    128 bytes.
    """
    start = prefix.encode()[:PREFIX_LIMIT].decode(errors="ignore")[:-1]
    return Unknown(STRING, Refinement(not_null=True, prefix=start)) if start else UNKNOWN_STRING


def unknown_as_null(value: Value) -> Value:
    """The value with each unknown, at any depth, replaced by a null of its type; marks stay."""
    kind = type(value)
    if kind is Unknown:
        return null_of(value.type)
    if kind is Marked:
        return Marked(unknown_as_null(value.value), value.marks)
    if not contains_unknown(value):
        return value
    if kind is dict:
        return {name: unknown_as_null(inner) for name, inner in value.items()}
    if kind is tuple:
        return tuple(map(unknown_as_null, value))
    return _collection_as_null(value)


def _collection_as_null(value: Value) -> Value:
    from twinfra.values.sets import make_set
    from twinfra.values.value import stored_element

    if type(value) is Map:
        return Map(
            {key: stored_element(unknown_as_null(inner)) for key, inner in value.items()}, value.element
        )
    items = [stored_element(unknown_as_null(inner)) for inner in value]
    return List(items, value.element) if type(value) is List else make_set(items, value.element)
