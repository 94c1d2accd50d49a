"""`twinfra drift`: what really exists and is not as recorded; and on request repairing that, or accepting it."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path
from typing import Any

from twinfra.addresses import Instance
from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.environment import current, project
from twinfra.cli.options import Shared, shared, take_shared
from twinfra.cli.outcomes import finish_apply
from twinfra.cli.protection import refuse_unasked
from twinfra.cli.running import Run, approve, listening, perform, show_plan, work
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, error, nearest
from twinfra.engine import api
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.consistency import path_text
from twinfra.engine.events import Silent
from twinfra.engine.providers import Providers
from twinfra.engine.targets import PARTLY_APPLIED, PARTLY_PLANNED, covers, parse_targets
from twinfra.engine.unrepaired import keep_recorded
from twinfra.environments.drift.detection import attribute, detect
from twinfra.environments.drift.finding import GONE, Report
from twinfra.environments.drift.rules import Noise, read_rules
from twinfra.state.model import State

DRIFTED = 2
"""The exit code where something drifted."""

ASKED_AT_MOST = 20
"""For how many objects the cloud is asked who changed them: such questions are few a second by its rules."""


@command("drift")
@shared
@value("target", "only this resource and what it needs", multiple=True)
@flag("who", "ask the cloud who changed what drifted", default=True)
@flag("repair", "put back what drifted, and nothing else")
@flag("accept", "write what is there into the configuration")
@flag("auto-approve", "do not ask")
@value("summary", "append a line of numbers to this file")
def drift(
    who: bool, repair: bool, accept: bool, auto_approve: bool, summary: str | None, **options: Any
) -> int:
    """Show what exists and is not as it was recorded. Changes nothing, unless asked to repair or accept it.

    Exits with 0 where nothing drifted, 2 where something did, 1 for errors.
    """
    common = take_shared(options)
    if repair and accept:
        raise UsageProblem("-repair and -accept exclude each other.")
    if common.json and (repair or accept):
        raise UsageProblem("-json tells of drift only: leave -repair and -accept out.")
    if auto_approve and not (repair or accept):
        raise UsageProblem("-auto-approve is for -repair and -accept.")
    refuse_unasked(auto_approve)
    rules = read_rules(project())
    environment = current()
    name = environment.name if environment is not None else ""
    # The document is one; the events of a run are many.
    quiet = replace(common, json=False)
    with work(quiet, "apply" if repair or accept else "drift", document=common.json) as run:
        _check_there_is_something(run)
        _check_targets(options["target"], run.workspace.state)
        result = _plan(run, tuple(options["target"]), silent=common.json)
        if result.plan.errored or result.diagnostics.has_errors:
            run.report(result.diagnostics)
            return 1
        noise = Noise(rules, datetime.now(UTC).date(), name, partial=bool(options["target"]))
        report = detect(result.plan, run.configuration, run.providers, run.workspace.state, noise)
        if who and report.findings:
            run.report(ask_who(report, result.plan.drift, run.providers))
        _show(run, report, common, name)
        if summary is not None:
            _append(Path(summary), report, name)
        if not report.findings:
            return 0
        if repair:
            return _repair(run, report, result, auto_approve)
        if accept:
            from twinfra.cli.drift_accept import accept_drift

            return accept_drift(run, report, result, auto_approve)
        return DRIFTED


def _check_there_is_something(run: Run) -> None:
    """Refuse to say of a directory without code and state that nothing drifted there."""
    if not run.configuration.files and not run.workspace.state.resources:
        raise DiagnosticError(
            error(
                "No configuration",
                "There is no .tf or .tf.json file here, and nothing was applied from here.",
                mend="Work in the directory of the configuration (-chdir=DIR).",
            )
        )


def _check_targets(texts: Sequence[str], state: State) -> None:
    """Refuse a target that names nothing: that nothing drifted there would be no answer."""
    found = Diagnostics()
    targets = parse_targets(texts, found)
    if not found.has_errors:
        there = [
            Instance(address.module, address.resource, key)
            for address, resource in state.resources.items()
            for key in resource.instances
        ]
        for text, target in zip(texts, targets, strict=True):
            if not any(covers(target, one) for one in there):
                found.add(
                    error(
                        "Nothing to look at",
                        f"The state has nothing at -target={text}.",
                        mend=nearest(text, map(str, there)) or "See what there is: twinfra state list",
                    )
                )
    found.raise_errors()


def _plan(run: Run, targets: tuple[str, ...], *, silent: bool = False) -> api.PlanResult:
    settings = api.PlanOptions(targets=targets, parallelism=run.parallelism, workspace=run.workspace.name)

    def plan(listener: Any) -> api.PlanResult:
        return api.plan(
            run.configuration, run.workspace.state, run.inputs, run.providers, settings, listener, run.stop
        )

    if silent:
        return plan(Silent())
    with listening(run) as listener:
        return plan(listener)


def ask_who(report: Report, drift: list[ResourceChange], providers: Providers) -> list[Diagnostic]:
    """Add who changed what, where a provider can tell; being refused the answer is told once, as warnings."""
    from twinfra.diagnostics import as_warnings
    from twinfra.providers.protocol import Change, ProviderError, Stored
    from twinfra.values.marks import unmark_deep

    refused: list[ProviderError] = []

    def ask(change: ResourceChange) -> list[Change]:
        provider: Any = providers.started(change.provider)
        if refused or provider is None or not hasattr(provider, "changes_of"):
            return []
        before, _ = unmark_deep(change.before)
        try:
            found = list(provider.changes_of(change.address.resource.type, Stored(before)))
        except ProviderError as problem:
            refused.append(problem)
            return []
        # What came before the last change of ours was put back by it, or was known to it.
        return list(takewhile(lambda one: "twinfra" not in one.via, found)) or found[:1]

    attribute(report, drift, ask, ASKED_AT_MOST)
    return [one for problem in refused for one in as_warnings(problem.diagnostics)]


def _show(run: Run, report: Report, common: Shared, environment: str) -> None:
    if common.json:
        from twinfra.cli.machine.text import dumps
        from twinfra.environments.drift.document import document

        print(dumps(document(report, environment), indent=2))
        return
    from twinfra.cli.render.drift import render_drift

    for line in render_drift(report, run.terminal.style):
        print(line)
    sys.stdout.flush()
    run.report(report.rules)


def _append(path: Path, report: Report, environment: str) -> None:
    from twinfra.cli.machine.text import dumps
    from twinfra.environments.drift.document import summary
    from twinfra.state.files import file_problem, write_all

    time = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    line = dumps(summary(report, environment, time)) + "\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        try:
            write_all(descriptor, line.encode())
        finally:
            os.close(descriptor)
    except OSError as reason:
        raise file_problem(reason, "append the summary to", path) from None


# -- repairing


def _repair(run: Run, report: Report, found: api.PlanResult, auto_approve: bool) -> int:
    """Plan and apply what drifted, and nothing else."""
    wanted = {
        str(one.address) for one in report.findings if one.repair is not Action.NO_OP or one.kind == GONE
    }
    if not wanted:
        print("\nThere is nothing to repair: no declared value is violated.")
        return DRIFTED
    result = _plan(run, tuple(sorted(wanted)))
    if result.plan.errored or result.diagnostics.has_errors:
        run.report(result.diagnostics)
        return 1
    problems = _more_than_repair(result, [*result.plan.drift, *found.plan.drift])
    if problems:
        raise DiagnosticError(problems)
    result.diagnostics.items[:] = _apart_from_targets(result.diagnostics)
    print()
    show_plan(run, result)
    if not result.plan.applyable:
        print("\nIt has been put back meanwhile.")
        return 0
    if not auto_approve and not approved(run, "Repair this?"):
        return DRIFTED
    # What is neither there nor declared is repaired by leaving the state.
    leaving = {one.address for one in report.findings if one.kind == GONE and one.repair is Action.NO_OP}
    drifted = [one.address for one in found.plan.drift if one.address not in leaving]
    outcome = perform(
        # Of what something repaired depends on, too: that is not repaired by it.
        run,
        result,
        lambda state: keep_recorded(state, drifted, result.state, run.workspace.state),
    )
    outcome.diagnostics.items[:] = _apart_from_targets(outcome.diagnostics)
    code = finish_apply(run, outcome)
    left = sorted(str(one.address) for one in report.findings if str(one.address) not in wanted)
    if code == 0 and left:
        print(f"\nStill drifted, since nobody declared it otherwise: {', '.join(left)}.")
        return DRIFTED
    return code


def _apart_from_targets(found: Diagnostics) -> list[Diagnostic]:
    """Without what warns of targets: here they are what is wanted."""
    return [one for one in found if one.summary not in (PARTLY_PLANNED, PARTLY_APPLIED)]


def _more_than_repair(result: api.PlanResult, drift: list[ResourceChange]) -> Diagnostics:
    """What a plan would do besides putting back what drifted, whether or not a rule calls that noise."""
    from twinfra.environments.drift.repairing import beyond_repair

    recorded = {one.address: one.before for one in drift}
    found = Diagnostics()
    for change in result.plan.changes:
        if change.action in (Action.NO_OP, Action.READ) and change.previous is None:
            continue
        what = ""
        if change.previous is not None:
            what = f"would move, from {change.previous}"
        elif change.deposed:
            what = "would lose an object that is left of a replacement"
        elif change.address not in recorded:
            what = "would change too, and did not drift"
        elif change.action in (Action.DELETE, Action.FORGET):
            what = f"would be {'destroyed' if change.action is Action.DELETE else 'forgotten'}"
        else:
            paths = beyond_repair(change, recorded[change.address])
            others = sorted({path_text(one) for one in paths})
            if others:
                what = f"would change in {', '.join(others)} too, to another value than was recorded"
        if what:
            found.add(
                error(
                    "Not only a repair",
                    f"{change.address} {what}: the configuration was changed since the last apply.",
                    mend="Apply those changes first (twinfra apply), or take them back, then repair.",
                )
            )
    return found


def approved(run: Run, question: str) -> bool:
    """Ask; what a no means is said. Raises `DiagnosticError` where nobody can be asked."""
    if approve(run, question):
        return True
    print("\nNothing was done.")
    return False


COMMANDS = {"drift": drift}
