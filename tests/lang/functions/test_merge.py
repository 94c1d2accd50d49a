"""`merge` after a null of no type, where stock Terraform looks only for elements with strings as keys."""

import pytest
from tests.lang.scopes import KNOWN, LocalsScope

from twinfra.diagnostics import DiagnosticError, Source
from twinfra.lang.compiler import compile_expression
from twinfra.lang.parser import parse_expression
from twinfra.values.value import Value


def value(text: str) -> Value:
    expression, problems = parse_expression(Source("x", text))
    assert not problems
    return compile_expression(expression).evaluate(LocalsScope(KNOWN))


@pytest.mark.parametrize(
    ("text", "merged"),
    [
        ("merge(null, [])", {}),
        ("merge(null, { a = 1 }, [])", {"a": 1}),
        ("merge({ a = 1 }, null, tolist([]))", {"a": 1}),
        ('merge(null, toset(["a"]))', {"a": "a"}),
    ],
)
def test_what_has_no_other_keys_than_strings_is_merged(text: str, merged: dict[str, Value]) -> None:
    assert value(text) == merged


@pytest.mark.parametrize(
    "text", ['merge(null, ["a"])', "merge([], null)", 'merge(null, "x")', "merge(null, toset([1]))"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(DiagnosticError):
        value(text)
