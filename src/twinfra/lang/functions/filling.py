"""Templates as compiled expressions, whose free names are variables of the template's own.

Each such name is turned into a reference `var.name`; a scope with nothing but those variables answers them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields, is_dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity, Source, SourceRange, error
from twinfra.lang.nodes import For, GetAttr, TemplateFor, Variable
from twinfra.lang.scope import EvaluationContext, Reference
from twinfra.values.value import Map, Value, read_element

if TYPE_CHECKING:
    from twinfra.lang.compiler import Compiled


@dataclass(frozen=True, slots=True)
class ParsedTemplate:
    """A template ready to be filled in: the names it uses, each with its first place; or its `problem`."""

    compiled: Compiled | None
    names: dict[str, SourceRange]
    problem: str = ""

    def evaluate(self, context: EvaluationContext, variables: Mapping[str, Value]) -> Value:
        """The value of the template. Raises `DiagnosticError`."""
        assert self.compiled is not None
        return self.compiled.evaluate(VariablesScope(context, variables))


@lru_cache(maxsize=256)
def parse(name: str, text: str) -> ParsedTemplate:
    """The template that a text is; `name` is what people know it by."""
    from twinfra.lang.compiler import compile_expression
    from twinfra.lang.parser import parse_template

    expression, diagnostics = parse_template(Source(name, text))
    for diagnostic in diagnostics:
        if diagnostic.severity is Severity.ERROR:
            return ParsedTemplate(None, {}, describe(diagnostic))
    names: dict[str, SourceRange] = {}
    return ParsedTemplate(compile_expression(_with_own_names(expression, frozenset(), names)), names)


def describe(diagnostic: Diagnostic) -> str:
    """A diagnostic within the text of a function's argument, in one line."""
    place = f"{diagnostic.subject}: " if diagnostic.subject else ""
    return f"{place}{diagnostic.summary}: {diagnostic.detail}"


def _with_own_names(node: Any, bound: frozenset[str], names: dict[str, SourceRange]) -> Any:
    """The syntax with `var.x` for each name `x` that no `for` binds; those are added to `names`."""
    if isinstance(node, tuple):
        return tuple(_with_own_names(inner, bound, names) for inner in node)
    if not is_dataclass(node) or isinstance(node, SourceRange):
        return node
    if isinstance(node, Variable):
        if node.name in bound:
            return node
        names.setdefault(node.name, node.range)
        return GetAttr(Variable("var", node.range), node.name, node.range, node.range)
    changes: dict[str, Any] = {}
    for field in fields(node):
        inner_bound = bound
        if isinstance(node, For) and field.name != "collection":
            inner_bound = bound | {node.key_name, node.value_name}
        elif isinstance(node, TemplateFor) and field.name == "body":
            inner_bound = bound | {node.key, node.value}
        before = getattr(node, field.name)
        after = _with_own_names(before, inner_bound, names)
        if after is not before:
            changes[field.name] = after
    return replace(node, **changes) if changes else node


class VariablesScope:
    """Answers references to these variables, of which all that are used are there, and to nothing else."""

    def __init__(self, context: EvaluationContext, variables: Mapping[str, Value]) -> None:
        self.context = context
        self.variables = variables

    def value(self, reference: Reference) -> Value:
        """The value of a variable."""
        found = self.variables[reference.name]
        return read_element(found, self.variables.element) if isinstance(self.variables, Map) else found

    def instance(self, reference: Reference, key: Value) -> Value:
        """There are no resources."""
        raise _no_object(reference)

    def output(self, reference: Reference, name: str) -> Value:
        """There are no modules."""
        raise _no_object(reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        """There are no modules."""
        raise _no_object(reference)


def _no_object(reference: Reference) -> DiagnosticError:
    return DiagnosticError(
        error("No such object", f"Only the given variables exist here, no {reference}.", reference.range)
    )
