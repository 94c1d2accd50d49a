"""Functions on sets, and the product of sets or lists."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import product
from math import prod

from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.sequences import elements
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import mark, unmark
from twinfra.values.sets import identity_text, make_set
from twinfra.values.types import DYNAMIC, ListType, SetType, TupleType, Type, describe
from twinfra.values.unify import common_element, unify
from twinfra.values.unknowns import contains_unknown, refine
from twinfra.values.value import EMPTY_MARKS, List, Set, Unknown, Value

_ANY_SET = SetType(DYNAMIC)
_MOST_TUPLES = 10_000_000


def _common_type(arguments: Sequence[Value]) -> Type:
    """The type of a set that has room for the elements of all the sets."""
    kinds: list[Type] = []
    for one in arguments:
        kind = type_of(one)
        if type(one) is Set and not one and kind == _ANY_SET:
            continue
        if kind == DYNAMIC:
            return _ANY_SET
        assert isinstance(kind, SetType)
        kinds.append(kind.element)
    if not kinds:
        return _ANY_SET
    found = common_element(kinds)
    if found is None:
        if any(map(contains_unknown, arguments)) and unify(kinds) is not None:
            return _ANY_SET
        raise FunctionError("the elements of the sets must be of types that go together")
    return SetType(found)


def _combined(
    sets: Sequence[Value], combine: Callable[[list[dict[str | None, Value]]], list[Value]]
) -> Value:
    """A set made from the sets, each of them given as its elements by identity."""
    kind = _common_type(sets)
    assert isinstance(kind, SetType)
    if any(map(contains_unknown, sets)):
        return Unknown(kind)
    converted = [convert(one, kind) for one in sets]
    found = combine([{identity_text(item): item for item in one} for one in converted])
    return make_set(found, kind.element)


_FIRST = parameter("first_set", _ANY_SET, "a set")
_OTHERS = parameter("other_sets", _ANY_SET, "more sets")


@function(
    "setunion",
    "The set of the elements that any of the sets has.",
    parameter("first_set", _ANY_SET, "a set"),
    variadic=parameter("other_sets", _ANY_SET, "more sets"),
    returns=_common_type,
)
def setunion(*sets: Value) -> Value:
    """Elements are converted to one type that fits all."""
    kind = _common_type(sets)
    assert isinstance(kind, SetType)
    converted = [convert(one, kind) for one in sets]
    if any(type(one) is Unknown for one in converted):
        return Unknown(kind)
    return make_set([item for one in converted for item in elements(one)], kind.element)


@function(
    "setintersection",
    "The set of the elements that all of the sets have.",
    _FIRST,
    variadic=_OTHERS,
    returns=_common_type,
)
def setintersection(*sets: Value) -> Value:
    """Elements are converted to one type that fits all."""
    return _combined(
        sets,
        lambda found: [item for key, item in found[0].items() if all(key in other for other in found[1:])],
    )


@function(
    "setsubtract",
    "The set of the elements that one set has and another has not.",
    parameter("a", _ANY_SET, "the set to take elements from"),
    parameter("b", _ANY_SET, "the set of what to leave out"),
    returns=_common_type,
)
def setsubtract(first: Value, second: Value) -> Value:
    """Elements are converted to one type that fits both."""
    return _combined(
        (first, second), lambda found: [item for key, item in found[0].items() if key not in found[1]]
    )


def _product_type(arguments: Sequence[Value]) -> Type:
    if len(arguments) < 2:
        raise FunctionError("at least two sets or lists are required")
    parts: list[Type] = []
    ordered = True
    for at, one in enumerate(arguments):
        kind = type_of(one)
        if isinstance(kind, SetType):
            ordered = False
            parts.append(kind.element)
        elif isinstance(kind, ListType):
            parts.append(kind.element)
        elif isinstance(kind, TupleType):
            found = common_element(kind.elements) if kind.elements else DYNAMIC
            if found is None:
                raise FunctionError('"sets": all elements of a tuple must be of one type', at)
            parts.append(found)
        else:
            raise FunctionError(f'"sets": a set or list is needed, not a {describe(kind)}', at)
    made = TupleType(tuple(parts))
    return ListType(made) if ordered else SetType(made)


def _has_open_length(value: Value) -> bool:
    """Whether it is not known how many elements there are: unknown ones of a set may equal others."""
    return type(value) is Unknown or (type(value) is Set and len(value) > 1 and contains_unknown(value))


@function(
    "setproduct",
    "All combinations of one element from each of the sets or lists, as tuples.",
    variadic=parameter(
        "sets", DYNAMIC, "sets, or lists to keep the order of", allow_unknown=True, allow_marked=True
    ),
    returns=_product_type,
)
def setproduct(*sets: Value) -> Value:
    """A list when all arguments are lists or tuples, else a set."""
    marks = EMPTY_MARKS
    bare: list[Value] = []
    for one in sets:
        value, found = unmark(one)
        marks |= found
        bare.append(value)
    if any(type(one) is Unknown and one.type == DYNAMIC for one in bare):
        return mark(Unknown(DYNAMIC), marks)
    kind = _product_type(bare)
    assert isinstance(kind, ListType | SetType)
    tuple_type = kind.element
    assert isinstance(tuple_type, TupleType)
    if any(map(_has_open_length, bare)):
        return mark(refine(Unknown(kind), not_null=True), marks)
    if prod(map(len, bare)) > _MOST_TUPLES:
        raise FunctionError(f"there would be more than {_MOST_TUPLES} combinations")
    columns = []
    for at, (one, wanted) in enumerate(zip(bare, tuple_type.elements, strict=True)):
        try:
            columns.append([convert(item, wanted) for item in elements(one)])
        except ConversionError as failed:
            raise FunctionError(f'"sets": {failed.reason}', at) from None
    made = product(*columns)
    return mark(List(made, tuple_type) if isinstance(kind, ListType) else make_set(made, tuple_type), marks)
