"""The JSON syntax: bodies and expressions out of JSON, and where errors are."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.conformance.cases import read_cases
from tests.lang.scopes import TableScope

from twinfra.diagnostics import Diagnostic, Source
from twinfra.lang.compiler import compile_expression
from twinfra.lang.json_syntax import parse_json
from twinfra.lang.nodes import BlockShape, Body, BodyShape
from twinfra.lang.static import as_call, as_keyword, as_traversal
from twinfra.values.value import Value

DATA = Path(__file__).parent.parent / "data" / "lang"
LOCALS = BodyShape({}, (BlockShape("locals"),))


def body(value: Any, name: str = "main.tf.json") -> Body:
    found, problems = parse_json(Source(name, json.dumps(value)))
    assert not problems
    return found


def value_of(value: Any, scope: TableScope | None = None) -> Value:
    attributes, problems = body({"x": value}).just_attributes()
    assert not problems
    return compile_expression(attributes["x"].expression).evaluate(scope or TableScope({}))


@pytest.mark.parametrize(
    ("given", "value"),
    [
        (1, 1),
        (True, True),
        (None, None),
        ([1, "a"], (1, "a")),
        ({"a": {"b": [2]}}, {"a": {"b": (2,)}}),
        ("${1 + 2}", 3),
        ("a${1}", "a1"),
        ({"k${1}": 2}, {"k1": 2}),
        ("$${x}", "${x}"),
    ],
)
def test_values_are_expressions_with_templates_in_strings(given: Any, value: Value):
    assert value_of(given) == value


def test_references_in_strings_are_found():
    attributes, _ = body({"x": ["${var.a}", {"${var.b}": 1}]}).just_attributes()
    assert list(map(str, compile_expression(attributes["x"].expression).references)) == ["var.a", "var.b"]


def test_files_of_variables_have_no_templates():
    attributes, _ = body({"x": "${var.a}"}, "terraform.tfvars.json").just_attributes()
    assert compile_expression(attributes["x"].expression).evaluate(TableScope({})) == "${var.a}"


def test_blocks_are_objects_below_their_labels():
    shape = BodyShape({"a": False}, (BlockShape("resource", ("type", "name")), BlockShape("locals")))
    content, problems = body(
        {"a": 1, "resource": {"t": {"x": {}, "y": [{}, {}]}}, "locals": [{"p": 1}, {"q": 2}]}
    ).content(shape)
    assert not problems
    assert [one.labels for one in content.of("resource")] == [("t", "x"), ("t", "y"), ("t", "y")]
    assert [list(one.body.just_attributes()[0]) for one in content.of("locals")] == [["p"], ["q"]]


def test_the_key_of_two_slashes_is_a_comment():
    content, problems = body({"//": "what a comment", "a": 1}).content(BodyShape({"a": True}))
    assert not problems
    assert list(content.attributes) == ["a"]


def test_an_array_of_objects_is_one_body():
    content, problems = body([{"a": 1}, {"b": 2}]).content(BodyShape({"a": True, "b": True}))
    assert not problems
    assert sorted(content.attributes) == ["a", "b"]


def test_unknown_properties_are_reported_with_the_nearest_name():
    _, (problem,) = body({"inputt": 1}).content(BodyShape({"input": False}))
    assert problem.mend == 'Did you mean "input"?'
    assert problem.subject is not None
    assert problem.subject.text == '"inputt"'


def test_partial_leaves_the_rest_for_the_next_reader():
    _, rest, problems = body({"a": 1, "b": 2}).partial(BodyShape({"a": True}))
    assert not problems
    content, problems = rest.content(BodyShape({"b": True}))
    assert not problems
    assert list(content.attributes) == ["b"]


def test_missing_arguments_point_at_the_closing_brace():
    found, _ = parse_json(Source("main.tf.json", '{\n  "a": 1\n}'))
    _, (problem,) = found.content(BodyShape({"a": True, "b": True}))
    assert problem.subject is not None
    assert problem.subject.first.line == 3


def test_strings_hold_keywords_addresses_and_calls():
    attributes, _ = body(
        {"a": "all", "b": 'aws_x.y["k"]', "c": "list(string)", "d": "1 + 1"}
    ).just_attributes()
    assert as_keyword(attributes["a"].expression) == "all"
    assert as_traversal(attributes["b"].expression) is not None
    call = as_call(attributes["c"].expression)
    assert call is not None
    assert call.name == "list"
    assert as_traversal(attributes["d"].expression) is None


def places(text: str) -> list[list[int]]:
    found, problems = parse_json(Source("main.tf.json", text))
    content, more = found.content(LOCALS)
    problems += [one for one in more if one.summary != "Unsupported property"]
    for block in content.blocks:
        problems += [one for one in block.body.just_attributes()[1] if one.summary != "Argument set twice"]
    return sorted(map(place, problems))


def place(diagnostic: Diagnostic) -> list[int]:
    assert diagnostic.detail
    assert diagnostic.mend
    assert diagnostic.subject is not None
    return [diagnostic.subject.first.line, diagnostic.subject.first.column]


@pytest.mark.parametrize(
    "case", read_cases(DATA / "json_errors.jsonl"), ids=lambda case: repr(case["text"][:30])
)
def test_errors_stand_where_stock_terraform_finds_them(case: dict[str, Any]):
    assert places(case["text"]) == case["places"]


@pytest.mark.parametrize("text", ["[" * 5000, '{"a":' * 5000])
def test_nesting_without_end_is_an_error_and_no_crash(text: str):
    assert parse_json(Source("main.tf.json", text))[1]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_what_is_json_is_read_without_errors(value: Any):
    _, problems = parse_json(Source("main.tf.json", json.dumps({"x": value})))
    assert not problems


@given(st.text(st.sampled_from('{}[],:"\\ntrue1.-e $%')) | st.text())
def test_any_text_is_read_without_an_exception(text: str):
    found, _ = parse_json(Source("main.tf.json", text))
    found.content(LOCALS)
    found.just_attributes()


def test_places_in_a_string_with_escapes_count_what_the_escapes_stand_for():
    text = '{"x": 1,\n "y": "a\\nbé${nope.z.w}"}'
    attributes, _ = parse_json(Source("main.tf.json", text))[0].just_attributes()
    (reference,) = compile_expression(attributes["y"].expression).references
    place = reference.range
    assert (place.text, place.first.line, place.first.column) == ("nope.z.w", 3, 5)
    assert (place.source.line(2), place.source.line(3)) == (' "y": "a', "bé${nope.z.w}")
    assert place.in_file.text == "a\\nbé${nope.z.w}"
    assert attributes["y"].expression.range.covers(place)
