"""`twinfra ci plan` and `ci prepare`: the plan of a pull request, and what of it is to be applied after the merge."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.options import Shared
from twinfra.diagnostics import Diagnostic, DiagnosticError, error

if TYPE_CHECKING:
    from twinfra.cli.running import Run
    from twinfra.engine import api
    from twinfra.engine.plan_signature import Signer, Verifier
    from twinfra.engine.planfile import SavedPlan
    from twinfra.environments.declaration import Environment
    from twinfra.pipelines.outcome import Outcome

DIRECTORY = ".twinfra/ci"
REVIEWED = "reviewed"
PREPARED = "ci prepare"
"""The kind of the ledger's entry that says which commit was prepared."""
WAITS = 2
"""The exit code of `prepare` where somebody must approve first."""


def in_pipeline(function: Any) -> Any:
    """Options of the commands that a pipeline runs for an environment."""
    for option in (
        value("dir", "where plans and outcomes lie", default=DIRECTORY),
        value("sign", "sign the plan with this private key (see `twinfra key new`)"),
        flag("sandbox", "run against the embedded cloud instead of a real account"),
        value("lock-timeout", "how long to wait for the lock, such as 30s", default="0s"),
        flag("json", "print the outcome as JSON; all else goes to standard error"),
        flag("no-color", "no colour"),
    ):
        function = option(function)
    return function


@command("plan")
@in_pipeline
@value("since", "plan only if what changed since this commit touches the environment")
def plan(
    dir: str,
    sign: str | None,
    sandbox: bool,
    lock_timeout: str,
    json: bool,
    no_color: bool,
    since: str | None,
) -> int:
    """Plan an environment for a pull request: DIR/NAME.plan to be applied after the merge, DIR/NAME.json to be shown.

    Needs -env NAME. The outcome is written also where planning fails.
    """
    from twinfra.cli.signing import signer_of
    from twinfra.pipelines.outcome import PLANNED, UNTOUCHED, Outcome, plan_file

    environment = named_environment("plan")
    directory = _cleared(Path(dir), environment.name)
    signer = signer_of(sign)
    with _telling(environment, directory, json) as tell:
        if since and not _touched(environment, since):
            print(f"{environment.name} is not touched by what changed since {since}.")
            tell(Outcome(environment.name, UNTOUCHED, _commit()))
            return 0
        with _running(sandbox, lock_timeout, no_color) as run:
            result = _planned(run)
            _save(run, result, plan_file(directory, environment.name), signer)
            path = plan_file(directory, environment.name)
            outcome = _outcome(run, result.plan, environment.name, PLANNED, path)
            tell(replace(outcome, problems=_texts(result.diagnostics)))
    return 0


@command("prepare")
@in_pipeline
@value("reviewed", "the plan that somebody has looked at; DIR/reviewed/NAME.plan where not given")
@value("verify-key", "the reviewed plan must be signed by one of these public keys", multiple=True)
def prepare(
    dir: str,
    sign: str | None,
    sandbox: bool,
    lock_timeout: str,
    json: bool,
    no_color: bool,
    reviewed: str | None,
    verify_key: tuple[str, ...],
) -> int:
    """After a merge: write to DIR/NAME.plan what is to be applied now; without anything to do, no such file.

    That is the reviewed plan where it still holds. Where it is stale, it is planned again, which is applied without
    asking anybody where it does nothing but what was reviewed, or the environment needs no approval; else the exit code
    is 2, and the new plan waits for somebody. Needs -env NAME.
    """
    from twinfra.cli.signing import signer_of, verifier_of
    from twinfra.pipelines.outcome import NOTHING, WAITING, Outcome, plan_file

    environment = named_environment("prepare")
    directory = _cleared(Path(dir), environment.name)
    signer = signer_of(sign)
    path = Path(reviewed) if reviewed else plan_file(directory / REVIEWED, environment.name)
    with (
        _telling(environment, directory, json) as tell,
        _running(sandbox, lock_timeout, no_color) as run,
    ):
        newer = _newer_commit(run)
        saved, stale = _read(path, verifier_of(verify_key), bool(reviewed))
        if saved is not None:
            stale = _why_stale(run, saved, environment)
        if newer:
            note = f"The newer commit {newer[:12]} was prepared already, which has this one in it: nothing is applied."
            outcome = Outcome(environment.name, NOTHING, _commit(), notes=(note,))
        elif saved is not None and not stale:
            outcome = _as_reviewed(run, saved, directory, environment)
        elif _is_up_to_date(run, environment):
            note = "This code with these inputs was applied already: it is up to date."
            outcome = Outcome(environment.name, NOTHING, _commit(), notes=(note,))
        else:
            outcome = _planned_again(run, saved, stale, directory, environment, signer)
        if not newer:
            _record(run, outcome)
        for one in outcome.notes:
            print(f"\n{one}")
        tell(outcome)
    return WAITS if outcome.status == WAITING else 0


