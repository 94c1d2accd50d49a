"""What names mean in an `encryption` block: variables and locals that need nothing but themselves.

A key provider's or method's name means its own address, such as "key_provider.pbkdf2.main", which is also how
the JSON syntax writes it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from twinfra.config.model import Local, Variable
from twinfra.diagnostics import DiagnosticError, Diagnostics, error, nearest
from twinfra.lang.compiler import compile_expression
from twinfra.lang.scope import EvaluationContext, Reference
from twinfra.state.encryption.declared import Declared
from twinfra.values.value import Value

KEY_PROVIDER, METHOD = "key_provider", "method"


class StaticNames:
    """The scope of an `encryption` block. `given` gives the values of variables when the first is asked for.

    Implements `lang.scope.Scope`.
    """

    def __init__(
        self,
        declared: Declared,
        variables: Mapping[str, Variable],
        locals: Mapping[str, Local],
        given: Callable[[], tuple[Mapping[str, Value], Diagnostics]],
        directory: Path,
    ) -> None:
        self.context = EvaluationContext(directory, "")
        self._declared = declared
        self._variables = variables
        self._locals = locals
        self._given = given
        self._directory = directory
        self._values: Mapping[str, Value] | None = None
        self._evaluating: list[str] = []

    def value(self, reference: Reference) -> Value:
        if reference.kind == "var":
            return self._variable(reference)
        if reference.kind == "local":
            return self._local(reference)
        if reference.kind == "path" and reference.name in ("module", "root"):
            return self._directory.as_posix()
        if reference.kind == "path" and reference.name == "cwd":
            return Path.cwd().as_posix()
        if reference.kind == "resource" and reference.type in (KEY_PROVIDER, METHOD):
            return self._address(reference)
        raise _not_known(reference)

    def instance(self, reference: Reference, key: Value) -> Value:
        raise _not_known(reference)

    def output(self, reference: Reference, name: str) -> Value:
        raise _not_known(reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        raise _not_known(reference)

    def _variable(self, reference: Reference) -> Value:
        declared = self._variables.get(reference.name)
        if declared is None:
            raise _unknown(reference, "variable", nearest(reference.name, self._variables))
        if self._values is None:
            self._values, found = self._given()
            found.raise_errors()
        if reference.name in self._values:
            return self._values[reference.name]
        if declared.has_default:
            return declared.default
        raise DiagnosticError(
            error(
                "Variable without a value",
                f"The encryption needs {reference} before anything else, and it has no value yet.",
                reference.range,
                mend=f"Set TF_VAR_{reference.name}, give -var, or write it into a .tfvars file.",
            )
        )

    def _local(self, reference: Reference) -> Value:
        declared = self._locals.get(reference.name)
        if declared is None:
            raise _unknown(reference, "local value", nearest(reference.name, self._locals))
        if reference.name in self._evaluating:
            raise DiagnosticError(
                error(
                    "Local value needs itself",
                    f"{' needs '.join(f'local.{one}' for one in (*self._evaluating, reference.name))}.",
                    reference.range,
                    mend="Break the circle.",
                )
            )
        self._evaluating.append(reference.name)
        try:
            return compile_expression(declared.expression).evaluate(self)
        finally:
            self._evaluating.pop()

    def _address(self, reference: Reference) -> Value:
        kind = reference.type
        known = self._declared.key_providers if kind == KEY_PROVIDER else self._declared.methods
        if (reference.name, reference.attribute) not in known:
            raise undeclared(kind, reference.name, reference.attribute, known).at(reference.range)
        return {reference.attribute: f"{kind}.{reference.name}.{reference.attribute}"}


def undeclared(kind: str, type: str, name: str, known: Mapping[tuple[str, str], object]) -> DiagnosticError:
    """A key provider or method is named that there is not."""
    return DiagnosticError(
        error(
            f"Unknown {kind.replace('_', ' ')}",
            f'There is no {kind} "{type}" "{name}" in the encryption block.',
            mend=nearest(f"{type}.{name}", [".".join(one) for one in known])
            or f"Declare it, or name one that there is: {', '.join('.'.join(one) for one in known) or 'none yet'}.",
        )
    )


def _not_known(reference: Reference) -> DiagnosticError:
    return DiagnosticError(
        error(
            "Name not known yet",
            f"The encryption is needed before there is any state, so that {reference} cannot be used here.",
            reference.range,
            mend="Use constants, variables and local values that need nothing else.",
        )
    )


def _unknown(reference: Reference, what: str, mend: str) -> DiagnosticError:
    return DiagnosticError(
        error(
            f"Unknown {what}",
            f"There is no {reference} in the root module.",
            reference.range,
            mend=mend or f"Declare the {what}.",
        )
    )
