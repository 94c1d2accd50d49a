"""Whatever is written in a body, decoding gives a value of the schema's type or says what is wrong, and where."""

from __future__ import annotations

import json

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.decode.test_decoding import SCHEMA
from tests.lang.scopes import TableScope

from twinfra.decode import prepare
from twinfra.diagnostics import DiagnosticError, Source
from twinfra.lang.json_syntax import parse_json
from twinfra.lang.parser import parse_config
from twinfra.values.convert import convert
from twinfra.values.marks import unmark_deep
from twinfra.values.types import STRING, ListType
from twinfra.values.value import UNKNOWN, GetAttr, Index, List, Marked, Null, Unknown

VALUES = {
    "hidden": Marked("x", frozenset(("sensitive",))),
    "hidden_list": Marked(List(("a",), STRING), frozenset(("sensitive",))),
    "list": List(("a", None), STRING),
    "none": None,
    "null": Null(ListType(STRING)),
    "number": 5,
    "object": {"n": 1, "s": "x"},
    "unknown": UNKNOWN,
    "unknown_list": Unknown(ListType(STRING)),
}
names = st.sampled_from(
    ["any", "flag", "group", "id", "list", "map", "n", "pairs", "s", "set", "single", "text", "texts", "z"]
)
expressions = st.sampled_from(
    [
        *(f"var.{name}" for name in VALUES),
        "1",
        '"x"',
        "null",
        "true",
        "[]",
        "{}",
        "[1]",
        "{ n = 1 }",
        "[{ n = 1, s = null }]",
        "[var.unknown, 1]",
        "it.value",
        "it.key",
        "1 / 0",
    ]
)
attributes = st.dictionaries(names, expressions, max_size=3)


def render(attributes, blocks):
    lines = [f"{name} = {value}" for name, value in attributes.items()]
    return "\n".join([*lines, *blocks]) + "\n"


@st.composite
def bodies(draw, depth=2):
    blocks = []
    if depth:
        for _ in range(draw(st.integers(0, 3))):
            name, label, inner = draw(names), draw(st.sampled_from(["", ' "a"'])), draw(bodies(depth - 1))
            if draw(st.booleans()):
                blocks.append(f"{name}{label} {{\n{inner}}}")
                continue
            head = f"for_each = {draw(expressions)}\niterator = it\n"
            head += draw(st.sampled_from(["", 'labels = ["a"]\n', "labels = [it.value]\n"]))
            blocks.append(f'dynamic "{name}" {{\n{head}content {{\n{inner}}}\n}}')
    return render(draw(attributes), blocks)


def check(body):
    decoder, found = prepare(body, SCHEMA)
    told = list(found)
    assert all(one.subject is not None for one in told)
    assert all(reference.name for reference in decoder.references)
    for path in [(GetAttr(name),) for name in SCHEMA.type.attributes]:
        for more in ((), (Index(0),), (Index("a"), GetAttr("n"))):
            decoder.range_of((*path, *more))
    value, refused = None, ()
    try:
        value = decoder.evaluate(TableScope(VALUES))
    except DiagnosticError as failed:
        refused = failed.diagnostics
    assert all(one.subject is not None for one in refused)
    assert value is not None or refused
    if value is not None and not found.has_errors:
        assert value.keys() == SCHEMA.type.attributes.keys()
        plain, _ = unmark_deep(value)
        for name, kind in SCHEMA.type.attributes.items():
            if name != "any":
                convert(plain[name], kind)


@given(bodies())
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_native_bodies_are_decoded_or_refused(text):
    body, problems = parse_config(Source("main.tf", text))
    assert not problems
    check(body)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | expressions.map(lambda text: f"${{{text}}}") | st.just("x"),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(names | st.sampled_from(["dynamic", "content", "for_each", "iterator", "labels", "a"]), inner, max_size=4),
    max_leaves=12,
)  # fmt: skip


@given(st.dictionaries(names | st.just("dynamic"), json_values, max_size=5))
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_json_bodies_are_decoded_or_refused(document):
    body, problems = parse_json(Source("main.tf.json", json.dumps(document)))
    assert body is not None
    if not problems:
        check(body)
