"""The values that are told with an error."""

import pytest
from tests.lang.scopes import KNOWN, LocalsScope

from twinfra.diagnostics import DiagnosticError, Source
from twinfra.lang.compiler import compile_expression
from twinfra.lang.parser import parse_expression


def told(text: str) -> list[tuple[tuple[str, str], ...]]:
    """What is told with each error of an expression."""
    expression, problems = parse_expression(Source("x", text))
    assert not problems
    with pytest.raises(DiagnosticError) as caught:
        compile_expression(expression).evaluate(LocalsScope(KNOWN))
    return [one.values for one in caught.value.diagnostics]


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("local.l + 1", (("local.l", "is list of string with 2 elements"),)),
        ("local.o.c.d.e", (("local.o.c.d", "is tuple with 2 elements"),)),
        ("upper(local.seco)", (("local.seco", "is object with 2 attributes"),)),
        ("[for k in local.l : local.em[k]][0]", (("local.em", "is object with no attributes"),)),
        ("local.tu[7]", (("local.tu", "is tuple with 3 elements"),)),
        ("local.s.x", (("local.s", 'is "str"'),)),
        ("local.l[local.n]", (("local.l", "is list of string with 2 elements"), ("local.n", "is 5"))),
        ("local.z.x", (("local.z", "is null"),)),
        ("local.t ? local.st.x : 1", (("local.st", "is set of string with 2 elements"),)),
    ],
)
def test_an_error_tells_what_the_part_it_points_at_refers_to(
    text: str, wanted: tuple[tuple[str, str], ...]
) -> None:
    assert told(text)[0] == wanted


def test_sensitive_values_are_not_told() -> None:
    assert told("local.sec.x") == [()]


def test_an_error_of_a_call_names_the_function() -> None:
    expression, _ = parse_expression(Source("x", "core::upper([])"))
    with pytest.raises(DiagnosticError) as caught:
        compile_expression(expression).evaluate(LocalsScope(KNOWN))
    assert [one.function for one in caught.value.diagnostics] == ["core::upper"]
