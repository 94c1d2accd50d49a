"""`twinfra plan`, `apply`, `destroy` and `refresh`: look, say what would change, and make it so."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from twinfra.cli.automation import is_automated
from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.environment import current
from twinfra.cli.options import Shared, planning, shared, take_shared
from twinfra.cli.outcomes import finish_apply, finish_refresh
from twinfra.cli.protection import refuse_unasked
from twinfra.cli.running import (
    Run,
    approve,
    make_plan,
    perform,
    show_errored,
    show_plan,
    tell_planned,
    work,
)
from twinfra.cli.signing import refuse_unsigned, signer_of, verifier_of
from twinfra.diagnostics import DiagnosticError, error

CHANGES = 2
"""The exit code of `-detailed-exitcode` when there is something to do."""


@command("plan", events=True)
@shared
@planning
@value("out", "save the plan to this file, for `twinfra apply FILE`")
@value("sign", "sign the saved plan with this private key (see `twinfra key new`)")
@flag("detailed-exitcode", "exit with 2 when there are changes")
@value("generate-config-out", "not supported")
def plan(
    out: str | None,
    sign: str | None,
    detailed_exitcode: bool,
    generate_config_out: str | None,
    **options: Any,
) -> int:
    """Show what an apply would change, without changing anything."""
    if generate_config_out:
        raise UsageProblem("-generate-config-out is not supported: write the resource block, then import.")
    if sign is not None and not out:
        raise UsageProblem("-sign signs a saved plan: give -out=FILE too.")
    signer = signer_of(sign)
    common = take_shared(options)
    with work(common, "plan") as run:
        result = make_plan(run, mode_of(options), options)
        if result.plan.errored or result.diagnostics.has_errors:
            if out and result.plan.would_change:
                run.save_plan(Path(out), result)  # to be looked at: it is never signed, nor applied
            show_errored(run, result)
            return 1
        if out:
            run.save_plan(Path(out), result, signer)
        show_plan(run, result)
        if out:
            run.terminal.say(f"\nThe plan is saved in {out}." + _how_to_apply(out))
        elif result.plan.applyable and not is_automated():
            run.terminal.say("\nThis plan was not saved: an apply plans again. -out=FILE saves it.")
        return CHANGES if detailed_exitcode and result.plan.applyable else 0


def _how_to_apply(out: str) -> str:
    if is_automated():
        return ""
    environment = current()
    where = "" if environment is None else f"-env {environment.name} "
    return f' To do exactly this, run: twinfra apply {where}"{out}"'


@command("apply", events=True)
@shared
@planning
@flag("auto-approve", "do not ask")
@value("backup", "where to keep the previous state (of the local backend)")
@value("state-out", "write the state to this file instead")
@value("verify-key", "apply only a saved plan that one of these public keys has signed", multiple=True)
@click.argument("plan_file", required=False)
def apply(
    auto_approve: bool,
    backup: str | None,
    state_out: str | None,
    verify_key: tuple[str, ...],
    plan_file: str | None,
    **options: Any,
) -> int:
    """Make it so: plan, ask, and create, update or destroy what differs. With PLAN_FILE, do exactly that."""
    common = take_shared(options)
    if plan_file is not None:
        _refuse_with_plan_file(options)
        with work(
            common,
            "apply",
            plan_file=Path(plan_file),
            state_out=state_out,
            backup=backup,
            verifier=verifier_of(verify_key),
        ) as run:
            result = run.saved_result()
            tell_planned(run, result.plan)
            return finish_apply(run, perform(run, result))
    refuse_unsigned(verify_key)
    return _plan_and_apply(common, mode_of(options), options, auto_approve, backup, state_out)


@command("destroy", events=True)
@shared
@planning
@flag("auto-approve", "do not ask")
@value("backup", "where to keep the previous state (of the local backend)")
@value("state-out", "write the state to this file instead")
def destroy(auto_approve: bool, backup: str | None, state_out: str | None, **options: Any) -> int:
    """Destroy everything the state holds: the same as `apply -destroy`."""
    if options["refresh_only"]:
        raise UsageProblem("-refresh-only and destroy exclude each other.")
    refuse_unsigned(())
    return _plan_and_apply(take_shared(options), "destroy", options, auto_approve, backup, state_out)


@command("refresh", events=True)
@shared
@value("target", "only this resource and what it needs", multiple=True)
@value("backup", "where to keep the previous state (of the local backend)")
@value("state-out", "write the state to this file instead")
def refresh(backup: str | None, state_out: str | None, **options: Any) -> int:
    """Bring the state up to date with what exists: the same as `apply -refresh-only -auto-approve`."""
    refuse_unasked(True, "Be asked: twinfra apply -refresh-only")
    common = take_shared(options)
    if not common.json:
        return _plan_and_apply(common, "refresh-only", options, True, backup, state_out)
    with work(common, "apply", state_out=state_out, backup=backup) as run:
        return _refresh_in_json(run, options)


def _refresh_in_json(run: Run, options: dict[str, Any]) -> int:
    """Tell programs what stock Terraform's `refresh` tells: objects that are read, and outputs, but no plan."""
    result = make_plan(run, "refresh-only", options)
    run.report(result.diagnostics)
    if result.plan.errored or result.diagnostics.has_errors:
        return 1
    return finish_refresh(run, perform(run, result))


