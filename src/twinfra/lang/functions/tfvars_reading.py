"""Reading the format of .tfvars files out of a text: names with expressions that need nothing else."""

from __future__ import annotations

from dataclasses import fields, is_dataclass
from typing import Any

from twinfra.diagnostics import Diagnostic, DiagnosticError, Source, SourceRange, error
from twinfra.lang.functions.rendering import VariablesScope
from twinfra.lang.nodes import Call, Expression
from twinfra.lang.scope import EvaluationContext
from twinfra.values.value import Value


def read_tfvars(context: EvaluationContext, text: str) -> dict[str, Value]:
    """The values by name. Raises `DiagnosticError`."""
    from twinfra.lang.compiler import compile_expression
    from twinfra.lang.parser import parse_config
    from twinfra.lang.references import References

    body, diagnostics = parse_config(Source("the text", text))
    if not diagnostics:
        attributes, diagnostics = body.just_attributes()
    if diagnostics:
        raise DiagnosticError(diagnostics)
    values: dict[str, Value] = {}
    for name, attribute in attributes.items():
        references = References(attribute.expression)
        if references.found or references.problems:
            raise DiagnosticError(_refused("Names of other objects", attribute.expression))
        if (call := _first_call(attribute.expression)) is not None:
            raise DiagnosticError(_refused("Function calls", call))
        values[name] = compile_expression(attribute.expression).evaluate(VariablesScope(context, {}))
    return values


def _refused(what: str, node: Expression) -> Diagnostic:
    return error("Not a constant", f"{what} cannot be used here: values must be written out.", node.range)


def _first_call(root: Any) -> Call | None:
    """A call of a function anywhere in an expression."""
    pending = [root]
    while pending:
        node = pending.pop()
        if isinstance(node, Call):
            return node
        if isinstance(node, tuple):
            pending += node
        elif is_dataclass(node) and not isinstance(node, SourceRange):
            pending += [getattr(node, field.name) for field in fields(node)]
    return None
