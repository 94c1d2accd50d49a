"""Moves objects from one stored state to another in one step, and ends what was stopped in the middle of that."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from twinfra.addresses import Instance
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state import transfer_note as notes
from twinfra.state.backends.local import LocalBackend
from twinfra.state.backends.protocol import Conflict, innermost
from twinfra.state.encryption.backend import codec_of
from twinfra.state.model import State
from twinfra.state.transfer import Pairs, Transfer, arrived, including, without
from twinfra.state.transfer_mark import Mark, mark_in, mark_of, marked, unmarked
from twinfra.state.transfer_note import Half, Note
from twinfra.state.v4 import read_state, write_state

if TYPE_CHECKING:
    from twinfra.state.backends.protocol import Backend
    from twinfra.state.store import Prepared, Store, Stored

_SHOWN = 20


def carry_out(source: Store, target: Store, planned: Transfer) -> None:
    """Write both sides of a transfer, both under their locks. `planned` was made from what the two hold.

    Whatever stops this, the next command on either side ends what was begun. Raises `DiagnosticError`, which says
    whether anything was.
    """
    # Where the source lies elsewhere, it tells others itself what the note beside the journal tells here.
    mark = None
    if not isinstance(innermost(source.backend), LocalBackend):
        mark = mark_of(
            notes.new_id(), target.label, target.state.lineage, str(source.directory), planned.pairs
        )
    leaves = source.prepared(unmarked(planned.source), after=0 if mark is None else 1)
    arrives = target.prepared(planned.target)
    note = Note(
        notes.new_id() if mark is None else mark.id,
        source.backend.journal_path(source.workspace).absolute(),
        target.backend.journal_path(target.workspace).absolute(),
        _half(source, leaves.digest, planned.leaving),
        _half(target, arrives.digest, planned.arriving),
    )
    notes.write(note)
    if mark is not None:
        _write(
            source, source.prepared(marked(source.state, mark)), lambda: notes.withdraw(note), source, target
        )
    _write(target, arrives, lambda: _take_back(source, note), source, target)
    try:
        source.put(leaves)
    except Conflict:
        raise DiagnosticError([source.conflict(), _begun(source, target)]) from None
    except DiagnosticError as failed:
        raise DiagnosticError([*failed.diagnostics, _begun(source, target)]) from None
    notes.target_done(note)
    notes.source_done(note)


def _write(store: Store, ready: Prepared, undo: Callable[[], None], source: Store, target: Store) -> None:
    """Write a state; where it certainly was not written, what came before is undone. Raises `DiagnosticError`."""
    before = store.version
    try:
        store.put(ready)
    except Conflict:
        undo()
        raise DiagnosticError([store.conflict(), _nothing_moved()]) from None
    except DiagnosticError as failed:
        if _is_untouched(store, before):
            undo()
            raise DiagnosticError([*failed.diagnostics, _nothing_moved()]) from None
        raise DiagnosticError([*failed.diagnostics, _begun(source, target)]) from None


def _take_back(source: Store, note: Note) -> None:
    """Nothing has arrived: the source does not say any more that something is to leave. Raises `DiagnosticError`."""
    if mark_in(source.state) is not None:
        _save(source, unmarked(source.state))
    notes.withdraw(note)


def finish(source: Store, target: Store, write: bool = True) -> Pairs:
    """What has arrived in the target by a move that was begun elsewhere leaves the source, and its mark with it.

    Returns what, as in `transfer`; without `write` it does no more. Raises `DiagnosticError` where it was begun to
    another target.
    """
    mark = mark_in(source.state)
    if mark is None:
        return []
    if mark.lineage != target.state.lineage and mark.to != target.label:
        raise DiagnosticError(_another_target(mark, source, target))
    state, gone = without(source.state, arrived(source.state, target.state, mark.instances))
    if gone and write:
        _save(source, unmarked(state))
    return [(old, new) for old, new in mark.instances if old in gone]


def settle(store: Store) -> tuple[str, ...]:
    """Do this side's part of transfers that were stopped; what to say of it, as lines. Raises `DiagnosticError`."""
    journal = store.backend.journal_path(store.workspace)
    said: list[str] = []
    for note in notes.outgoing(journal):
        state, lines = _send(store.backend, store.state, note)
        if state is not store.state:
            _save(store, state)
        notes.source_done(note)
        said += lines
    for note in notes.incoming(journal):
        state, lines, left = _receive(store.backend, store.stored, note)
        if lines:
            _save(store, state)
        if left.resources:
            said.append(store.rescue_part(left))
        notes.target_done(note)
        said += lines
    notes.sweep(journal)
    return tuple(said)