# -- what both do


def named_environment(name: str) -> Environment:
    """The environment in use, which `twinfra ci NAME` needs. Raises `UsageProblem` and `DiagnosticError`."""
    from twinfra.cli.environment import current

    environment = current()
    if environment is None:
        raise UsageProblem(f"Which environment? twinfra ci {name} -env NAME")
    return environment


def _cleared(directory: Path, environment: str) -> Path:
    """The directory, without what an earlier run left there for the environment."""
    from twinfra.pipelines.outcome import outcome_file, plan_file

    clear(plan_file(directory, environment), outcome_file(directory, environment))
    return directory


def clear(*paths: Path) -> None:
    """Make directories for files, and remove those that are there. Raises `DiagnosticError`."""
    try:
        for path in paths:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
    except OSError as reason:
        raise DiagnosticError(
            error(
                "Cannot write plans",
                f"{path.parent}: {reason.strerror or reason}.",
                mend="Give another directory: -dir=DIR.",
            )
        ) from None


def _touched(environment: Environment, base: str) -> bool:
    from twinfra.cli.environment import needed_project
    from twinfra.cli.workspace import load_configuration
    from twinfra.pipelines.touched import find_change

    project = needed_project()
    change = find_change(Path.cwd(), load_configuration(), project, base, [environment.name])
    for one in change.touched:
        print("Touched: " + "; ".join(one.reasons) + "\n")
    return bool(change.touched)


@contextmanager
def _running(sandbox: bool, lock_timeout: str, no_color: bool) -> Iterator[Run]:
    from twinfra.cli.running import work

    common = Shared(sandbox=sandbox, lock_timeout=lock_timeout, no_color=no_color, input=False)
    with work(common, "plan") as run:
        yield run


@contextmanager
def _telling(environment: Environment, directory: Path, json: bool) -> Iterator[Callable[[Outcome], None]]:
    """Gives what takes the outcome; where something fails, that is the outcome: whoever reads the comment sees why.

    With `json` it is printed, and all else that is printed within goes to standard error.
    """
    import sys

    from twinfra.cli.machine.text import dumps
    from twinfra.pipelines.outcome import FAILED, Outcome, plan_file

    out = sys.stdout

    def tell(outcome: Outcome) -> None:
        written = _write(outcome, directory)
        if json:
            print(dumps(written.document()), file=out)

    try:
        with redirect_stdout(sys.stderr) if json else nullcontext():
            yield tell
    except DiagnosticError as failure:
        plan_file(directory, environment.name).unlink(missing_ok=True)
        tell(Outcome(environment.name, FAILED, _commit(), problems=_texts(failure.diagnostics)))
        raise


def _planned(run: Run) -> api.PlanResult:
    """Plan and show it. Raises `DiagnosticError` where it cannot be planned."""
    from twinfra.cli.running import make_plan, show_plan

    result = make_plan(run, "normal", {})
    if result.plan.errored or result.diagnostics.has_errors:
        raise DiagnosticError(result.diagnostics)
    show_plan(run, result)
    return result


def _save(run: Run, result: api.PlanResult, path: Path, signer: Signer | None) -> None:
    _refuse_public(run)
    run.save_plan(path, result, signer)


