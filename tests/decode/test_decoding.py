"""What a body's value is, for each way of nesting blocks, in both syntaxes."""

from __future__ import annotations

import pytest
from tests.decode.schemas import optional
from tests.lang.scopes import TableScope

from twinfra.decode import prepare
from twinfra.diagnostics import DiagnosticError, Source
from twinfra.lang.json_syntax import parse_json
from twinfra.lang.parser import parse_config
from twinfra.schema import Attribute, Block, NestedBlock, Nesting
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, ListType, MapType, ObjectType, SetType
from twinfra.values.value import UNKNOWN, GetAttr, Index, List, Map, Marked, Set, Unknown

INNER = Block({"n": Attribute(NUMBER, required=True), "s": optional(STRING)})
PAIR = ObjectType({"n": NUMBER, "s": STRING})
SCHEMA = Block(
    {
        "any": optional(DYNAMIC),
        "flag": optional(BOOL),
        "id": Attribute(STRING, computed=True),
        "old": optional(STRING, deprecated="Use text."),
        "pairs": optional(ListType(PAIR)),
        "text": optional(STRING),
        "texts": optional(MapType(STRING)),
    },
    {
        "group": NestedBlock(INNER, Nesting.GROUP),
        "list": NestedBlock(INNER, Nesting.LIST, max_items=2),
        "map": NestedBlock(INNER, Nesting.MAP),
        "set": NestedBlock(INNER, Nesting.SET),
        "single": NestedBlock(INNER, Nesting.SINGLE),
    },
)
NEEDING = Block(
    {}, {"list": NestedBlock(INNER, min_items=2), "single": NestedBlock(INNER, Nesting.SINGLE, 1)}
)
SECRET = frozenset(("sensitive",))
EMPTY = {
    "any": None,
    "flag": None,
    "group": {"n": None, "s": None},
    "id": None,
    "list": (),
    "map": {},
    "old": None,
    "pairs": None,
    "set": (),
    "single": None,
    "text": None,
    "texts": None,
}


def native(text):
    body, problems = parse_config(Source("main.tf", text))
    assert not problems
    return body


def json(text):
    body, problems = parse_json(Source("main.tf.json", text))
    assert not problems
    return body


def decoded(body, variables=None, schema=SCHEMA):
    """What is written, without what is as in an empty body."""
    decoder, found = prepare(body, schema)
    assert not found.errors
    value = decoder.evaluate(TableScope(variables or {}))
    return {name: inner for name, inner in value.items() if name not in EMPTY or inner != EMPTY[name]}


def problems(body, variables=None, schema=SCHEMA):
    """The (line, summary) of all that is wrong."""
    decoder, found = prepare(body, schema)
    told = found.errors
    try:
        decoder.evaluate(TableScope(variables or {}))
    except DiagnosticError as failed:
        told = [*told, *failed.diagnostics]
    return [(one.subject.first.line, one.summary) for one in told]


def test_nothing_written_is_null_and_no_blocks_are_empty_collections():
    decoder, found = prepare(native(""), SCHEMA)
    assert not found
    value = decoder.evaluate(TableScope({}))
    assert value == EMPTY
    assert value.keys() == SCHEMA.type.attributes.keys()
    assert (value["list"].element, value["set"].element, value["map"].element) == (INNER.type,) * 3


BODIES = {
    "single": ("single {\n n = 1\n}", '{"single": {"n": 1}}', {"n": 1, "s": None}),
    "group": ("group {\n n = 1\n}", '{"group": {"n": 1}}', {"n": 1, "s": None}),
    "list": (
        "list {\n n = 2\n}\nlist {\n n = 1\n}",
        '{"list": [{"n": 2}, {"n": "1"}]}',
        List(({"n": 2, "s": None}, {"n": 1, "s": None})),
    ),
    "set": (
        "set {\n n = 2\n}\nset {\n n = 1\n}\nset {\n n = 2\n}",
        '{"set": [{"n": 2}, {"n": 1}, {"n": 2}]}',
        Set(({"n": 1, "s": None}, {"n": 2, "s": None})),
    ),
    "map": (
        'map "a" {\n n = 2\n}\nmap "b" {\n n = 1\n}',
        '{"map": {"a": {"n": 2}, "b": {"n": 1}}}',
        Map({"a": {"n": 2, "s": None}, "b": {"n": 1, "s": None}}),
    ),
    "pairs": ("pairs {\n n = 1\n}", '{"pairs": [{"n": 1}]}', List(({"n": 1, "s": None},))),
    "texts": ("texts = { a = 1 }", '{"texts": {"a": 1}}', Map({"a": "1"})),
}


@pytest.mark.parametrize("name", BODIES)
def test_both_syntaxes_mean_the_same(name):
    one, other, expected = BODIES[name]
    assert decoded(native(one)) == {name: expected}
    assert decoded(json(other)) == {name: expected}


