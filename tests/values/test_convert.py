"""Conversion and unification: what becomes what, and what never changes on the way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.values.strategies import TYPES, typed_values

from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import has_marks
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
    without_optional,
)
from twinfra.values.unify import can_convert, unify
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import SENSITIVE, UNKNOWN, List, Map, Marked, Null, Set, Unknown

SECRET = frozenset((SENSITIVE,))


@pytest.mark.parametrize(
    ("value", "wanted", "result"),
    [
        (1, STRING, "1"),
        (True, STRING, "true"),
        ("1.50", NUMBER, 1.5),
        ("true", BOOL, True),
        ("1", BOOL, True),
        ((1, "a"), ListType(STRING), List(("1", "a"), STRING)),
        ((1, "a"), ListType(DYNAMIC), List(("1", "a"), STRING)),
        (("b", "a", "b"), SetType(STRING), Set(("a", "b"), STRING)),
        ({"a": 1}, MapType(STRING), Map({"a": "1"}, STRING)),
        ({"a": 1, "b": 2}, ObjectType({"a": STRING}), {"a": "1"}),
        ({}, ObjectType({"a": STRING}, frozenset("a")), {"a": Null(STRING)}),
        (Map({"a": "1"}, STRING), ObjectType({"a": NUMBER}), {"a": 1}),
        (None, STRING, Null(STRING)),
        (Unknown(STRING), NUMBER, Unknown(NUMBER)),
        (UNKNOWN, ListType(STRING), Unknown(ListType(STRING))),
        (Marked(1, SECRET), STRING, Marked("1", SECRET)),
        ((Marked(1, SECRET), 2), ListType(STRING), List((Marked("1", SECRET), "2"), STRING)),
        ((Marked("a", SECRET),), SetType(STRING), Marked(Set(("a",), STRING), SECRET)),
        ((1, None), ListType(NUMBER), List((1, None), NUMBER)),
        ((), ListType(DYNAMIC), List((), DYNAMIC)),
    ],
)
def test_values_are_converted(value: Any, wanted: Type, result: Any) -> None:
    converted = convert(value, wanted)
    assert converted == result
    assert type_of(converted) == type_of(result)


@pytest.mark.parametrize(
    ("value", "wanted", "where"),
    [
        ("x", NUMBER, ""),
        ("TRUE", BOOL, "true"),
        (1, BOOL, ""),
        ((1,), STRING, ""),
        ({"a": "x"}, MapType(NUMBER), '"a"'),
        ({"a": {"b": (1, "x")}}, ObjectType({"a": ObjectType({"b": ListType(NUMBER)})}), "a.b[1]"),
        ({}, ObjectType({"needed": STRING}), "needed"),
        ((1, (1,)), ListType(DYNAMIC), ""),
        ((1, 2), TupleType((NUMBER,)), ""),
        (Unknown(ListType(STRING)), STRING, ""),
        (Null(ListType(STRING)), STRING, ""),
    ],
)
def test_what_does_not_fit_is_told_with_its_place(value: Any, wanted: Type, where: str) -> None:
    with pytest.raises(ConversionError) as caught:
        convert(value, wanted)
    assert where in caught.value.reason


@given(typed_values(unknowns=True))
def test_a_value_of_a_type_converts_to_it_unchanged(found: Any) -> None:
    kind, value = found
    if value == Null(kind) or not contains_unknown(value):
        assert convert(value, kind) == value
    assert type_of(convert(value, kind)) == kind


@given(typed_values(), TYPES)
def test_a_conversion_gives_the_wanted_type_or_an_error(found: Any, wanted: Type) -> None:
    kind, value = found
    try:
        converted = convert(value, wanted)
    except ConversionError:
        return
    assert can_convert(kind, wanted)
    assert type_of(converted) == without_optional(wanted)
    assert convert(converted, wanted) == converted


@given(typed_values(), TYPES)
def test_a_safe_conversion_never_fails(found: Any, wanted: Type) -> None:
    kind, value = found
    if can_convert(kind, wanted, unsafe=False):
        assert type_of(convert(value, wanted)) == wanted


@given(TYPES, TYPES)
def test_both_types_convert_to_the_one_that_unifies_them(first: Type, second: Type) -> None:
    found = unify((first, second))
    if found is not None and found != DYNAMIC:
        assert can_convert(first, found)
        assert can_convert(second, found)


@given(TYPES)
def test_a_type_unifies_with_itself_to_itself(kind: Type) -> None:
    assert unify((kind, kind)) == kind
    assert can_convert(kind, kind, unsafe=False)


@given(typed_values())
def test_marks_survive_conversion(found: Any) -> None:
    kind, value = found
    assert has_marks(convert(Marked(value, SECRET), kind), SENSITIVE)