def _refuse_public(run: Run) -> None:
    """A saved plan holds what is sensitive in the clear unless it is encrypted: not for everybody to download."""
    import os

    from twinfra.cli.encryption import plan_codec
    from twinfra.pipelines.forge.choosing import is_public
    from twinfra.state.encryption.codec import PLAIN

    if is_public(os.environ) and plan_codec(run.configuration) is PLAIN:
        raise DiagnosticError(
            error(
                "Plans would be public",
                "Anybody may read the artifacts of this repository, and a saved plan has sensitive values in it.",
                mend="Encrypt plans (docs/encryption.md), or make the repository private.",
            )
        )


def _outcome(run: Run, planned: Any, environment: str, status: str, path: Path) -> Outcome:
    import hashlib

    from twinfra.cli.render.plan import counts, render_plan
    from twinfra.cli.render.style import Style
    from twinfra.cli.shown import SchemaReader
    from twinfra.pipelines.outcome import Outcome

    text = "".join(render_plan(planned, SchemaReader(run.providers).of_change, Style(False)))
    digest = f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
    return Outcome(environment, status, _commit(), counts(planned), digest, text.strip("\n"))


def _write(outcome: Outcome, directory: Path) -> Outcome:
    """Write an outcome without what the job was given as secrets, whoever printed it; as it was written."""
    import os

    from twinfra.cli.environment import needed_project
    from twinfra.pipelines.forge.choosing import secrets_of
    from twinfra.pipelines.outcome import outcome_file

    names = needed_project().section("ci").texts("secrets")
    shown = outcome.without(secrets_of(os.environ, names))
    shown.write(outcome_file(directory, outcome.environment))
    return shown


def _texts(diagnostics: Any) -> str:
    from twinfra.cli.render.diagnostics import render_diagnostic
    from twinfra.cli.render.style import Style
    from twinfra.cli.terminal import collapse

    return "\n".join(render_diagnostic(one, Style(False)) for one, _ in collapse(diagnostics)).strip("\n")


def _commit() -> str:
    from twinfra.environments.git import describe

    facts = describe(Path.cwd())
    return facts.commit if facts is not None else ""


# -- after a merge


def _read(path: Path, verifier: Verifier | None, needed: bool) -> tuple[SavedPlan | None, str]:
    """The reviewed plan, None where there is none; and why one cannot be read that another version wrote."""
    from twinfra.cli.encryption import saved_plan_codec
    from twinfra.engine.planfile import OtherVersion, read_plan_file

    if not needed and not path.exists():
        return None, ""
    try:
        return read_plan_file(path, codec=saved_plan_codec(), verifier=verifier), ""
    except OtherVersion as other:
        return None, next(iter(other.diagnostics)).detail


def _why_stale(run: Run, saved: SavedPlan, environment: Environment) -> str:
    """Why the reviewed plan is not to be applied now; empty where it is. Raises `DiagnosticError` for a wrong one."""
    from twinfra.environments.fingerprint import code_digest
    from twinfra.values.equality import identical

    meant = str(saved.origin.get("environment", ""))
    if meant != environment.name:
        raise DiagnosticError(_other_environment(saved, meant, environment.name))
    try:
        saved.check_fresh(run.workspace.state, run.workspace.name, run.workspace.store.stored.digest)
        saved.check_schemas(run.providers)
    except DiagnosticError as stale:
        return next(iter(stale.diagnostics)).detail
    if code_digest(saved.configuration) != code_digest(run.configuration):
        return "The code is another one than it was made from: other changes were merged, too."
    kept = {name: one for name, one in run.inputs.items() if name not in saved.ephemeral}
    if kept.keys() != saved.inputs.keys() or not all(
        identical(one, saved.inputs[name]) for name, one in kept.items()
    ):
        return "The values of variables are others than it was made with."
    return ""


