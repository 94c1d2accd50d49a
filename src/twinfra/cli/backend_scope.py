"""What a backend block may refer to: variables and locals, which have values before there is any state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from twinfra.config.model import Configuration
from twinfra.diagnostics import DiagnosticError, error
from twinfra.lang.compiler import compile_expression
from twinfra.lang.scope import EvaluationContext, Reference
from twinfra.values.convert import ConversionError, convert
from twinfra.values.value import Value


class EarlyScope:
    """Answers `var`, `local`, `path` and `terraform.workspace` of the root module, and nothing else."""

    def __init__(
        self, configuration: Configuration, inputs: Callable[[], Mapping[str, Value]], workspace: str
    ) -> None:
        self.context = EvaluationContext(Path(), "")
        self._root = configuration.root
        self._read_inputs = inputs
        self._inputs: Mapping[str, Value] | None = None
        self._workspace = workspace
        self._locals: dict[str, Value] = {}
        self._open: list[str] = []

    def value(self, reference: Reference) -> Value:
        if reference.kind == "var" and reference.name in self._root.variables:
            return self._variable(reference)
        if reference.kind == "local" and reference.name in self._root.locals:
            return self._local(reference)
        if reference.kind == "path":
            return str(self._root.directory) if reference.name == "module" else str(Path.cwd())
        if reference.kind == "terraform" and reference.name == "workspace":
            return self._workspace
        raise _unknown(reference)

    def instance(self, reference: Reference, key: Value) -> Value:
        raise _unknown(reference)

    def output(self, reference: Reference, name: str) -> Value:
        raise _unknown(reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        raise _unknown(reference)

    def _variable(self, reference: Reference) -> Value:
        variable = self._root.variables[reference.name]
        if self._inputs is None:
            self._inputs = self._read_inputs()
        if reference.name in self._inputs:
            try:
                return convert(self._inputs[reference.name], variable.type)
            except ConversionError as refused:
                raise DiagnosticError(
                    error(
                        "Unsuitable value for variable",
                        f"The value does not fit the type of variable {reference.name}: {refused}.",
                        reference.range,
                    )
                ) from None
        if variable.has_default:
            return variable.default
        raise DiagnosticError(
            error(
                "Variable of the backend has no value",
                f"The backend block uses the variable {reference.name}, which has no default and no value here.",
                reference.range,
                mend=f"Set TF_VAR_{reference.name}, or write {reference.name} in a terraform.tfvars file.",
            )
        )

    def _local(self, reference: Reference) -> Value:
        name = reference.name
        if name in self._open:
            circle = " -> ".join(f"local.{one}" for one in (*self._open, name))
            raise DiagnosticError(
                error("Locals depend on each other in a circle", f"{circle}.", reference.range)
            )
        if name not in self._locals:
            self._open.append(name)
            self._locals[name] = compile_expression(self._root.locals[name].expression).evaluate(self)
            self._open.pop()
        return self._locals[name]


def _unknown(reference: Reference) -> DiagnosticError:
    return DiagnosticError(
        error(
            "Not known when the backend is needed",
            f"The state is read before {reference} has a value, so that a backend block cannot use it.",
            reference.range,
            mend="Use variables, locals or the value itself.",
        )
    )
