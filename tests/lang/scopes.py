"""Scopes for tests: one that answers from dicts, one with the values that recorded cases were evaluated with."""

from __future__ import annotations

from pathlib import Path

from twinfra.diagnostics import DiagnosticError, Source, error
from twinfra.lang.compiler import compile_expression
from twinfra.lang.nodes import Attribute
from twinfra.lang.parser import parse_config, parse_expression
from twinfra.lang.scope import EvaluationContext, Reference, UnresolvedReferenceError
from twinfra.values import operations
from twinfra.values.types import STRING
from twinfra.values.unknowns import UNKNOWN_STRING
from twinfra.values.value import Unknown, Value

KNOWN = """
  s = "str"
  n = 5
  f = 1.5
  t = true
  z = null
  l = tolist(["a", "b"])
  ln = tolist([3, 1, 2])
  st = toset(["b", "a"])
  m = tomap({ k = "v", j = "w" })
  tu = [1, "x", true]
  o = { a = 1, b = "two", c = { d = [1, 2] } }
  lo = tolist([{ a = 1, b = "x" }, { a = 2, b = "y" }])
  e = []
  em = {}
  el = tolist([])
  sec = sensitive("hush")
  secl = sensitive(["a", "b"])
  seco = { p = sensitive("x"), q = 1 }
  zs = tostring(null)
  zl = tolist(null)
  lz = tolist(["a", null])
"""
UNKNOWN = """
  us = terraform_data.u.id
  ud = terraform_data.u.output
  ub = terraform_data.u.id == "x"
  ul = split(",", terraform_data.u.id)
  un = length(split(",", terraform_data.u.id))
  um = { for x in split(",", terraform_data.u.id) : x => 1 }
  kl = [terraform_data.u.id, "k"]
  kll = tolist([terraform_data.u.id, "k"])
  ks = toset([terraform_data.u.id, "k"])
  ko = { a = terraform_data.u.id, b = 1 }
  km = tomap({ a = terraform_data.u.id, b = "k" })
  usec = sensitive(terraform_data.u.id)
  ux = jsondecode(terraform_data.u.id)
  l = tolist(["a", "b"])
  s = "str"
  z = null
"""
CONSOLE = """
  us = terraform_data.u.id
  ud = terraform_data.u.output
  ub = terraform_data.u.id == "x"
  ul = split(",", terraform_data.u.id)
  un = length(split(",", terraform_data.u.id))
  um = { for x in split(",", terraform_data.u.id) : x => 1 }
  ux = jsondecode(terraform_data.u.id)
"""
PLANNED = {"id": UNKNOWN_STRING, "input": "x", "output": Unknown(STRING), "triggers_replace": None}


class LocalsScope:
    """Local values given as source text, and one planned resource, `terraform_data.u`."""

    def __init__(self, locals: str = KNOWN, planning: bool = False, console: bool = False) -> None:
        self.context = EvaluationContext(Path(), "2024-05-06T07:08:09Z", planning, console)
        self.attributes: dict[str, Attribute] = parse_config(Source("locals", locals))[0].attributes
        self.values: dict[str, Value] = {}

    def value(self, reference: Reference) -> Value:
        if reference.kind == "local" and reference.name in self.attributes:
            if reference.name not in self.values:
                expression = self.attributes[reference.name].expression
                self.values[reference.name] = compile_expression(expression).evaluate(self)
            return self.values[reference.name]
        if str(reference) == "terraform_data.u":
            return PLANNED
        if str(reference) in ("path.module", "path.root"):
            return "."
        if str(reference) == "terraform.workspace":
            return "default"
        raise self._undeclared(reference)

    def instance(self, reference: Reference, key: Value) -> Value:
        if str(reference) != "terraform_data.u":
            raise self._undeclared(reference)
        raise UnresolvedReferenceError(error("Key", "There is just one.", reference.range))

    def output(self, reference: Reference, name: str) -> Value:
        raise self._undeclared(reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        raise self._undeclared(reference)

    def _undeclared(self, reference: Reference) -> UnresolvedReferenceError:
        return UnresolvedReferenceError(error("Undeclared", f"There is no {reference}.", reference.range))


class TableScope:
    """Values of variables by name, and instances of `aws_x.y` and `module.m` by key."""

    context = EvaluationContext(Path(), "2024-05-06T07:08:09Z")

    def __init__(self, variables: dict[str, Value], instances: dict[Value, Value] | None = None) -> None:
        self.variables = variables
        self.instances = instances or {}
        self.asked: list[str] = []

    def value(self, reference: Reference) -> Value:
        self.asked.append(f"value {reference}")
        if reference.name not in self.variables:
            raise DiagnosticError(error("Undeclared", f"There is no {reference}."))
        return self.variables[reference.name]

    def instance(self, reference: Reference, key: Value) -> Value:
        self.asked.append(f"instance {reference} {key}")
        try:
            return operations.index(self.instances, key)
        except operations.OperationError as failed:
            raise DiagnosticError(error(failed.summary, failed.detail)) from None

    def output(self, reference: Reference, name: str) -> Value:
        self.asked.append(f"output {reference} {name}")
        return f"{reference}.{name}"

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        self.asked.append(f"instance_output {reference} {key} {name}")
        return f"{reference}[{key}].{name}"


def evaluate(text: str, scope: LocalsScope | TableScope | None = None) -> Value:
    """The value of an expression. Raises `DiagnosticError`."""
    expression, problems = parse_expression(Source("x", text))
    if problems:
        raise DiagnosticError(problems)
    return compile_expression(expression).evaluate(scope if scope is not None else TableScope({}))