def _is_up_to_date(run: Run, environment: Environment) -> bool:
    """Whether the last receipt says that this code with these inputs was applied, and wholly."""
    from twinfra.environments.fingerprint import input_digest, read_code, shared_key
    from twinfra.environments.promotion import what_runs
    from twinfra.state.ledger.log import open_ledger

    store = run.workspace.store
    try:
        ledger = open_ledger(store.backend, run.workspace.name)
        running = what_runs(environment.name, ledger.label, ledger.newest())
    except DiagnosticError:
        return False
    code = read_code(run.configuration)
    if running.code != code.digest or not running.entry.body.get("complete"):
        return False
    key = shared_key(store.backend, run.workspace.name)
    identities = run.workspace.state.identities
    inputs = input_digest(run.configuration, code, run.inputs, identities, run.workspace.name, key)
    return bool(inputs == running.entry.body.get("inputs"))


def _newer_commit(run: Run) -> str:
    """The commit that was prepared last, where today's one is in its history; empty where it is not.

    A job that waited for long must not put back what a later merge has changed.
    """
    from twinfra.environments.git import is_ancestor
    from twinfra.state.ledger.log import open_ledger

    head = _commit()
    store = run.workspace.store
    try:
        entries = open_ledger(store.backend, run.workspace.name).newest()
        last = next((str(one.body.get("commit")) for one in entries if one.kind == PREPARED), "")
    except DiagnosticError:
        # A backend without history: the serial of the state is what keeps two apart.
        return ""
    return last if head and last and last != head and is_ancestor(Path.cwd(), head, last) else ""


def _record(run: Run, outcome: Outcome) -> None:
    """Note in the ledger which commit was prepared; where that cannot be, only a warning tells."""
    from twinfra.cli.receipts import begin

    body = {"plan": outcome.plan, "saved_plan": True} if outcome.plan else {}
    recording, problems = begin(run.workspace.store.backend, run.workspace.name, PREPARED, body)
    if recording is not None:
        recording.finish(outcome.status)
        problems = [*problems, *recording.problems]
    run.report(problems)


def _as_reviewed(run: Run, saved: SavedPlan, directory: Path, environment: Environment) -> Outcome:
    import shutil

    from twinfra.pipelines.outcome import READY, plan_file

    path = plan_file(directory, environment.name)
    shutil.copyfile(saved.path, path)
    path.chmod(0o600)
    outcome = _outcome(run, saved.plan, environment.name, READY, path)
    run.terminal.say(outcome.text)
    return replace(outcome, notes=("The plan that was reviewed is applied exactly as it is.",))


def _planned_again(
    run: Run,
    saved: SavedPlan | None,
    stale: str,
    directory: Path,
    environment: Environment,
    signer: Signer | None,
) -> Outcome:
    from twinfra.pipelines.agreement import disagreements
    from twinfra.pipelines.outcome import READY, WAITING, plan_file

    result = _planned(run)
    path = plan_file(directory, environment.name)
    _save(run, result, path, signer)
    outcome = _outcome(run, result.plan, environment.name, READY, path)
    notes = [f"The plan that was reviewed does not hold any more. {stale}"] if stale else []
    if saved is not None:
        others = disagreements(saved.plan, result.plan)
    else:
        notes += [] if stale else ["Nobody has reviewed a plan of this."]
        others = ["no plan of it was reviewed"] if result.plan.applyable else []
    if not others:
        notes.append("It was planned again, and does nothing that was not reviewed.")
    elif environment.protection.approval:
        notes.append(f"It was planned again. What differs: {'; '.join(others)}.")
        notes.append(
            f"To approve this plan, run the pipeline by hand with TWINFRA_APPROVED set to {outcome.plan}"
        )
        return replace(outcome, status=WAITING, notes=tuple(notes))
    else:
        notes.append(
            f"It was planned again. What differs: {'; '.join(others)}. This environment needs no approval."
        )
    return replace(outcome, notes=tuple(notes))


def _other_environment(saved: SavedPlan, meant: str, name: str) -> Diagnostic:
    made = f'in the environment "{meant}"' if meant else "in no environment"
    return error(
        "Saved plan is for another environment",
        f'{saved.path} was made {made}; this is "{name}".',
        mend="Look at which plan the job fetched: its name tells the environment.",
    )
