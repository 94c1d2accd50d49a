"""`twinfra state history`, `state diff` and `state restore`: what a state was before, and going back to it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from twinfra.cli.command import command, flag, value
from twinfra.diagnostics import DiagnosticError, error

if TYPE_CHECKING:
    from twinfra.state.backends.protocol import Backend
    from twinfra.state.history import Version
    from twinfra.state.model import State

CURRENT = "current"


@command("history")
@flag("json", "print JSON")
def history(json: bool) -> int:
    """List the earlier versions of the state that are kept, the newest first."""
    from twinfra.cli.workspace import connect_backend, try_configuration, workspace_name
    from twinfra.state.copies import Kept
    from twinfra.state.store import read_stored

    backend = connect_backend(try_configuration()[0])
    try:
        now = read_stored(backend, workspace_name())
        found = Kept(backend).history(workspace_name())
    finally:
        backend.close()
    if json:
        from twinfra.cli.machine.text import dumps

        print(
            dumps(
                {"current": now.state.serial if now.existed else None, "versions": list(map(_entry, found))}
            )
        )
        return 0
    if now.existed:
        print(f"{now.state.serial:>6}  (current)")
    for one in found:
        print(f"{_serial(one):>6}  {one.time:%Y-%m-%d %H:%M:%S}Z")
    if not found:
        print("Nothing earlier is kept.")
    return 0


@command("diff")
@flag("json", "print JSON")
@click.argument("before")
@click.argument("after", default=CURRENT)
def diff(json: bool, before: str, after: str) -> int:
    """Tell what differs from version BEFORE of the state to version AFTER, both by their serials.

    AFTER is the current state where it is not given. Sensitive values are not shown.
    """
    from twinfra.cli.state_versions import compare
    from twinfra.cli.workspace import connect_backend, try_configuration, workspace_name

    backend = connect_backend(try_configuration()[0])
    try:
        first, second = (_state(backend, workspace_name(), which) for which in (before, after))
    finally:
        backend.close()
    difference = compare(first, second)
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps(difference.document()))
        return 0
    for line in difference.lines():
        print(line)
    if not difference:
        print("No differences.")
    return 0


@command("restore")
@flag("auto-approve", "do not ask")
@flag("dry-run", "only tell what it would mean")
@flag("lock", "hold the state's lock meanwhile", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s")
@click.argument("version")
def restore(auto_approve: bool, dry_run: bool, lock: bool, lock_timeout: str, version: str) -> int:
    """Make the state say again what its VERSION (a serial of `state history`) said, after showing what that means.

    It becomes a new version. Nothing that really exists is touched: the next plan tells what would be.
    """
    from dataclasses import replace

    from twinfra.cli.protection import refuse_unasked
    from twinfra.cli.receipts import audited
    from twinfra.cli.state_change import approved, opened
    from twinfra.cli.state_versions import compare

    refuse_unasked(auto_approve)
    with opened(
        "state restore", lock=lock, lock_timeout=lock_timeout, state=None, must_exist=False
    ) as workspace:
        store = workspace.store
        wanted = _state(store.backend, store.workspace, version)
        if store.existed and wanted.lineage != store.state.lineage:
            raise DiagnosticError(
                error(
                    "Version of another lineage",
                    f"Version {version} has the lineage {wanted.lineage}, the state has {store.state.lineage}: "
                    "they were never the same state.",
                    mend="If it is the right one: twinfra state push -force FILE puts any state file there.",
                )
            )
        difference = compare(store.state, wanted)
        if not difference:
            print(f"The state says the same as version {version} already.")
            return 0
        print(f"Going back to version {version}, the state would change so:\n")
        for line in difference.lines():
            print(f"  {line}")
        print(f"\nIn the state: {difference.summary}.")
        if difference.removed:
            print("What is removed from the state goes on existing, and nobody looks after it any more.")
        if difference.added:
            print("What is added may not exist any more: the next plan would create it anew.")
        if dry_run:
            return 0
        if not auto_approve and not approved("Restore it?"):
            print("\nNothing was done.")
            return 1
        identities = {**wanted.identities, **store.state.identities}
        with audited(workspace, "state restore", version=version):
            workspace.save(replace(wanted, lineage=store.state.lineage, identities=identities))
        serial = store.state.serial
    print(f"{store.label} says again what version {version} said, as serial {serial}. Look at a plan next.")
    return 0


def _state(backend: Backend, workspace: str, which: str) -> State:
    """The state that a serial, a backend's name for a version, or `current` names. Raises `DiagnosticError`."""
    from twinfra.state.copies import Kept
    from twinfra.state.store import read_stored
    from twinfra.state.v4 import read_state

    now = read_stored(backend, workspace)
    if which == CURRENT or (now.existed and which == str(now.state.serial)):
        return now.state
    source = Kept(backend)
    found = source.history(workspace)
    chosen = next((one for one in found if which in (_serial(one), one.id)), None)
    content = source.read_version(workspace, chosen.id) if chosen is not None else None
    state = read_state(content, f"version {which}") if content is not None else None
    if state is None:
        there = ", ".join(map(_serial, found)) or "none"
        raise DiagnosticError(
            error(
                "No such version",
                f"No version {which} of {backend.label(workspace)} is kept.",
                mend=f"Name one that is kept ({there}), or {CURRENT}.",
            )
        )
    return state


def _serial(version: Version) -> str:
    return str(version.serial) if version.serial >= 0 else version.id


def _entry(version: Version) -> dict[str, object]:
    return {
        "serial": version.serial if version.serial >= 0 else None,
        "time": version.time.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "id": version.id,
    }
