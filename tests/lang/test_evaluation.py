"""Evaluating expressions: values, types and places of errors as stock Terraform recorded them."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.cases import read_cases
from tests.conformance.expressions import differences
from tests.lang.scopes import UNKNOWN, LocalsScope
from twinfra.values.convert import type_of
from twinfra.values.encoding import type_to_json

from twinfra.diagnostics import Diagnostic, DiagnosticError, Source
from twinfra.lang.compiler import compile_expression
from twinfra.lang.functions import lookup
from twinfra.lang.functions.call import call
from twinfra.lang.parser import parse_config
from twinfra.values.marks import unmark_deep
from twinfra.values.numbers import format_number
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import List, Map, Set, Unknown, Value, is_null

DATA = Path(__file__).parent.parent / "data"


def name(case: dict[str, Any]) -> str:
    return repr(case.get("expr", ""))[:60]


def evaluated(case: dict[str, Any], scope: LocalsScope) -> tuple[Value, tuple[Diagnostic, ...]]:
    """The value of a case, without marks, or the diagnostics."""
    text = f'output "e1" {{\n  sensitive = true\n  value = {case["expr"]}\n}}\n'
    body, problems = parse_config(Source("x", text))
    if problems:
        return None, tuple(problems)
    try:
        value = compile_expression(body.blocks[0].body.attributes["value"].expression).evaluate(scope)
    except DiagnosticError as failed:
        return None, failed.diagnostics
    return unmark_deep(value)[0], ()


def places(diagnostics: tuple[Diagnostic, ...]) -> list[list[int]]:
    return sorted(
        [one.subject.first.line, one.subject.first.column] if one.subject else [] for one in diagnostics
    )


KNOWN_SCOPE = LocalsScope()


@pytest.mark.parametrize("case", read_cases(DATA / "lang" / "evaluations.jsonl"), ids=name)
def test_values_types_and_places_of_errors_are_those_of_stock_terraform(case: dict[str, Any]):
    value, found = evaluated(case, KNOWN_SCOPE)
    assert places(found) == case.get("places", [])
    assert all(one.detail for one in found)
    if "type" in case:
        assert type_to_json(type_of(value)) == case["type"]
    if "json" in case:
        function = lookup("jsonencode")
        assert function is not None
        assert call(function, [value], KNOWN_SCOPE.context) == case["json"]


def known_part(value: Value) -> Any:
    kind = type(value)
    if kind is Unknown or is_null(value):
        return None
    if kind in (tuple, List, Set):
        return [known_part(one) for one in value]
    if kind in (dict, Map):
        return {key: known_part(one) for key, one in value.items() if type(one) is not Unknown}
    return value if kind in (str, bool) else json.loads(format_number(value))


def unknown_part(value: Value) -> Any:
    kind = type(value)
    if kind is Unknown:
        return True
    if kind in (tuple, List, Set):
        return [unknown_part(one) for one in value]
    if kind in (dict, Map):
        return {key: unknown_part(one) for key, one in value.items() if unknown_part(one) is not False}
    return False


UNKNOWN_SCOPE = LocalsScope(UNKNOWN, planning=True)


@pytest.mark.parametrize("case", read_cases(DATA / "lang" / "unknowns.jsonl"), ids=name)
def test_what_is_unknown_before_the_apply_is_unknown_for_stock_terraform_too(case: dict[str, Any]):
    value, found = evaluated(case, UNKNOWN_SCOPE)
    assert places(found) == case.get("places", [])
    if "places" not in case:
        assert known_part(value) == case["after"]
        assert (unknown_part(value) if contains_unknown(value) else False) == case["after_unknown"]


@pytest.mark.parametrize("case", read_cases(DATA / "conformance" / "expressions.jsonl"), ids=name)
def test_conformance_cases_agree(case: dict[str, Any]):
    assert differences(case) == []
