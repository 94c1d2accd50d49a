"""The functions of the built-in provider. What they must answer was seen with stock Terraform."""

from __future__ import annotations

from typing import Any

import pytest

from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.functions.hcl_writing import is_identifier
from twinfra.lang.functions.terraform import encode_expr, encode_tfvars


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (1, "1"),
        (-5, "-5"),
        (True, "true"),
        ((), "[]"),
        ({}, "{}"),
        ((1, (2, {"a": 3})), "[1, [2, {\n  a = 3\n}]]"),
        (
            {"a": 1, "b": (True, None, "x"), "c d": {"e": "f"}},
            '{\n  a = 1\n  b = [true, null, "x"]\n  "c d" = {\n    e = "f"\n  }\n}',
        ),
        (
            {"a b": 1, "d": 2, "1": 3, "for": 4, "${x}": 5, "": 6, "a-b": 7, "_a": 8},
            '{\n  ""      = 6\n  "$${x}" = 5\n  "1"     = 3\n  _a      = 8\n  "a b"   = 1\n  a-b     = 7\n  d       = 2\n  for     = 4\n}',
        ),
        (
            {"a": ({"b": 1}, {"c": {}}), "d": ()},
            "{\n  a = [{\n    b = 1\n    }, {\n    c = {}\n  }]\n  d = []\n}",
        ),
        (
            {"a": {}, "b": 1, "c": ({},), "d": {"x": 1}, "e": 2, "ff": 3},
            "{\n  a = {}\n  b = 1\n  c = [{}]\n  d = {\n    x = 1\n  }\n  e  = 2\n  ff = 3\n}",
        ),
        (({"a": 1}, {"b": 2}), "[{\n  a = 1\n  }, {\n  b = 2\n}]"),
        ({"x": ((1,), ({"a": 1},), 2)}, "{\n  x = [[1], [{\n    a = 1\n  }], 2]\n}"),
        ({"日": 1, "a.b": 2}, '{\n  "a.b" = 2\n  日     = 1\n}'),
        ('multi\nline\t"q" \\ é \x07 \u2028', '"multi\\nline\\t\\"q\\" \\\\ é \\u0007 \\u2028"'),
        ("${a} %{b} $ % $${", '"$${a} %%{b} $ % $$${"'),
        ("\u00a0\u200b\U0001f600\r\0", '"\\u00a0\\u200b\U0001f600\\r\\u0000"'),
        ("a = [{", '"a = [{"'),
    ],
)
def test_a_value_is_written_as_an_expression(value: Any, expected: str) -> None:
    assert encode_expr(value) == expected


def test_an_object_is_written_as_the_values_of_variables() -> None:
    value = {"a": 1, "b": "x", "c": (1, 2), "d": {"e": "f"}, "long_name": None}
    assert encode_tfvars(value) == 'a = 1\nb = "x"\nc = [1, 2]\nd = {\n  e = "f"\n}\nlong_name = null\n'
    assert encode_tfvars({"x": "1", "yyy": "2"}) == 'x   = "1"\nyyy = "2"\n'
    assert encode_tfvars({}) == ""


@pytest.mark.parametrize("value", [(1,), "a", {"a b": 1}])
def test_only_an_object_with_names_of_variables_can_be_written_so(value: Any) -> None:
    with pytest.raises(FunctionError) as caught:
        encode_tfvars(value)
    assert caught.value.argument is None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a", True),
        ("_a", True),
        ("a-b", True),
        ("é", True),
        ("a1", True),
        ("", False),
        ("-a", False),
        ("1a", False),
        ("a b", False),
    ],
)
def test_which_names_need_no_quotes(text: str, expected: bool) -> None:
    assert is_identifier(text) is expected