DYNAMICS = {
    "single": ("single", "[7]", {"n": 7, "s": None}),
    "group without an element": ("group", "[]", {"n": None, "s": None}),
    "list": ("list", "[7, 8]", List(({"n": 7, "s": None}, {"n": 8, "s": None}))),
    "set": ("set", "[8, 7, 8]", Set(({"n": 7, "s": None}, {"n": 8, "s": None}))),
    "map": ("map", "[7]", Map({"k7": {"n": 7, "s": None}})),
    "argument": ("pairs", "[7]", List(({"n": 7, "s": None},))),
}


@pytest.mark.parametrize("case", DYNAMICS)
def test_a_dynamic_block_makes_blocks_of_every_kind(case):
    name, elements, expected = DYNAMICS[case]
    labels = 'labels = ["k${it.value}"]' if name == "map" else ""
    text = f"""
    dynamic "{name}" {{
      for_each = {elements}
      iterator = it
      {labels}
      content {{
        n = it.value
      }}
    }}
    """
    value = prepare(native(text), SCHEMA)[0].evaluate(TableScope({}))
    assert value[name] == expected
    head = f'"for_each": "${{{elements}}}", "iterator": "it", "content": {{"n": "${{it.value}}"}}'
    if name == "map":
        head += ', "labels": ["k${it.value}"]'
    text = f'{{"dynamic": {{"{name}": {{{head}}}}}}}'
    assert prepare(json(text), SCHEMA)[0].evaluate(TableScope({}))[name] == expected


@pytest.mark.parametrize(
    ("name", "type"),
    [("single", PAIR), ("list", ListType(PAIR)), ("set", SetType(PAIR)), ("pairs", ListType(PAIR))],
)
def test_where_the_number_of_blocks_is_unknown_their_collection_is(name, type):
    text = f'dynamic "{name}" {{\n for_each = var.x\n content {{\n n = 1\n }}\n}}'
    assert decoded(native(text), {"x": UNKNOWN}) == {name: Unknown(type)}


def test_blocks_of_an_unknown_number_are_not_missing_and_what_they_would_hold_is_not_looked_at():
    text = 'single {\n n = 1\n}\ndynamic "list" {\n for_each = var.x\n content {\n n = [list.value]\n }\n}'
    assert problems(native(text), {"x": UNKNOWN}, NEEDING) == []


@pytest.mark.parametrize(("elements", "told"), [("[]", []), ("[1]", ["Unsupported argument"])])
def test_what_is_wrong_with_the_content_of_a_dynamic_block_matters_where_it_makes_a_block(elements, told):
    text = f'dynamic "list" {{\n for_each = {elements}\n content {{\n n = 1\n nope = 2\n }}\n}}'
    assert [one for _, one in problems(native(text), {})] == told


def test_marks_stay_where_they_were():
    text = 'text = var.x\nlist {\n n = 1\n s = var.x\n}\ndynamic "map" {\n for_each = var.l\n labels = ["k"]\n content {\n n = 1\n }\n}'
    secret = Marked("hush", SECRET)
    value = decoded(native(text), {"x": secret, "l": Marked(("a",), SECRET)})
    assert value == {
        "text": secret,
        "list": List(({"n": 1, "s": secret},)),
        "map": Marked(Map({"k": {"n": 1, "s": None}}), SECRET),
    }


def test_marks_of_elements_of_a_set_are_on_the_set():
    value = decoded(native("set {\n n = 1\n s = var.x\n}"), {"x": Marked("hush", SECRET)})
    assert value == {"set": Marked(Set(({"n": 1, "s": "hush"},)), SECRET)}


def test_values_take_the_type_of_their_argument():
    text = "text = var.n\nflag = var.t\nany = var.n\ntexts = var.o"
    value = decoded(native(text), {"n": 5, "t": "true", "o": {"a": 1}})
    assert value == {"text": "5", "flag": True, "any": 5, "texts": Map({"a": "1"})}
    assert value["texts"].element == STRING


ERRORS = {
    "unfit": ("text = var.x", {"x": ("a",)}, [(1, "Unsuitable value")]),
    "all of several": ("text = [1]\nflag = var.x", {"x": "yes"}, [(1, "Unsuitable value"), (2, "Unsuitable value")]),
    "required and null": ("list {\n n = var.x\n}", {"x": None}, [(2, "Missing required argument")]),
    "required and a null literal": ("list {\n n = null\n}", {}, [(2, "Missing required argument")]),
    "too many by dynamic": (
        'dynamic "list" {\n for_each = [1, 2, 3]\n content {\n n = 1\n }\n}',
        {},
        [(1, "Too many blocks")],
    ),
    "label twice": ('map "a" {\n n = 1\n}\nmap "a" {\n n = 1\n}', {}, [(4, "Block given twice")]),
    "null label": (
        'dynamic "map" {\n for_each = [1]\n labels = [null]\n content {\n n = 1\n }\n}',
        {},
        [(3, "Unsuitable label")],
    ),
    "no label": (
        'dynamic "map" {\n for_each = [1]\n content {\n n = 1\n }\n}',
        {},
        [(1, "Missing required argument")],
    ),
    "undeclared": ("text = var.y", {}, [(1, "Undeclared")]),
    "read-only": ('id = "x"', {}, [(1, "Argument cannot be set")]),
}  # fmt: skip


