"""One workspace's state, opened for one command: read, locked, recorded to, and saved when something changed.

This is what the command line works with. Where the bytes lie is the backend's matter, how they look `v4`'s.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

from twinfra import log
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.backends.protocol import NOTHING, Backend, Conflict, Locked, is_redirected
from twinfra.state.comparison import same_content
from twinfra.state.copies import keep_copy
from twinfra.state.encryption.backend import codec_of
from twinfra.state.files import file_problem, replace_file
from twinfra.state.intents import Intent
from twinfra.state.journal import Journal, is_written, refuse_if_written
from twinfra.state.locks import LockInfo, held_by_another, new_lock
from twinfra.state.model import State
from twinfra.state.recovery import Recovered, fold
from twinfra.state.succession import successor
from twinfra.state.transfer_mark import unfinished
from twinfra.state.transferring import settle, with_transfers
from twinfra.state.v4 import COMPATIBLE_VERSION, read_state, write_state

ERRORED = "errored.tfstate"
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0


@dataclass(frozen=True, slots=True)
class LockOptions:
    """How to lock. `timeout`: how long to wait for another holder, in seconds.

    `waiting` is called once when the wait begins; `cancelled` ends the wait early by returning True.
    """

    wanted: bool = True
    timeout: float = 0.0
    waiting: Callable[[LockInfo | None], None] | None = None
    cancelled: Callable[[], bool] | None = None


LOCKED = LockOptions()
NO_LOCK = LockOptions(wanted=False)


@dataclass(frozen=True, slots=True)
class Stored:
    """A state as a backend has it. `existed` is False where there is none: then `state` is a fresh one.

    `version` is the backend's name for it, `digest` the SHA-256 of its file in hex (empty where there is
    none).
    """

    state: State
    existed: bool
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Prepared:
    """A state that is ready to be written: under its next serial, as the pieces of a file with this SHA-256."""

    state: State
    pieces: list[bytes]
    digest: str


def read_stored(backend: Backend, workspace: str) -> Stored:
    """The state as it is now. Raises `DiagnosticError`."""
    content = backend.read(workspace)
    if content is None:
        return Stored(State.fresh(), False, NOTHING, "")
    state = read_state(content.data, backend.label(workspace))
    if state is None:
        return Stored(State.fresh(), False, content.version, "")
    return Stored(state, True, content.version, hashlib.sha256(content.data).hexdigest())


def read_journal(backend: Backend, workspace: str, stored: Stored) -> Recovered | None:
    """What the journal of an interrupted run adds to `stored`, which is not changed; None where there is no
    journal.

    Raises `DiagnosticError` where it does not fit, or another process is writing it.
    """
    path = backend.journal_path(workspace)
    try:
        content = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as reason:
        raise file_problem(reason, "read the journal", path) from None
    if not content:
        return None
    refuse_if_written(path)
    content = codec_of(backend).unseal(content, str(path))
    return fold(
        content, stored.state if stored.existed else None, stored.digest, backend.label(workspace), path
    )


def current_state(backend: Backend, workspace: str) -> tuple[State | None, Recovered | None]:
    """The state for commands that only look: with what a journal adds, nothing written, no lock taken.

    None where there is no state yet. While an apply is running, what it has done so far is not seen.
    """
    stored = read_stored(backend, workspace)
    recovered: Recovered | None = None
    try:
        state, transfers = with_transfers(backend, workspace, stored)
        if transfers:
            stored = replace(stored, state=state, existed=True)
            recovered = Recovered(stored.state, (), (), transfers=transfers)
        if is_written(backend.journal_path(workspace)):
            recovered = replace(recovered or Recovered(stored.state, (), ()), running=True)
        else:
            found = read_journal(backend, workspace, stored)
            recovered = recovered if found is None else replace(found, transfers=transfers)
    except DiagnosticError as problem:
        # For those who only look it is no obstacle; whoever wants to change something is stopped.
        recovered = replace(recovered or Recovered(stored.state, (), ()), unread=problem.diagnostics[0])
    begun = unfinished(stored.state, backend.label(workspace))
    if recovered is None and begun is None:
        return (stored.state if stored.existed else None), None
    recovered = recovered or Recovered(stored.state, (), ())
    known = stored.existed or recovered.journal
    return (recovered.state if known else None), replace(recovered, begun=begun, looked=True)


class Store:
    """An open workspace. Made by `open_store`; owned by one thread.

    `state` is what is stored, with a journal found at the start folded in and saved (`recovered` tells). It
    is never changed in place: `save` takes a new one.
    """

    def __init__(
        self, backend: Backend, workspace: str, directory: Path, stored: Stored, lock: LockInfo | None
    ) -> None:
        self.backend = backend
        self.workspace = workspace
        self.directory = directory
        self.lock = lock
        self.recovered: Recovered | None = None
        self._stored = stored
        self._journal: Journal | None = None
        self._safe = True
        self._intents: tuple[Intent, ...] = ()

    @property
    def state(self) -> State:
        """The state as stored; a fresh one where nothing is."""
        return self._stored.state

    @property
    def existed(self) -> bool:
        """Whether anything is stored."""
        return self._stored.existed

    @property
    def stored(self) -> Stored:
        """The state as stored, with what the backend says of it."""
        return self._stored

    @property
    def version(self) -> str:
        """The backend's name for what is stored."""
        return self._stored.version

    @property
    def label(self) -> str:
        """How people know it."""
        return self.backend.label(self.workspace)

    @property
    def intents(self) -> tuple[Intent, ...]:
        """Creates of an interrupted run that nobody knows the outcome of (see `engine.api.recover`)."""
        return self._intents

    def refresh(self) -> State:
        """Read again what is stored, such as after another process may have written."""
        self._stored = read_stored(self.backend, self.workspace)
        return self.state

    @contextmanager
    def recording(
        self, start: State | None = None, on_failure: Callable[[Diagnostic], None] | None = None
    ) -> Iterator[Journal]:
        """A journal for one apply: give it to the engine, and `save` its result before leaving.

        `start`: the state that the apply starts from, for what it knows of clouds, and for its lineage where
        nothing is stored yet. `on_failure` is called when the journal cannot be written any more: stop
        starting anything new. The journal is removed at the end when all it says is saved; else it stays, and
        the next start folds it in.
        """
        state = self.state
        if start is not None:
            state = replace(
                state,
                lineage=state.lineage if self.existed else start.lineage,
                identities={**state.identities, **start.identities},
            )
        path = self.backend.journal_path(self.workspace)
        journal = Journal(
            path,
            state,
            self.workspace,
            fresh=not self.existed,
            intents=self._intents,
            sealer=codec_of(self.backend).sealer(),
        )
        journal.on_failure = on_failure
        self._journal, self._safe = journal, False
        try:
            yield journal
        finally:
            self._journal = None
            self._intents = tuple(journal.unanswered)
            if self._intents or (journal.used and not self._safe):
                journal.close()
            else:
                journal.remove()

    def save(self, state: State) -> bool:
        """Store a state under the next serial; False when it says nothing new: then it is written, as it is, only
        where it goes to another place than it was read from.

        `state` has the lineage of `self.state`, which afterwards is the saved one. When it cannot be written,
        it is put into `errored.tfstate` in the working directory, and `DiagnosticError` is raised.
        """
        stored = self._stored
        if stored.existed and state.lineage != stored.state.lineage:
            raise ValueError("a state can only be saved over one of its own lineage")
        if stored.existed and same_content(stored.state, state):
            if self._journal is not None:
                self._journal.saving(stored.state, stored.digest)
            self._safe = True
            if is_redirected(self.backend, self.workspace):
                self.backend.write(self.workspace, list(write_state(stored.state)), None)
            return False
        ready = self.prepared(state)
        if self._journal is not None:
            self._journal.saving(ready.state, ready.digest)
        try:
            self.put(ready)
        except DiagnosticError as failed:
            raise DiagnosticError([*failed.diagnostics, self._rescue(ready.pieces)]) from None
        except Conflict:
            raise DiagnosticError([self.conflict(), self._rescue(ready.pieces)]) from None
        self._safe = True
        return True

    def prepared(self, state: State, after: int = 0) -> Prepared:
        """A state ready to be stored in the place of the present one, once `after` others were."""
        saved = replace(state, serial=self.state.serial + after + 1, terraform_version=COMPATIBLE_VERSION)
        pieces = list(write_state(saved))
        return Prepared(saved, pieces, _digest(pieces))

    def put(self, ready: Prepared) -> None:
        """Store what was prepared, where nobody has written since. Raises `Conflict` and `DiagnosticError`."""
        begun = log.timer()
        replaced = self._stored
        version = self.backend.write(self.workspace, ready.pieces, replaced.version)
        if replaced.existed:
            keep_copy(self.backend, self.workspace, replaced.state)
        self._stored = Stored(ready.state, True, version, ready.digest)
        if log.wanted(log.INFO):
            log.say(
                log.INFO,
                "state written",
                state=self.label,
                serial=ready.state.serial,
                bytes=sum(map(len, ready.pieces)),
                seconds=log.since(begun),
            )

    def overwrite(self, state: State, force: bool = False) -> bool:
        """Store a state from elsewhere as it is, serial and lineage included; False when it is there already.

        One without a lineage gets the present one. Without `force`, one of another lineage or of an older serial is
        refused, unless what is there is empty, as stock Terraform has it. Raises `DiagnosticError`.
        """
        now = self._stored
        if not state.lineage:
            state = replace(state, lineage=now.state.lineage)
        if (
            now.existed
            and (now.state.lineage, now.state.serial) == (state.lineage, state.serial)
            and same_content(now.state, state)
        ):
            return False
        if now.existed and not force:
            state = successor(now.state, state, self.label)
        pieces = list(write_state(state))
        try:
            self.put(Prepared(state, pieces, _digest(pieces)))
        except Conflict:
            raise DiagnosticError(self.conflict()) from None
        return True

    def conflict(self) -> Diagnostic:
        """Says that somebody else has written the state meanwhile."""
        return error(
            "State was changed by somebody else",
            f"{self.label} is not the state any more that this run began with (serial {self.state.serial}).",
            mend="Make sure that everybody works with the lock (no -lock=false), then run the command again.",
        )

    def _rescue(self, pieces: list[bytes]) -> Diagnostic:
        """Put a state that cannot be stored where it can be found."""
        summary = "State was not saved"
        journal = self._journal
        kept = ""
        if journal is not None:
            part = "it too" if journal.complete else "what could be written of it"
            kept = f" The journal has {part}, and is folded in at the next start."
        path = self._free_name()
        try:
            replace_file(path, codec_of(self.backend).encode(pieces))
        except OSError as reason:
            return error(
                summary,
                f"Nor could it be written to {path}: {reason.strerror}.{kept}",
                mend="Mend the cause named above, then run the command again.",
            )
        return error(
            summary,
            f"What was done is kept in {path}.{kept}",
            mend="Mend the cause named above, then run the command again."
            if kept
            else f"Mend the cause named above, then: twinfra state push {path.name}",
        )

    def rescue_part(self, part: State) -> str:
        """Put objects that found no place in the state where they can be found; says so, for people."""
        path = self._free_name()
        try:
            replace_file(path, codec_of(self.backend).encode(list(write_state(part))))
        except OSError as reason:
            raise file_problem(reason, "write what found no place to", path) from None
        return (
            f"Of a move to {self.label}, something had no place there any more. It is kept in {path}; take it in with: "
            f"twinfra state merge -from={path.name} 'ADDRESS => OTHER'"
        )

    def _free_name(self) -> Path:
        path = self.directory / ERRORED
        number = 0
        while path.exists():
            number += 1
            path = self.directory / f"errored.{number}.tfstate"
        return path

    def _recover(self) -> None:
        """Fold in what an interrupted run left, and store it. What it was creating stays in the journal."""
        transfers = settle(self)
        recovered = read_journal(self.backend, self.workspace, self._stored)
        if recovered is None:
            if transfers:
                self.recovered = Recovered(self.state, (), (), transfers=transfers)
            return
        path = self.backend.journal_path(self.workspace)
        if recovered.changed:
            # Written over the old journal only after the state is safe: doing this twice does no harm.
            try:
                self.put(self.prepared(recovered.state))
            except Conflict:
                raise DiagnosticError(self.conflict()) from None
        self.recovered = replace(recovered, transfers=transfers)
        self._intents = recovered.intents
        log.say(
            log.WARN,
            "journal of an earlier run folded in",
            state=self.label,
            objects=len(recovered.objects),
            unanswered=len(recovered.intents),
            damaged=recovered.damaged,
        )
        if recovered.intents:
            Journal(
                path,
                self.state,
                self.workspace,
                fresh=not self.existed,
                intents=recovered.intents,
                sealer=codec_of(self.backend).sealer(),
            ).close()
        else:
            path.unlink(missing_ok=True)