def with_transfers(backend: Backend, workspace: str, stored: Stored) -> tuple[State, tuple[str, ...]]:
    """The state as it is when stopped transfers have ended, and what to say of it. Writes nothing."""
    journal = backend.journal_path(workspace)
    state = stored.state
    said: list[str] = []
    for note in notes.outgoing(journal):
        state, lines = _send(backend, state, note)
        said += lines
    for note in notes.incoming(journal):
        state, lines, _ = _receive(backend, stored, note, state)
        said += lines
    return state, tuple(said)


def _half(store: Store, digest: str, part: State) -> Half:
    content = b"".join(codec_of(store.backend).encode(list(write_state(part))))
    return Half(store.label, store.state.lineage, store.state.serial, digest, content)


def _part(backend: Backend, half: Half) -> State:
    name = "the note of a move"
    return read_state(codec_of(backend).decode(half.content, name), name) or State()


def _save(store: Store, state: State) -> None:
    try:
        store.put(store.prepared(state))
    except Conflict:
        raise DiagnosticError(store.conflict()) from None


def _send(backend: Backend, state: State, note: Note) -> tuple[State, list[str]]:
    """A source's state as it is after a transfer, and what that changes, as lines."""
    if state.lineage != note.source.lineage:
        return state, []
    mark = mark_in(state)
    if mark is not None and mark.id == note.id:
        state = unmarked(state)
    result, gone = without(state, _part(backend, note.source))
    if not gone:
        return state, []
    said = f"A move to {note.target.label} was stopped before these had left; they have now:"
    return result, [said, *_listed(gone)]


def _receive(
    backend: Backend, stored: Stored, note: Note, state: State | None = None
) -> tuple[State, list[str], State]:
    """A target's state as it is after a transfer, what that changes, as lines, and what cannot be put there."""
    now = stored.state if state is None else state
    if stored.digest == note.target.digest:
        return now, [], State()
    if stored.existed and now.lineage != note.target.lineage:
        return now, [], _part(backend, note.target)
    exact = now.serial == note.target.serial
    result, come, left = including(now, _part(backend, note.target), exact=exact)
    if not come:
        return now, [], left
    said = f"A move from {note.source.label} was stopped before these had arrived; they have now:"
    return result, [said, *_listed(come)], left


def _listed(addresses: Sequence[Instance]) -> list[str]:
    lines = [f"  {one}" for one in addresses[:_SHOWN]]
    if len(addresses) > _SHOWN:
        lines.append(f"  and {len(addresses) - _SHOWN} more")
    return lines


def _is_untouched(store: Store, before: str) -> bool:
    """Whether a state certainly is as it was before a write that failed."""
    try:
        content = store.backend.read(store.workspace)
    except DiagnosticError:
        return False
    return (content.version if content is not None else "") == before


def _another_target(mark: Mark, source: Store, target: Store) -> Diagnostic:
    return error(
        "Another move is not finished",
        f"{mark.who} began at {mark.since} to move objects out of {source.label}, but to {mark.to}, not to "
        f"{target.label}.",
        mend="End that one first: give the same state split or state merge again.",
    )


def _nothing_moved() -> Diagnostic:
    return error(
        "Nothing was moved",
        "Both states are as they were.",
        mend="Mend the cause named above, then run the command again.",
    )


def _begun(source: Store, target: Store) -> Diagnostic:
    return error(
        "The move is not finished",
        f"It is noted beside the journals of both states, and in force: the next command on {target.label} takes in "
        f"what moves, the next one on {source.label} lets go of it.",
        mend="Mend the cause named above, then run any command that changes state (such as plan) on both.",
    )