@pytest.mark.parametrize("case", ERRORS)
def test_errors_are_told_where_they_are(case):
    text, variables, expected = ERRORS[case]
    assert problems(native(text), variables) == expected


def test_blocks_that_must_be_there_are_missed():
    _, found = prepare(native("list {\n n = 1\n}\n"), NEEDING)
    assert [one.detail for one in found] == [
        "At least 2 blocks list are required here. There is 1.",
        "A block single is required here.",
    ]


def test_a_deprecated_argument_is_a_warning():
    _, found = prepare(native('old = "x"'), SCHEMA)
    assert [(one.severity, one.summary, one.detail) for one in found] == [
        ("warning", "Argument is deprecated", "Use text.")
    ]


def test_a_misspelt_name_is_told_with_the_nearest_one():
    _, found = prepare(
        native('txt = "x"\nsingel {}\ndynamic "singles" {\n for_each = []\n content {}\n}'), SCHEMA
    )
    assert [one.mend for one in found] == [f'Did you mean "{name}"?' for name in ("text", "single", "single")]


def test_references_are_those_of_all_expressions_but_not_the_iterators():
    text = 'text = var.a\nlist {\n n = var.b\n}\ndynamic "set" {\n for_each = var.c\n content {\n n = set.value + var.d\n }\n}'
    decoder, _ = prepare(native(text), SCHEMA)
    assert sorted(one.name for one in decoder.references) == ["a", "b", "c", "d"]


def test_an_inner_iterator_hides_an_outer_one_of_its_name():
    leaf = Block({"v": optional(STRING)})
    middle = Block({"v": optional(STRING)}, {"leaf": NestedBlock(leaf)})
    schema = Block({}, {"middle": NestedBlock(middle)})
    text = """
    dynamic "middle" {
      for_each = ["a", "b"]
      iterator = it
      content {
        v = it.value
        dynamic "leaf" {
          for_each = ["${it.value}1"]
          iterator = it
          content {
            v = it.value
          }
        }
      }
    }
    """
    value = prepare(native(text), schema)[0].evaluate(TableScope({}))
    assert value == {"middle": tuple({"v": one, "leaf": ({"v": f"{one}1"},)} for one in "ab")}


PLACES = {
    "argument": ((GetAttr("text"),), "var.x"),
    "element written out": ((GetAttr("texts"), Index("b")), "var.y"),
    "element not written out": ((GetAttr("texts"), Index("c")), "{ a = 1, b = var.y }"),
    "block": ((GetAttr("single"),), "single"),
    "in a block": ((GetAttr("single"), GetAttr("n")), "10"),
    "not written in a block": ((GetAttr("single"), GetAttr("s")), "single"),
    "in one of several blocks": ((GetAttr("list"), Index(1), GetAttr("n")), "12"),
    "in a labelled block": ((GetAttr("map"), Index("two"), GetAttr("n")), "14"),
    "in a dynamic block": ((GetAttr("set"), Index({"n": 1, "s": None}), GetAttr("n")), "set.value"),
    "not written": ((GetAttr("flag"),), None),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_path_leads_to_the_place_where_the_value_is_written(case):
    text = """
    text = var.x
    texts = { a = 1, b = var.y }
    single {
      n = 10
    }
    list {
      n = 11
    }
    list {
      n = 12
    }
    map "one" {
      n = 13
    }
    map "two" {
      n = 14
    }
    dynamic "set" {
      for_each = var.x
      content {
        n = set.value
      }
    }
    """
    decoder, found = prepare(native(text), SCHEMA)
    assert not found
    path, expected = PLACES[case]
    place = decoder.range_of(path)
    assert expected == (place and place.text)


def test_constants_are_worked_out_once_and_the_rest_for_every_scope():
    decoder, _ = prepare(native("texts = { a = 1 }\ntext = var.x"), SCHEMA)
    values = [decoder.evaluate(TableScope({"x": str(number)})) for number in range(3)]
    assert [value["text"] for value in values] == ["0", "1", "2"]
    assert values[0]["texts"] is values[2]["texts"]


def test_a_list_made_by_an_expression_in_json_is_an_argument():
    body = json('{"pairs": "${[for n in var.x : {n = n, s = upper(\\"x\\")}]}"}')
    assert decoded(body, {"x": (1, 2)}) == {"pairs": List(({"n": 1, "s": "X"}, {"n": 2, "s": "X"}))}
