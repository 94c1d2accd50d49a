"""Operators and access to elements: with plain, unknown, marked and null values."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.values.strategies import NUMBERS, typed_values

from twinfra.values.equality import equal, identical
from twinfra.values.marks import has_marks
from twinfra.values.operations import OperationError, binary, get_attr, index, unary
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, ListType, MapType, ObjectType, TupleType
from twinfra.values.unknowns import UNKNOWN_BOOL, UNKNOWN_NUMBER, refine
from twinfra.values.value import (
    EPHEMERAL,
    SENSITIVE,
    UNKNOWN,
    List,
    Map,
    Marked,
    Null,
    Refinement,
    Set,
    Unknown,
)

SECRET = frozenset((SENSITIVE,))
SOME = Unknown(STRING, Refinement(not_null=True))
AT_LEAST_2 = refine(UNKNOWN_NUMBER, lower=(2, True))


@pytest.mark.parametrize(
    ("operator", "first", "second", "result"),
    [
        ("+", 1, "2", 3),
        ("-", "5", 2, 3),
        ("*", 4, 0, 0),
        ("/", 7, 2, 3.5),
        ("%", 7, 4, 3),
        ("<", 1, 2, True),
        (">=", 2, 2, True),
        ("&&", True, "false", False),
        ("||", "true", False, True),
        ("==", 1, "1", False),
        ("==", 1, True, False),
        ("==", "a", "a", True),
        ("!=", (), List((), STRING), True),
        ("==", {"a": 1}, Map({"a": 1}, NUMBER), False),
        ("==", None, Null(STRING), True),
        ("==", Null(NUMBER), Null(STRING), True),
        ("==", (None,), (Null(STRING),), False),
    ],
)
def test_operators_on_known_values(operator: str, first: Any, second: Any, result: Any) -> None:
    assert binary(operator, first, second) == result


@pytest.mark.parametrize("operator", ["+", "-", "*", "/", "%", "<", "<=", ">", ">=", "&&", "||"])
def test_null_is_no_operand(operator: str) -> None:
    good = True if operator in ("&&", "||") else 1
    for null in (None, Null(NUMBER), Marked(None, SECRET)):
        with pytest.raises(OperationError, match="null"):
            binary(operator, null, good)
        with pytest.raises(OperationError, match="null"):
            binary(operator, good, null)


def test_what_does_not_convert_is_no_operand() -> None:
    for operator, operand in (("+", "x"), ("+", (1,)), ("&&", 1), ("<", "b"), ("-", True)):
        with pytest.raises(OperationError) as caught:
            binary(operator, operand, operand)
        assert caught.value.summary
        assert caught.value.detail.endswith(".")


def test_infinity_less_infinity_is_no_number() -> None:
    infinite = binary("/", 1, 0)
    with pytest.raises(OperationError, match="Infinity"):
        binary("-", infinite, infinite)


def test_unknown_operands_leave_the_type() -> None:
    assert binary("+", SOME, 1) == UNKNOWN_NUMBER
    assert binary("&&", Unknown(BOOL), False) == UNKNOWN_BOOL
    assert binary("==", SOME, "x") == UNKNOWN_BOOL
    assert unary("-", UNKNOWN) == UNKNOWN_NUMBER
    assert unary("!", UNKNOWN) == UNKNOWN_BOOL
    with pytest.raises(OperationError):
        binary("+", Unknown(ListType(STRING)), 1)


@pytest.mark.parametrize(
    ("operator", "second", "result"),
    [
        (">", 1, True),
        (">", 2, UNKNOWN_BOOL),
        ("<", 2, UNKNOWN_BOOL),
        ("<", 1, False),
        (">=", 1, True),
        (">=", 2, UNKNOWN_BOOL),
        ("<=", 1, False),
        ("==", 1, False),
        ("==", 2, UNKNOWN_BOOL),
        ("!=", 1, True),
    ],
)
def test_bounds_of_unknown_numbers_may_decide(operator: str, second: int, result: Any) -> None:
    assert binary(operator, AT_LEAST_2, second) == result


@pytest.mark.parametrize(
    ("first", "second", "result"),
    [
        (SOME, None, False),
        (Unknown(STRING), None, None),
        (SOME, 1, False),
        (Unknown(STRING, Refinement(prefix="ab")), "xb", False),
        (Unknown(STRING, Refinement(prefix="ab")), "abc", None),
        (refine(Unknown(ListType(STRING)), min_length=1), List((), STRING), False),
        (refine(Unknown(ListType(STRING)), min_length=1), List(("a",), STRING), None),
        ((UNKNOWN,), (1,), None),
        ((UNKNOWN,), (1, 2), False),
        ({"a": UNKNOWN}, {"b": 1}, False),
        ((SOME, 1), ("x", 2), None),
        ((1, SOME), (2, "x"), False),
        (Set((SOME,), STRING), Set(("a",), STRING), None),
    ],
)
def test_equality_with_something_unknown(first: Any, second: Any, result: bool | None) -> None:
    assert equal(first, second) is result
    assert equal(second, first) is result


def test_marks_go_with_the_result() -> None:
    assert binary("+", Marked(1, SECRET), 2) == Marked(3, SECRET)
    both = binary("&&", Marked(True, SECRET), Marked(True, frozenset((EPHEMERAL,))))
    assert both == Marked(True, frozenset((SENSITIVE, EPHEMERAL)))
    assert binary("==", (Marked("a", SECRET),), ("a",)) == Marked(True, SECRET)
    assert unary("-", Marked(1, SECRET)) == Marked(-1, SECRET)
    assert get_attr(Marked({"a": 1}, SECRET), "a") == Marked(1, SECRET)
    assert index((1, 2), Marked(0, SECRET)) == Marked(1, SECRET)
    assert index((Marked(1, SECRET), 2), 1) == 2


@pytest.mark.parametrize(
    ("value", "key", "result"),
    [
        ((1, "a"), 1, "a"),
        ((1, "a"), "1", "a"),
        (List((None,), STRING), 0, Null(STRING)),
        (Map({"a": 1}, NUMBER), "a", 1),
        (Map({"1": True}, BOOL), 1, True),
        ({"a": None}, "a", None),
        (Unknown(ListType(STRING)), 5, Unknown(STRING)),
        (Unknown(ListType(STRING)), UNKNOWN_NUMBER, Unknown(STRING)),
        (Unknown(TupleType((STRING, BOOL))), 1, Unknown(BOOL)),
        (Unknown(MapType(NUMBER)), "x", Unknown(NUMBER)),
        (Unknown(ObjectType({"a": BOOL})), "a", Unknown(BOOL)),
        (UNKNOWN, 0, UNKNOWN),
        ((1, 2), UNKNOWN_NUMBER, UNKNOWN),
        (List((1, 2), NUMBER), UNKNOWN_NUMBER, Unknown(NUMBER)),
        ({"a": 1}, SOME, UNKNOWN),
        (Map({"a": 1}, NUMBER), SOME, Unknown(NUMBER)),
        ((1, 2), UNKNOWN, UNKNOWN),
    ],
)
def test_elements_are_read_by_key(value: Any, key: Any, result: Any) -> None:
    assert index(value, key) == result


@pytest.mark.parametrize(
    ("value", "key"),
    [
        ((1, 2), 2),
        ((1, 2), -1),
        ((1, 2), "x"),
        ((1, 2), binary("/", 1, 2)),
        ((1, 2), None),
        ((), 0),
        (Map({"a": 1}, NUMBER), "b"),
        ({"a": 1}, "b"),
        (Set((1,), NUMBER), 0),
        ("text", 0),
        (1, 0),
        (None, 0),
        (Null(ListType(STRING)), 0),
        (Unknown(STRING), 0),
        (Unknown(TupleType(())), 0),
        (Unknown(ObjectType({})), "a"),
    ],
)
def test_what_is_not_there_is_told(value: Any, key: Any) -> None:
    with pytest.raises(OperationError) as caught:
        index(value, key)
    assert caught.value.detail.endswith((".", "?"))


def test_a_misspelt_attribute_is_told_with_the_nearest_name() -> None:
    with pytest.raises(OperationError, match="bucket"):
        get_attr({"bucket": 1, "arn": 2}, "buckett")
    with pytest.raises(OperationError, match="region"):
        get_attr(Map({"region": 1}, NUMBER), "regin")


@pytest.mark.parametrize(
    "value", [None, Null(STRING), "a", 1, (1,), List((1,), NUMBER), Set((1,), NUMBER), Unknown(STRING)]
)
def test_only_objects_and_maps_have_attributes(value: Any) -> None:
    with pytest.raises(OperationError):
        get_attr(value, "a")


@given(NUMBERS, NUMBERS)
def test_comparisons_agree_with_one_another(first: Any, second: Any) -> None:
    assert binary("<", first, second) is binary(">", second, first)
    assert binary("<=", first, second) is (not binary(">", first, second))
    assert binary("==", first, second) is (binary("<=", first, second) and binary(">=", first, second))


@given(typed_values())
def test_every_known_value_equals_itself(found: Any) -> None:
    _, value = found
    assert binary("==", value, value) is True
    assert identical(value, value)


@given(typed_values(unknowns=True), typed_values(unknowns=True))
def test_equality_is_symmetric(first: Any, second: Any) -> None:
    assert equal(first[1], second[1]) is equal(second[1], first[1])


@given(typed_values(), st.sampled_from([0, "a", "b", 1, True, None, DYNAMIC]))
def test_reading_an_element_never_crashes(found: Any, key: Any) -> None:
    if key is DYNAMIC:
        key = UNKNOWN
    try:
        element = index(found[1], key)
    except OperationError:
        element = None
    assert not has_marks(element)
