"""Taking a ledger along when a state goes to another backend: entry for entry, hashes unchanged."""

from __future__ import annotations

from twinfra.diagnostics import Diagnostic, DiagnosticError, error, warning
from twinfra.state.backends.protocol import Backend, Conflict, Content
from twinfra.state.backends.records import Records, records_of
from twinfra.state.ledger.log import HEAD

_BLOCK = 64
"""Records that are copied together."""


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
    ordered = sorted(names, key=lambda one: (one == HEAD, one))
    for at in range(0, len(ordered), _BLOCK):
        block = ordered[at : at + _BLOCK]
        copies = zip(block, here.read_records(old, block), there.read_records(new, block), strict=True)
        for name, content, held in copies:
            _copy(there, new, name, content, held, target.label(new))
    return None


def _copy(
    there: Records, new: str, name: str, content: Content | None, held: Content | None, label: str
) -> None:
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
