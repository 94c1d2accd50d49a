"""`twinfra history` and `twinfra audit`: what happened to a state, and whether what was recorded is untouched."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinfra.cli.command import Group, UsageProblem, command, flag, value
from twinfra.diagnostics import warning

if TYPE_CHECKING:
    from twinfra.state.ledger.log import Ledger

SHOWN = 20
FINDINGS = 2
"""The exit code of `audit verify` when something is not as it was written."""


@contextmanager
def opened_ledger() -> Iterator[Ledger]:
    """The ledger of the workspace in use, for looking at it. Raises `DiagnosticError`.

    Tells where receipts of earlier commands still wait to be recorded.
    """
    from twinfra.cli.environment import current
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.cli.workspace import connect_backend, try_configuration, workspace_name
    from twinfra.state.ledger.log import open_ledger
    from twinfra.state.ledger.pending import pending_of

    environment = current()
    where = "" if environment is None else f" -env {environment.name}"
    backend = connect_backend(try_configuration()[0])
    try:
        name = workspace_name()
        ledger = open_ledger(backend, name)
        waiting = pending_of(backend, name).waiting()
        problems = list(waiting.problems)
        if waiting.entries:
            problems.append(
                warning(
                    "Receipts wait to be recorded",
                    f"{len(waiting.entries)} of earlier commands could not be, and will be by the next command that "
                    "holds the state's lock.",
                    mend=f"Run twinfra plan{where}.",
                )
            )
        print_diagnostics(problems)
        yield ledger
    finally:
        backend.close()


@command("history")
@value("n", "show only the newest NUMBER; 0 for all (20 as text, all as JSON)", type=int)
@flag("json", "print JSON")
@flag("no-color", "no colour")
def history(n: int | None, json: bool, no_color: bool) -> int:
    """Show who changed what, when, why (the commit's message), by which plan, and how it ended; the newest first."""
    from twinfra.environments.history import history as joined

    if n is not None and n < 0:
        raise UsageProblem("-n is a number of entries, 0 for all.")
    most = (0 if json else SHOWN) if n is None else n
    with opened_ledger() as ledger:
        # One more tells whether there are more.
        found = joined(ledger, Path.cwd(), most + 1 if most else 0)
        more = bool(most) and len(found) > most
        found = found[:most] if most else found
        if json:
            from twinfra.cli.machine.text import dumps

            print(
                dumps(
                    {
                        "workspace": ledger.workspace,
                        "state": ledger.label,
                        "entries": [one.document() for one in found],
                        "more": more,
                    }
                )
            )
            return 0
    from twinfra.cli.render.history import render_history
    from twinfra.cli.render.style import standard_style

    if not found:
        print("Nothing is recorded yet. Receipts are kept where there is a twinfra.toml.")
        return 0
    print("\n".join(render_history(found, standard_style(no_color))))
    if more:
        print(f"There are older entries: twinfra history -n {most * 5}")
    return 0


@click.group(cls=Group, name="audit")
def audit() -> None:
    """The ledger beside the state: every change, append-only, each entry chained to the one before by its hash."""


@audit.command("list")
@value("n", "show only the newest NUMBER; 0 for all", type=int, default=SHOWN)
@flag("json", "print a JSON list")
@flag("no-color", "accepted; there is no colour here")
def list_(n: int, json: bool, no_color: bool) -> int:
    """List the entries, the newest first, a line each."""
    if n < 0:
        raise UsageProblem("-n is a number of entries, 0 for all.")
    with opened_ledger() as ledger:
        found = list(islice(ledger.newest(), n or None))
    if json:
        from twinfra.cli.machine.text import dumps

        print(dumps([one.document() for one in found]))
        return 0
    from twinfra.cli.render.history import render_entries
    from twinfra.cli.render.style import standard_style

    for line in render_entries(found, standard_style(no_color)):
        print(line)
    if not found:
        print("Nothing is recorded yet.")
    return 0


@audit.command("export")
@value("from", "begin with entry NUMBER", type=int, default=1, parameter="first")
def export(first: int) -> int:
    """Print the entries as JSON lines, the oldest first, exactly as they were hashed."""
    from twinfra.state.ledger.entries import line_of

    with opened_ledger() as ledger:
        entries = ledger.entries()
    sys.stdout.writelines(line_of(one).decode() + "\n" for one in entries if one.n >= first)
    return 0


@audit.command("seal")
@flag("lock", "hold the state's lock meanwhile", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s")
def seal(lock: bool, lock_timeout: str) -> int:
    """Write all records of the ledger anew, encrypted with the key that is configured now; no entry changes.

    After a change of keys with a fallback the next command does that by itself. This is for a key that was changed in
    its place, such as another key_id of a KMS.
    """
    from twinfra.cli.receipts import audited
    from twinfra.cli.state_change import opened
    from twinfra.state.ledger.log import open_ledger

    with opened(
        "audit seal", lock=lock, lock_timeout=lock_timeout, state=None, must_exist=False
    ) as workspace:
        ledger = open_ledger(workspace.store.backend, workspace.name)
        if not ledger.exists():
            print("Nothing is recorded yet.")
            return 0
        with audited(workspace, "audit seal"):
            number = ledger.seal()
    print(f"Wrote {number} record{'' if number == 1 else 's'} anew.")
    return 0


@audit.command("verify")
@value("head", "also expect the entry NUMBER:HASH, as an earlier verify printed it", multiple=True)
@flag("json", "print JSON")
@flag("no-color", "no colour")
def verify(head: tuple[str, ...], json: bool, no_color: bool) -> int:
    """Check that no entry was changed, taken away or put elsewhere. Exit code 2 when one was.

    Keep the head that it prints in another place, such as the log of a pipeline: given back with -head, it finds
    even a whole ledger that was written anew.
    """
    from twinfra.cli.render.style import standard_style
    from twinfra.state.ledger.verification import Head
    from twinfra.state.ledger.verification import verify as verified

    known = []
    for text in head:
        parsed = Head.parse(text)
        if parsed is None:
            raise UsageProblem(f"-head is NUMBER:HASH as audit verify prints it, not {text!r}.")
        known.append(parsed)
    with opened_ledger() as ledger:
        found = verified(ledger, known)
    if json:
        from twinfra.cli.machine.text import dumps

        document = {
            "intact": not found.findings,
            "entries": len(found.entries),
            "head": str(found.head) if found.head is not None else None,
            "findings": [
                {"kind": one.kind, "n": one.n or None, "place": one.place, "text": one.text}
                for one in found.findings
            ],
            "clock": [{"n": later.n, "before": earlier.n} for earlier, later in found.backwards],
        }
        print(dumps(document))
        return FINDINGS if found.findings else 0
    style = standard_style(no_color)
    for one in found.findings:
        print(f"{style(one.kind.capitalize(), 'red', 'bold')}: {one.text}")
    for earlier, later in found.backwards:
        print(
            f"Clock: entry {later.n} ({later.time}, {later.host}) has an earlier time than entry {earlier.n} "
            f"({earlier.time}, {earlier.host}), which came before it."
        )
    count = f"{len(found.entries)} {'entry' if len(found.entries) == 1 else 'entries'}"
    if found.findings:
        told = f"{len(found.findings)} finding{'' if len(found.findings) == 1 else 's'}"
        print(f"\n{style('Not intact', 'red', 'bold')}: {count}, {told}.")
        return FINDINGS
    print(f"{style('Intact', 'green', 'bold')}: {count}.")
    if found.head is not None:
        print(f"Head: {found.head}")
    return 0


COMMANDS = {"history": history, "audit": audit}
