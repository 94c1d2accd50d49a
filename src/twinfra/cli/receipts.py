"""Receipts: what every command that changes something leaves in the ledger beside the state.

They are kept where there is a twinfra.toml, or a ledger already; else everything is as with plain Terraform. A receipt
that cannot be appended never fails what was done: a warning tells, and the next command appends it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity

if TYPE_CHECKING:
    from twinfra.cli.running import Run
    from twinfra.cli.workspace import Workspace
    from twinfra.engine import api
    from twinfra.engine.changes import Plan
    from twinfra.environments.git import GitFacts
    from twinfra.state.backends.protocol import Backend
    from twinfra.state.ledger.entries import Entry
    from twinfra.state.ledger.log import Ledger

DONE, FAILED, STOPPED, INTERRUPTED = "done", "failed", "stopped", "interrupted"
"""Outcomes. `interrupted`: the process was killed before it could say."""


class Recording:
    """One entry on its way into a ledger: put aside when it begins, appended when it has ended.

    `body` may be changed until then. `entry` is what was appended, None before and where that failed; `problems`
    are warnings about what was not recorded.
    """

    def __init__(self, ledger: Ledger, backend: Backend, kind: str, body: Mapping[str, Any]) -> None:
        from twinfra.state.ledger.authors import about, now
        from twinfra.state.ledger.pending import pending_of

        self.body = {**body, "started": now(), "outcome": INTERRUPTED}
        self.entry: Entry | None = None
        self.problems: list[Diagnostic] = []
        self._ledger = ledger
        self._backend = backend
        self._pending = pending_of(backend, ledger.workspace)
        self._made = about(kind, self.body)
        try:
            self._pending.put(self._made)
        except DiagnosticError as failed:
            self._warn(failed)

    def finish(self, outcome: str) -> None:
        """Append it; never raises for what a person must mend."""
        from twinfra.state.ledger.authors import now
        from twinfra.state.ledger.known import remember_ledger
        from twinfra.state.ledger.pending import append_or_keep

        self.body.update(outcome=outcome, finished=now())
        try:
            self.entry = append_or_keep(self._ledger, self._pending, {**self._made, "body": self.body})
            remember_ledger(self._backend, self._ledger.workspace)
        except DiagnosticError as failed:
            self._warn(failed)

    def fail(self, problem: DiagnosticError) -> None:
        """Say that a part of it could not be found out."""
        self.problems += _warnings("The receipt is not complete", problem)

    def forget(self) -> None:
        """Nothing happened after all."""
        try:
            self._pending.remove(str(self._made["id"]))
        except DiagnosticError as failed:
            self._warn(failed)

    def _warn(self, failed: DiagnosticError) -> None:
        kind = self._made["kind"]
        self.problems += _warnings(
            f"Not recorded: {kind}",
            failed,
            "What was done is done; only the receipt waits for the next command.",
        )


def begin(
    backend: Backend,
    workspace: str,
    kind: str,
    body: Mapping[str, Any] | Callable[[], Mapping[str, Any]],
    directory: Path | None = None,
) -> tuple[Recording | None, list[Diagnostic]]:
    """Begin a receipt, None where none is kept; with warnings. Nothing that fails here is an error.

    `body` is what is known of it by now, or gives that: it is all that the receipt of a killed process says.
    `directory` is where the command works: the working directory where not given.
    """
    directory = directory or Path.cwd()
    ledger, problems = _ledger(backend, workspace, directory)
    if ledger is None:
        return None, problems
    from twinfra.cli.environment import current

    environment = current()
    facts, found = code_facts(directory)
    about = {
        "workspace": workspace,
        "environment": environment.name if environment is not None else "",
        **facts,
        **(body() if callable(body) else body),
    }
    recording = Recording(ledger, backend, kind, about)
    return recording, [*found, *recording.problems]


def is_kept(backend: Backend, workspace: str) -> bool:
    """Whether receipts are kept here."""
    return _ledger(backend, workspace, Path.cwd())[0] is not None


def append_waiting(backend: Backend, workspace: str) -> list[Diagnostic]:
    """Append what earlier commands could not, under the state's lock; warnings about what still cannot be."""
    from twinfra.state.ledger.log import open_ledger
    from twinfra.state.ledger.pending import append_pending, pending_of

    pending = pending_of(backend, workspace)
    if not pending.directory.is_dir():
        return []
    try:
        return append_pending(open_ledger(backend, workspace), pending)[1]
    except DiagnosticError as failed:
        return _warnings("Receipts of earlier commands still wait to be recorded", failed)


def code_facts(directory: Path) -> tuple[dict[str, Any], list[Diagnostic]]:
    """What Git says of the code that is run, as it stands in receipts; empty outside of a repository."""
    from twinfra.environments.git import describe

    try:
        return facts_body(describe(directory)), []
    except DiagnosticError as failed:
        return facts_body(None), _warnings("Not recorded: the commit", failed)


def facts_body(facts: GitFacts | None) -> dict[str, Any]:
    """Facts of Git as they stand in receipts."""
    from twinfra.engine.planfile import is_plan_file

    if facts is None:
        return {"commit": "", "branch": "", "subject": "", "dirty": False}
    return {
        "commit": facts.commit,
        "branch": facts.branch,
        "subject": facts.subject,
        # That a saved plan lies there changes nothing of the code.
        "dirty": any(not is_plan_file(facts.top / one) for one in facts.changes),
    }


@contextmanager
def audited(workspace: Workspace, kind: str, **body: Any) -> Iterator[None]:
    """Record a command on the state alone, such as `state mv`: put this around its saving."""
    from twinfra.cli.protection import check_by_hand

    check_by_hand(kind)
    store = workspace.store
    before = {"serial_before": store.state.serial if store.existed else 0}
    with recorded(store.backend, workspace.name, kind, {**before, **body}) as about:
        yield
        about.update(serial=store.state.serial, lineage=store.state.lineage)


