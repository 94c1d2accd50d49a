"""`twinfra release rollback`: an environment and its models go back to a release together, or stay as they are.

The order: infrastructure first, then what registries note, and last what they point to. Where a step fails, those
before it are undone: registries point where they did, and the code that ran is applied again.
"""

from __future__ import annotations

import secrets
import sys
import textwrap
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.command import SilentFailure, UsageProblem, command, flag
from twinfra.cli.options import Shared, shared, take_shared
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error, warning

if TYPE_CHECKING:
    from twinfra.cli.running import Run
    from twinfra.engine import api
    from twinfra.environments.checkout import Checkout
    from twinfra.environments.declaration import Environment
    from twinfra.releases.record import Model, Release
    from twinfra.releases.registry import Pair, Registry
    from twinfra.releases.timeline import Timeline

_DONE, _FAILED, _STOPPED = "done", "failed", "stopped"
_SHOWN = 12


@dataclass(slots=True)
class _Way:
    """Where it goes, from where, and how back.

    `before`: the commit that runs now, None where it cannot be applied again, which `problems` tell. `snapshots`:
    where registries point, each with what `put_back` takes. `left`: the models in force now; `gone`: those of them
    that a registry, by its key, does not give any more.
    """

    target: Release
    timeline: Timeline
    environment: Environment | None
    then: Checkout
    before: Checkout | None
    problems: list[Diagnostic]
    pairs: list[Pair]
    snapshots: list[tuple[Registry, Any]] = field(default_factory=list)
    gone: set[tuple[str, Model]] = field(default_factory=set)
    attempt: str = field(default_factory=lambda: secrets.token_hex(8))

    @property
    def left(self) -> tuple[Model, ...]:
        """The models in force now."""
        current = self.timeline.current
        return current.models if current is not None else ()

    def left_of(self, pair: Pair) -> Model | None:
        """The version of a model that is in force now, where the registry still gives it."""
        found = next((one for one in self.left if one.name == pair.model.name), None)
        return None if found is None or (pair.registry.key, found) in self.gone else found


@command("rollback")
@shared
@flag("auto-approve", "do not ask")
@flag("dry-run", "only show what would be done")
@click.argument("name")
def rollback(name: str, auto_approve: bool, dry_run: bool, **options: Any) -> int:
    """Go back to the release NAME: its commit is planned against today's state, and its models come back with it.

    The commit is put into a temporary Git worktree; your working tree stays as it is. Registries point to the models
    last. Where a step fails, what ran before is applied again, and registries point where they did.
    """
    from twinfra.cli.protection import refuse_unasked
    from twinfra.cli.running import work
    from twinfra.cli.signing import refuse_unsigned

    common = take_shared(options)
    if common.json and not (auto_approve or dry_run):
        raise UsageProblem("-json cannot ask: give -auto-approve or -dry-run too.")
    try:
        if not dry_run:
            refuse_unsigned(())
            refuse_unasked(auto_approve)
        with _way(name, common) as way, work(common, "rollback", at=way.then) as run:
            return _go(run, way, auto_approve=auto_approve, dry_run=dry_run)
    except DiagnosticError as failure:
        if not common.json:
            raise
        from twinfra.cli.terminal import Terminal

        Terminal(True).diagnostics(failure.diagnostics)
        raise SilentFailure from None


@contextmanager
def _way(name: str, common: Shared) -> Iterator[_Way]:
    """Look at everything that is needed; nothing is changed. Raises `DiagnosticError`."""
    from twinfra.cli.environment import current
    from twinfra.cli.registries import registries
    from twinfra.cli.release import timeline_here
    from twinfra.environments.checkout import materialised
    from twinfra.releases.registry import pairs

    with ExitStack() as stack:
        with timeline_here() as (timeline, where):
            target = timeline.find(name, where)
        known = stack.enter_context(registries(common.sandbox))
        found = pairs(known, target.models)
        for pair in found:
            pair.registry.check(pair.model, moving=True)
        then = stack.enter_context(materialised(Path.cwd(), target.commit))
        before, problems = _before(timeline, stack)
        way = _Way(target, timeline, current(), then, before, problems, found)
        models = {*target.models, *way.left}
        way.snapshots = [(one, one.snapshot(_known(one, models, way))) for one in known]
        yield way


