"""Root outputs: what changes in them, and their form in the state."""

from __future__ import annotations

from collections.abc import Mapping

from twinfra.diagnostics import DiagnosticError, error
from twinfra.engine.changes import Action, OutputChange
from twinfra.state.model import OutputState
from twinfra.values.convert import type_of
from twinfra.values.encoding import (
    EncodingError,
    type_from_json,
    type_to_json,
    value_from_json,
    value_to_json,
)
from twinfra.values.equality import identical
from twinfra.values.marks import has_marks, mark, unmark_deep
from twinfra.values.unknowns import contains_unknown, unknown_as_null
from twinfra.values.value import SENSITIVE, Value, is_null


def decode_output(stored: OutputState) -> Value:
    """The value of an output in a state, unmarked. Raises `DiagnosticError` where it does not have its type."""
    try:
        return value_from_json(stored.value, type_from_json(stored.type))
    except EncodingError:
        raise DiagnosticError(
            error(
                "State file is damaged",
                "The value of an output in the state does not have the type that the state says it has.",
                mend="Take it out of the state (twinfra state pull, edit, state push): the next apply writes it anew. "
                "Or restore an earlier state: twinfra state history",
            )
        ) from None


def output_changes(
    before: Mapping[str, OutputState], after: Mapping[str, tuple[Value, bool]], complete: bool
) -> list[OutputChange]:
    """What becomes of the root outputs: `after` has the value and whether it is declared sensitive.

    Those of the state that `after` lacks are deleted when the run is `complete`, and left alone otherwise.
    """
    changes: list[OutputChange] = []
    for name in sorted(before.keys() | after.keys()):
        old = before.get(name)
        was_sensitive = old is not None and old.sensitive
        old_value = decode_output(old) if old is not None else None
        if name not in after:
            if complete:
                changes.append(
                    OutputChange(name, Action.DELETE, _shown(old_value, was_sensitive), None, was_sensitive)
                )
            continue
        value, is_sensitive = after[name]
        plain, _ = unmark_deep(value)
        sensitive = was_sensitive or is_sensitive
        if old is None:
            action = Action.NO_OP if is_null(plain) else Action.CREATE
        elif was_sensitive == is_sensitive and not contains_unknown(plain) and identical(old_value, plain):
            action = Action.NO_OP
        else:
            action = Action.UPDATE
        changes.append(
            OutputChange(
                name, action, _shown(old_value, was_sensitive), _shown(value, is_sensitive), sensitive
            )
        )
    return changes


def _shown(value: Value, sensitive: bool) -> Value:
    return mark(value, (SENSITIVE,)) if sensitive and value is not None else value


def encode_output(value: Value, sensitive: bool) -> OutputState | None:
    """An output as the state keeps it; None for a null, which is not kept.

    What is still unknown becomes null. Raises `DiagnosticError` for an infinite number.
    """
    plain = value
    if has_marks(value):
        plain, _ = unmark_deep(value)
    if contains_unknown(plain):
        plain = unknown_as_null(plain)
    if is_null(plain):
        return None
    type = type_of(plain)
    try:
        return OutputState(value_to_json(plain, type), type_to_json(type), sensitive)
    except EncodingError as refused:
        raise DiagnosticError(
            error(
                "Output cannot be kept",
                f"The value of an output has no place in the state: {refused}.",
                mend="Look for a division by zero in the outputs.",
            )
        ) from None
