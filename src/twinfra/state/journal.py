"""The journal: what an apply did, appended and synced as it happens, so that no crash makes it forgotten.

It fulfils `engine.recorder.Recorder`. A record is kept in memory until `sync`, which writes all of them at
once and waits for the disk once. Room is reserved ahead, so that a full disk is noticed while what is in
flight can still be recorded. Reading a journal and folding it into a state is `recovery`'s.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from twinfra import log
from twinfra.addresses import Instance, ProviderConfig
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.encryption.codec import LineSealer
from twinfra.state.files import (
    file_problem,
    make_directory,
    sync_directory,
    sync_file,
    write_all,
    write_beside,
)
from twinfra.state.intents import Intent
from twinfra.state.journal_format import (
    Opening,
    intent_fields,
    line_of,
    object_fields,
    opening_fields,
    outputs_fields,
)
from twinfra.state.model import InstanceObject, State

RESERVE = 1 << 18
"""Bytes reserved ahead of what is written."""


class Journal:
    """An open journal, written by one thread.

    When the disk refuses, nothing is raised while an apply runs: `failure` says why, `on_failure` is called
    once (to stop starting anything new), and the records stay in memory for the next `sync` to try again.
    """

    def __init__(
        self,
        path: Path,
        state: State,
        workspace: str = "default",
        *,
        fresh: bool = False,
        intents: Iterable[Intent] = (),
        sealer: LineSealer | None = None,
    ) -> None:
        """Begin a journal for what will be done to `state`, as it is stored (its serial and lineage count).

        It takes the place of an earlier one, which must have been folded in. `fresh`: nothing is stored yet.
        `intents`: those of earlier runs that are still unanswered. `sealer` encrypts its lines. Raises
        `DiagnosticError` when there is no room for it, or another process writes it.
        """
        self.path = path
        self.on_failure: Callable[[Diagnostic], None] | None = None
        self.failure: Diagnostic | None = None
        self._sealer = sealer
        self._number = 0
        self._pending: list[bytes] = []
        self._providers: dict[int, tuple[ProviderConfig, str]] = {}
        self._unanswered: dict[str, Intent] = {}
        self._by_address: dict[Instance, str] = {}
        created = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        opening = Opening(state.lineage, state.serial, workspace, fresh, created, dict(state.identities))
        first = self._line(opening_fields(opening))
        for intent in intents:
            self.intend(intent)
        lines = [*([sealer.header] if sealer is not None else []), first, *self._pending]
        self._pending.clear()
        try:
            make_directory(path.parent)
            refuse_if_written(path)
            self._descriptor = self._begin(lines)
        except OSError as reason:
            raise file_problem(reason, "write the journal to", path) from None

    def _begin(self, lines: list[bytes]) -> int:
        fresh, descriptor = write_beside(self.path, lines)
        try:
            self._descriptor = descriptor
            self._end = self._reserved = os.fstat(descriptor).st_size
            self._reserve(0)
            sync_file(descriptor)
            _claim(descriptor)
            os.replace(fresh, self.path)
            sync_directory(self.path.parent)
        except BaseException:
            fresh.unlink(missing_ok=True)
            os.close(descriptor)
            raise
        return descriptor

    # -- what the engine calls

    def record(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None:
        """An object is now `value` (None: gone), the current one or under a deposed key."""
        self._number += 1
        fields = object_fields(self._number, address, self._provider_text(provider), value, deposed)
        self._pending.append(self._line(fields))
        if not deposed and self._by_address:
            token = self._by_address.pop(address, None)
            if token is not None:
                self._unanswered.pop(token, None)

    def intend(self, intent: Intent) -> None:
        """An object is about to be created; `record` for its address or `answered` tells what came of it."""
        self._number += 1
        self._unanswered[intent.token] = intent
        self._by_address[intent.address] = intent.token
        self._pending.append(
            self._line(intent_fields(self._number, intent, self._provider_text(intent.provider)))
        )

    def answered(self, token: str) -> None:
        """What became of the intended create with this token is known, and needs no record."""
        if self._unanswered.pop(token, None) is not None:
            self._append(["answered", token])

    def identify(self, provider: ProviderConfig, identity: Mapping[str, str]) -> None:
        """A provider configuration acts on this cloud (see `State.identities`)."""
        self._append(["identity", str(provider), dict(identity)])

    def note(self, kind: str, payload: Any) -> None:
        """Anything else, as JSON, for people and for later versions to read."""
        self._append([f"note-{kind}", payload])

    def sync(self) -> None:
        """Make all that was recorded so far survive a crash of the machine. See `failure`."""
        if not self._pending:
            return
        data = b"".join(self._pending)
        begun, records = log.timer(), len(self._pending)
        try:
            if self._end + len(data) > self._reserved - RESERVE // 2:
                self._reserve(len(data))
        except OSError as reason:
            # There is still room for what is in flight.
            self._fail(reason)
        try:
            os.lseek(self._descriptor, self._end, os.SEEK_SET)
            write_all(self._descriptor, data)
            sync_file(self._descriptor)
        except OSError as reason:
            self._fail(reason)
            return
        self._pending.clear()
        self._end += len(data)
        log.say(log.TRACE, "journal synced", records=records, bytes=len(data), seconds=log.since(begun))

    # -- what the store calls

    def saving(self, state: State, digest: str) -> None:
        """All that is recorded is in `state`, which is about to be written; `digest` is its SHA-256."""
        self._number += 1
        self._pending.append(self._line(outputs_fields(self._number, state.outputs, state.check_results)))
        self._append(["saving", state.serial, digest])
        self.sync()

    @property
    def complete(self) -> bool:
        """Whether all that was recorded is on the disk."""
        return not self._pending

    @property
    def used(self) -> bool:
        """Whether anything was recorded."""
        return self._number > 0

    @property
    def unanswered(self) -> list[Intent]:
        """Intended creates of which nobody knows what they made, in order."""
        return list(self._unanswered.values())

    def close(self) -> None:
        """Close the file and keep it, for the next start to fold in."""
        if self._descriptor >= 0:
            self.sync()
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Close and remove it: all that it says is in the stored state."""
        if self._descriptor >= 0:
            self.path.unlink(missing_ok=True)
            os.close(self._descriptor)
            self._descriptor = -1

    # -- inside

    def _append(self, fields: list[Any]) -> None:
        self._number += 1
        self._pending.append(self._line([fields[0], self._number, *fields[1:]]))

    def _line(self, fields: list[Any]) -> bytes:
        line = line_of(fields)
        return line if self._sealer is None else self._sealer.seal(line)

    def _provider_text(self, provider: ProviderConfig) -> str:
        found = self._providers.get(id(provider))
        if found is None or found[0] is not provider:
            found = self._providers[id(provider)] = (provider, str(provider))
        return found[1]

    def _reserve(self, more: int) -> None:
        """Have room on the disk for `more` bytes and `RESERVE` beyond. Raises `OSError`.

        Where the system cannot reserve (macOS), the room is only hoped for.
        """
        wanted = self._end + more + RESERVE
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(self._descriptor, self._reserved, wanted - self._reserved)
        self._reserved = wanted

    def _fail(self, reason: OSError) -> None:
        problem = error(
            "The journal cannot be written",
            f"{self.path}: {reason.strerror}. What is in flight is still recorded; nothing new is started.",
            mend="Make room on that disk, then run the command again.",
        )
        if self.failure is None:
            self.failure = problem
            if self.on_failure is not None:
                self.on_failure(problem)


def refuse_if_written(path: Path) -> None:
    """Raise `DiagnosticError` when another process writes this journal: it works without the lock."""
    if is_written(path):
        raise DiagnosticError(
            error(
                "Another apply is running",
                f"Another process writes {path}: it changes the same state without its lock.",
                mend="Wait until it has finished, and do not use -lock=false.",
            )
        )


def is_written(path: Path) -> bool:
    """Whether another process writes this journal just now; False where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        # Whoever reads it is told why that cannot be.
        return False
    try:
        # Shared, so that two who look at once do not take each other for the one who writes.
        return not _claim(descriptor, fcntl.LOCK_SH)
    finally:
        os.close(descriptor)


def _claim(descriptor: int, how: int = fcntl.LOCK_EX) -> bool:
    """Lock a journal for as long as it is open; False when another process has, in a way that excludes this one."""
    try:
        fcntl.flock(descriptor, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # A file system without locks: the state's own lock must do.
        return True
    return True
