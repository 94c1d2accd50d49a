"""Type constraints: types written as expressions, optional attributes, and their defaults."""

import pytest

from twinfra.diagnostics import Source
from twinfra.lang.json_syntax import parse_json
from twinfra.lang.parser import parse_expression
from twinfra.lang.type_expr import Defaults, apply_defaults, parse_type
from twinfra.values.convert import convert
from twinfra.values.types import DYNAMIC, NUMBER, STRING, ListType, MapType, ObjectType, Type
from twinfra.values.value import SENSITIVE, UNKNOWN, List, Map, Marked, Null, Value


def read(text: str) -> tuple[Type, Defaults | None]:
    expression, problems = parse_expression(Source("x", text))
    assert not problems
    type, defaults, problems = parse_type(expression)
    assert not problems
    return type, defaults


@pytest.mark.parametrize(
    ("text", "type"),
    [
        ("string", STRING),
        ("any", DYNAMIC),
        ("list(number)", ListType(NUMBER)),
        ("map(any)", MapType(DYNAMIC)),
        ("list", ListType(DYNAMIC)),
        (
            "object({ a = string, b = optional(number) })",
            ObjectType({"a": STRING, "b": NUMBER}, frozenset({"b"})),
        ),
    ],
)
def test_types_are_read(text: str, type: Type):
    assert read(text) == (type, None)


@pytest.mark.parametrize("text", ["tuple([string, list(set(bool))])", "object({ a = object({ b = any }) })"])
def test_types_are_written_as_they_are_read(text: str):
    type, _ = read(text)
    assert str(type).replace("dynamic", "any").replace(" ", "").replace(":", "=") == text.replace(" ", "")


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("foo", "foo"),
        ("set", "set"),
        ("string()", "()"),
        ("list(string, number)", "number"),
        ("list(optional(string))", "optional"),
        ("object({ a = foo })", "foo"),
        ("object([string])", "[string]"),
        ("object({ a = string, a = number })", "a"),
        ('object({ a = optional(number, "x") })', '"x"'),
        ("object({ a = optional(number, var.x) })", "var.x"),
        ("tuple(string)", "string"),
        ("1", "1"),
    ],
)
def test_what_is_no_type_is_refused_where_it_stands(text: str, place: str):
    expression, _ = parse_expression(Source("x", text))
    _, _, (problem,) = parse_type(expression)
    assert problem.subject is not None
    assert problem.subject.text == place
    assert problem.mend


def test_optional_is_refused_where_types_must_be_exact():
    expression, _ = parse_expression(Source("x", "object({ a = optional(string) })"))
    assert parse_type(expression, allow_optional=False)[2]


def test_types_are_strings_in_json():
    body, _ = parse_json(Source("main.tf.json", '{"type": "list(string)"}'))
    type, _, problems = parse_type(body.just_attributes()[0]["type"].expression)
    assert (type, problems) == (ListType(STRING), [])


def test_nothing_is_applied_where_there_are_no_defaults():
    value = {"a": None}
    assert apply_defaults(None, value) is value


def applied(text: str, value: Value) -> Value:
    type, defaults = read(text)
    return convert(apply_defaults(defaults, value), type)


NESTED = 'object({ a = optional(string, "x"), o = optional(object({ b = optional(number, 1) }), {}) })'


def test_defaults_stand_in_for_missing_and_null_attributes_at_any_depth():
    assert applied(NESTED, {}) == {"a": "x", "o": {"b": 1}}
    assert applied(NESTED, {"a": None, "o": {"b": 2}}) == {"a": "x", "o": {"b": 2}}


def test_defaults_reach_into_collections():
    items = (({}, {"a": "y"}),)
    assert applied(f"list({NESTED})", *items) == List(
        ({"a": "x", "o": {"b": 1}}, {"a": "y", "o": {"b": 1}}), read(NESTED)[0]
    )
    assert applied(f"map({NESTED})", Map({"k": {"a": "z"}}, ObjectType({"a": STRING})))["k"]["a"] == "z"
    assert applied(f"tuple([{NESTED}])", ({},))[0]["a"] == "x"


def test_defaults_leave_nulls_and_unknowns_alone_and_keep_marks():
    assert applied(NESTED, None) == Null(convert(None, read(NESTED)[0]).type)
    _, defaults = read(NESTED)
    assert apply_defaults(defaults, UNKNOWN) is UNKNOWN
    marked = apply_defaults(defaults, Marked({}, frozenset({SENSITIVE})))
    assert marked == Marked({"a": "x", "o": {"b": 1}}, frozenset({SENSITIVE}))


def test_optional_attributes_without_default_become_null():
    assert applied("object({ a = optional(string) })", {}) == {"a": Null(STRING)}
