"""What the console prints: as stock Terraform prints it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from tests.values.strategies import typed_values

from twinfra.diagnostics import DiagnosticError
from twinfra.values.console import render, type_text, type_value
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
)
from twinfra.values.value import EPHEMERAL, SENSITIVE, UNKNOWN, List, Map, Marked, Null, Set, Unknown

SECRET = frozenset((SENSITIVE,))


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1, "1"),
        (True, "true"),
        ('a"\t', '"a\\"\\t"'),
        ("${x}", '"${x}"'),
        ("a\nb", "<<EOT\na\nb\nEOT"),
        ("EOT\nb", "<<EOT_\nEOT\nb\nEOT_"),
        (("a\nb",), "[\n  <<-EOT\n  a\n  b\n  EOT,\n]"),
        ((), "[]"),
        ({}, "{}"),
        ({"b": 1, "a b": None}, '{\n  "a b" = null\n  "b" = 1\n}'),
        (List((None,), STRING), "tolist([\n  tostring(null),\n])"),
        (Set((1, 2), NUMBER), "toset([\n  1,\n  2,\n])"),
        (Map({}, DYNAMIC), "tomap({})"),
        (None, "null"),
        (Null(NUMBER), "tonumber(null)"),
        (Null(ListType(ListType(NUMBER))), "tolist(null) /* of list of number */"),
        (Null(ObjectType({})), "null /* object */"),
        (UNKNOWN, "(known after apply)"),
        (Marked("x", SECRET), "(sensitive value)"),
        (Marked("x", frozenset((EPHEMERAL,))), "(ephemeral value)"),
        (Marked(Unknown(STRING), SECRET), "(known after apply)"),
        ((Marked(1, SECRET),), "[\n  (sensitive value),\n]"),
    ],
)
def test_values_in_the_notation_of_the_language(value: Any, text: str) -> None:
    assert render(value) == text


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (STRING, "string"),
        (DYNAMIC, "dynamic"),
        (ListType(SetType(BOOL)), "list(set(bool))"),
        (ObjectType({}), "object({})"),
        (TupleType((NUMBER,)), "tuple([\n    number,\n])"),
        (ListType(ObjectType({"a": NUMBER})), "list(\n    object({\n        a: number,\n    }),\n)"),
        (MapType(ListType(ObjectType({}))), "map(list(\n    object({}),\n))"),
    ],
)
def test_types_over_several_lines(kind: Type, text: str) -> None:
    assert type_text(kind) == text
    assert render(type_value(kind)) == text


def test_a_type_can_only_be_shown_alone() -> None:
    assert render(Marked(type_value(STRING).value, type_value(STRING).marks | SECRET)) == "string"
    for value in ((type_value(STRING),), {"a": type_value(STRING)}, Marked(True, type_value(STRING).marks)):
        with pytest.raises(DiagnosticError):
            render(value)


@given(typed_values(unknowns=True))
def test_every_value_has_a_text(found: Any) -> None:
    assert render(found[1])
