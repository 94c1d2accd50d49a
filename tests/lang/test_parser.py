"""The parser: what syntax nodes a text becomes, and where errors are."""

import dataclasses
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from twinfra.diagnostics import Source, SourceRange
from twinfra.lang.nodes import BlockShape, BodyShape
from twinfra.lang.parser import parse_config, parse_expression, parse_template, parse_traversal

DATA = Path(__file__).parent.parent / "data" / "lang"


def shown(node: object) -> object:
    """A node as nested tuples, without ranges."""
    if isinstance(node, tuple):
        return tuple(shown(one) for one in node)
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    inner = [getattr(node, field.name) for field in dataclasses.fields(node) if "range" not in field.name]
    return (type(node).__name__, *map(shown, inner))


def expression(text: str) -> object:
    node, problems = parse_expression(Source("x", text))
    assert not problems
    return shown(node)


A, B, C = ("Variable", "a"), ("Variable", "b"), ("Variable", "c")


@pytest.mark.parametrize(
    ("text", "node"),
    [
        ("1", ("Literal", 1)),
        ('"a\\n\\u00e9"', ("Literal", "a\né")),
        ("null", ("Literal", None)),
        ("a + b * c", ("Binary", "+", A, ("Binary", "*", B, C))),
        ("a - b - c", ("Binary", "-", ("Binary", "-", A, B), C)),
        ("a || b && c", ("Binary", "||", A, ("Binary", "&&", B, C))),
        ("-a + b", ("Binary", "+", ("Unary", "-", A), B)),
        ("!a.b", ("Unary", "!", ("GetAttr", A, "b"))),
        ("a ? b : c ? a : b", ("Conditional", A, B, ("Conditional", C, A, B))),
        ("(a)", ("Parentheses", A)),
        ("a.b[0].c", ("GetAttr", ("Index", ("GetAttr", A, "b"), ("Literal", 0), False), "c")),
        ("a.0", ("Index", A, ("Literal", 0), True)),
        ("a[b]", ("Index", A, B, False)),
        (
            "a[*].b[0]",
            ("Splat", A, ("Index", ("GetAttr", ("SplatElement",), "b"), ("Literal", 0), False), True),
        ),
        (
            "a.*.b[0]",
            ("Index", ("Splat", A, ("GetAttr", ("SplatElement",), "b"), False), ("Literal", 0), False),
        ),
        ("[a, b,]", ("TupleExpression", (A, B))),
        ("f()", ("Call", "f", (), False)),
        ("n::f(a, b...)", ("Call", "n::f", (A, B), True)),
        ("[for a in b : a]", ("For", "", "a", B, None, A, None, False)),
        ("{for a, b in c : a => b... if a}", ("For", "a", "b", C, A, B, A, True)),
        ('"${a}"', ("TemplateWrap", A)),
        ('"${a}b"', ("Template", (A, ("Literal", "b")))),
        ('" ${~ a ~} "', ("Template", (("Literal", ""), A, ("Literal", "")))),
        ('"%{ if a }b%{ endif }"', ("Template", (("TemplateIf", A, (("Literal", "b"),), ()),))),
        ('"%{ for a, b in c }${b}%{ endfor }"', ("Template", (("TemplateFor", "a", "b", C, (B,)),))),
        ("<<-E\n    a\n  b\n\n  E\n", ("Literal", "  a\nb\n\n")),
    ],
)
def test_expressions_become_nodes(text: str, node: object):
    assert expression(text) == node


def test_keys_of_objects_are_names_strings_or_expressions():
    keys = expression('{ a = 1, true = 2, "b" : 3\n (c) = 4 }')[1]
    assert [(item[1], item[3]) for item in keys] == [
        (("Literal", "a"), True),
        (("Literal", "true"), True),
        (("Literal", "b"), False),
        (("Parentheses", C), False),
    ]


def test_line_ends_do_not_count_inside_brackets():
    assert expression("f(\na\n,\nb\n)") == ("Call", "f", (A, B), False)


def test_every_node_knows_its_place():
    node, _ = parse_expression(Source("x", "  a.b + 1"))
    assert node.range.text == "a.b + 1"
    assert node.left.name_range.text == ".b"


def test_strings_are_in_composed_normal_form():
    assert expression('"e\u0301"') == ("Literal", "é")


def test_a_whole_file_can_be_a_template():
    node, problems = parse_template(Source("x", 'say "hi" to ${a}\n'))
    assert not problems
    assert shown(node) == ("Template", (("Literal", 'say "hi" to '), A, ("Literal", "\n")))


@pytest.mark.parametrize("text", ["a.b", 'module.m["k"].a.b[0]', "self"])
def test_addresses_are_names_and_literal_keys(text: str):
    assert parse_traversal(Source("x", text))[1] == []


@pytest.mark.parametrize("text", ["a.b[c]", "f(a)", "a[*].b", "1"])
def test_other_expressions_are_no_addresses(text: str):
    assert parse_traversal(Source("x", text))[1]


CONFIG = """
# a comment
x = 1
b "l" m {
  y = [
    2,
  ]
  inner { z = 3 }
}
"""