@contextmanager
def open_store(
    backend: Backend,
    workspace: str,
    operation: str,
    directory: Path,
    lock: LockOptions = LOCKED,
    moving: bool = False,
) -> Iterator[Store]:
    """Lock and read a workspace, folding in the journal of an interrupted run; unlock at the end.

    `operation` is the command's name, `directory` the working directory. Without `moving`, a state out of which a
    move has begun elsewhere is refused. Raises `DiagnosticError` (nothing was changed then).
    """
    held = _acquire(backend, workspace, operation, lock) if lock.wanted else None
    try:
        begun = log.timer()
        store = Store(backend, workspace, directory, read_stored(backend, workspace), held)
        if log.wanted(log.DEBUG):
            log.say(
                log.DEBUG,
                "state read" if store.existed else "no state yet",
                state=store.label,
                serial=store.state.serial,
                lineage=store.state.lineage,
                resources=len(store.state.resources),
                seconds=log.since(begun),
            )
        store._recover()
        if not moving and (problem := unfinished(store.state, store.label)) is not None:
            raise DiagnosticError(problem)
        yield store
    finally:
        if held is not None:
            # Somebody may have released it and taken their own: theirs stays, and all of ours was written under
            # the condition that nobody else had written.
            with suppress(Locked):
                backend.unlock(workspace, held.id)
                log.say(log.DEBUG, "lock released", state=backend.label(workspace), id=held.id)


def _acquire(backend: Backend, workspace: str, operation: str, options: LockOptions) -> LockInfo:
    place = backend.label(workspace)
    lock = new_lock(operation, place)
    begun = log.timer()
    start = time.monotonic()
    pause = _FIRST_PAUSE
    told = False
    while True:
        try:
            backend.lock(workspace, lock)
        except Locked as locked:
            waited = time.monotonic() - start
            left = options.timeout - waited
            if left <= 0 or (options.cancelled is not None and options.cancelled()):
                raise DiagnosticError(
                    held_by_another(locked.holder, place, round(waited, 1) if options.timeout else 0.0)
                ) from None
            if not told and options.waiting is not None:
                options.waiting(locked.holder)
            if not told:
                log.say(log.INFO, "waiting for the lock", state=place, timeout=options.timeout)
            told = True
            time.sleep(min(pause, left))
            pause = min(pause * 1.5, _LONGEST_PAUSE)
        else:
            log.say(
                log.DEBUG,
                "lock taken",
                state=place,
                id=lock.id,
                operation=operation,
                seconds=log.since(begun),
            )
            return lock


def _digest(pieces: list[bytes]) -> str:
    found = hashlib.sha256()
    for piece in pieces:
        found.update(piece)
    return found.hexdigest()
