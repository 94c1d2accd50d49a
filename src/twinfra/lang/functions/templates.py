"""`templatefile` and `templatestring`: templates filled in with values that are given to them alone."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from twinfra.diagnostics import DiagnosticError
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.filling import ParsedTemplate, describe, parse
from twinfra.lang.functions.hcl_writing import is_identifier
from twinfra.lang.functions.paths import read_text, resolve
from twinfra.lang.scope import EvaluationContext
from twinfra.values.convert import ConversionError, convert
from twinfra.values.types import DYNAMIC, STRING
from twinfra.values.value import UNKNOWN, Marked, Unknown, Value, is_null

_VARIABLES = parameter("vars", DYNAMIC, "an object or map with the values by name")
_inside: ContextVar[bool] = ContextVar("inside a template", default=False)


@function(
    "templatefile",
    "Reads a file and fills it in as a template.",
    parameter("path", STRING, "the file, of UTF-8 text"),
    _VARIABLES,
    returns=DYNAMIC,
    needs_context=True,
)
def templatefile(context: EvaluationContext, path: str, variables: Value) -> Value:
    """A string, unless the template is nothing but one interpolation: then its value as it is."""
    with _not_within("templatefile"):
        named, _ = resolve(context.base_dir, path, 0)
        template = parse(named, read_text(context.base_dir, path, 0).removeprefix("\ufeff"))
        if template.problem:
            raise FunctionError(f"the template cannot be read: {template.problem}")
        return _render(template, context, variables)


@function(
    "templatestring",
    "Fills in a template that comes from another object of the configuration.",
    parameter("template", STRING, "a direct reference to the template, such as `data.aws_s3_object.x.body`"),
    parameter("vars", DYNAMIC, _VARIABLES.description, allow_unknown=True),
    returns=STRING,
    needs_context=True,
)
def templatestring(context: EvaluationContext, text: str, variables: Value) -> Value:
    """Always a string."""
    if type(variables) is Unknown:
        return UNKNOWN
    with _not_within("templatestring"):
        template = parse("the template", text)
        if template.problem:
            raise FunctionError(f"the template cannot be read: {template.problem}", 0)
        result = _render(template, context, variables)
    try:
        return convert(result, STRING)
    except ConversionError as failure:
        raise FunctionError(f"the result of the template is no string: {failure.reason}") from failure


@contextmanager
def _not_within(name: str) -> Iterator[None]:
    """Refuse templates that fill in templates, which could go on without end."""
    if _inside.get():
        raise FunctionError(f"{name} cannot be called from within a template")
    token = _inside.set(True)
    try:
        yield
    finally:
        _inside.reset(token)


def _render(template: ParsedTemplate, context: EvaluationContext, variables: Value) -> Value:
    if not isinstance(variables, dict):
        raise FunctionError("the values of a template's variables must be an object or a map", 1)
    for name in variables:
        if not is_identifier(name):
            raise FunctionError(f'"{name}" cannot be the name of a variable in a template', 1)
    for name, range in template.names.items():
        if name not in variables:
            raise FunctionError(f'"{name}" is not among the values given, but used at {range}', 1)
    try:
        result = template.evaluate(context, variables)
    except DiagnosticError as failure:
        raise FunctionError(describe(failure.diagnostics[0])) from failure
    bare = result.value if type(result) is Marked else result
    if is_null(bare):
        raise FunctionError("the result of the template is null")
    return result
