"""Whether a state has a ledger: remembered in the data directory, so that no update of a state elsewhere asks for it.

What is remembered counts for a day, and until `init` asks anew. What a command records here is known at once.
"""

from __future__ import annotations

import os
import shutil
import time
from contextlib import suppress
from pathlib import Path

from twinfra.state.backends.local import LocalBackend
from twinfra.state.backends.protocol import Backend, innermost
from twinfra.state.files import PRIVATE, make_directory
from twinfra.state.ledger.log import open_ledger
from twinfra.state.ledger.pending import pending_of

_THERE, _NOT_THERE = b"yes\n", b"no\n"
_COUNTS_FOR = 24 * 3600.0


def has_ledger(backend: Backend, workspace: str) -> bool:
    """Whether anything was appended to a workspace's ledger, as far as is known here. Raises `DiagnosticError`."""
    if _is_near(backend):
        return open_ledger(backend, workspace).exists()
    note = _note(backend, workspace)
    try:
        said = note.read_bytes()
        if said in (_THERE, _NOT_THERE) and 0 <= time.time() - note.stat().st_mtime < _COUNTS_FOR:
            return said == _THERE
    except OSError:
        # Not known, or not to be read: then the backend tells.
        pass
    return look_for_ledger(backend, workspace)


def look_for_ledger(backend: Backend, workspace: str) -> bool:
    """Ask the backend whether there is a ledger, and remember what it says. Raises `DiagnosticError`."""
    there = open_ledger(backend, workspace).exists()
    _remember(backend, workspace, there)
    return there


def remember_ledger(backend: Backend, workspace: str) -> None:
    """Remember that there is one: something was just appended."""
    _remember(backend, workspace, True)


def forget_ledger(backend: Backend, workspace: str) -> None:
    """Remember nothing of a workspace that is deleted, and let nothing wait for the ledger of another of its name."""
    shutil.rmtree(pending_of(backend, workspace).directory, ignore_errors=True)
    with suppress(OSError):
        _note(backend, workspace).unlink(missing_ok=True)


def _remember(backend: Backend, workspace: str, there: bool) -> None:
    if _is_near(backend):
        return
    note = _note(backend, workspace)
    # Where nothing can be written, the backend is asked each time.
    with suppress(OSError):
        make_directory(note.parent)
        # One that is torn says nothing, and the backend is asked again: nobody needs to wait for the disk.
        descriptor = os.open(note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, PRIVATE)
        try:
            os.write(descriptor, _THERE if there else _NOT_THERE)
        finally:
            os.close(descriptor)


def _is_near(backend: Backend) -> bool:
    return isinstance(innermost(backend), LocalBackend)


def _note(backend: Backend, workspace: str) -> Path:
    journal = backend.journal_path(workspace)
    return journal.parent.parent / "ledgers" / journal.stem
