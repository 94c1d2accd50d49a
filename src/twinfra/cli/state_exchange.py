"""`twinfra state pull | push`: a whole state, taken out of where it is kept, and put there."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from twinfra.cli.command import command, flag, value
from twinfra.cli.state_change import opened
from twinfra.diagnostics import DiagnosticError, error


@command("pull")
@flag("no-color", "accepted; there is no colour here")
def pull(no_color: bool) -> int:
    """Print the state of the workspace in use, as a state file; nothing where there is none yet."""
    from twinfra.cli.workspace import connect_backend, try_configuration, workspace_name
    from twinfra.state.store import current_state
    from twinfra.state.v4 import write_state

    configuration, _ = try_configuration()
    backend = connect_backend(configuration)
    try:
        state, recovered = current_state(backend, workspace_name())
    finally:
        backend.close()
    if recovered is not None:
        print(recovered.text, file=sys.stderr)
    if state is not None:
        for piece in write_state(state):
            sys.stdout.write(piece.decode())
    return 0


@command("push")
@flag("force", "also over a newer state, or one of another lineage")
@flag("lock", "hold the state's lock meanwhile", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s")
@flag("ignore-remote-version", "accepted; no backend here runs another version of its own")
@flag("no-color", "no colour")
@click.argument("path")
def push(
    path: str, force: bool, lock: bool, lock_timeout: str, ignore_remote_version: bool, no_color: bool
) -> int:
    """Put the state file at PATH (- for standard input) in the place of the state of the workspace in use.

    A state of another lineage, or one that is older, is refused.
    """
    from twinfra.cli.encryption import decrypted
    from twinfra.cli.receipts import audited
    from twinfra.cli.workspace import try_configuration
    from twinfra.state.files import file_problem
    from twinfra.state.v4 import read_state

    try:
        content = sys.stdin.buffer.read() if path == "-" else Path(path).read_bytes()
    except OSError as reason:
        raise file_problem(reason, "read the state from", path) from None
    name = "standard input" if path == "-" else path
    state = read_state(decrypted(try_configuration()[0], content, name), name)
    if state is None:
        raise DiagnosticError(error("No state", f"{path} is empty.", mend="Name a state file."))
    with opened(
        "state push", lock=lock, lock_timeout=lock_timeout, state=None, must_exist=False, moving=True
    ) as workspace:
        store = workspace.store
        with audited(workspace, "state push", source=name, force=force):
            written = store.overwrite(state, force)
    print(f"{store.label} holds it now." if written else f"{store.label} says the same already.")
    return 0
