"""The formatter: byte for byte what stock Terraform's does."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfra.diagnostics import Source
from twinfra.lang.formatter import format_source
from twinfra.lang.parser import parse_config

DATA = Path(__file__).parent.parent / "data" / "lang" / "formatted.jsonl"
CASES = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("start", range(0, len(CASES), 50))
def test_text_is_formatted_as_stock_terraform_does(start: int):
    for case in CASES[start : start + 50]:
        assert format_source(case["text"]) == case["formatted"]


@pytest.mark.parametrize(
    ("text", "formatted"),
    [
        ("a=1\nbcd   =2\n", "a   = 1\nbcd = 2\n"),
        ("a = 1 # x\nbcd = 22 # y\n", "a   = 1  # x\nbcd = 22 # y\n"),
        ('b "l" {\nx=1\n}\n', 'b "l" {\n  x = 1\n}\n'),
        ("b l {}\n", 'b "l" {}\n'),
        ('a = "${b}"\n', "a = b\n"),
        ('a = "${b}${c}"\n', 'a = "${b}${c}"\n'),
        ('variable "a" {\n  type = "list"\n}\n', 'variable "a" {\n  type = list(string)\n}\n'),
        ("a = [1,2]\n", "a = [1, 2]\n"),
        ("a = -1-1\n", "a = -1 - 1\n"),
        ("a = <<E\n  x  y\nE\n", "a = <<E\n  x  y\nE\n"),
    ],
)
def test_the_rules_one_by_one(text: str, formatted: str):
    assert format_source(text) == formatted


PIECES = st.sampled_from(
    ["a", ' = "x"', " = ", "1", "\n", "{", "}", "[", "]", ",", "b {\n", "# c\n", "/* d */", '"${', "e", '}"', "<<E\n", "E\n",
     " ", "(", ")", "?", ":", "-", "for", "in", '"', "\t", "\r\n"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_formatting_is_idempotent_and_keeps_the_meaning(text: str):
    if parse_config(Source("x", text))[1]:
        format_source(text)
        return
    formatted = format_source(text)
    assert parse_config(Source("x", formatted))[1] == []
    assert format_source(formatted) == formatted
