"""Cases of single expressions: type, JSON, console text, or that there is an error."""

from __future__ import annotations

from pathlib import Path

from tests.conformance.cases import Case

from twinfra.diagnostics import DiagnosticError, Source, error
from twinfra.lang.compiler import compile_expression
from twinfra.lang.functions import lookup
from twinfra.lang.functions.call import call
from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.parser import parse_expression
from twinfra.lang.scope import EvaluationContext, Reference, UnresolvedReferenceError
from twinfra.values.console import render
from twinfra.values.value import Value


class EmptyScope:
    """The scope of an empty root module."""

    context = EvaluationContext(Path(), "2024-05-06T07:08:09Z", console=True)

    def value(self, reference: Reference) -> Value:
        if reference.kind == "path" and reference.name in ("module", "root"):
            return "."
        if reference.kind == "path" and reference.name == "cwd":
            return str(Path.cwd())
        if reference.kind == "terraform" and reference.name == "workspace":
            return "default"
        raise self._undeclared(reference)

    def instance(self, reference: Reference, key: Value) -> Value:
        raise self._undeclared(reference)

    def output(self, reference: Reference, name: str) -> Value:
        raise self._undeclared(reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        raise self._undeclared(reference)

    def _undeclared(self, reference: Reference) -> UnresolvedReferenceError:
        return UnresolvedReferenceError(error("Undeclared", f"There is no {reference}.", reference.range))


def evaluate(text: str) -> Value:
    """The value of an expression in an empty root module. Raises `DiagnosticError`."""
    expression, problems = parse_expression(Source("<case>", text))
    if problems:
        raise DiagnosticError(problems)
    return compile_expression(expression).evaluate(EmptyScope())


def apply(function: str, value: Value) -> Value:
    """What a function of one parameter gives."""
    declared = lookup(function)
    assert declared is not None, f"there is no function {function}"
    return call(declared, [value], EmptyScope.context)


_NOT_RECORDED = "Error acquiring the state lock"
"""This error tells of the recording, which ran several consoles in one directory, and not of the expression."""


def differences(case: Case) -> list[str]:
    """In what our answer differs from the recorded one; nothing when they agree."""
    if case.get("error", {}).get("summary") == _NOT_RECORDED:
        return []
    try:
        value = evaluate(case["expr"])
    except DiagnosticError as failed:
        return [] if "error" in case else [f"error: {failed}"]
    if "error" in case:
        try:
            return [f"no error ({case['error']['summary']}), but {render(value)}"]
        except DiagnosticError:
            return []
    found: list[str] = []
    try:
        if case.get("type") is not None:
            _compare("type", case["type"], render(apply("type", value)), found)
        if "json" in case:
            text = apply("jsonencode", value)
            _compare("json", case["json"], text if isinstance(text, str) else render(text), found)
        if "console" in case:
            _compare("console", case["console"], render(value), found)
    except (FunctionError, DiagnosticError) as failed:
        found.append(f"error: {failed}")
    return found


def _compare(what: str, expected: str, given: str, found: list[str]) -> None:
    if given != expected:
        found.append(f"{what}: expected {expected!r}, got {given!r}")