def _known(registry: Registry, models: set[Model], way: _Way) -> list[Model]:
    """The models that a registry has. One that is left may be gone there by now, which is noted, and told."""
    from twinfra.cli.registries import as_warnings

    found = []
    for model in sorted(models):
        if not registry.covers(model.name):
            continue
        if model not in way.target.models:
            try:
                registry.check(model, moving=True)
            except DiagnosticError as problem:
                way.problems += as_warnings(problem.diagnostics)
                way.gone.add((registry.key, model))
                continue
        found.append(model)
    return found


def _before(timeline: Timeline, stack: ExitStack) -> tuple[Checkout | None, list[Diagnostic]]:
    """The commit that runs now, to be applied again where going back fails; else why that cannot be."""
    from twinfra.environments.checkout import materialised

    last = timeline.last
    reason = ""
    if last is None:
        reason = "no receipt says what runs"
    elif last.body.get("outcome") != _DONE or not last.body.get("complete"):
        reason = f"what runs is not fully applied (entry {last.n})"
    elif last.body.get("mode") == "destroy":
        reason = "nothing runs now"
    elif not last.body.get("commit") or last.body.get("dirty"):
        reason = f"what runs was applied from uncommitted changes (entry {last.n})"
    else:
        try:
            return stack.enter_context(materialised(Path.cwd(), str(last.body["commit"]))), []
        except DiagnosticError as failed:
            reason = f"its commit {str(last.body['commit'])[:_SHOWN]} is not in this clone"
            if failed.diagnostics[0].mend:
                reason += f" ({failed.diagnostics[0].mend})"
    return None, [
        warning(
            "What runs could not be restored",
            f"Where the rollback fails half-way, what runs now cannot be applied again by itself: {reason}.",
            mend="Go on all the same, or see to that first.",
        )
    ]


# -- going


def _go(run: Run, way: _Way, *, auto_approve: bool, dry_run: bool) -> int:
    from twinfra.cli.rollback import tell_checkout, where_it_matters
    from twinfra.cli.running import approve, make_plan, show_errored, show_plan

    _refuse_overtaken(run, way)
    tell_checkout(run.terminal, way.then)
    run.report([*where_it_matters(run.configuration), *way.problems, *_other_code(run, way)])
    result = make_plan(run, "normal", {})
    if result.plan.errored or result.diagnostics.has_errors:
        show_errored(run, result)
        return 1
    show_plan(run, result)
    _tell_together(run, way)
    if dry_run:
        return 0
    if not auto_approve and not approve(run, f"Go back to {way.target.name} so?"):
        run.terminal.say("\nNothing was done.")
        return 1
    return _carry_out(run, way, result)


def _refuse_overtaken(run: Run, way: _Way) -> None:
    """Now, under the lock, what was looked at before must still be so. Raises `DiagnosticError`."""
    from twinfra.releases.timeline import read_timeline
    from twinfra.state.ledger.log import open_ledger

    now = read_timeline(open_ledger(run.workspace.store.backend, run.workspace.name).entries())
    before = way.timeline
    last = [one.last.hash if one.last is not None else "" for one in (before, now)]
    current = [one.current.name if one.current is not None else "" for one in (before, now)]
    if len(set(last)) + len(set(current)) == 2:
        return
    entry = now.last
    told = f": entry {entry.n}, {entry.kind} by {entry.who}" if entry is not None else ""
    raise DiagnosticError(
        error(
            "What runs has changed meanwhile",
            f"Something was applied or released, or an interrupted command was recorded, while this began{told}.",
            mend="Look at it (twinfra history), and run this again.",
        )
    )


