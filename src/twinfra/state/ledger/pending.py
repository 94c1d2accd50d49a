"""Entries on their way into a ledger: put aside in a file when something begins, appended when it has ended.

So nothing is lost where the ledger cannot be reached, or the process is killed: the next command that holds the
state's lock appends what lies here. The files lie beside the journal, sealed as the state is.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error, warning
from twinfra.state.backends.protocol import Backend
from twinfra.state.encryption.backend import codec_of
from twinfra.state.encryption.codec import Codec
from twinfra.state.files import (
    file_problem,
    make_directory,
    remove_all_leftovers,
    replace_file,
    sync_directory,
)
from twinfra.state.ledger.authors import now
from twinfra.state.ledger.entries import Entry
from twinfra.state.ledger.log import Ledger
from twinfra.state.locks import LockInfo, is_running_elsewhere, new_lock

_SUFFIX = ".json"
_LOOKED_BACK = 1024
"""Entries among which one is looked for that may have been appended already."""


_FIELDS = sorted(("id", "kind", "time", "who", "host", "body"))
_SHOWN = 3
_THEN = (
    "What can be read is recorded by the next command. What nobody can read any more may be removed: only receipts are "
    "lost, not what was done."
)
_DAMAGED = "Look what is in it; then remove it: only a receipt is lost, not what was done."


@dataclass(frozen=True, slots=True)
class Waiting:
    """What waits: entries, the oldest first, and warnings about files that cannot be read."""

    entries: list[dict[str, Any]]
    problems: list[Diagnostic]


def pending_of(backend: Backend, workspace: str) -> Pending:
    """What waits for the ledger of a workspace."""
    journal = backend.journal_path(workspace)
    return Pending(journal.with_suffix(".receipts"), codec_of(backend))


@dataclass(frozen=True, slots=True)
class Pending:
    """Entries in a directory, one file each. Methods raise `DiagnosticError`."""

    directory: Path
    codec: Codec

    def put(self, made: Mapping[str, Any]) -> None:
        """Put an entry aside, made by `authors.about`, or replace what was put aside under its ID."""
        fields = {"entry": made, "process": json.loads(new_lock("").to_json())}
        path = self._path(made["id"])
        try:
            make_directory(self.directory)
            replace_file(path, self.codec.encode((json.dumps(fields).encode(),)))
        except OSError as reason:
            raise file_problem(reason, "put a receipt aside in", path) from None

    def remove(self, id: str) -> None:
        """Forget one that is in the ledger by now."""
        try:
            self._path(id).unlink(missing_ok=True)
            self._tidy()
        except OSError as reason:
            raise file_problem(reason, "remove the receipt", self._path(id)) from None

    def remove_leftovers(self) -> None:
        """Remove what a process that was killed while it put something aside left. Under the state's lock."""
        try:
            remove_all_leftovers(self.directory)
            self._tidy()
        except OSError as reason:
            raise file_problem(reason, "remove what is left in", self.directory) from None

    def _tidy(self) -> None:
        try:
            self.directory.rmdir()
        except OSError as reason:
            # Others may put something aside at this very moment.
            if reason.errno not in (errno.ENOENT, errno.ENOTEMPTY, errno.EEXIST):
                raise
        else:
            sync_directory(self.directory.parent)

    def waiting(self) -> Waiting:
        """Those that no other process is still at. One that cannot be read is left where it is, and told."""
        found, unreadable = [], []
        for path in self._paths():
            try:
                content = self.codec.decode(path.read_bytes(), str(path))
                fields = json.loads(content)
                made, process = fields["entry"], LockInfo.from_json(json.dumps(fields["process"]))
                when, id = _told_of(made)
            except FileNotFoundError:
                continue
            except OSError as reason:
                unreadable.append((path, file_problem(reason, "read the receipt", path).diagnostics[0]))
            except DiagnosticError as sealed:
                problem = sealed.diagnostics[-1]
                unreadable.append((path, replace(problem, mend=f"{problem.mend} {_THEN}".lstrip())))
            except (ValueError, LookupError, TypeError):
                unreadable.append(
                    (path, error("Receipt is damaged", f"{path} is no receipt.", mend=_DAMAGED))
                )
            else:
                if process is None or not is_running_elsewhere(process):
                    found.append((when, id, made))
        found.sort(key=lambda one: one[:2])
        return Waiting([made for _, _, made in found], _told(sorted(unreadable, key=lambda one: one[0].name)))

    def _paths(self) -> list[Path]:
        try:
            return [one for one in self.directory.iterdir() if one.name.endswith(_SUFFIX)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _path(self, id: str) -> Path:
        return self.directory / f"{id}{_SUFFIX}"


def _told_of(made: Any) -> tuple[str, str]:
    """When an entry was made, and its ID. Raises `ValueError` or `TypeError` where it is none as `about` makes them."""
    if type(made) is not dict or type(made["body"]) is not dict or sorted(made) != _FIELDS:
        raise ValueError("no entry")
    if any(type(made[name]) is not str for name in _FIELDS if name != "body"):
        raise ValueError("no text")
    return made["time"], made["id"]


def _told(unreadable: list[tuple[Path, Diagnostic]]) -> list[Diagnostic]:
    """Warnings about files that cannot be read: one for all that are to be mended in the same way."""
    alike: dict[str, list[tuple[Path, Diagnostic]]] = {}
    for path, problem in unreadable:
        alike.setdefault(problem.mend, []).append((path, problem))
    told = []
    for mend, ones in alike.items():
        path, problem = ones[0]
        names = ", ".join(one.name for one, _ in ones[:_SHOWN])
        more = f" and {len(ones) - _SHOWN} more" if len(ones) > _SHOWN else ""
        which = "A receipt" if len(ones) == 1 else f"{len(ones)} receipts"
        told.append(
            warning(
                "Receipts cannot be read",
                f"{which} of earlier commands cannot be recorded, and {'is' if len(ones) == 1 else 'are'} left aside "
                f"in {path.parent}: {names}{more}. {problem.summary}: {problem.detail}",
                mend=mend,
            )
        )
    return told


def append_pending(ledger: Ledger, pending: Pending) -> tuple[list[Entry], list[Diagnostic]]:
    """Append what waits, each once; returns the new entries, and warnings about what cannot be read.

    Under the state's lock. Raises `DiagnosticError`.
    """
    pending.remove_leftovers()
    waiting = pending.waiting()
    if not waiting.entries:
        return [], waiting.problems
    known = {entry.id: entry for entry in islice(ledger.newest(), _LOOKED_BACK)}
    appended = []
    for made in waiting.entries:
        if made["id"] not in known:
            appended.append(ledger.append_made({**made, "time": now()}))
        pending.remove(made["id"])
    return appended, waiting.problems


def append_or_keep(ledger: Ledger, pending: Pending, made: Mapping[str, Any]) -> Entry:
    """Append an entry that was put aside; where that fails it stays put aside, and `DiagnosticError` is raised."""
    pending.put(made)
    entry = ledger.append_made({**made, "time": now()})
    pending.remove(made["id"])
    return entry
