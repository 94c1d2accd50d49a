"""Notes of objects on their way from one state to another: what makes two writes one step.

Before either state is written, a note of all that moves lies beside the source's journal, and one that points to it
beside the target's. The first one's appearing decides: from there on both sides do their part, each when it is opened
next, whatever stops the process that began it. A note that is only pointed to from the target was never in force.
"""

from __future__ import annotations

import base64
import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.files import file_problem, make_directory, replace_file, sync_directory

_SENDING, _SENT, _RECEIVING = "sending", "sent", "receiving"
_FORMAT = 1
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class Half:
    """One side. `content` is what moves, as that side's state files are written; `serial` is the state's before,
    `digest` the SHA-256 of the state as it will be.
    """

    label: str
    lineage: str
    serial: int
    digest: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A transfer. `sending` and `receiving` are the journals' paths, beside which the notes lie."""

    id: str
    sending: Path
    receiving: Path
    source: Half
    target: Half


def new_id() -> str:
    """The id of a new transfer."""
    return os.urandom(8).hex()


def write(note: Note) -> None:
    """Put a transfer in force: before this returns it may or may not be, afterwards it is. Raises `DiagnosticError`."""
    pointer, whole = _path(note.receiving, _RECEIVING, note.id), _path(note.sending, _SENDING, note.id)
    try:
        for path, content in ((pointer, _pointer(note)), (whole, _whole(note))):
            make_directory(path.parent)
            replace_file(path, (content,))
    except OSError as reason:
        problem = file_problem(reason, "write the note of the move to", whole.parent)
        try:
            withdraw(note)
        except DiagnosticError as left:
            raise DiagnosticError([*problem.diagnostics, *left.diagnostics]) from None
        raise problem from None


def withdraw(note: Note) -> None:
    """Take a transfer back of which nothing was done. Raises `DiagnosticError`."""
    _remove(_path(note.sending, _SENDING, note.id))
    _remove(_path(note.receiving, _RECEIVING, note.id))


def outgoing(journal: Path) -> Iterator[Note]:
    """The transfers whose source has this journal, and has not done its part. Raises `DiagnosticError`."""
    for id in _ids(journal, _SENDING):
        note = _read(_path(journal, _SENDING, id))
        if note is not None:
            yield note


def incoming(journal: Path) -> Iterator[Note]:
    """The transfers in force whose target has this journal, and has not done its part. Raises `DiagnosticError`."""
    for id in _ids(journal, _RECEIVING):
        note = _pointed_to(journal, id)
        if note is not None:
            yield note


def source_done(note: Note) -> None:
    """The source has done its part. Raises `DiagnosticError`."""
    path = _path(note.sending, _SENDING, note.id)
    if _path(note.receiving, _RECEIVING, note.id).exists():
        try:
            path.replace(_path(note.sending, _SENT, note.id))
            sync_directory(path.parent)
        except OSError as reason:
            raise file_problem(reason, "rename the note of a move", path) from None
    else:
        _remove(path)


def target_done(note: Note) -> None:
    """The target has done its part. Raises `DiagnosticError`."""
    _remove(_path(note.receiving, _RECEIVING, note.id))
    _remove(_path(note.sending, _SENT, note.id), durable=False)


def sweep(journal: Path) -> None:
    """Remove notes that nobody waits for: of transfers that ended, or were never in force. Raises `DiagnosticError`."""
    for id in _ids(journal, _RECEIVING):
        if _pointed_to(journal, id) is None:
            _remove(_path(journal, _RECEIVING, id), durable=False)
    for id in _ids(journal, _SENT):
        path = _path(journal, _SENT, id)
        note = _read(path)
        if note is None or not _path(note.receiving, _RECEIVING, id).exists():
            _remove(path, durable=False)


# -- files


def _path(journal: Path, kind: str, id: str) -> Path:
    return journal.with_name(f"{journal.name}.{kind}-{id}")


def _ids(journal: Path, kind: str) -> list[str]:
    start = f"{journal.name}.{kind}-"
    try:
        names = sorted(one.name for one in journal.parent.iterdir() if one.name.startswith(start))
    except (FileNotFoundError, NotADirectoryError):
        return []
    except OSError as reason:
        raise file_problem(reason, "look for notes of moves in", journal.parent) from None
    return [name[len(start) :] for name in names if _ID.fullmatch(name[len(start) :])]


def _remove(path: Path, durable: bool = True) -> None:
    """Remove a note that may be gone; one that is not `durable` gone does no harm when it comes back."""
    try:
        path.unlink(missing_ok=True)
        if durable and path.parent.is_dir():
            sync_directory(path.parent)
    except NotADirectoryError:
        return
    except OSError as reason:
        raise file_problem(reason, "remove the note of a move", path) from None


def _pointed_to(journal: Path, id: str) -> Note | None:
    """The transfer that a target's note points to, None where it is not in force."""
    path = _path(journal, _RECEIVING, id)
    fields = _fields(path)
    if fields is None:
        return None
    try:
        sending = Path(fields["sending"])
    except (KeyError, TypeError):
        raise _damaged(path) from None
    for kind in (_SENDING, _SENT):
        note = _read(_path(sending, kind, id))
        if note is not None:
            return note
    return None


def _pointer(note: Note) -> bytes:
    return _sealed({"format": _FORMAT, "id": note.id, "sending": str(note.sending)})


def _whole(note: Note) -> bytes:
    def half(one: Half) -> dict[str, Any]:
        return asdict(one) | {"content": base64.b64encode(one.content).decode()}

    return _sealed(
        {
            "format": _FORMAT,
            "id": note.id,
            "sending": str(note.sending),
            "receiving": str(note.receiving),
            "source": half(note.source),
            "target": half(note.target),
        }
    )


def _sealed(fields: dict[str, Any]) -> bytes:
    text = json.dumps(fields, separators=(",", ":")).encode()
    return hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n"


def _fields(path: Path) -> dict[str, Any] | None:
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as reason:
        raise file_problem(reason, "read the note of a move", path) from None
    digest, _, text = content.rstrip(b"\n").partition(b"\n")
    if hashlib.sha256(text).hexdigest().encode() != digest:
        raise _damaged(path)
    fields = json.loads(text)
    if not isinstance(fields, dict) or fields.get("format") != _FORMAT:
        raise _damaged(path)
    return fields


def _read(path: Path) -> Note | None:
    fields = _fields(path)
    if fields is None:
        return None

    def half(one: dict[str, Any]) -> Half:
        return Half(**(one | {"content": base64.b64decode(one["content"])}))

    try:
        return Note(
            fields["id"],
            Path(fields["sending"]),
            Path(fields["receiving"]),
            half(fields["source"]),
            half(fields["target"]),
        )
    except (KeyError, TypeError, ValueError):
        raise _damaged(path) from None


def _damaged(path: Path) -> DiagnosticError:
    return DiagnosticError(
        error(
            "The note of a move is damaged",
            f"{path} does not say any more what was to move from one state to another.",
            mend="Compare the two states (twinfra state list), bring what is in none or in both in order with state "
            "rm or import, then remove that file.",
        )
    )