def _other_code(run: Run, way: _Way) -> list[Diagnostic]:
    """Warnings where commit and variables do not give what was released any more."""
    from twinfra import __version__
    from twinfra.environments.fingerprint import code_digest, input_digest, read_code, shared_key

    receipt = way.target.receipt
    found = []
    if code_digest(run.configuration) != receipt.get("code"):
        made_with = way.target.entry.body.get("version")
        why = (
            f"it was released with Twinfra {made_with}, and this is {__version__}"
            if made_with != __version__
            else "files that it reads, or modules, are others today"
        )
        found.append(
            warning(
                "Not the code of the release",
                f"The commit does not give the digest of code that {way.target.name} was released with: {why}.",
                mend="Look at the plan with care.",
            )
        )
    name = run.workspace.name
    backend = run.workspace.store.backend
    digest = input_digest(
        run.configuration,
        read_code(run.configuration),
        run.inputs,
        run.workspace.state.identities,
        name,
        shared_key(backend, name),
    )
    if digest != receipt.get("inputs"):
        found.append(
            warning(
                "Not the inputs of the release",
                f"Variables, or the cloud, are not those that {way.target.name} was applied with: some are given "
                "otherwise than by the commit.",
                mend="Give them as they were then (-var, -var-file), or look at the plan with care.",
            )
        )
    return found


def _tell_together(run: Run, way: _Way) -> None:
    """Models and infrastructure, now and then, side by side."""
    from twinfra.cli.render.history import cut

    current, target = way.timeline.current, way.target
    last = way.timeline.last
    rows = [
        ("release", current.name if current is not None else "(none)", target.name),
        (
            "commit",
            str(last.body.get("commit") or "")[:_SHOWN] if last is not None else "",
            target.commit[:_SHOWN],
        ),
    ]
    for name in sorted({one.name for one in (*way.left, *target.models)}):
        left = next((one.version for one in way.left if one.name == name), "(none)")
        rows.append((name, left, target.version_of(name) or "(not in it)"))
    width = max(len(one) for one, _, _ in rows)
    column = max(len(one) for _, one, _ in rows)
    lines = ["", "Together with it:", f"  {'':<{width}}  {'now':<{column}}  then"]
    lines += [f"  {name:<{width}}  {now or '(none)':<{column}}  {then}" for name, now, then in rows]
    for pair in way.pairs:
        points = pair.registry.points_to(pair.model.name)
        if points:
            lines.append(
                f"  {pair.registry.title}, {pair.model.name}: {points}; last of all moved to {pair.model.version}"
            )
    if not way.pairs:
        lines.append("  No registry is configured: the models are recorded in the ledger only.")
    for line in lines:
        shown = cut(line, 10 * run.terminal.style.width)
        wrapped = textwrap.wrap(shown, run.terminal.style.width, subsequent_indent="    ") if line else [""]
        run.terminal.say("\n".join(wrapped) if len(shown) > run.terminal.style.width else shown)
    if run.options.json:
        from twinfra.cli.machine.events import JsonEvents

        events = JsonEvents(sys.stdout)
        for line in lines[2:]:
            events.log(" ".join(line.split()))


def _carry_out(run: Run, way: _Way, result: api.PlanResult) -> int:
    """Apply, note, point; undo where one of these fails. What came of it is recorded in any case."""
    from twinfra.cli.receipts import begin
    from twinfra.releases.record import ROLLBACK, model_body

    current = way.timeline.current
    steps = {"applied": "", "models": "", "restored": ""}
    body = {
        "release": way.target.name,
        "from": current.name if current is not None else "",
        "models": model_body(way.target.models),
        "left": model_body(way.left),
        "attempt": way.attempt,
        "commit": way.then.commit,
        "subject": way.then.subject,
        "branch": "",
        "dirty": False,
        "steps": steps,
    }
    recording, problems = begin(
        run.workspace.store.backend, run.workspace.name, ROLLBACK, body, way.then.source
    )
    run.report(problems)
    outcome = _FAILED
    try:
        outcome = _steps(run, way, result, steps)
    except DiagnosticError as failed:
        run.report(failed.diagnostics)
    if recording is not None:
        recording.finish(outcome)
        run.report(recording.problems)
    _say_how(run, way, steps, outcome)
    return 0 if outcome == _DONE else 1