def test_a_body_has_attributes_and_blocks():
    body, problems = parse_config(Source("x", CONFIG))
    assert not problems
    content, problems = body.content(BodyShape({"x": True}, (BlockShape("b", ("one", "two")),)))
    assert not problems
    assert content.attributes["x"].expression.value == 1
    block = content.blocks[0]
    assert (block.type, block.labels, block.range.text) == ("b", ("l", "m"), 'b "l" m')
    inner, problems = block.body.content(BodyShape({"y": False}, (BlockShape("inner"),)))
    assert not problems
    assert inner.of("inner")[0].body.just_attributes()[0]["z"].expression.value == 3


def places(text: str, shape: BodyShape) -> list[tuple[int, int, str]]:
    body, problems = parse_config(Source("x", text))
    problems += body.content(shape)[1]
    return sorted(
        (one.subject.first.line, one.subject.first.column, one.mend) for one in problems if one.subject
    )


def test_what_a_shape_does_not_name_is_reported_with_the_nearest_name():
    shape = BodyShape({"input": False}, (BlockShape("lifecycle"),))
    assert places("inputt = 1\nlifecycl {}\n", shape) == [
        (1, 1, 'Did you mean "input"?'),
        (2, 1, 'Did you mean "lifecycle"?'),
    ]


def test_an_argument_written_as_a_block_is_told_so():
    found = places("input {}\nlifecycle = 1\n", BodyShape({"input": False}, (BlockShape("lifecycle"),)))
    assert "equals sign" in found[0][2]
    assert "without the equals sign" in found[1][2]


def test_missing_arguments_point_at_the_opening_brace():
    body, _ = parse_config(Source("x", "b {\n}\n"))
    inner = body.content(BodyShape({}, (BlockShape("b"),)))[0].blocks[0].body
    (problem,) = inner.content(BodyShape({"a": True}))[1]
    assert problem.subject is not None
    assert (problem.subject.first.line, problem.subject.first.column) == (1, 3)


def test_wrong_numbers_of_labels_are_reported():
    shape = BodyShape({}, (BlockShape("b", ("name",)),))
    assert [one[:2] for one in places('b "x" "y" {}\nb {}\n', shape)] == [(1, 7), (2, 3)]


def test_partial_leaves_the_rest_for_the_next_reader():
    body, _ = parse_config(Source("x", "a = 1\nb = 2\nc {}\n"))
    _, rest, problems = body.partial(BodyShape({"a": False}))
    assert not problems
    assert list(rest.attributes) == ["b"]
    assert [one.type for one in rest.blocks] == ["c"]


def test_just_attributes_refuses_blocks():
    _, problems = parse_config(Source("x", "a = 1\nc {}\n"))[0].just_attributes()
    assert len(problems) == 1


def cases(name: str) -> list[dict[str, object]]:
    return [json.loads(line) for line in (DATA / name).read_text(encoding="utf-8").splitlines()]


SYNTAX_ERRORS = cases("syntax_errors.jsonl")


@pytest.mark.parametrize("start", range(0, len(SYNTAX_ERRORS), 100))
def test_syntax_errors_stand_where_stock_terraform_finds_them(start: int):
    different = []
    for case in SYNTAX_ERRORS[start : start + 100]:
        _, problems = parse_config(Source("x", str(case["text"])))
        found = [[one.subject.first.line, one.subject.first.column] for one in problems if one.subject]
        if sorted(found) != case["places"] or not all(one.detail and one.mend for one in problems):
            different.append((case["text"], case["places"], found))
    assert different == []


def test_several_errors_are_reported_at_once():
    _, problems = parse_config(Source("x", 'a = "${"\nb = \nc = 1 1\nd = "\\q"\n'))
    assert len(problems) > 1


@pytest.mark.parametrize(
    "text", ["(" * 5000, "[" * 5000, "-" * 5000 + "1", '"${' * 2000, "a {\n" * 3000, "f(" * 3000]
)
def test_nesting_without_end_is_an_error_and_no_crash(text: str):
    _, problems = parse_config(Source("x", f"a = {text}" if not text.startswith("a") else text))
    assert any(one.summary == "Nested too deeply" for one in problems)


def test_long_flat_expressions_are_no_problem():
    _, problems = parse_expression(Source("x", "+".join(["1"] * 20_000)))
    assert not problems


PIECES = st.sampled_from(
    ['a', '"', '${', '}', '%{', '{', '[', ']', '(', ')', '=', '\n', ',', '.', '*', 'for', 'in', 'if', ':', '=>', '...',
     'x "y" {\n', '<<E\n', 'E\n', '1', '"s"', 'endif', '?', '~}', '#', '/*', '\\', 'é', '-', '!', '&&']
)  # fmt: skip


@settings(max_examples=300)
@given(st.lists(PIECES, max_size=60).map("".join) | st.text())
def test_any_text_parses_without_an_exception(text: str):
    for read in (parse_config, parse_expression, parse_template, parse_traversal):
        _, problems = read(Source("x", text))
        for one in problems:
            assert isinstance(one.subject, SourceRange)
            assert 0 <= one.subject.start <= one.subject.end <= len(text)
