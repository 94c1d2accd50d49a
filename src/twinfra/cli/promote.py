"""`twinfra promote`: one environment is planned at exactly the code that another one runs."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import chdir, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.automation import is_automated
from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.options import Shared, shared, take_shared
from twinfra.diagnostics import Diagnostic, DiagnosticError, error

if TYPE_CHECKING:
    from twinfra.cli.running import Run
    from twinfra.environments.checkout import Checkout
    from twinfra.environments.declaration import Environment
    from twinfra.environments.promotion import Running

CHANGES = 2
"""The exit code of `-detailed-exitcode` when there is something to do."""

_DIGEST = len("sha256:") + 16
"""So much of a digest is shown."""


@command("promote", events=True)
@click.argument("source")
@click.argument("target_environment", metavar="TARGET")
@shared
@value("out", "save the plan to this file, for `twinfra apply FILE`")
@value("sign", "sign the saved plan with this private key (see `twinfra key new`)")
@flag("apply", "apply the plan, after approval")
@flag("auto-approve", "apply the plan, and do not ask")
@flag("detailed-exitcode", "exit with 2 when there are changes")
def promote(
    source: str,
    target_environment: str,
    out: str | None,
    sign: str | None,
    apply: bool,
    auto_approve: bool,
    detailed_exitcode: bool,
    **options: Any,
) -> int:
    """Plan the environment TARGET at exactly the code that SOURCE runs now, and apply it where that is asked for.

    Code, modules and providers are those of SOURCE's last receipt, also where the working directory has moved on;
    variables and their files are TARGET's. Refused where SOURCE has drifted or is not fully applied.
    """
    common = take_shared(options)
    applying = apply or auto_approve
    if out and applying:
        raise UsageProblem("-out saves the plan for later; -apply and -auto-approve apply it now: give one.")
    if sign is not None and not out:
        raise UsageProblem("-sign signs a saved plan: give -out=FILE too.")
    if apply and common.json and not auto_approve:
        raise UsageProblem("-json cannot ask: give -auto-approve, or -out=FILE and apply that.")
    first, second = _pair(source, target_environment)
    _check_protection(second, first, applying, auto_approve)
    running = _read(first)
    with _code(running) as checkout:
        _verify(first, running, checkout, common)
        return _carry_out(
            running,
            second,
            checkout,
            common,
            applying=applying,
            auto_approve=auto_approve,
            out=out,
            sign=sign,
            detailed_exitcode=detailed_exitcode,
        )


def _pair(source: str, target: str) -> tuple[Environment, Environment]:
    from twinfra.cli.environment import needed_project, refuse_another

    refuse_another([target], f"it is {target} that is planned")
    project = needed_project()
    pair = project.environment(source), project.environment(target)
    if source == target:
        raise UsageProblem(f"{source} cannot be promoted to itself: name two environments.")
    return pair


def _check_protection(target: Environment, source: Environment, applying: bool, auto_approve: bool) -> None:
    from twinfra.cli.environment import using
    from twinfra.cli.protection import refuse_unasked
    from twinfra.cli.signing import refuse_unsigned
    from twinfra.environments.protection import refuse_without_plan

    if not applying:
        return
    refuse_unsigned(())
    names = f"{source.name} {target.name}"
    problem = refuse_without_plan(
        target, f"Save the plan, look at it, and apply it: twinfra promote {names} -out=FILE"
    )
    if problem is not None:
        raise DiagnosticError(problem)
    with using(target):
        refuse_unasked(
            auto_approve,
            f"Give -apply and answer the question, or save a plan: twinfra promote {names} -out=FILE",
        )


def _read(source: Environment) -> Running:
    """What the source runs, by its ledger."""
    from twinfra.cli.environment import using
    from twinfra.cli.workspace import connect_backend, try_configuration, workspace_name
    from twinfra.environments.promotion import what_runs
    from twinfra.state.ledger.log import open_ledger

    with using(source):
        backend = connect_backend(try_configuration()[0])
        try:
            ledger = open_ledger(backend, workspace_name())
            return what_runs(source.name, ledger.label, ledger.newest())
        finally:
            backend.close()


@contextmanager
def _code(running: Running) -> Iterator[Checkout | None]:
    """Where the code that runs is: None for the working directory, else its commit. Raises `DiagnosticError`."""
    from twinfra.environments.checkout import materialised

    if _digest_here() == running.code:
        yield None
        return
    if not running.commit:
        raise DiagnosticError(
            error(
                "The code that runs is not here",
                f'The environment "{running.environment}" runs other code than is in this directory, and its receipt '
                f"(entry {running.entry.n}) names no commit that would have it.",
                mend=f"Apply from a commit: twinfra apply -env {running.environment}",
            )
        )
    with materialised(Path.cwd(), running.commit) as checkout:
        with chdir(checkout.directory):
            there = _digest_here()
        if there != running.code:
            dirty = " with changes that were not committed" if running.entry.body.get("dirty") else ""
            raise DiagnosticError(
                error(
                    "The code that runs is not here",
                    f'The environment "{running.environment}" was applied from {running.commit[:12]}{dirty}, and that '
                    "commit does not give the code it runs.",
                    mend=f"Commit what is meant to run, and apply it: twinfra apply -env {running.environment}",
                )
            )
        yield checkout


def _digest_here() -> str:
    """The digest of the code in the working directory; empty where that has errors."""
    from twinfra.cli.workspace import try_configuration
    from twinfra.environments.fingerprint import code_digest

    configuration, found = try_configuration()
    return "" if found.has_errors else code_digest(configuration)


def _verify(source: Environment, running: Running, checkout: Checkout | None, common: Shared) -> None:
    """Look at the source as it is: what is there must be what its code says. Under its lock, changing nothing."""
    from twinfra.cli.environment import project, using
    from twinfra.cli.running import work
    from twinfra.engine import api
    from twinfra.environments.drift.detection import detect
    from twinfra.environments.drift.rules import Noise, read_rules
    from twinfra.environments.promotion import refuse_drifted, what_runs
    from twinfra.state.ledger.log import open_ledger

    rules = read_rules(project())
    options = Shared(
        json=common.json,
        no_color=common.no_color,
        sandbox=common.sandbox,
        input=False,
        lock=common.lock,
        lock_timeout=common.lock_timeout,
        parallelism=common.parallelism,
    )
    with using(source), work(options, "drift", at=checkout) as run:
        workspace = run.workspace
        ledger = open_ledger(workspace.store.backend, workspace.name)
        now = what_runs(source.name, ledger.label, ledger.newest())
        if now.entry.hash != running.entry.hash:
            raise DiagnosticError(
                error(
                    "The environment has changed meanwhile",
                    f'"{source.name}" was applied again (entry {now.entry.n}, {now.entry.who}) while this began.',
                    mend="Run the command again.",
                )
            )
        settings = api.PlanOptions(parallelism=run.parallelism, workspace=workspace.name)
        result = api.plan(
            run.configuration, workspace.state, run.inputs, run.providers, settings, stop=run.stop
        )
        result.diagnostics.raise_errors()
        noise = Noise(rules, datetime.now(UTC).date(), source.name)
        report = detect(result.plan, run.configuration, run.providers, workspace.state, noise)
        problem = refuse_drifted(source.name, result.plan, report)
        if problem is not None:
            raise DiagnosticError(problem)


def _carry_out(
    running: Running,
    target: Environment,
    checkout: Checkout | None,
    common: Shared,
    *,
    applying: bool,
    auto_approve: bool,
    out: str | None,
    sign: str | None,
    detailed_exitcode: bool,
) -> int:
    from twinfra.cli.environment import using
    from twinfra.cli.plan import plan_and_apply
    from twinfra.cli.running import make_plan, show_errored, show_plan, work
    from twinfra.cli.signing import signer_of

    signer = signer_of(sign)
    path = Path(out).absolute() if out else None
    with (
        using(target, own=True),
        work(common, "promote" if applying else "plan", at=checkout, begun=True) as run,
    ):
        if run.workspace.store.label == running.state:
            raise DiagnosticError(_one_state(running, target))
        run.kind = "promote"
        run.remarks = {"promoted_from": running.environment, "promoted_entry": running.entry.n}
        _tell(run, running, target, checkout)
        if applying:
            question = f"Bring {target.name} to the code of {running.environment}?"
            return plan_and_apply(run, "normal", {}, auto_approve, question)
        result = make_plan(run, "normal", {})
        if result.plan.errored or result.diagnostics.has_errors:
            show_errored(run, result)
            return 1
        if path is not None:
            run.save_plan(path, result, signer)
        show_plan(run, result)
        if path is not None:
            told = (
                "" if is_automated() else f" To do exactly this, run: twinfra apply -env {target.name} {out}"
            )
            run.terminal.say(f"\nThe plan is saved in {out}.{told}")
        elif result.plan.applyable and not is_automated():
            run.terminal.say(
                "\nThis plan was not saved. Use -out=FILE to apply exactly this, or -apply to be asked now."
            )
        return CHANGES if detailed_exitcode and result.plan.applyable else 0


def _one_state(running: Running, target: Environment) -> Diagnostic:
    return error(
        "Two environments with one state",
        f'"{running.environment}" and "{target.name}" both have their state in {running.state}.',
        target.place_of("workspace"),
        mend="Give each a workspace, or settings of the backend, of its own.",
    )


def _tell(run: Run, running: Running, target: Environment, checkout: Checkout | None) -> None:
    entry = running.entry
    where = (
        "the working directory"
        if checkout is None
        else f'commit {checkout.commit[:12]} ("{checkout.subject}")'
    )
    lines = [
        f"{target.name} at the code that {running.environment} runs:",
        f"  code     {running.code[:_DIGEST]}",
        f"  from     {where}",
        f"  applied  {running.when} by {entry.who} (entry {entry.n})",
    ]
    if checkout is not None:
        lines += [f"  {name} is not in Git, and is taken as it is today." for name in checkout.borrowed]
    run.terminal.say("\n".join(lines) + "\n")
    if run.options.json:
        import sys

        from twinfra.cli.machine.events import JsonEvents

        JsonEvents(sys.stdout).log(" ".join(line.strip() for line in lines))


COMMANDS = {"promote": promote}
