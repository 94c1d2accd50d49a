"""Whatever people write: values or diagnostics come out, never an exception, and in time linear in the length."""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.lang.scopes import CONSOLE, LocalsScope

from twinfra.diagnostics import DiagnosticError, Source
from twinfra.lang.compiler import compile_expression
from twinfra.lang.formatter import format_source
from twinfra.lang.functions import catalog
from twinfra.lang.parser import parse_config, parse_expression
from twinfra.values.console import render

_SLOW = ("bcrypt", "rsadecrypt")
ATOMS = st.sampled_from(
    ['1', '0', '-1', '2.5', '1e30', '1/0', '"a"', '""', '"3"', '"é"', '"a,b"', 'true', 'null', '[]', '[1, "a"]', '{}',
     '{a = 1}', '{a = [1], b = "x"}', 'tolist([])', 'tolist(["a", null])', 'toset([2, 1])', 'tomap({a = 1})',
     'sensitive("s")', '[sensitive("x")]', 'tostring(null)', 'tolist(null)', 'local.us', 'local.ud', 'local.ul',
     'local.un', 'local.um', 'local.ux', '[local.us, 1]', 'toset([local.us, "k"])', 'sensitive(local.us)',
     '"p-${local.us}"', 'terraform_data.u']
)  # fmt: skip
OPERATORS = st.sampled_from(["+", "-", "*", "/", "%", "==", "!=", "<", "<=", ">", ">=", "&&", "||"])
FUNCTIONS = st.sampled_from([name for name in catalog() if name not in _SLOW])


def _composed(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return (
        st.builds(lambda name, given: f"{name}({', '.join(given)})", FUNCTIONS, st.lists(inner, max_size=3))
        | st.builds("({} {} {})".format, inner, OPERATORS, inner)
        | st.builds("({} ? {} : {})".format, inner, inner, inner)
        | st.builds("{}[{}]".format, inner, inner)
        | st.builds("({}){}".format, inner, st.sampled_from([".a", "[*]", ".*.a", "[*].a[0]", ".0"]))
        | st.builds("[for k, v in {} : {}]".format, inner, inner)
        | st.builds("{{for k, v in {} : k => {}...}}".format, inner, inner)
        | st.builds('"x${{{}}}y"'.format, inner)
        | st.builds("try({}, {})".format, inner, inner)
    )


EXPRESSIONS = st.recursive(ATOMS, _composed, max_leaves=6)
SCOPE = LocalsScope(CONSOLE, console=True)


@settings(max_examples=400, deadline=None)
@given(EXPRESSIONS)
def test_an_expression_has_a_value_that_can_be_shown_or_diagnostics(text: str) -> None:
    expression, problems = parse_expression(Source("x", text))
    assert not problems
    try:
        shown = render(compile_expression(expression).evaluate(SCOPE))
    except DiagnosticError as failed:
        shown = "".join(one.detail for one in failed.diagnostics)
    assert shown


def steps(work: Callable[[], Any]) -> int:
    """How many functions are called, of Python or built in: a measure of cost that is the same on any machine."""
    count = 0

    def note(_: FrameType, event: str, __: Any) -> None:
        nonlocal count
        if event in ("call", "c_call"):
            count += 1

    before = sys.getprofile()
    # What other tests have left is not cleared away meanwhile: that would call functions of theirs.
    gc.disable()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
        gc.enable()
    return count


LONG: dict[str, Callable[[int], str]] = {
    "blocks": lambda n: 'resource "a" "b" {\n  x = [1, "a${b.c}", f(x)]\n}\n' * n,
    "arguments": lambda n: "".join(f"v{at} = {at}\n" for at in range(n)),
    "items": lambda n: "a = {\n" + "".join(f"k{at} = [{at}]\n" for at in range(n)) + "}\n",
    "elements": lambda n: f"a = [{'1, ' * n}]\n",
    "operators": lambda n: f"a = 1{' + 1' * n}\n",
    "template": lambda n: f'a = "{"x${b}%{ if c }d%{ endif }" * n}"\n',
    "heredoc": lambda n: "a = <<-E\n" + "  x ${b}\n" * n + "  E\n",
    "comments": lambda n: "a = 1 # x\n" * n,
    "syntax errors": lambda n: "a = )\n" * n,
    "unclosed strings": lambda n: 'a = "x\n' * n,
}


@pytest.mark.parametrize("kind", LONG)
@pytest.mark.parametrize("work", [parse_config, format_source], ids=["parsing", "formatting"])
def test_the_cost_grows_with_the_length(kind: str, work: Callable[[Any], Any]) -> None:
    def run(size: int) -> int:
        text = LONG[kind](size)
        return steps(lambda: work(text if work is format_source else Source("x", text)))

    run(10)
    assert run(800) < 2.2 * run(400)


def test_evaluating_grows_with_the_number_of_elements() -> None:
    def run(size: int) -> int:
        text = f'length(distinct(flatten([for i in split(",", "{"," * size}") : [i, size(i)]])))'.replace(
            "size(", "upper("
        )
        expression, _ = parse_expression(Source("x", text))
        return steps(lambda: compile_expression(expression).evaluate(SCOPE))

    run(10)
    assert run(2000) < 2.2 * run(1000)
