"""JSON of values and types, there and back."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.values.strategies import NUMBERS, TYPES, typed_values

from twinfra.values import numbers
from twinfra.values.convert import type_of
from twinfra.values.encoding import (
    EncodingError,
    decode_json,
    encode_json,
    type_from_json,
    type_to_json,
    value_from_json,
    value_to_json,
)
from twinfra.values.equality import identical
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, ListType, MapType, ObjectType, TupleType, Type
from twinfra.values.value import SENSITIVE, List, Map, Marked, Null, Unknown


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"b": 1, "a": (True, None, "x")}, '{"a":[true,null,"x"],"b":1}'),
        ('<a>&\u2028\x01\t"\\é\x7f', '"\\u003ca\\u003e\\u0026\\u2028\\u0001\\t\\"\\\\é\x7f"'),
        (List((), STRING), "[]"),
        (Map({"k": Null(STRING)}, STRING), '{"k":null}'),
        (numbers.divide(1, 8), "0.125"),
        (numbers.negative_zero(), "-0"),
        (10**40, "1" + "0" * 40),
    ],
)
def test_json_is_written_as_jsonencode_has_it(value: Any, text: str) -> None:
    assert encode_json(value) == text


def test_what_has_no_json_is_refused() -> None:
    for value in (numbers.infinity(), Unknown(STRING), (Marked("x", frozenset((SENSITIVE,))),)):
        with pytest.raises(EncodingError):
            encode_json(value)
        with pytest.raises(EncodingError):
            value_to_json(value, type_of(value))


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (' {"a": [1, 2.50, null]} ', {"a": (1, numbers.parse_number("2.5"), None)}),
        ('{"a": 1, "a": "x"}', {"a": "x"}),
        ('"\\ud800"', "\ufffd"),
        ('"e\\u0301"', "é"),
        ("1E2", 100),
        ("12345678901234567890123", 12345678901234567890123),
    ],
)
def test_json_is_read(text: str, value: Any) -> None:
    assert decode_json(text) == value


@pytest.mark.parametrize(
    "text",
    [
        "",
        "  ",
        "{",
        "[1,]",
        "01",
        "NaN",
        "-Infinity",
        "'a'",
        '"\t"',
        "[1] 2",
        "1e99999999999",
        "{1: 2}",
        "\ufeff1",
    ],
)
def test_what_is_no_json_is_refused_in_words(text: str) -> None:
    with pytest.raises(EncodingError) as caught:
        decode_json(text)
    assert caught.value.reason


def test_numbers_of_any_length_are_read() -> None:
    digits = "1" * 10_000
    assert numbers.format_number(decode_json(digits)).startswith("1" * 150)


@given(typed_values())
def test_json_text_is_json_and_says_what_json_says(found: Any) -> None:
    text = encode_json(found[1])
    assert json.loads(text) == json.loads(json.dumps(value_to_json(*reversed(found)), default=float))


@given(
    st.recursive(
        st.none() | st.booleans() | NUMBERS | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_can_be_read(value: Any) -> None:
    text = json.dumps(value, default=float)
    try:
        decoded = decode_json(text)
    except EncodingError:
        return  # two names that are the same once normalised
    assert decode_json(encode_json(decoded)) == decoded


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        value = decode_json(text)
    except EncodingError:
        value = None
    assert type_of(value)


@given(TYPES)
def test_a_type_is_read_back_as_it_was(kind: Type) -> None:
    assert type_from_json(json.loads(json.dumps(type_to_json(kind)))) == kind


def test_types_have_the_notation_of_states() -> None:
    kind = ObjectType({"b": ListType(STRING), "a": TupleType((BOOL, DYNAMIC))}, frozenset("b"))
    form = ["object", {"a": ["tuple", ["bool", "dynamic"]], "b": ["list", "string"]}, ["b"]]
    assert type_to_json(kind) == form
    assert type_from_json(form) == kind


@pytest.mark.parametrize(
    "form",
    [
        "text",
        [],
        ["list"],
        ["list", "x"],
        ["object", []],
        ["tuple", {}],
        1,
        None,
        ["set", "string", 1],
        ["object", {}, ["a"]],
    ],
)
def test_what_is_no_type_is_refused(form: Any) -> None:
    with pytest.raises(EncodingError):
        type_from_json(form)


@given(typed_values())
def test_a_value_is_read_back_as_it_was(found: Any) -> None:
    kind, value = found
    again = value_from_json(value_to_json(value, kind), kind)
    assert identical(again, value)
    assert type_of(again) == kind


@given(typed_values())
def test_a_value_of_any_type_travels_with_its_type(found: Any) -> None:
    kind, value = found
    form = value_to_json(value, DYNAMIC)
    assert identical(value_from_json(form, DYNAMIC), value)
    assert form["type"] == type_to_json(kind)


def test_fractions_are_decimals_and_whole_numbers_ints() -> None:
    form = value_to_json((1, numbers.parse_number("0.1")), TupleType((NUMBER, NUMBER)))
    assert form == [1, Decimal("0.1")]
    assert type(form[0]) is int
    assert value_from_json(Decimal("0.1"), NUMBER) == numbers.parse_number("0.1")
    assert value_from_json(0.1, NUMBER) == numbers.parse_number("0.1")


@pytest.mark.parametrize(
    ("raw", "kind", "value"),
    [
        ("1", NUMBER, 1),
        ("true", BOOL, True),
        (1, STRING, "1"),
        (False, STRING, "false"),
        ({}, ObjectType({"a": STRING}), {"a": Null(STRING)}),
        ({"value": "x", "type": "string"}, DYNAMIC, "x"),
        (None, DYNAMIC, None),
        ([None], ListType(STRING), List((None,), STRING)),
        ({"k": None}, MapType(NUMBER), Map({"k": None}, NUMBER)),
    ],
)
def test_other_forms_are_read_too(raw: Any, kind: Type, value: Any) -> None:
    assert value_from_json(raw, kind) == value


@pytest.mark.parametrize(
    ("raw", "kind"),
    [
        ("x", NUMBER),
        (True, NUMBER),
        (1, BOOL),
        ([], STRING),
        ({}, ListType(STRING)),
        ([], MapType(STRING)),
        ([1], TupleType(())),
        ({"b": 1}, ObjectType({"a": STRING})),
        ("x", DYNAMIC),
    ],
)
def test_what_does_not_fit_the_type_is_refused_without_showing_it(raw: Any, kind: Type) -> None:
    with pytest.raises(EncodingError):
        value_from_json(raw, kind)
