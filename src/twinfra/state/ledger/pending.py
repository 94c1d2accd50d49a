"""Entries on their way into a ledger: put aside in a file when something begins, appended when it has ended.

So nothing is lost where the ledger cannot be reached, or the process is killed: the next command that holds the
state's lock appends what lies here. The files lie beside the journal, sealed as the state is.
"""

from __future__ import annotations

import errno
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

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

    def waiting(self) -> Iterator[dict[str, Any]]:
        """Those that no other process is still at, the oldest first. One that cannot be read is left where it is."""
        found = []
        for path in self._paths():
            try:
                content = self.codec.decode(path.read_bytes(), str(path))
                fields = json.loads(content)
                made, process = fields["entry"], LockInfo.from_json(json.dumps(fields["process"]))
                when, id = str(made["time"]), str(made["id"])
            except FileNotFoundError:
                continue
            except OSError as reason:
                raise file_problem(reason, "read the receipt", path) from None
            except (ValueError, LookupError, TypeError):
                continue
            if process is None or not is_running_elsewhere(process):
                found.append((when, id, made))
        for _, _, made in sorted(found, key=lambda one: one[:2]):
            yield made

    def _paths(self) -> list[Path]:
        try:
            return [one for one in self.directory.iterdir() if one.name.endswith(_SUFFIX)]
        except (FileNotFoundError, NotADirectoryError):
            return []

    def _path(self, id: str) -> Path:
        return self.directory / f"{id}{_SUFFIX}"


def append_pending(ledger: Ledger, pending: Pending) -> list[Entry]:
    """Append what waits, each once; returns the new entries. Under the state's lock. Raises `DiagnosticError`."""
    pending.remove_leftovers()
    waiting = list(pending.waiting())
    if not waiting:
        return []
    known = {entry.id: entry for entry in islice(ledger.newest(), _LOOKED_BACK)}
    appended = []
    for made in waiting:
        if made["id"] not in known:
            appended.append(ledger.append_made({**made, "time": now()}))
        pending.remove(made["id"])
    return appended


def append_or_keep(ledger: Ledger, pending: Pending, made: Mapping[str, Any]) -> Entry:
    """Append an entry that was put aside; where that fails it stays put aside, and `DiagnosticError` is raised."""
    pending.put(made)
    entry = ledger.append_made({**made, "time": now()})
    pending.remove(made["id"])
    return entry
