"""`twinfra force-unlock`: lets go of a lock that its holder left behind."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from twinfra.cli.command import command, flag, value
from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity, error, warning

if TYPE_CHECKING:
    from twinfra.config.model import Configuration
    from twinfra.state.backends.protocol import Backend
    from twinfra.state.locks import LockInfo


@command("force-unlock")
@flag("force", "do not ask")
@value("state", "the state file (of the local backend)")
@flag("no-color", "no colour")
@click.argument("lock_id")
def force_unlock(force: bool, state: str | None, no_color: bool, lock_id: str) -> int:
    """Release the lock with this ID, of which its holder will certainly never let go by itself.

    Nothing else is changed. The lock of a local state ends with its process: then only the note of who held
    it is left to remove, and that of a process which still runs cannot be released.
    """
    from twinfra.cli.render.style import standard_style
    from twinfra.cli.workspace import LocalFiles, connect_without_keys, try_configuration, workspace_name
    from twinfra.state.backends.protocol import Locked

    configuration, _ = try_configuration()
    backend = connect_without_keys(configuration, LocalFiles(state))
    name = workspace_name()
    try:
        place = backend.label(name)
        holder = backend.holder(name)
        if holder is None:
            raise DiagnosticError(
                error(
                    "Nothing to unlock",
                    f"Nobody holds a lock of {place}.",
                    mend="Run the command that was refused again.",
                )
            )
        if holder.id != lock_id:
            raise DiagnosticError(_another(lock_id, holder, place))
        if not force and not _approved(holder, place):
            print("Nothing was done.")
            return 1
        with _recorded(configuration, backend, name, holder):
            try:
                backend.unlock(name, lock_id)
            except Locked as locked:
                raise DiagnosticError(_alive(locked.holder or holder, place)) from None
    finally:
        backend.close()
    print(standard_style(no_color)(f"The lock of {place} is released.", "bold", "green"))
    return 0


@contextmanager
def _recorded(
    configuration: Configuration, backend: Backend, workspace: str, holder: LockInfo
) -> Iterator[None]:
    """Record whose lock was released: with the keys of the state, which releasing it does not need."""
    from twinfra.cli.encryption import state_codec
    from twinfra.cli.receipts import recorded
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.state.encryption.backend import encrypted

    try:
        sealed = encrypted(backend, state_codec(configuration))
    except DiagnosticError as refused:
        yield
        print_diagnostics(replace(one, severity=Severity.WARNING) for one in refused.diagnostics)
        print_diagnostics([warning("Not recorded: force-unlock", "The keys of the state cannot be had.")])
        return
    lock = {"id": holder.id, "who": holder.who, "operation": holder.operation, "created": holder.created}
    with recorded(sealed, workspace, "force-unlock", {"lock": lock}):
        yield


def _another(lock_id: str, holder: LockInfo, place: str) -> Diagnostic:
    return error(
        "Another lock",
        f"The lock of {place} is not {lock_id}, but {holder.id}: {_facts(holder)}.",
        mend="Give that ID, if it is that lock you mean.",
    )


def _alive(holder: LockInfo, place: str) -> Diagnostic:
    return error(
        "The lock is in use",
        f"A running process holds the lock of {place}: {_facts(holder)}. Its lock ends only with it.",
        mend="Wait until it has finished, or end that process.",
    )


def _facts(holder: LockInfo) -> str:
    """Who holds a lock, on which machine, for what, since when, and whether that process still runs."""
    from twinfra.state.locks import holder_process

    purpose = holder.operation.removeprefix("OperationType").lower() or "an operation"
    since = f" since {holder.created}" if holder.created else ""
    version = f" ({holder.version})" if holder.version else ""
    return f"{holder.who or 'somebody'} for {purpose}{since}{version}; {holder_process(holder)}"


def _approved(holder: LockInfo, place: str) -> bool:
    from twinfra.cli.state_change import approved

    print(f"The lock of {place} is held by {_facts(holder)}.")
    print("If that process still works, two would write the state at once, and one of them would lose.")
    return approved("Release it?")
