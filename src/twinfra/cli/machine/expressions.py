"""Expressions in the `configuration` part of a plan's JSON: a constant, or what is referred to."""

from __future__ import annotations

from typing import Any

from twinfra.lang import nodes
from twinfra.lang.compiler import Compiled, compile_expression
from twinfra.lang.scope import Reference
from twinfra.schema import Block, Nesting


def body_expressions(body: nodes.Body, schema: Block | None = None) -> dict[str, Any]:
    """Every argument of a body, nested blocks as lists of the same.

    With a schema, blocks of a kind that occurs once at most are no lists, and what it does not know (`dynamic`) is
    left out, as by stock Terraform.
    """
    attributes = getattr(body, "attributes", None)
    blocks = getattr(body, "blocks", ())
    if attributes is None:
        attributes, _ = body.just_attributes()
        blocks = ()
    found: dict[str, Any] = {name: expression_json(one.expression) for name, one in attributes.items()}
    for block in blocks:
        if (
            schema is None or block.type in schema.attributes
        ):  # the latter is a list that may be written as blocks
            found.setdefault(block.type, []).append(body_expressions(block.body))
        elif (nested := schema.blocks.get(block.type)) is not None:
            inner = body_expressions(block.body, nested.block)
            if nested.nesting in (Nesting.SINGLE, Nesting.GROUP):
                found[block.type] = inner
            elif nested.nesting is Nesting.MAP:
                found.setdefault(block.type, {})[block.labels[0]] = inner
            else:
                found.setdefault(block.type, []).append(inner)
    return dict(sorted(found.items()))


def expression_json(expression: nodes.Expression) -> dict[str, Any]:
    """`constant_value` of a literal, or the references of anything else; empty when it has neither."""
    from twinfra.cli.machine.values import plain
    from twinfra.lang.scope import EvaluationContext

    compiled = compile_expression(expression)
    if compiled.has_calls:
        # Stock Terraform has no functions where it looks for constants.
        return _references(compiled)
    if not compiled.references:
        from pathlib import Path

        from twinfra.diagnostics import DiagnosticError

        try:
            return {"constant_value": plain(compiled.evaluate(NoScope(EvaluationContext(Path(), "", True))))}
        except DiagnosticError:
            return {}
    return _references(compiled)


def _references(compiled: Compiled) -> dict[str, Any]:
    names = [name for reference in compiled.references for name in reference_names(reference)]
    return {"references": names} if names else {}


def reference_names(reference: Reference) -> list[str]:
    """A reference as written, then each shorter form down to the object itself."""
    text = reference.range.text
    base = str(reference)
    if reference.kind == "module" and reference.attribute:
        # The last that is named is the call, or its instance where a key says which.
        at = text.find(f".{reference.attribute}", len(base))
        base = text[:at] if at >= 0 and text.startswith(base) else base
    if not text.startswith(base):
        return [base]
    names = []
    while len(text) > len(base):
        names.append(text)
        text = text[: text.rindex("[" if text.endswith("]") else ".")]
    return [*names, base]


class NoScope:
    """A scope for expressions without references."""

    def __init__(self, context: Any) -> None:
        self.context = context

    def value(self, reference: Reference) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))

    def instance(self, reference: Reference, key: Any) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))

    def output(self, reference: Reference, name: str) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))

    def instance_output(self, reference: Reference, key: Any, name: str) -> Any:
        """Never called: there are no references."""
        raise LookupError(str(reference))
