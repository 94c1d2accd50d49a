"""Functions that choose among their arguments, and `length`."""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.graphemes import grapheme_count
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import mark, unmark
from twinfra.values.types import (
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
    describe,
)
from twinfra.values.unify import unify
from twinfra.values.unknowns import UNKNOWN_NUMBER, contains_unknown, not_null, refine
from twinfra.values.value import Set, Unknown, Value, is_null


def _coalesce_type(arguments: Sequence[Value]) -> Type:
    found = unify([type_of(one) for one in arguments])
    if found is None:
        raise FunctionError("all arguments must be of types that go together")
    return found


@function(
    "coalesce",
    "The first argument that is neither null nor an empty string.",
    variadic=parameter("vals", DYNAMIC, "values of one type", allow_null=True, allow_unknown=True),
    returns=_coalesce_type,
)
def coalesce(*values: Value) -> Value:
    """All arguments are converted to one type that fits all; one whose elements cannot be is passed over."""
    kind = _coalesce_type(values)
    for value in values:
        if type(value) is Unknown:
            return not_null(Unknown(kind))
        if is_null(value):
            continue
        try:
            converted = convert(value, kind)
        except ConversionError:
            continue
        if kind == STRING and converted == "":
            continue
        return converted
    raise FunctionError("all arguments are null or empty strings: add a last one that is not")


def _coalescelist_type(arguments: Sequence[Value]) -> Type:
    if not arguments:
        raise FunctionError("at least one list is required")
    kinds: list[Type] = []
    for one in arguments:
        if type(one) is Unknown:
            return DYNAMIC
        kind = type_of(one)
        if not isinstance(kind, ListType | TupleType):
            raise FunctionError(f"lists and tuples are needed, not a {describe(kind)}")
        kinds.append(kind)
    return kinds[0] if all(kind == kinds[0] for kind in kinds) else DYNAMIC


@function(
    "coalescelist",
    "The first list that is not empty.",
    variadic=parameter("vals", DYNAMIC, "lists or tuples", allow_null=True, allow_unknown=True),
    returns=_coalescelist_type,
)
def coalescelist(*lists: Value) -> Value:
    """Nulls do not count."""
    kind = _coalescelist_type(lists)
    for one in lists:
        if type(one) is Unknown:
            return Unknown(kind)
        if not is_null(one) and one:
            return one
    raise FunctionError("all lists are null or empty: add a last one that is not")


def _length_type(arguments: Sequence[Value]) -> Type:
    kind = type_of(arguments[0])
    sized = (ListType, SetType, MapType, TupleType, ObjectType)
    if kind not in (DYNAMIC, STRING) and not isinstance(kind, sized):
        raise FunctionError(
            f"a {describe(kind)} has no length: only strings, collections, tuples and objects have"
        )
    return NUMBER


@function(
    "length",
    "The number of elements of a collection, tuple or object, or of characters of a string.",
    parameter(
        "value", DYNAMIC, "a collection, tuple, object or string", allow_unknown=True, allow_marked=True
    ),
    returns=_length_type,
)
def length(value: Value) -> Value:
    """A character is what people take for one, such as a letter with its accents."""
    value, marks = unmark(value)
    if type(value) is not Unknown and not isinstance(value, str | tuple | dict):
        _length_type((value,))
    return mark(_known_length(value), marks)


def _known_length(value: Value) -> Value:
    kind = type(value)
    if kind is str:
        return grapheme_count(value)
    if kind is Set and len(value) > 1 and contains_unknown(value):
        return refine(UNKNOWN_NUMBER, lower=(1, True), upper=(len(value), True))
    if kind is not Unknown:
        return len(value)
    _length_type((value,))
    if isinstance(value.type, TupleType):
        return len(value.type.elements)
    if isinstance(value.type, ObjectType):
        return len(value.type.attributes)
    known = value.refinement
    if value.type == STRING:
        least = grapheme_count(known.prefix) if known is not None else 0
        return refine(UNKNOWN_NUMBER, lower=(least, True))
    if value.type == DYNAMIC:
        return UNKNOWN_NUMBER
    if known is None:
        return refine(UNKNOWN_NUMBER, lower=(0, True))
    if known.min_length == known.max_length:
        return known.min_length
    most = None if known.max_length is None else (known.max_length, True)
    return refine(UNKNOWN_NUMBER, lower=(known.min_length, True), upper=most)