@contextmanager
def recorded(
    backend: Backend, workspace: str, kind: str, body: Mapping[str, Any]
) -> Iterator[dict[str, Any]]:
    """Record what happens within; gives the body of the entry, to be completed. Warnings go to standard error."""
    from twinfra.cli.terminal import print_diagnostics

    recording, problems = begin(backend, workspace, kind, body)
    try:
        yield recording.body if recording is not None else {}
    except DiagnosticError:
        if recording is not None:
            recording.finish(FAILED)
            print_diagnostics([*problems, *recording.problems])
        raise
    if recording is not None:
        recording.finish(DONE)
        problems = [*problems, *recording.problems]
    print_diagnostics(problems)


# -- receipts of applies


@contextmanager
def of_apply(run: Run, result: api.PlanResult) -> Iterator[list[api.ApplyResult]]:
    """The receipt of an apply, also of one that fails: put its outcome into the list that is given."""
    outcomes: list[api.ApplyResult] = []
    backend = run.workspace.store.backend
    kind = run.kind or _KINDS.get(result.plan.mode, "apply")
    recording, problems = begin(
        backend, run.workspace.name, kind, lambda: _about_plan(run, result), _directory(run)
    )
    if recording is None:
        run.report(problems)
        yield outcomes
        return
    body = recording.body
    try:
        yield outcomes
    except DiagnosticError:
        recording.finish(FAILED)
        run.report([*problems, *recording.problems])
        raise
    outcome = outcomes[0]
    failed = outcome.diagnostics.has_errors
    how = STOPPED if outcome.stopped else FAILED if failed else DONE
    state = run.workspace.state
    body.update(
        counts={name: number for name, number in sorted(outcome.counts.items()) if number},
        complete=how == DONE and result.plan.complete and not result.plan.targets,
        serial=state.serial,
        lineage=state.lineage,
    )
    try:
        body.update(_digests(run))
    except DiagnosticError as failure:
        recording.fail(failure)
    finally:
        # Whatever a digest fails on, the apply is done.
        recording.finish(how)
    run.receipt = recording.entry
    run.report([*problems, *recording.problems])


_MOST = 20
_KINDS = {"destroy": "destroy", "refresh-only": "refresh"}


def _about_plan(run: Run, result: api.PlanResult) -> dict[str, Any]:
    from twinfra import __version__

    plan = result.plan
    about: dict[str, Any] = {
        "mode": plan.mode,
        "targets": list(plan.targets),
        "plan": plan_digest(run, result),
        "saved_plan": run.saved is not None,
        "version": __version__,
        "changes": _changes(plan),
    }
    if plan.replace:
        about["replace"] = list(plan.replace)
    if run.saved is not None and run.saved.signed_by:
        about["signed_by"] = run.saved.signed_by
    if run.saved is not None and run.saved.origin:
        # What was committed when the plan was made is what is applied, whatever is checked out now.
        about.update(run.saved.origin)
    if run.at is not None:
        about.update(facts_body(run.at.facts), source_commit=run.at.now.commit)
    return about | run.remarks


def _changes(plan: Plan) -> list[dict[str, str]]:
    """What was planned, the first of it: the whole is in the plan, and counts tell how much there was."""
    from twinfra.engine.changes import Action

    acting = (one for one in plan.changes if one.action is not Action.NO_OP)
    return [{"address": str(one.address), "action": one.action.value} for one in islice(acting, _MOST)]


def plan_digest(run: Run, result: api.PlanResult) -> str:
    """`sha256:` and the digest of the plan file, as sha256sum tells it; of the plan itself where it was not saved."""
    if run.saved is not None:
        return run.saved.digest
    from twinfra.engine.plan_records import PlanWriter
    from twinfra.state.v4_writing import compact_json

    writer = PlanWriter()
    body = writer.plan(result.plan)
    text = compact_json([body, writer.tables()])
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'surrogatepass')).hexdigest()}"


def _directory(run: Run) -> Path:
    """The person's own directory, also while a commit is worked in."""
    return Path.cwd() if run.at is None else run.at.source


def _digests(run: Run) -> dict[str, str]:
    from twinfra.environments.declaration import load_project
    from twinfra.environments.fingerprint import fingerprint, shared_key, volatile_rules

    name = run.workspace.name
    return fingerprint(
        run.configuration,
        run.inputs,
        run.workspace.state,
        run.providers,
        workspace=name,
        key=shared_key(run.workspace.store.backend, name),
        volatile=volatile_rules(load_project(_directory(run))),
    ).document()


# -- whether there is a ledger


def _ledger(backend: Backend, workspace: str, directory: Path) -> tuple[Ledger | None, list[Diagnostic]]:
    from twinfra.environments.declaration import find_project
    from twinfra.state.ledger.known import has_ledger
    from twinfra.state.ledger.log import open_ledger

    declared = find_project(directory) is not None
    try:
        ledger = open_ledger(backend, workspace)
        return (ledger if declared or has_ledger(backend, workspace) else None), []
    except DiagnosticError as failed:
        # Where no project asks for receipts, nobody misses one.
        return None, _warnings("No receipt is kept", failed) if declared else []


def _warnings(summary: str, failed: DiagnosticError, more: str = "") -> list[Diagnostic]:
    return [
        replace(
            one,
            severity=Severity.WARNING,
            summary=summary,
            detail=f"{one.summary}. {one.detail} {more}".strip(),
        )
        for one in failed.diagnostics
    ]
