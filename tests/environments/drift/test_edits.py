"""What accepting changes in written-out values: entries come and go, and nothing else moves."""

from __future__ import annotations

from typing import Any

import pytest

from twinfra.diagnostics import Source
from twinfra.environments.drift.edits import edited, edits_of
from twinfra.environments.drift.literals import reconcile
from twinfra.lang.parser import parse_config
from twinfra.values.types import STRING
from twinfra.values.value import Set


def rewritten(text: str, value: Any) -> str | None:
    """The text with its argument `x` saying a value; None where that is not to be written."""
    body, problems = parse_config(Source("main.tf", text))
    assert not problems
    wishes = reconcile(body.attributes["x"].expression, value)
    if wishes is None:
        return None
    return edited(edits_of(wishes)).get("main.tf", (text, text))[1]


@pytest.mark.parametrize(
    ("before", "value", "after"),
    [
        ("x = 1 # one\n", 2, "x = 2 # one\n"),
        ("x = -1\n", -1, "x = -1\n"),
        ('x = "7"\n', 7, 'x = "7"\n'),
        ('x = ("a")\n', "b", 'x = ("b")\n'),
        ('x = "a"\n', "${b}", 'x = "$${b}"\n'),
        ("x = {}\n", {"a": 1}, "x = { a = 1 }\n"),
        ("x = { a = 1 }\n", {}, "x = {}\n"),
        ("x = { a = 1 }\n", None, "x = {}\n"),
        ("x = { a = 1, b = 2 }\n", {"a": 1}, "x = { a = 1 }\n"),
        ("x = { a = 1, b = 2 }\n", {"b": 2}, "x = { b = 2 }\n"),
        ("x = { a = 1, b = 2, c = 3 }\n", {"a": 1, "c": 4, "d": 5}, "x = { a = 1, c = 4, d = 5 }\n"),
        ("x = { a = 1 }\n", {"b": 2, "c-d": 3, "e f": 4}, 'x = { b = 2, c-d = 3, "e f" = 4 }\n'),
        ("x = {\n  a = 1 # keep\n}\n", {"a": 1, "b": 2, "c": 3}, "x = {\n  a = 1 # keep\n  b = 2\n  c = 3\n}\n"),
        ("x = {\n  a = 1,\n  b = 2, # b\n}\n", {"a": 1}, "x = {\n  a = 1,\n}\n"),
        ("x = {\n  # none yet\n}\n", {"a": 1}, "x = {\n  # none yet\n  a = 1\n}\n"),
        ("x = {\n  a = 1, b = 2\n}\n", {"a": 1}, "x = {\n  a = 1\n}\n"),
        ("x = { a = { b = 1 } }\n", {"a": {"b": 2}}, "x = { a = { b = 2 } }\n"),
        ("x = []\n", ("a",), 'x = ["a"]\n'),
        ('x = ["a"]\n', (), "x = []\n"),
        ('x = ["a", "b", "c"]\n', ("a", "c"), 'x = ["a", "c"]\n'),
        ('x = ["b", "c"]\n', ("a", "b", "d"), 'x = ["a", "b", "d"]\n'),
        ('x = ["a", "b"]\n', ("b", "a"), 'x = ["b", "a"]\n'),
        (
            'x = [\n  "a", # first\n  "b"  # last\n]\n',
            ("a", "b", "c"),
            'x = [\n  "a", # first\n  "b", # last\n  "c",\n]\n',
        ),
        ('x = [\n  "a", # first\n  "b", # gone\n]\n', ("z", "a"), 'x = [\n  "z",\n  "a", # first\n]\n'),
        ('x = [\n  "a", "b",\n  "c",\n]\n', ("a", "b"), 'x = [\n  "a", "b",\n]\n'),
        ('x = ["b", "a"]\n', Set(("a", "c"), STRING), 'x = ["a", "c"]\n'),
        ('x = ["b", "a"]\n', Set(("a", "b"), STRING), 'x = ["b", "a"]\n'),
        ("x = [1, 2]\n", ("1", "2"), "x = [1, 2]\n"),
        ('x = [{ a = 1 }, { a = 2 }]\n', ({"a": 1, "b": None}, {"a": 3}), "x = [{ a = 1 }, { a = 3 }]\n"),
        ('x = "a"\r\ny = 1\r\n', "b", 'x = "b"\r\ny = 1\r\n'),
        ("x = {\r\n  a = 1\r\n}\r\n", {"a": 1, "b": 2}, "x = {\r\n  a = 1\r\n  b = 2\r\n}\r\n"),
    ],
)  # fmt: skip
def test_a_literal_says_another_value_and_all_else_stays(before: str, value: Any, after: str) -> None:
    assert rewritten(before, value) == after
    assert rewritten(after, value) == after, "once it says so, there is nothing to change"


@pytest.mark.parametrize(
    "text",
    [
        "x = var.a\n",
        'x = "a${var.b}"\n',
        "x = [1, var.a]\n",
        "x = { (a) = 1 }\n",
        "x = <<-E\n  a\nE\n",
        "x = f(1)\n",
    ],
)
def test_what_is_worked_out_is_not_rewritten(text: str) -> None:
    assert rewritten(text, "b") is None


def test_an_entry_that_begins_a_line_goes_without_what_follows_on_it() -> None:
    assert rewritten('x = [\n  "a",\n  "b", "c",\n]\n', ("a", "c")) == 'x = [\n  "a",\n  "c",\n]\n'
