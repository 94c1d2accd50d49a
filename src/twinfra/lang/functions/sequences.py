"""Functions on lists, and on tuples and sets where they are like lists."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinfra.lang.functions.arguments import whole_number
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.values import numbers
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import mark, unmark
from twinfra.values.numbers import Number
from twinfra.values.sets import identity_text
from twinfra.values.types import (
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    SetType,
    TupleType,
    Type,
    describe,
)
from twinfra.values.unify import unify
from twinfra.values.unknowns import UNKNOWN_NUMBER, contains_unknown, refine
from twinfra.values.value import (
    EMPTY_MARKS,
    UNKNOWN,
    List,
    Marked,
    Set,
    Unknown,
    Value,
    is_null,
    read_element,
    stored_element,
)

_LIST = parameter("list", ListType(DYNAMIC), "the list")
_STRINGS = parameter("list", ListType(STRING), "the list")
_SEQUENCE = parameter("list", DYNAMIC, "a list or tuple", allow_marked=True)
_MOST_NUMBERS = 1024


def elements(sequence: Value) -> Sequence[Value]:
    """The elements of a known list, set or tuple, nulls with their types."""
    if type(sequence) is tuple:
        return sequence
    return [
        read_element(item, sequence.element) if item is None or type(item) is Marked else item
        for item in sequence
    ]


def as_list(items: Iterable[Value], element: Type) -> List:
    """A list of elements that are of the element type already."""
    return List(map(stored_element, items), element)


def _is_sequence(kind: Type) -> bool:
    return isinstance(kind, ListType | TupleType)


def _chunks_type(arguments: Sequence[Value]) -> Type:
    return ListType(type_of(arguments[0]))


@function(
    "chunklist",
    "Cuts a list into lists of a given length; the last one may be shorter.",
    parameter("list", ListType(DYNAMIC), "the list", allow_marked=True),
    parameter("size", NUMBER, "the length of the parts; 0 for one part with everything"),
    returns=_chunks_type,
)
def chunklist(items: Value, size: Number) -> Value:
    """An empty list has no parts."""
    items, marks = unmark(items)
    width = whole_number(size, "size")
    if width < 0:
        raise FunctionError('"size" must not be negative')
    if type(items) is Unknown:
        return mark(Unknown(ListType(items.type)), marks)
    starts = range(0, len(items), width or max(len(items), 1))
    parts = [List(items[at : at + width] if width else items, items.element) for at in starts]
    return mark(List(parts, ListType(items.element)), marks)


@function(
    "compact",
    "The list without its empty strings and nulls.",
    _STRINGS,
    returns=ListType(STRING),
)
def compact(items: List) -> Value:
    """With an unknown element it is not known how many are left."""
    if contains_unknown(items):
        return Unknown(ListType(STRING))
    return List([item for item in items if item], STRING)


def _concat_type(arguments: Sequence[Value]) -> Type:
    if not arguments:
        raise FunctionError("at least one list is required")
    kinds = [type_of(one) for one in arguments]
    for at, kind in enumerate(kinds):
        if kind == DYNAMIC:
            return DYNAMIC
        if not _is_sequence(kind):
            raise FunctionError(
                f'"seqs": lists and tuples can be put together, but not a {describe(kind)}', at
            )
    if all(isinstance(kind, ListType) for kind in kinds):
        found = unify(kinds)
        if found is not None:
            return found
    parts: list[Type] = []
    for one, kind in zip(arguments, kinds, strict=True):
        if isinstance(kind, TupleType):
            parts += kind.elements
        elif isinstance(kind, ListType):
            if type(one) is Unknown:
                return DYNAMIC
            parts += [kind.element] * len(one)
    return TupleType(tuple(parts))


@function(
    "concat",
    "Puts lists one after the other.",
    variadic=parameter("seqs", DYNAMIC, "lists or tuples", allow_marked=True),
    returns=_concat_type,
)
def concat(*sequences: Value) -> Value:
    """A list when all arguments are lists with one type in common, else a tuple."""
    bare, marks = _unmarked(sequences)
    kind = _concat_type(bare)
    if any(type(one) is Unknown for one in bare):
        return mark(Unknown(kind), marks)
    if not isinstance(kind, ListType):
        return mark(tuple(item for one in bare for item in elements(one)), marks)
    lists = [convert(one, kind) for one in bare]
    found = {one.element for one in lists if one}
    if len(found) > 1:
        raise FunctionError("the elements of the lists have no type in common")
    items = [item for one in lists for item in elements(one)]
    return mark(as_list(items, found.pop() if found else kind.element), marks)


def _unmarked(values: Iterable[Value]) -> tuple[list[Value], frozenset[str]]:
    marks = EMPTY_MARKS
    bare = []
    for value in values:
        one, found = unmark(value)
        bare.append(one)
        marks |= found
    return bare, marks


@function(
    "distinct",
    "The list with only the first of equal elements.",
    _LIST,
    returns=lambda arguments: type_of(arguments[0]),
)
def distinct(items: List) -> Value:
    """The order stays."""
    if contains_unknown(items):
        return Unknown(ListType(items.element))
    seen: dict[str | None, Value] = {}
    for item in items:
        seen.setdefault(identity_text(item), item)
    return List(seen.values(), items.element)


def _require_nested(kind: Type) -> None:
    if not _is_sequence(kind) and not isinstance(kind, SetType):
        raise FunctionError(f"only lists, sets and tuples can be flattened, not a {describe(kind)}")


@function(
    "flatten",
    "The elements of a list, with the elements of lists in place of those, at any depth: a tuple.",
    parameter("list", DYNAMIC, "the list, set or tuple", allow_marked=True),
    returns=DYNAMIC,
)
def flatten(items: Value) -> Value:
    """Lists, sets and tuples are flattened; maps and objects stay, as do nulls."""
    if type(unmark(items)[0]) is not Unknown:
        _require_nested(type_of(items))
    flat: list[Value] = []
    found: set[str] = set()
    known = _flatten(items, flat, found)
    return mark(tuple(flat) if known else UNKNOWN, frozenset(found))


def _flatten(items: Value, flat: list[Value], found: set[str]) -> bool:
    """Append all elements, and gather the marks of the lists; whether the number of elements is known."""
    items, marks = unmark(items)
    found |= marks
    if type(items) is Unknown:
        return False
    known = True
    for item in elements(items):
        bare, _ = unmark(item)
        kind = bare.type if type(bare) is Unknown else None
        if type(bare) in (tuple, List, Set):
            known = _flatten(item, flat, found) and known
        elif kind is not None and (kind == DYNAMIC or isinstance(kind, ListType | SetType | TupleType)):
            found |= unmark(item)[1]
            known = False
        else:
            flat.append(item)
    return known


@function(
    "range",
    "Numbers from a start, which is 0 unless given, up to but without a limit, by steps of 1 unless given.",
    variadic=parameter("params", NUMBER, "limit; or start, limit; or start, limit, step"),
    returns=ListType(NUMBER),
)
def range_(*given: Number) -> Value:
    """Counts down where the limit is below the start."""
    if not 1 <= len(given) <= 3:
        raise FunctionError(
            "one, two or three arguments are needed: limit; start, limit; or start, limit, step"
        )
    start, limit = (0, given[0]) if len(given) == 1 else given[:2]
    down = limit < start
    step = given[2] if len(given) == 3 else -1 if down else 1
    if len(given) == 3:
        if step < 0 and start < limit:
            raise FunctionError("with a negative step, the limit must be below the start")
        if step > 0 and limit < start:
            raise FunctionError("with a positive step, the limit must be above the start")
        down = step < 0
    made: list[Number] = []
    value = start
    while value > limit if down else value < limit:
        if len(made) == _MOST_NUMBERS:
            raise FunctionError(
                f"there would be more than {_MOST_NUMBERS} numbers; bring start and limit closer, or take larger steps"
            )
        made.append(value)
        value = numbers.add(value, step)
    return List(made, NUMBER)


def _reverse_type(arguments: Sequence[Value]) -> Type:
    kind = type_of(arguments[0])
    if isinstance(kind, TupleType):
        return TupleType(kind.elements[::-1])
    if isinstance(kind, SetType):
        return ListType(kind.element)
    if isinstance(kind, ListType) or kind == DYNAMIC:
        return kind
    raise FunctionError(f'"list" must be a list or tuple, not a {describe(kind)}', 0)


@function("reverse", "The list backwards.", _SEQUENCE, returns=_reverse_type)
def reverse(items: Value) -> Value:
    """A set becomes a list."""
    items, marks = unmark(items)
    _reverse_type((items,))
    if type(items) is tuple:
        return mark(items[::-1], marks)
    return mark(List(items[::-1], items.element), marks)


def _slice_type(arguments: Sequence[Value]) -> Type:
    kind = type_of(arguments[0])
    if isinstance(kind, SetType):
        raise FunctionError("the elements of a set have no order: convert it with tolist first", 0)
    if not _is_sequence(kind):
        raise FunctionError(f'"list" must be a list or tuple, not a {describe(kind)}', 0)
    length = len(kind.elements) if isinstance(kind, TupleType) else None
    first, end = _bounds(arguments[1], arguments[2], length)
    if isinstance(kind, TupleType):
        return DYNAMIC if first is None or end is None else TupleType(kind.elements[first:end])
    return kind


def _bounds(first: Value, end: Value, length: int | None) -> tuple[int | None, int | None]:
    """The bounds as far as they are known, checked as far as they and the length are."""
    start = _bound(first, "start_index", 1, length)
    stop = _bound(end, "end_index", 2, length)
    if start is not None and stop is not None and start > stop:
        raise FunctionError('"start_index" must not be greater than "end_index"', 1)
    return start, stop


def _bound(number: Value, name: str, argument: int, length: int | None) -> int | None:
    if type(number) is Unknown:
        return None
    at = whole_number(number, name, argument)
    if at < 0:
        raise FunctionError(f'"{name}" must not be negative', argument)
    if length is not None and at > length:
        raise FunctionError(f'"{name}" is {at}, beyond the end of a list of {length}', argument)
    return at


@function(
    "slice",
    "A part of a list: the elements from one number up to, but without, another.",
    _SEQUENCE,
    parameter("start_index", NUMBER, "the number of the first element, counted from 0"),
    parameter("end_index", NUMBER, "the number of the element after the last"),
    returns=_slice_type,
)
def slice_(items: Value, first: Number, end: Number) -> Value:
    """`slice(["a", "b", "c"], 1, 2)` is ["b"]."""
    items, marks = unmark(items)
    _slice_type((items, 0, 0))
    if type(items) is Unknown:
        return mark(Unknown(_slice_type((items, first, end))), marks)
    start, stop = _bounds(first, end, len(items))
    part = items[start:stop]
    return mark(part if type(items) is tuple else List(part, items.element), marks)


@function("sort", "The strings of a list in order of their code points.", _STRINGS, returns=ListType(STRING))
def sort(items: List) -> Value:
    """A null has no place in the order; with an unknown element, only the length is known."""
    if contains_unknown(items):
        return refine(Unknown(ListType(STRING)), not_null=True, min_length=len(items), max_length=len(items))
    if None in items:
        raise FunctionError(f"element {items.index(None)} is null, which has no place in an order")
    return List(sorted(items), STRING)


@function(
    "sum",
    "The sum of the numbers of a list, set or tuple.",
    parameter("list", DYNAMIC, "the numbers"),
    returns=NUMBER,
)
def sum_(items: Value) -> Value:
    """An empty list has no sum."""
    if type(items) not in (tuple, List, Set):
        raise FunctionError(f'"list" must be a list, set or tuple, not a {describe(type_of(items))}', 0)
    if not items:
        raise FunctionError("an empty list has no sum: concat(list, [0]) makes it 0", 0)
    if contains_unknown(items):
        return UNKNOWN_NUMBER
    total: Number = 0
    for item in elements(items):
        try:
            number = convert(item, NUMBER)
        except ConversionError as failed:
            raise FunctionError(f'"list" must hold numbers only: {failed.reason}', 0) from None
        if is_null(number):
            raise FunctionError('"list" must hold numbers only, and one is null', 0)
        total = numbers.add(total, number)
    return total
