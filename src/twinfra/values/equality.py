"""Equality of values: as the language's `==` has it, and as "nothing would change" has it."""

from __future__ import annotations

from twinfra.values.sets import identity_text
from twinfra.values.unknowns import contains_unknown, definitely_not_null
from twinfra.values.value import List, Map, Marked, Null, Set, Unknown, Value, is_null, read_element

_PLAIN = frozenset({str, int, bool})


def equal(first: Value, second: Value) -> bool | None:
    """Whether two values of one type are equal, as `==` tells it; None where unknowns leave it open.

    The values hold no marks. Nulls are equal to each other, and a value that is known not to be null is not
    equal to a null, even where it is unknown.
    """
    kind = type(first)
    other = type(second)
    if kind is Unknown or other is Unknown:
        if (is_null(first) and definitely_not_null(second)) or (
            is_null(second) and definitely_not_null(first)
        ):
            return False
        return None
    if is_null(first) or is_null(second):
        return is_null(first) and is_null(second)
    if kind is dict or kind is Map:
        if other is not kind:
            return False
        if kind is Map:
            return _equal_maps(first, second)
        return first.keys() == second.keys() and _all_equal(
            (inner, second[name]) for name, inner in first.items()
        )
    if kind is tuple or kind is List:
        if other is not kind or len(first) != len(second):
            return False
        if kind is List:
            return _all_equal(
                (read_element(one, first.element), read_element(two, second.element))
                for one, two in zip(first, second, strict=True)
            )
        return _all_equal(zip(first, second, strict=True))
    if kind is Set:
        return _equal_sets(first, second) if other is Set else False
    if kind is bool or other is bool or kind is str or other is str:
        return kind is other and bool(first == second)
    return bool(first == second)


def _equal_maps(first: Map, second: Map) -> bool | None:
    if first.keys() != second.keys():
        return False
    return _all_equal(
        (read_element(inner, first.element), read_element(second[name], second.element))
        for name, inner in first.items()
    )


def _all_equal(pairs: object) -> bool | None:
    result: bool | None = True
    for one, two in pairs:  # type: ignore[attr-defined]
        found = equal(one, two)
        if found is False:
            return False
        if found is None:
            result = None
    return result


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