def mode_of(options: dict[str, Any]) -> str:
    """The planning mode that the flags ask for; raises `UsageProblem` or `DiagnosticError` when they contradict each
    other: the latter where a reader of JSON is told, too.
    """
    if options["destroy"] and options["refresh_only"]:
        raise DiagnosticError(
            error(
                "Flags that exclude each other",
                "-destroy plans to destroy everything, and -refresh-only to change nothing.",
                mend="Give one of the two.",
            )
        )
    if options["refresh_only"] and not options["refresh"]:
        raise DiagnosticError(
            error(
                "Flags that exclude each other",
                "-refresh-only looks at what exists, and -refresh=false says not to.",
                mend="Give one of the two.",
            )
        )
    if options["refresh_only"] and options["replace"]:
        raise UsageProblem("-refresh-only and -replace exclude each other.")
    return "destroy" if options["destroy"] else "refresh-only" if options["refresh_only"] else "normal"


def _refuse_with_plan_file(options: dict[str, Any]) -> None:
    given = [f"-{name.replace('_', '-')}" for name in ("destroy", "refresh_only") if options[name]]
    given += [f"-{name}" for name in ("replace", "target") if options[name]]
    if given:
        raise UsageProblem(
            f"A saved plan already fixes what is done: {', '.join(given)} cannot be given with it."
        )


def _plan_and_apply(
    common: Shared,
    mode: str,
    options: dict[str, Any],
    auto_approve: bool,
    backup: str | None,
    state_out: str | None,
) -> int:
    if common.json and not auto_approve:
        raise UsageProblem("-json cannot ask: give -auto-approve too, or a saved plan.")
    refuse_unasked(auto_approve)
    with work(common, "destroy" if mode == "destroy" else "apply", state_out=state_out, backup=backup) as run:
        return plan_and_apply(run, mode, options, auto_approve)


def plan_and_apply(
    run: Run, mode: str, options: Mapping[str, Any], auto_approve: bool, question: str = ""
) -> int:
    """Plan, show, ask unless `auto_approve`, and apply within an open run; returns the exit code.

    `options` are those of `make_plan`; `question` is asked instead of the usual one. Raises `DiagnosticError`.
    """
    result = make_plan(run, mode, options)
    if result.plan.errored or result.diagnostics.has_errors:
        show_errored(run, result)
        return 1
    if auto_approve:
        result.diagnostics.items[:] = [one for one in result.diagnostics if not one.transient]
    show_plan(run, result)
    if result.plan.applyable and not auto_approve and not _approved(run, mode, question):
        run.report(result.diagnostics)
        run.terminal.say("\nNothing was done.")
        return 1
    run.report(one for one in result.diagnostics if run.unreported(one))
    return finish_apply(run, perform(run, result), mode == "destroy" and not options.get("destroy", False))


def _approved(run: Run, mode: str, question: str) -> bool:
    questions = {
        "destroy": "Destroy all of this? What is destroyed cannot be brought back.",
        "refresh-only": "Record these findings in the state?",
    }
    mend = "Give -auto-approve, or apply a saved plan."
    return approve(run, question or questions.get(mode, "Do this?"), mend)


COMMANDS = {"plan": plan, "apply": apply, "destroy": destroy, "refresh": refresh}
