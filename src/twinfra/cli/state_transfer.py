"""`twinfra state split` and `state merge`: objects go from one state to another, in one step."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.diagnostics import Diagnostic, DiagnosticError, error

if TYPE_CHECKING:
    from collections.abc import Callable

    from twinfra.cli.state_sides import Place, Proof, Side
    from twinfra.state.model import State
    from twinfra.state.transfer import Pairs, Transfer

_SHOWN = 20
_ARROW = "=>"


def _options(function: Callable[..., int]) -> Callable[..., int]:
    options = (
        flag("dry-run", "only tell what would be moved, and prove it"),
        flag("auto-approve", "do not ask"),
        flag("plan", "prove by plans of both sides that nothing would change", default=True),
        flag("sandbox", "plan against the embedded cloud instead of a real account"),
        flag("json", "print JSON; needs -auto-approve or -dry-run"),
        value("lock-timeout", "how long to wait for either lock, such as 30s", default="0s"),
    )
    for option in reversed(options):
        function = option(function)
    return function


@command("split")
@value("to", "the other state: a working directory, or a state file")
@value("to-workspace", "its workspace, of that directory or of this one")
@_options
@click.argument("addresses", nargs=-1, required=True)
def split(to: str | None, to_workspace: str | None, addresses: tuple[str, ...], **options: Any) -> int:
    """Move what this state holds at ADDRESSES to another state, in one step; nothing in a cloud is touched.

    An address is that of a module, a resource or an instance; `*` in it stands for any text. 'ADDRESS => OTHER' gives
    what moves another address there; 'module.NAME => .' puts what a module holds into the root module. Write the
    blocks into the other configuration first: plans of both sides must say that nothing would change.
    """
    from twinfra.cli.state_sides import Place, other_place

    here = Place(Path.cwd().resolve())
    return _move("state split", here, other_place("to", to, to_workspace), addresses, here, **options)


@command("merge")
@value("from", "the other state: a working directory, or a state file", parameter="source")
@value("from-workspace", "its workspace, of that directory or of this one", parameter="source_workspace")
@_options
@click.argument("addresses", nargs=-1)
def merge(
    source: str | None, source_workspace: str | None, addresses: tuple[str, ...], **options: Any
) -> int:
    """Move what another state holds at ADDRESSES, or all of it, to this one; otherwise as `state split`."""
    from twinfra.cli.state_sides import Place, other_place

    here = Place(Path.cwd().resolve())
    return _move(
        "state merge", other_place("from", source, source_workspace), here, addresses, here, **options
    )


def _move(
    operation: str,
    source: Place,
    target: Place,
    addresses: tuple[str, ...],
    here: Place,
    *,
    dry_run: bool,
    auto_approve: bool,
    plan: bool,
    sandbox: bool,
    json: bool,
    lock_timeout: str,
) -> int:
    from twinfra.cli.protection import check_by_hand, refuse_unasked
    from twinfra.cli.state_change import approved
    from twinfra.cli.state_sides import both, prove
    from twinfra.state.transfer import transfer
    from twinfra.state.transfer_mark import unfinished
    from twinfra.state.transferring import finish

    if json and not (auto_approve or dry_run):
        raise UsageProblem("-json cannot ask: give -auto-approve or -dry-run too.")
    refuse_unasked(auto_approve and not dry_run)
    with both(operation, source, target, lock_timeout) as (leaving, arriving):
        if (problem := unfinished(arriving.store.state, arriving.label)) is not None:
            raise DiagnosticError(problem)
        if gone := finish(leaving.store, arriving.store, write=False):
            return _finish(
                operation, gone, leaving, arriving, dry_run=dry_run, unasked=auto_approve, json=json
            )
        pairs = _pairs(leaving, addresses)
        planned = transfer(leaving.store.state, arriving.store.state, pairs)
        if not json:
            _tell_moves(pairs, leaving, arriving)
        proofs = (
            [prove(leaving, planned.source, sandbox), prove(arriving, planned.target, sandbox)]
            if plan
            else []
        )
        problems = [_would_change(proof) for proof in proofs if proof.changes]
        if not json:
            for proof in proofs:
                _tell_proof(proof)
        done = not problems and not dry_run
        if done and not auto_approve and not approved("Move them?"):
            print("Nothing was done.")
            return 1
        if done:
            check_by_hand(operation)
            _carry_out(operation, pairs, leaving, arriving, planned)
        if json:
            _print_document(pairs, leaving, arriving, proofs, done)
        if problems:
            raise DiagnosticError(problems)
    if done and not json:
        print(f"\nMoved {_counted(len(pairs))}.")
    return 0


def _finish(
    operation: str,
    gone: Pairs,
    source: Side,
    target: Side,
    *,
    dry_run: bool,
    unasked: bool,
    json: bool,
) -> int:
    """End a move that was begun on another machine: what has arrived leaves."""
    from twinfra.cli.protection import check_by_hand
    from twinfra.cli.receipts import recorded
    from twinfra.cli.state_change import approved
    from twinfra.state.transferring import finish

    if not json:
        print(
            f"A move from {source.label} to {target.label} was begun and not finished. These have arrived:\n"
        )
        print("\n".join(f"  {old}" for old, _ in gone), flush=True)
    if not (dry_run or unasked) and not approved(f"Let {source.label} let go of them?"):
        print("Nothing was done.")
        return 1
    if not dry_run:
        check_by_hand(operation)
        store = source.store
        body = {
            "moves": [{"from": str(old), "to": str(new)} for old, new in gone],
            "to": target.label,
            "serial_before": store.state.serial,
        }
        with recorded(store.backend, store.workspace, operation, body):
            finish(store, target.store)
    if json:
        _print_document(gone, source, target, [], not dry_run)
    elif not dry_run:
        print(f"\nThe move is finished: {source.label} has let go of {_counted(len(gone))}.")
    return 0


def _carry_out(operation: str, pairs: Pairs, source: Side, target: Side, planned: Transfer) -> None:
    """Do it, and record it beside both states."""
    from twinfra.cli.receipts import recorded
    from twinfra.state.transferring import carry_out

    moves = [{"from": str(old), "to": str(new)} for old, new in pairs]
    with ExitStack() as receipts:
        for here, there, direction in ((source, target, "to"), (target, source, "from")):
            if here.configuration is not None:
                store = here.store
                body = {"moves": moves, direction: there.label, "serial_before": store.state.serial}
                receipts.enter_context(recorded(store.backend, store.workspace, operation, body))
        carry_out(source.store, target.store, planned)


def _pairs(source: Side, addresses: tuple[str, ...]) -> Pairs:
    """What moves, and to which address."""
    from twinfra.cli.state_addresses import instances, parse, select
    from twinfra.state.moving import pairs_of

    state: State = source.store.state
    if not addresses:
        found = [(one, one) for one in instances(state)]
    else:
        found = []
        for text in addresses:
            before, arrow, after = text.partition(_ARROW)
            if arrow:
                found += pairs_of(state, parse(before.strip()), _destination(after.strip()))
            else:
                found += [(one, one) for one in select(state, (text,))]
    if not found:
        raise DiagnosticError(
            error(
                "Nothing to move",
                f"{source.label} holds nothing.",
                mend="See what a state holds with: twinfra state list",
            )
        )
    return list(dict(found).items())


def _destination(text: str) -> Any:
    from twinfra.addresses import ROOT
    from twinfra.cli.state_addresses import parse

    return ROOT if text == "." else parse(text)


def _tell_moves(pairs: Pairs, source: Side, target: Side) -> None:
    print(f"From {source.label} to {target.label}:\n")
    for old, new in pairs:
        print(f"  {old}" if old == new else f"  {old} => {new}")
    print(f"\n{_counted(len(pairs)).capitalize()}.", flush=True)


def _tell_proof(proof: Proof) -> None:
    if not proof.proven:
        print(f"{proof.label} has no configuration here: nobody can tell what its next plan will say.")
        return
    if proof.changes:
        return
    print(f"A plan of {proof.label} ({_counted(proof.instances)}) says: nothing would change afterwards.")
    if proof.outputs:
        print(f"  But outputs would be written anew: {', '.join(proof.outputs)}.")


def _would_change(proof: Proof) -> Diagnostic:
    listed = ", ".join(f"{address} ({action})" for address, action in proof.changes[:_SHOWN])
    more = f" and {len(proof.changes) - _SHOWN} more" if len(proof.changes) > _SHOWN else ""
    return error(
        "Something would change afterwards",
        f"A plan of {proof.label} would do this once the move is done: {listed}{more}. Nothing was moved.",
        mend="Let each configuration have the blocks of what its state will hold, and apply what is planned already; "
        "or give -plan=false to move without a proof.",
    )


def _counted(number: int) -> str:
    return f"{number} resource instance{'' if number == 1 else 's'}"


def _print_document(pairs: Pairs, source: Side, target: Side, proofs: list[Proof], done: bool) -> None:
    from twinfra.cli.machine.text import dumps

    document = {
        "from": source.label,
        "to": target.label,
        "moves": [{"from": str(old), "to": str(new)} for old, new in pairs],
        "plans": [
            {
                "state": proof.label,
                "proven": proof.proven,
                "changes": [{"address": address, "action": action} for address, action in proof.changes],
                "outputs": list(proof.outputs),
            }
            for proof in proofs
        ],
        "moved": done,
    }
    print(dumps(document))
