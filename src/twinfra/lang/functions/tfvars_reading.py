"""Reading the format of .tfvars files out of a text: names with expressions that need nothing else."""

from __future__ import annotations

from twinfra.diagnostics import DiagnosticError, Source
from twinfra.values.value import Value


def read_tfvars(text: str) -> dict[str, Value]:
    """The values by name. Raises `DiagnosticError`."""
    from twinfra.lang.compiler import constant
    from twinfra.lang.parser import parse_config

    body, diagnostics = parse_config(Source("the text", text))
    if not diagnostics:
        attributes, diagnostics = body.just_attributes()
    if diagnostics:
        raise DiagnosticError(diagnostics)
    return {name: constant(attribute.expression) for name, attribute in attributes.items()}
