"""Taking a ledger along when a state goes to another backend: entry for entry, hashes unchanged."""

from __future__ import annotations

from twinfra.diagnostics import Diagnostic, DiagnosticError, error, warning
from twinfra.state.backends.protocol import Backend, Conflict
from twinfra.state.backends.records import Records, records_of
from twinfra.state.ledger.log import HEAD


def copy_records(source: Backend, old: str, target: Backend, new: str) -> Diagnostic | None:
    """Copy the records of the workspace `old` to `new` in another backend; a warning where that keeps none.

    What is there already may be an earlier copy of the same. Raises `DiagnosticError` where it is something else.
    """
    try:
        here = records_of(source)
    except DiagnosticError:
        return None
    names = here.list_records(old)
    if not names:
        return None
    try:
        there = records_of(target)
    except DiagnosticError:
        return warning(
            "History is left behind",
            f"{target.label(new)} has no place for the receipts and the audit log of {source.label(old)}.",
            mend="They stay where they are: keep the old place, or choose the local, s3, gcs or pg backend.",
        )
    # Segments first, in order; then how far they go.
    for name in sorted(names, key=lambda one: (one == HEAD, one)):
        _copy(here, old, there, new, name, target.label(new))
    return None


def _copy(here: Records, old: str, there: Records, new: str, name: str, label: str) -> None:
    content, held = here.read_record(old, name), there.read_record(new, name)
    if content is None or (held is not None and held.data == content.data):
        return
    if held is not None and name != HEAD and not content.data.startswith(held.data):
        raise DiagnosticError(_another(label, name))
    try:
        there.write_record(new, name, content.data, held.version if held is not None else "")
    except Conflict:
        raise DiagnosticError(_another(label, name)) from None


def _another(label: str, name: str) -> Diagnostic:
    return error(
        "There is another history where this one is to go",
        f"The record {name} beside {label} is not a copy of the one that is to be copied there.",
        mend="Give the backend another place, or move that record away if it belongs to nothing any more.",
    )
