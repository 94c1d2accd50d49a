"""`twinfra workspace`: several states of one configuration, and which of them this directory works in."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.command import Group, flag, value
from twinfra.cli.options import seconds
from twinfra.diagnostics import DiagnosticError, error, nearest
from twinfra.state.backends.protocol import DEFAULT_WORKSPACE, Backend

if TYPE_CHECKING:
    from twinfra.state.model import State
    from twinfra.state.store import LockOptions


@contextmanager
def _backend() -> Iterator[Backend]:
    from twinfra.cli.workspace import connect_backend, load_configuration

    backend = connect_backend(load_configuration(misfits=False))
    try:
        yield backend
    finally:
        backend.close()


def _refuse_in_environment() -> None:
    """An environment has its workspace by declaration: there is none to select."""
    from twinfra.cli.environment import current

    environment = current()
    if environment is not None:
        raise DiagnosticError(
            error(
                "Workspace is given by the environment",
                f'The environment "{environment.name}" has its state in the workspace '
                f'"{environment.workspace}", so that selecting another would change nothing.',
                environment.place_of("workspace"),
                mend="Change workspace there, or select without -env.",
            )
        )


def _refuse_if_given() -> None:
    """Where something else names the workspace, selecting one changes nothing."""
    from twinfra.state.workspaces import workspace_is_given

    if workspace_is_given():
        raise DiagnosticError(
            error(
                "Workspace is given by the environment",
                "TF_WORKSPACE names the workspace, so that selecting another would change nothing.",
                mend="Unset TF_WORKSPACE, or change its value.",
            )
        )


def _select(name: str) -> None:
    from twinfra.state.workspaces import data_directory, select_workspace

    select_workspace(data_directory(Path()), name)


@click.group(cls=Group, name="workspace")
def workspace() -> None:
    """Several states of one configuration, such as one for each branch."""


@workspace.command("list")
@flag("json", "print a JSON list")
@flag("no-color", "accepted; there is no colour here")
def list_(json: bool, no_color: bool) -> None:
    """List the workspaces; the one in use has a star."""
    from twinfra.cli.workspace import workspace_name

    current = workspace_name()
    with _backend() as backend:
        names = backend.workspaces()
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps(names))
        return
    for name in names:
        print(f"{'*' if name == current else ' '} {name}")
    if current not in names:
        print(f"* {current}  (in use; nothing is stored in it yet)")


@workspace.command("show")
@flag("no-color", "accepted; there is no colour here")
def show(no_color: bool) -> None:
    """Print the name of the workspace in use."""
    from twinfra.cli.workspace import workspace_name

    print(workspace_name())


@workspace.command("new")
@value("state", "begin with a copy of this state file")
@flag("lock", "hold the lock of the new state while it is written", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s")
@flag("no-color", "accepted; there is no colour here")
@click.argument("name")
def new(state: str | None, lock: bool, lock_timeout: str, no_color: bool, name: str) -> None:
    """Make a workspace, and work in it from now on."""
    from dataclasses import replace

    from twinfra.cli.workspace import read_state
    from twinfra.state.backends.local import check_workspace_name
    from twinfra.state.store import LockOptions, open_store

    _refuse_in_environment()
    _refuse_if_given()
    check_workspace_name(name)
    beginning = read_state(state) if state is not None else None
    with _backend() as backend:
        if name in backend.workspaces():
            raise DiagnosticError(
                error(
                    "Workspace exists",
                    f'There is a workspace "{name}" already.',
                    mend=f"Work in it: twinfra workspace select {name}",
                )
            )
        options = LockOptions(lock, seconds(lock_timeout))
        if beginning is None:
            make(backend, name, options)
        else:
            backend.create(name)
            with open_store(backend, name, "workspace new", Path.cwd(), options) as store:
                store.save(replace(beginning, lineage=store.state.lineage, serial=0))
    _select(name)
    print(f'Made the workspace "{name}"; commands here work in it from now on.')


@workspace.command("select")
@flag("or-create", "make it if there is none of this name")
@flag("no-color", "accepted; there is no colour here")
@click.argument("name")
def select(or_create: bool, no_color: bool, name: str) -> None:
    """Work in another workspace from now on."""
    from twinfra.state.backends.local import check_workspace_name
    from twinfra.state.store import LockOptions

    _refuse_in_environment()
    _refuse_if_given()
    check_workspace_name(name)
    with _backend() as backend:
        names = backend.workspaces()
        if name not in names:
            if not or_create:
                raise _no_such(name, names)
            make(backend, name, LockOptions())
    _select(name)
    print(f'Commands here work in the workspace "{name}" from now on.')


@workspace.command("delete")
@flag("force", "also when its state still holds objects, which nobody manages then")
@flag("lock", "hold the lock of the state while it is deleted", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s")
@flag("no-color", "accepted; there is no colour here")
@click.argument("name")
def delete(force: bool, lock: bool, lock_timeout: str, no_color: bool, name: str) -> None:
    """Delete a workspace with its state."""
    from twinfra.cli.receipts import append_waiting, recorded
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.cli.workspace import workspace_name
    from twinfra.state.copies import remove_copies
    from twinfra.state.ledger.known import forget_ledger
    from twinfra.state.store import LockOptions, open_store

    if name == DEFAULT_WORKSPACE:
        raise _refusal(
            f'The workspace "{DEFAULT_WORKSPACE}" cannot be deleted.', "Destroy what it holds instead."
        )
    if name == workspace_name():
        raise _refusal(
            f'"{name}" is the workspace in use.', "Select another first: twinfra workspace select default"
        )
    with _backend() as backend:
        names = backend.workspaces()
        if name not in names:
            raise _no_such(name, names)
        options = LockOptions(lock, seconds(lock_timeout))
        with open_store(backend, name, "workspace delete", Path.cwd(), options) as store:
            if lock:
                print_diagnostics(append_waiting(backend, name))
            held = sum(len(one.instances) for one in store.state.resources.values())
            if held and not force:
                objects = "1 object" if held == 1 else f"{held} objects"
                raise _refusal(
                    f'The state of "{name}" still holds {objects}.',
                    "Destroy them first; or give -force, and nobody manages them any more.",
                )
            if store.intents and not force:
                raise _refusal(
                    f'A run in "{name}" was interrupted while it created things.',
                    "Select it and run plan, which looks for them.",
                )
        with recorded(
            backend, DEFAULT_WORKSPACE, "workspace delete", _last_words(backend, name, store.state)
        ):
            backend.delete(name)
            remove_copies(backend, name)
            forget_ledger(backend, name)
    print(f'Deleted the workspace "{name}".')


def _last_words(backend: Backend, name: str, state: State) -> dict[str, Any]:
    """What is remembered of a workspace whose ledger goes with it: its state, and how far its ledger went."""
    from twinfra.state.ledger.log import open_ledger

    body: dict[str, Any] = {"deleted": name, "serial": state.serial, "lineage": state.lineage}
    try:
        last = next(open_ledger(backend, name).newest(), None)
    except DiagnosticError:
        # It has none, or it cannot be read: that must not keep it from being deleted.
        return body
    return body | ({"ledger": f"{last.n}:{last.hash}"} if last is not None else {})


def make(backend: Backend, name: str, lock: LockOptions) -> None:
    """Make a workspace that everybody sees: with an empty state, where nothing less makes it known."""
    from twinfra.state.store import open_store

    backend.create(name)
    if name not in backend.workspaces():
        with open_store(backend, name, "workspace new", Path.cwd(), lock) as store:
            store.save(store.state)


def _no_such(name: str, names: list[str]) -> DiagnosticError:
    return DiagnosticError(
        error(
            "No such workspace",
            f'There is no workspace "{name}". There is: {", ".join(names)}.',
            mend=nearest(name, names) or f"Make it: twinfra workspace new {name}",
        )
    )


def _refusal(detail: str, mend: str) -> DiagnosticError:
    return DiagnosticError(error("Workspace cannot be deleted", detail, mend=mend))


COMMANDS = {"workspace": workspace}
