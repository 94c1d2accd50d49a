"""Evaluating expressions: values, types and places of errors as stock Terraform recorded them."""

import json
from pathlib import Path
from typing import Any

import pytest
from tests.conformance.cases import read_cases
from tests.conformance.expressions import differences
from tests.lang.scopes import CONSOLE, UNKNOWN, LocalsScope

from twinfra.diagnostics import Diagnostic, DiagnosticError, Source
from twinfra.lang.compiler import compile_expression
from twinfra.lang.functions import lookup
from twinfra.lang.functions.call import call
from twinfra.lang.parser import parse_config, parse_expression
from twinfra.values.console import render, type_text
from twinfra.values.convert import type_of
from twinfra.values.encoding import type_to_json
from twinfra.values.marks import unmark_deep
from twinfra.values.numbers import format_number
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import List, Map, Set, Unknown, Value, is_null

DATA = Path(__file__).parent.parent / "data"


def groups(path: Path, size: int = 100) -> list[list[dict[str, Any]]]:
    """The cases of a file, so many to a test: a test for each would take longer to set up than to run."""
    cases = read_cases(path)
    return [cases[at : at + size] for at in range(0, len(cases), size)]


def first(cases: list[dict[str, Any]]) -> str:
    return str(cases[0]["expr"])[:40]


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


def differences_from_stock(case: dict[str, Any]) -> list[Any]:
    value, found = evaluated(case, KNOWN_SCOPE)
    different: list[Any] = []
    if places(found) != case.get("places", []):
        different.append(places(found))
    if not all(one.detail for one in found):
        different.append("a diagnostic without words")
    if "type" in case and type_to_json(type_of(value)) != case["type"]:
        different.append(type_to_json(type_of(value)))
    if "json" in case:
        function = lookup("jsonencode")
        assert function is not None
        text = call(function, [value], KNOWN_SCOPE.context)
        if text != case["json"]:
            different.append(text)
    return different


@pytest.mark.parametrize("cases", groups(DATA / "lang" / "evaluations.jsonl"), ids=first)
def test_values_types_and_places_of_errors_are_those_of_stock_terraform(cases: list[dict[str, Any]]):
    assert [(case, found) for case in cases if (found := differences_from_stock(case))] == []


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


def differences_of_plan(case: dict[str, Any]) -> list[Any]:
    value, found = evaluated(case, UNKNOWN_SCOPE)
    if places(found) != case.get("places", []):
        return places(found)
    if "places" in case:
        return []
    unknown = unknown_part(value) if contains_unknown(value) else False
    if known_part(value) == case["after"] and unknown == case["after_unknown"]:
        return []
    return [known_part(value), unknown]


@pytest.mark.parametrize("cases", groups(DATA / "lang" / "unknowns.jsonl"), ids=first)
def test_what_is_unknown_before_the_apply_is_unknown_for_stock_terraform_too(cases: list[dict[str, Any]]):
    assert [(case, found) for case in cases if (found := differences_of_plan(case))] == []


@pytest.mark.parametrize("cases", groups(DATA / "conformance" / "expressions.jsonl"), ids=first)
def test_conformance_cases_agree(cases: list[dict[str, Any]]):
    assert [(case, found) for case in cases if (found := differences(case))] == []


CONSOLE_SCOPE = LocalsScope(CONSOLE, console=True)


def differences_of_console(case: dict[str, Any]) -> list[Any]:
    """The cases of `planned.jsonl` were asked in `terraform console -plan`."""
    expression, problems = parse_expression(Source("x", case["expr"]))
    if problems:
        return [] if "error" in case else list(problems)
    try:
        value = compile_expression(expression).evaluate(CONSOLE_SCOPE)
    except DiagnosticError as failed:
        return [] if "error" in case else [failed]
    if "error" in case:
        return [value]
    return [
        (given, wanted)
        for given, wanted in (
            (render(value), case["console"]),
            (type_text(type_of(value)), case["type"]),
        )
        if given != wanted
    ]


@pytest.mark.parametrize("cases", groups(DATA / "lang" / "planned.jsonl"), ids=first)
def test_what_the_console_shows_of_unknown_values_is_what_stock_terraform_shows(cases: list[dict[str, Any]]):
    assert [(case, found) for case in cases if (found := differences_of_console(case))] == []