def _steps(run: Run, way: _Way, result: api.PlanResult, steps: dict[str, str]) -> str:
    """The outcome; each step is noted in `steps` when it has ended."""
    from twinfra.cli.outcomes import finish_apply
    from twinfra.cli.running import perform

    run.kind = "rollback"
    run.remarks = {"to": way.target.name, "release": way.target.name, "attempt": way.attempt}
    run.report(one for one in result.diagnostics if run.unreported(one))
    try:
        applied = perform(run, result)
        code = finish_apply(run, applied)
    except DiagnosticError as failed:
        # The state could not be saved where it belongs: what would be applied on top of that, nobody knows.
        steps["applied"], steps["restored"] = _FAILED, "not tried"
        run.report(failed.diagnostics)
        return _FAILED
    if applied.stopped:
        steps["applied"] = _STOPPED
        return _STOPPED
    if code:
        steps["applied"] = _FAILED
        _restore(run, way, steps)
        return _FAILED
    steps["applied"] = _DONE
    try:
        _move_models(way)
    except DiagnosticError as failed:
        run.report(failed.diagnostics)
        steps["models"] = _FAILED
        _put_back(run, way, steps)
        _restore(run, way, steps)
        return _FAILED
    steps["models"] = _DONE
    return _DONE


def _move_models(way: _Way) -> None:
    """Note the release beside its models, everywhere; then, last, point to them. Raises `DiagnosticError`."""
    from twinfra.releases.registry import facts_of

    facts = facts_of(way.target)
    for pair in way.pairs:
        pair.registry.note(pair.model, facts)
    for pair in way.pairs:
        pair.registry.point(pair.model, way.left_of(pair))


def _put_back(run: Run, way: _Way, steps: dict[str, str]) -> None:
    """Let registries point where they did; one that does not answer keeps no other from it."""
    steps["pointed_back"] = _DONE
    for registry, snapshot in way.snapshots:
        try:
            registry.put_back(snapshot)
        except DiagnosticError as failed:
            steps["pointed_back"] = _FAILED
            run.report(failed.diagnostics)


def _restore(run: Run, way: _Way, steps: dict[str, str]) -> None:
    """Apply the code that ran before again, under the same lock."""
    from twinfra.cli.outcomes import finish_apply
    from twinfra.cli.running import make_plan, perform, reopened, show_errored

    if way.before is None:
        steps["restored"] = "not possible"
        return
    steps["restored"] = _FAILED
    run.terminal.say(f"\nThe rollback failed. Going back to what ran before: {way.before.commit[:_SHOWN]}\n")
    try:
        with reopened(run, way.before, way.environment) as again:
            again.kind = "rollback"
            again.remarks = {"to": way.before.commit, "restores": way.before.commit, "attempt": way.attempt}
            result = make_plan(again, "normal", {})
            if result.plan.errored or result.diagnostics.has_errors:
                show_errored(again, result)
                return
            again.report(result.diagnostics)
            if finish_apply(again, perform(again, result)) == 0:
                steps["restored"] = _DONE
    except DiagnosticError as failed:
        run.report(failed.diagnostics)


def _say_how(run: Run, way: _Way, steps: dict[str, str], outcome: str) -> None:
    """What stands now, and what to do next."""
    name = way.target.name
    where = f" -env {way.environment.name}" if way.environment else ""
    again = f"twinfra release rollback {name}{where}"
    if outcome == _DONE:
        here = way.then.now.commit[:_SHOWN] or "no commit"
        lines = [f"{name} is in force again: {', '.join(map(str, way.target.models))}."]
        if way.then.now.commit != way.then.commit:
            lines += [
                f"The code here is still that of {here}: revert it too,",
                "else the next apply goes forward again.",
            ]
    elif steps["restored"] == _DONE and steps.get("pointed_back", _DONE) == _DONE:
        lines = ["The rollback failed. What ran before runs again, and the models are as they were."]
    elif outcome == _STOPPED:
        lines = ["The rollback was stopped: infrastructure is half-way, the models are as they were.",
                 f"Go on with: {again}", f"or return to what ran: twinfra apply{where}"]  # fmt: skip
    else:
        stands = "was applied" if steps["applied"] == _DONE else "is half-way"
        if steps["restored"] == _DONE:
            stands = "is as before"
        models = "may point elsewhere" if steps.get("pointed_back") == _FAILED else "are as they were"
        lines = [
            f"The rollback failed, and not all of it could be undone: infrastructure {stands},",
            f"the models {models}. Mend what is told above, then go on with:",
            f"  {again}",
            f"or return to what ran: twinfra apply{where}",
        ]
    run.terminal.say("\n" + "\n".join(lines))
    if run.options.json:
        from twinfra.cli.machine.events import JsonEvents

        JsonEvents(sys.stdout).log(" ".join(lines))
