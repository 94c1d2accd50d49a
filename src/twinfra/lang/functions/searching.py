"""Functions that look at the elements of lists, sets and tuples, or look for one."""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.lang.functions.arguments import whole_number
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.sequences import elements
from twinfra.values.convert import convert, type_of
from twinfra.values.equality import equal
from twinfra.values.marks import mark, unmark
from twinfra.values.numbers import Number
from twinfra.values.sets import identity_text
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, ListType, SetType, TupleType, Type, describe
from twinfra.values.unify import unify
from twinfra.values.unknowns import UNKNOWN_BOOL, UNKNOWN_NUMBER, contains_unknown
from twinfra.values.value import List, Set, Unknown, Value, is_null, null_of

_SEQUENCE = parameter("list", DYNAMIC, "a list or tuple", allow_marked=True)


@function(
    "alltrue",
    "Whether all elements of a list are true; so is an empty list.",
    parameter("list", ListType(BOOL), "the list"),
    returns=BOOL,
)
def alltrue(items: List) -> Value:
    """A null is not true. The first element that is unknown or not true decides."""
    for item in items:
        if type(item) is Unknown:
            return UNKNOWN_BOOL
        if not item:
            return False
    return True


@function(
    "anytrue",
    "Whether any element of a list is true; in an empty list none is.",
    parameter("list", ListType(BOOL), "the list"),
    returns=BOOL,
)
def anytrue(items: List) -> Value:
    """A null is not true. An unknown element counts only where no other decides."""
    unknown = False
    for item in items:
        if type(item) is Unknown:
            unknown = True
        elif item:
            return True
    return UNKNOWN_BOOL if unknown else False


@function(
    "contains",
    "Whether a list, set or tuple has a given element.",
    parameter("list", DYNAMIC, "the list, set or tuple"),
    parameter("value", DYNAMIC, "the element to look for"),
    returns=BOOL,
)
def contains(items: Value, wanted: Value) -> Value:
    """Types must agree: `contains(["1"], 1)` is false."""
    if type(items) not in (tuple, List, Set):
        raise FunctionError(f'"list" must be a list, set or tuple, not a {describe(type_of(items))}')
    unknown = False
    for item in elements(items):
        found = equal(item, wanted)
        if found:
            return True
        unknown = unknown or found is None
    return UNKNOWN_BOOL if unknown else False


def _element_type(arguments: Sequence[Value]) -> Type:
    kind = type_of(arguments[0])
    if isinstance(kind, ListType):
        return kind.element
    if isinstance(kind, TupleType):
        if type(arguments[1]) is Unknown:
            return DYNAMIC
        return kind.elements[_position(arguments[1], len(kind.elements), counts_back=False)]
    if kind == DYNAMIC:
        return DYNAMIC
    raise FunctionError(f'"list" must be a list or tuple, not a {describe(kind)}')


def _position(index: Number, length: int, counts_back: bool) -> int:
    at = whole_number(index, "index")
    if not length:
        raise FunctionError("an empty list has no elements")
    if at < 0 and at % length and not counts_back:
        raise FunctionError('for a tuple "index" must not be negative: write tolist(x), or x[length(x) - 1]')
    return at % length


@function(
    "element",
    "One element of a list, counted from 0; beyond the end it begins anew.",
    _SEQUENCE,
    parameter("index", NUMBER, "the number of the element"),
    returns=_element_type,
)
def element(items: Value, index: Number) -> Value:
    """`element(["a", "b"], 2)` is "a"."""
    items, marks = unmark(items)
    kind = _element_type((items, index))
    if type(items) is Unknown:
        return mark(Unknown(kind), marks)
    return mark(elements(items)[_position(index, len(items), type(items) is List)], marks)


@function(
    "index",
    "The number, counted from 0, of the first element of a list that equals a given value.",
    parameter("list", DYNAMIC, "the list or tuple"),
    parameter("value", DYNAMIC, "the value to look for"),
    returns=NUMBER,
)
def index(items: Value, wanted: Value) -> Value:
    """It is an error when there is no such element."""
    if type(items) not in (tuple, List):
        raise FunctionError(f"only lists and tuples have indexes, not a {describe(type_of(items))}")
    if not items:
        raise FunctionError("an empty list has no elements")
    for at, item in enumerate(elements(items)):
        found = equal(item, wanted)
        if found is None:
            return UNKNOWN_NUMBER
        if found:
            return at
    raise FunctionError("no element of the list equals the value: ask with contains first, or use try")


def _matchkeys_type(arguments: Sequence[Value]) -> Type:
    values, keys, wanted = map(type_of, arguments)
    if unify((keys, wanted)) is None:
        raise FunctionError('"keys" and "searchset" must be of one type')
    return values


@function(
    "matchkeys",
    "The elements of one list for which the element of another list, at the same place, is among given ones.",
    parameter("values", ListType(DYNAMIC), "the list to take elements from"),
    parameter("keys", ListType(DYNAMIC), "the list, of the same length, to compare"),
    parameter("searchset", ListType(DYNAMIC), "what is looked for in keys"),
    returns=_matchkeys_type,
)
def matchkeys(values: List, keys: List, wanted: List) -> Value:
    """Keys and what is looked for are converted to one type first."""
    _matchkeys_type((values, keys, wanted))
    if len(values) != len(keys):
        raise FunctionError('"values" and "keys" must have the same length')
    common = unify((keys.element, wanted.element)) or DYNAMIC
    keys, wanted = convert(keys, ListType(common)), convert(wanted, ListType(common))
    if contains_unknown(keys) or contains_unknown(values):
        return Unknown(ListType(values.element))
    # What is unknown among those looked for has no text, and is not found.
    texts = {identity_text(one) for one in wanted}
    chosen = [
        value
        for value, key in zip(values, keys, strict=True)
        if not is_null(key) and identity_text(key) in texts
    ]
    return List(chosen, values.element)


def _one_type(arguments: Sequence[Value]) -> Type:
    kind = type_of(arguments[0])
    if isinstance(kind, ListType | SetType):
        return kind.element
    if isinstance(kind, TupleType) and len(kind.elements) < 2:
        return kind.elements[0] if kind.elements else DYNAMIC
    if kind == DYNAMIC:
        return DYNAMIC
    raise _not_one()


def _not_one() -> FunctionError:
    return FunctionError('"list" must be a list, set or tuple with one element or none', 0)


@function(
    "one",
    "The only element of a list, set or tuple, or null where there is none.",
    parameter("list", DYNAMIC, "a list, set or tuple with one element or none"),
    returns=_one_type,
    refine_not_null=False,
)
def one(items: Value) -> Value:
    """More than one element is an error."""
    kind = _one_type((items,))
    if not items:
        return null_of(kind)
    if type(items) is Set and len(items) > 1 and contains_unknown(items):
        # What is unknown may turn out to equal the others.
        return Unknown(kind)
    if len(items) > 1:
        raise _not_one()
    return elements(items)[0]
