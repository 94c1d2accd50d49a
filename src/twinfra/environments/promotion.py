"""What an environment runs now, by its receipts: what another one is promoted to."""

from __future__ import annotations

from collections.abc import Iterable

from twinfra import __version__
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.engine.changes import Action, Plan
from twinfra.environments.drift.finding import Report
from twinfra.environments.history import RECEIPTS
from twinfra.state.ledger.entries import Entry

_NAMED = 5
"""So many objects are named."""


@dataclass(frozen=True, slots=True)
class Running:
    """The code that an environment runs: its digest, and the commit it was applied from (empty where unknown).

    `entry` is the receipt that says so, `state` how people know the state it lies beside.
    """

    environment: str
    state: str
    entry: Entry
    code: str
    commit: str

    @property
    def when(self) -> str:
        """When it was applied."""
        return str(self.entry.body.get("finished") or self.entry.time)


def what_runs(environment: str, state: str, newest: Iterable[Entry]) -> Running:
    """What an environment runs, by the entries of its ledger from the newest back. `state`: see `Running`.

    An apply of targets counts where an apply of everything with the same code came before it. Raises
    `DiagnosticError` where nothing is known, or not all of the code was applied.
    """
    first: Entry | None = None
    for entry in newest:
        body = entry.body
        if entry.kind not in RECEIPTS or body.get("mode") == "refresh-only":
            continue
        problem = _refusal(environment, entry, first)
        if problem is not None:
            raise DiagnosticError(problem)
        first = first or entry
        if body.get("complete"):
            return Running(environment, state, first, str(body["code"]), _commit_of(first, entry))
    if first is not None:
        raise DiagnosticError(_partial(environment, first))
    raise DiagnosticError(
        error(
            "Not known what runs",
            f'The environment "{environment}" has no receipt of an apply, which would say what code it runs.',
            mend=f"Apply it once where twinfra.toml is: twinfra apply -env {environment}",
        )
    )


def _refusal(environment: str, entry: Entry, newer: Entry | None) -> Diagnostic | None:
    body = entry.body
    outcome = body.get("outcome")
    if outcome != "done":
        return error(
            "Not fully applied",
            f'The last {entry.kind} of the environment "{environment}" (entry {entry.n}, {entry.time}, {entry.who}) '
            f"did not come to its end: {outcome}.",
            mend=f"Finish it: twinfra apply -env {environment}",
        )
    if body.get("mode") == "destroy":
        return error(
            "Nothing runs there",
            f'The environment "{environment}" was destroyed (entry {entry.n}, {entry.time}, {entry.who}).',
            mend=f"Apply it first: twinfra apply -env {environment}",
        )
    if not body.get("code"):
        return error(
            "Not known what runs",
            f"The receipt of the last {entry.kind} (entry {entry.n}) has no digest of the code.",
            mend=f"Apply it again: twinfra apply -env {environment}",
        )
    if body.get("version") != __version__:
        return error(
            "Other providers",
            f'The environment "{environment}" was applied with Twinfra {body.get("version")}, whose providers are '
            f"not those of {__version__}.",
            mend=f"Promote with that version, or apply with this one first: twinfra apply -env {environment}",
        )
    if newer is not None and newer.body["code"] != body["code"]:
        return _partial(environment, newer)
    return None


def _partial(environment: str, entry: Entry) -> Diagnostic:
    return error(
        "Not fully applied",
        f'Of the code that the environment "{environment}" runs only a part was applied (entry {entry.n}, '
        f"{entry.time}, {entry.who}).",
        mend=f"Apply all of it: twinfra apply -env {environment}",
    )


def _commit_of(*entries: Entry) -> str:
    """The commit that has the code; rather one of which nothing was changed."""
    found = [(bool(one.body.get("dirty")), str(one.body.get("commit") or "")) for one in entries]
    return next((commit for dirty, commit in sorted(found, key=lambda one: one[0]) if commit), "")


def refuse_drifted(environment: str, plan: Plan, report: Report) -> Diagnostic | None:
    """What speaks against taking an environment as a model: it drifted, or a plan of its own code has changes."""
    if report.findings:
        return error(
            "The environment has drifted",
            f'What exists in "{environment}" is not as recorded: '
            f"{_listed([str(one.address) for one in report.findings])}.",
            mend=f"See and mend it: twinfra drift -env {environment}",
        )
    # What only a drift rule leaves out would be put back by an apply, and is no change of the code.
    noise = {str(one.address) for one in plan.drift}
    pending = [
        str(one.address)
        for one in plan.changes
        if one.action not in (Action.NO_OP, Action.READ) and str(one.address) not in noise
    ]
    if not pending:
        return None
    return error(
        "Not fully applied",
        f'A plan of the code that "{environment}" runs would still change something: {_listed(pending)}.',
        mend=f"See what, and apply it: twinfra plan -env {environment}",
    )


def _listed(addresses: list[str]) -> str:
    more = f" and {len(addresses) - _NAMED} more" if len(addresses) > _NAMED else ""
    return ", ".join(addresses[:_NAMED]) + more
