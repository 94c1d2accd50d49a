"""The `backend` block: its settings, read before there is any state or value."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NoReturn

from twinfra.config.model import Backend
from twinfra.diagnostics import DiagnosticError, error
from twinfra.lang.scope import EvaluationContext, Reference
from twinfra.values.value import Value, is_null


class _NoNames:
    """The scope of a backend block: functions and constants only, since variables have no values yet."""

    context = EvaluationContext(Path(), "")

    def value(self, reference: Reference) -> Value:
        self._refuse(reference)

    def instance(self, reference: Reference, key: Value) -> Value:
        self._refuse(reference)

    def output(self, reference: Reference, name: str) -> Value:
        self._refuse(reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        self._refuse(reference)

    def _refuse(self, reference: Reference) -> NoReturn:
        raise DiagnosticError(
            error(
                "No names in a backend block",
                f"The backend is needed before anything has a value, so that {reference} cannot be used here.",
                reference.range,
                mend="Write the value itself.",
            )
        )


def backend_settings(declared: Backend) -> tuple[str, dict[str, Any]]:
    """The type and the settings of a backend block. Raises `DiagnosticError`."""
    from twinfra.decode import prepare
    from twinfra.state.backends.registry import backend_schema

    try:
        schema = backend_schema(declared.type)
    except DiagnosticError as unknown:
        raise unknown.at(declared.type_range) from None
    decoder, found = prepare(declared.body, schema)
    found.raise_errors()
    settings: dict[str, Value] = decoder.evaluate(_NoNames())
    return declared.type, {name: value for name, value in settings.items() if not is_null(value)}
