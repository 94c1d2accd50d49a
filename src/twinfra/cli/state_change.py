"""`twinfra state mv | rm | replace-provider`, `taint` and `untaint`: what only the state is told."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from twinfra.cli.asking import approves
from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.diagnostics import DiagnosticError, error

if TYPE_CHECKING:
    from twinfra.addresses import Instance, ProviderAddress
    from twinfra.cli.workspace import Workspace
    from twinfra.state.moving import Address

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    flag("lock", "hold the state's lock meanwhile", default=True),
    value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s"),
    value("state", "the state file (of the local backend)"),
    value("backup", "where to keep the previous state (of the local backend)"),
    flag("ignore-remote-version", "accepted; no backend here runs another version of its own"),
    flag("no-color", "no colour"),
)


def changing(function: F) -> F:
    """Add the options of commands that change the state; the function gets them as keywords."""
    for option in reversed(_OPTIONS):
        function = option(function)
    return function


@contextmanager
def opened(
    operation: str,
    *,
    lock: bool,
    lock_timeout: str,
    state: str | None,
    backup: str | None = None,
    state_out: str | None = None,
    must_exist: bool = True,
    ignore_remote_version: bool = False,
    no_color: bool = False,
    moving: bool = False,
) -> Iterator[Workspace]:
    """The state of the workspace in use, to be changed by hand. Raises `DiagnosticError`.

    Whatever an interrupted run left must be settled before. `moving` is as for `open_store`. The two options before it
    have no effect here: there are no remote versions, and warnings look for -no-color themselves.
    """
    from twinfra.cli.interrupt import interruptible
    from twinfra.cli.options import seconds
    from twinfra.cli.receipts import append_waiting
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.cli.workspace import LocalFiles, open_workspace, try_configuration
    from twinfra.state.recovery import interrupted

    configuration, _ = try_configuration()
    with (
        interruptible() as stop,
        open_workspace(
            configuration,
            operation,
            files=LocalFiles(state, state_out, backup),
            lock=lock,
            lock_timeout=seconds(lock_timeout),
            stop=stop,
            moving=moving,
        ) as workspace,
    ):
        recovered = workspace.store.recovered
        if recovered is not None:
            print(recovered.text, file=sys.stderr)
            problem = interrupted(recovered)
            if problem is not None:
                raise DiagnosticError(problem)
        if lock:
            print_diagnostics(append_waiting(workspace.store.backend, workspace.name))
        if must_exist and not workspace.store.existed:
            raise DiagnosticError(
                error(
                    "No state",
                    f"There is nothing in {workspace.store.label}: nothing was applied yet.",
                    mend="Work in the directory of the configuration, or name a state file with -state=FILE.",
                )
            )
        yield workspace


@command("mv")
@changing
@value("state-out", "move it into this state file instead")
@value("backup-out", "where to keep the previous content of that file")
@flag("dry-run", "only tell what would be moved")
@click.argument("source")
@click.argument("destination")
def move(
    source: str,
    destination: str,
    dry_run: bool,
    state_out: str | None,
    backup_out: str | None,
    **options: Any,
) -> int:
    """Move what the state holds at SOURCE to the address DESTINATION; nothing in a cloud is touched.

    Both name a module, a resource or an instance. In the configuration, a moved block does the same for everybody.
    `state split` moves to another state, too, and proves that nothing would change afterwards.
    """
    from twinfra.cli.receipts import audited
    from twinfra.cli.state_addresses import parse
    from twinfra.state.moving import move as moved

    if backup_out is not None and state_out is None:
        raise UsageProblem("-backup-out is for the file that -state-out names: give that too.")
    old, new = parse(source), parse(destination)
    with opened("state mv", **options) as workspace:
        if state_out is not None and Path.cwd() / state_out != Path.cwd() / workspace.store.label:
            pairs = _move_over(workspace, old, new, Path(state_out), backup_out or "", dry_run)
        else:
            state, pairs = moved(workspace.state, old, new)
            if not dry_run:
                with audited(workspace, "state mv", moves=_moves(pairs)):
                    workspace.save(state)
    for before, after in pairs:
        print(f"{'Would move' if dry_run else 'Moved'} {before} to {after}")
    return 0


def _moves(pairs: list[tuple[Instance, Instance]]) -> list[dict[str, str]]:
    return [{"from": str(before), "to": str(after)} for before, after in pairs]


def _move_over(
    workspace: Workspace, old: Address, new: Address, path: Path, backup: str, dry_run: bool
) -> list[tuple[Instance, Instance]]:
    """Move to a state file, both in one step; which instance went where."""
    from twinfra.addresses import ModuleInstance
    from twinfra.cli.receipts import audited
    from twinfra.state.backends.local import LocalBackend
    from twinfra.state.backends.protocol import DEFAULT_WORKSPACE
    from twinfra.state.encryption.backend import codec_of, encrypted
    from twinfra.state.moving import pairs_of
    from twinfra.state.store import LockOptions, open_store
    from twinfra.state.transfer import transfer
    from twinfra.state.transferring import carry_out

    store, here = workspace.store, Path.cwd()
    if old == new and isinstance(old, ModuleInstance):
        from twinfra.cli.state_addresses import select

        pairs = [(one, one) for one in select(store.state, (str(old),))]
    else:
        pairs = pairs_of(store.state, old, new)
    target = encrypted(LocalBackend(here, str(path), backup=backup), codec_of(store.backend))
    try:
        lock = LockOptions(store.lock is not None)
        with open_store(target, DEFAULT_WORKSPACE, "state mv", here, lock) as other:
            planned = transfer(store.state, other.state, pairs)
            if not dry_run:
                with audited(workspace, "state mv", moves=_moves(pairs), to=str(path)):
                    carry_out(store, other, planned)
    finally:
        target.close()
    return pairs


@command("rm")
@changing
@flag("dry-run", "only tell what would be removed")
@click.argument("addresses", nargs=-1, required=True)
def remove(addresses: tuple[str, ...], dry_run: bool, **options: Any) -> int:
    """Forget what the state holds at ADDRESSES; the objects in the cloud stay as they are.

    An address is that of a module, a resource or an instance; `*` in it stands for any text.
    """
    from twinfra.cli.receipts import audited
    from twinfra.cli.state_addresses import select_known
    from twinfra.state.moving import forget

    with opened("state rm", **options) as workspace:
        found, unknown = select_known(workspace.state, addresses)
        if unknown and not found and not dry_run:
            raise DiagnosticError(unknown)
        for problem in unknown:
            # As stock Terraform, which is silent: one that is gone already keeps no other from going.
            print(f"Passed over: {problem.detail} {problem.mend}".rstrip(), file=sys.stderr)
        for one in found:
            print(f"{'Would remove' if dry_run else 'Removed'} {one}")
        if dry_run:
            if not found:
                print("Would remove nothing.")
            return 0
        with audited(workspace, "state rm", objects=list(map(str, found))):
            workspace.save(forget(workspace.state, found))
    print(
        f"Successfully removed {len(found)} resource instance{'' if len(found) == 1 else 's'} from the state."
    )
    return 0


@command("replace-provider")
@changing
@flag("auto-approve", "do not ask")
@click.argument("old")
@click.argument("new")
def replace_provider(old: str, new: str, auto_approve: bool, **options: Any) -> int:
    """Say that what belongs to the provider OLD belongs to the provider NEW from now on.

    Both are sources as in required_providers, such as hashicorp/aws.
    """
    from dataclasses import replace

    from twinfra.cli.protection import refuse_unasked
    from twinfra.cli.receipts import audited

    source, target = _provider(old), _provider(new)
    refuse_unasked(auto_approve)
    with opened("state replace-provider", **options) as workspace:
        state = workspace.state.copy()
        found = [address for address, one in state.resources.items() if one.provider.provider == source]
        if not found:
            print(f"Nothing in the state belongs to {source}.")
            return 0
        print(f"These go from {source} to {target}:\n")
        print("\n".join(f"  {address}" for address in sorted(map(str, found))))
        if not auto_approve and not approved("Change the state so?"):
            print("Nothing was done.")
            return 1
        for address in found:
            record = state.resources[address]
            record.provider = replace(record.provider, provider=target)
        for text in [one for one in state.identities if f'["{source}"]' in one]:
            state.identities[text.replace(f'["{source}"]', f'["{target}"]')] = state.identities.pop(text)
        listed = sorted(map(str, found))
        with audited(workspace, "state replace-provider", old=str(source), new=str(target), objects=listed):
            workspace.save(state)
    print(f"\nSuccessfully replaced the provider of {len(found)} resource{'' if len(found) == 1 else 's'}.")
    return 0


@command("taint")
@changing
@value("state-out", "write the state here instead (of the local backend)")
@flag("allow-missing", "succeed also where there is no such instance")
@click.argument("address")
def taint(address: str, allow_missing: bool, **options: Any) -> int:
    """Mark the object at ADDRESS as broken: the next apply replaces it. `apply -replace=ADDRESS` plans it at once."""
    return _set_tainted("taint", address, True, allow_missing, options)


@command("untaint")
@changing
@value("state-out", "write the state here instead (of the local backend)")
@flag("allow-missing", "succeed also where there is no such instance")
@click.argument("address")
def untaint(address: str, allow_missing: bool, **options: Any) -> int:
    """Take back that the object at ADDRESS is broken, so that no apply replaces it for that."""
    return _set_tainted("untaint", address, False, allow_missing, options)


def _set_tainted(
    operation: str, address: str, tainted: bool, allow_missing: bool, options: dict[str, Any]
) -> int:
    from twinfra.addresses import DATA
    from twinfra.cli.receipts import audited
    from twinfra.cli.state_addresses import select_one
    from twinfra.state.moving import set_tainted

    with opened(operation, must_exist=not allow_missing, **options) as workspace:
        try:
            found = select_one(workspace.state, address)
        except DiagnosticError as missing:
            if not allow_missing or missing.diagnostics[0].summary != "Not in the state":
                raise
            print(f"The state holds nothing at {address}, so that nothing is to be done.")
            return 0
        if found.resource.mode == DATA:
            raise DiagnosticError(
                error(
                    "Data cannot be tainted",
                    f"{found} is a data source: it is read anew by every plan.",
                    mend="Name an instance of a resource block.",
                )
            )
        here = workspace.state.current(found)
        if not tainted and here is not None and not here.tainted:
            raise DiagnosticError(
                error(
                    "Not tainted",
                    f"{found} is not tainted, so that there is nothing to take back.",
                    mend="Look at it with: twinfra state show",
                )
            )
        with audited(workspace, operation, objects=[str(found)]):
            workspace.save(set_tainted(workspace.state, found, tainted))
    done = "is tainted: the next apply replaces it" if tainted else "is not tainted any more"
    print(f"{found} {done}.")
    return 0


def approved(question: str) -> bool:
    """Ask for a `yes`."""
    return approves(f"\n{question} Only 'yes' is taken as approval.\n\n  Enter a value: ")


def _provider(text: str) -> ProviderAddress:
    import re

    from twinfra.addresses import ProviderAddress

    parts = text.split("/")
    if len(parts) > 3 or not all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.:-]*|-", part) for part in parts):
        raise DiagnosticError(
            error(
                "Wrong provider",
                f'"{text}" is no address of a provider.',
                mend="Write it as in required_providers, such as hashicorp/aws.",
            )
        )
    return ProviderAddress(*reversed([part.lower() for part in parts]))
