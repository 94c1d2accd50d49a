"""Equality of values: as the language's `==` has it, and as "nothing would change" has it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.values.convert import type_of
from twinfra.values.numbers import is_number
from twinfra.values.sets import identity_text
from twinfra.values.types import (
    DynamicType,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
    element_type,
    has_dynamic,
)
from twinfra.values.unknowns import contains_unknown, definitely_not_null
from twinfra.values.value import List, Map, Marked, Null, Set, Unknown, Value, is_null, read_element

_PLAIN = frozenset({str, int, bool})
_CONTAINERS = frozenset({dict, tuple, List, Map, Set})


def equal(first: Value, second: Value) -> bool | None:
    """Whether two values are equal, as `==` tells it; None where unknowns leave it open.

    The values hold no marks. Values of different types are not equal, but all nulls are; a value that is known
    not to be null is not equal to a null, even where it is unknown. In sequences the first element decides that
    differs or is unknown, as in stock Terraform.
    """
    kind = type(first)
    other = type(second)
    if kind in _PLAIN and other in _PLAIN:
        return kind is other and bool(first == second)
    if kind is not Unknown and other is not Unknown and not is_null(first) and not is_null(second):
        # Types are compared here, at once for all that is inside.
        if type_of(first) == type_of(second):
            return _compare(first, second)
        unknown = contains_unknown(first) or contains_unknown(second)
        return None if unknown and _may_agree(type_of(first), type_of(second)) else False
    return _compare(first, second)


def _may_agree(first: Type, second: Type) -> bool:
    """Whether two types are the same, but for parts that are not known yet."""
    if isinstance(first, DynamicType) or isinstance(second, DynamicType):
        return True
    if isinstance(first, ListType | SetType | MapType):
        return first.__class__ is second.__class__ and _may_agree(first.element, element_type(second))
    if isinstance(first, TupleType) and isinstance(second, TupleType):
        return len(first.elements) == len(second.elements) and all(
            map(_may_agree, first.elements, second.elements)
        )
    if isinstance(first, ObjectType) and isinstance(second, ObjectType):
        return first.attributes.keys() == second.attributes.keys() and all(
            _may_agree(kind, second.attributes[name]) for name, kind in first.attributes.items()
        )
    return first == second


def _compare(first: Value, second: Value) -> bool | None:
    """Whether two values are equal that are of one type as far as that is known."""
    kind = type(first)
    other = type(second)
    if kind is Unknown or other is Unknown:
        return _equal_unknown(first, second)
    if is_null(first) or is_null(second):
        return is_null(first) and is_null(second)
    if kind not in _CONTAINERS and other not in _CONTAINERS:
        return (kind is other or kind not in _PLAIN or other not in _PLAIN) and bool(first == second)
    if kind is not other:
        return False
    if kind is Set:
        return _equal_sets(first, second)
    if kind is dict or kind is Map:
        if first.keys() != second.keys():
            return False
        return _all_equal((_member(first, name), _member(second, name)) for name in first)
    if len(first) != len(second):
        return False
    return _equal_in_order((_member(first, at), _member(second, at)) for at in range(len(first)))


def _member(container: Value, key: Any) -> Value:
    kind = type(container)
    if kind is dict or kind is tuple:
        return container[key]
    return read_element(container[key], container.element)


def _equal_unknown(first: Value, second: Value) -> bool | None:
    """Whether two values are equal of which at least one is unknown."""
    if type(second) is not Unknown:
        first, second = second, first
    assert isinstance(second, Unknown)
    if type(first) is Unknown:
        return None
    if is_null(first):
        return False if definitely_not_null(second) else None
    return None if _possible(first, second) else False


def _possible(value: Value, unknown: Unknown) -> bool:
    """Whether an unknown value may turn out to be this known one, which is not null."""
    if not has_dynamic(unknown.type) and type_of(value) != unknown.type:
        return False
    known = unknown.refinement
    if known is None:
        return True
    if isinstance(value, str):
        return value.startswith(known.prefix)
    if isinstance(value, List | Map):
        return len(value) >= known.min_length and (known.max_length is None or len(value) <= known.max_length)
    if is_number(value):
        low, high = known.lower, known.upper
        above = low is None or (value >= low[0] if low[1] else value > low[0])
        return above and (high is None or (value <= high[0] if high[1] else value < high[0]))
    return True


def _all_equal(pairs: Iterable[tuple[Value, Value]]) -> bool | None:
    result: bool | None = True
    for one, two in pairs:
        found = _compare(one, two)
        if found is False:
            return False
        if found is None:
            result = None
    return result


def _equal_in_order(pairs: Iterable[tuple[Value, Value]]) -> bool | None:
    for one, two in pairs:
        found = _compare(one, two)
        if found is not True:
            return found
    return True


def _equal_sets(first: Set, second: Set) -> bool | None:
    if contains_unknown(first) or contains_unknown(second):
        return None
    if len(first) != len(second):
        return False
    return {identity_text(item) for item in first} == {identity_text(item) for item in second}


def identical(first: Value, second: Value) -> bool:
    """Whether two values are the same in type, content, unknowns and marks: "nothing would change".

    An unknown is identical to another of the same type and refinement. Nulls are identical whatever is known
    of their types.
    """
    if first is second:
        return True
    kind = type(first)
    other = type(second)
    if kind in _PLAIN and kind is other:
        return bool(first == second)
    if is_null(first) or is_null(second):
        return is_null(first) and is_null(second)
    if kind is Marked or other is Marked:
        return kind is other and first.marks == second.marks and identical(first.value, second.value)
    if kind is Unknown or other is Unknown:
        return kind is other and bool(first == second)
    if kind is dict or kind is Map:
        if other is not kind or len(first) != len(second):
            return False
        missing = object()
        return all(identical(inner, second.get(name, missing)) for name, inner in first.items())
    if kind is tuple or kind is List or kind is Set:
        if other is not kind or len(first) != len(second):
            return False
        return all(map(identical, first, second))
    if other in (dict, Map, tuple, List, Set, str, bool, Null) or kind in (str, bool):
        return False
    return bool(first == second)
