"""`twinfra drift -accept`: edits the source, checks what it says then, and records what is there in the state."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from twinfra.addresses import Instance
from twinfra.cli.drift import DRIFTED, approved
from twinfra.cli.running import Run, perform
from twinfra.diagnostics import DiagnosticError, error
from twinfra.engine import api
from twinfra.engine.changes import Action
from twinfra.environments.drift.accepting import Acceptance, accept
from twinfra.environments.drift.edits import edited
from twinfra.environments.drift.finding import Report
from twinfra.state.model import State


def accept_drift(run: Run, report: Report, found: api.PlanResult, auto_approve: bool) -> int:
    """Write what is there into the source where it is a literal, and record it; returns the exit code."""
    from twinfra.cli.render.drift import render_acceptance

    acceptance = accept(
        report.findings, found.plan.drift, run.configuration, run.providers, run.workspace.state
    )
    print()
    for line in render_acceptance(acceptance, run.terminal.style):
        print(line)
    if not acceptance.edits and not acceptance.settled:
        print("\nNothing can be accepted by itself.")
        return DRIFTED
    if not auto_approve and not approved(run, "Accept this?"):
        return DRIFTED
    texts = edited(acceptance.edits)
    _write(texts)
    try:
        _record(run, acceptance, report)
    except BaseException:
        # Ctrl-C included: source and state say the same, before or after.
        _write({name: (new, old) for name, (old, new) in texts.items()})
        raise
    if texts:
        print(f"\nWritten: {', '.join(sorted(texts))}.")
    print(f"Accepted: {len(acceptance.settled)} of {len(report.findings)}.")
    return 0 if len(acceptance.settled) == len(report.findings) else DRIFTED


def _write(texts: dict[str, tuple[str, str]]) -> None:
    """Replace the texts of files, each of which must still be as it was read; all or none of them."""
    from twinfra.state.files import file_problem, replace_file

    for name, (old, _) in texts.items():
        _refuse_read_only(name)
        try:
            now = Path(name).read_bytes().decode("utf-8")
        except (OSError, UnicodeDecodeError):
            now = None
        if now != old:
            raise DiagnosticError(
                error(
                    "Source was changed meanwhile",
                    f"{name} is not as it was when it was read. Nothing was written.",
                    mend="Run the command again.",
                )
            )
    done: list[str] = []
    for name, (_, new) in texts.items():
        path = Path(name).resolve()
        try:
            mode = path.stat().st_mode & 0o777
            replace_file(path, (new.encode(),))
            os.chmod(path, mode)
        except OSError as reason:
            for other in done:
                Path(other).write_text(texts[other][0], encoding="utf-8")
            raise file_problem(reason, "write", name) from None
        done.append(name)


def _refuse_read_only(name: str) -> None:
    """A file that somebody has closed to writing is not replaced by another one."""
    try:
        closed = not os.stat(name).st_mode & 0o222 or not os.access(name, os.W_OK)
    except OSError:
        return
    if closed:
        raise DiagnosticError(
            error(
                "Source may not be written",
                f"{name} is read-only. Nothing was written.",
                mend=f"Make it writable (chmod u+w {name}), or change it by hand.",
            )
        )


def _record(run: Run, acceptance: Acceptance, report: Report) -> None:
    """Check that the source declares now what is there, and take that over into the state.

    Raises `DiagnosticError` where it does not.
    """
    from twinfra.cli.workspace import load_configuration

    configuration = load_configuration()
    again = replace(run, configuration=configuration)
    settled = set(acceptance.settled)
    planned = _plan(again, api.PlanOptions(workspace=run.workspace.name, parallelism=run.parallelism))
    wrong = [
        str(one.address)
        for one in planned.plan.changes
        if str(one.address) in settled and one.action is not Action.NO_OP
    ]
    if wrong:
        raise DiagnosticError(
            error(
                "Accepted values still differ",
                f"With the new source, a plan would still change {', '.join(wrong)}. The source was put back.",
                mend="Change the expressions that make these values by hand.",
            )
        )
    if not settled:
        return
    recorded = _plan(
        again,
        api.PlanOptions(
            mode="refresh-only",
            targets=tuple(sorted(settled)),
            workspace=run.workspace.name,
            parallelism=run.parallelism,
        ),
    )
    accepted = [one.address for one in report.findings if str(one.address) in settled]
    outcome = perform(again, _only(accepted, recorded, run.workspace.state))
    outcome.diagnostics.raise_errors()


def _only(addresses: list[Instance], found: api.PlanResult, state: State) -> api.PlanResult:
    """A refresh that takes over some objects alone, not what they depend on: that may have drifted, too."""
    kept = state.copy()
    for address in addresses:
        resource = found.state.resources.get(address.of) or state.resources[address.of]
        kept.put(address, resource.provider, found.state.current(address))
    chosen = set(addresses)
    found.plan.drift[:] = [one for one in found.plan.drift if one.address in chosen]
    return replace(found, state=replace(found.state, resources=kept.resources))


def _plan(run: Run, options: api.PlanOptions) -> api.PlanResult:
    result = api.plan(
        run.configuration, run.workspace.state, run.inputs, run.providers, options, stop=run.stop
    )
    result.diagnostics.raise_errors()
    return result
