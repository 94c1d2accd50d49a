"""A run of plan or apply: opens everything it needs, keeps the lock, shows progress, and saves what came of it."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, chdir, contextmanager, nullcontext
from dataclasses import field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra import log
from twinfra.cli.asking import approves
from twinfra.cli.checkout import working_in
from twinfra.cli.command import SilentFailure, UsageProblem, usage_diagnostic
from twinfra.cli.encryption import plan_codec, saved_plan_codec
from twinfra.cli.environment import check_cloud, current, using
from twinfra.cli.interrupt import interruptible
from twinfra.cli.options import Shared, seconds
from twinfra.cli.protection import check_run
from twinfra.cli.receipts import append_waiting, code_facts, facts_body, is_kept, of_apply
from twinfra.cli.signing import refuse_unsigned
from twinfra.cli.terminal import Terminal
from twinfra.cli.workspace import (
    LocalFiles,
    Workspace,
    fitting_inputs,
    make_providers,
    open_workspace,
    root_inputs,
    saved_configuration,
    try_configuration,
)
from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Severity, error
from twinfra.engine import api
from twinfra.engine.changes import Plan
from twinfra.engine.events import Listener
from twinfra.engine.planfile import SavedPlan, read_plan_file, write_plan_file
from twinfra.engine.providers import Providers
from twinfra.state.locks import LockInfo
from twinfra.state.model import State
from twinfra.state.workspaces import data_directory
from twinfra.values.value import Value

if TYPE_CHECKING:
    from twinfra.engine.plan_signature import Signer, Verifier
    from twinfra.environments.checkout import Checkout
    from twinfra.environments.declaration import Environment
    from twinfra.state.ledger.entries import Entry


@dataclass(slots=True)
class Run:
    """What a command works with while it runs.

    `at`: the commit whose code is run, None for the files of the working directory. The receipt of an apply is of
    the kind `kind`, where it is another than the plan's mode says, with `remarks` in its body; afterwards it is
    `receipt`, None where none is kept or it could not be appended.
    """

    options: Shared
    terminal: Terminal
    configuration: Configuration
    inputs: Mapping[str, Value]
    providers: Providers
    workspace: Workspace
    stop: api.Stop
    saved: SavedPlan | None = None
    at: Checkout | None = None
    kind: str = ""
    remarks: dict[str, Any] = field(default_factory=dict)
    receipt: Entry | None = None
    reported: set[int] = field(default_factory=set)

    @property
    def parallelism(self) -> int:
        """Provider calls at a time; 0 where nobody said."""
        return self.options.parallelism

    def report(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Show diagnostics, each once."""
        new = [one for one in diagnostics if self.unreported(one)]
        self.reported.update(map(id, new))
        if self.options.compact_warnings:
            new = [one for one in new if one.severity is Severity.ERROR or not self._compact(one)]
        self.terminal.diagnostics(new)

    def _compact(self, warning: Diagnostic) -> bool:
        if not self.terminal.json:
            place = f" ({warning.subject})" if warning.subject else ""
            sys.stderr.write(f"Warning: {warning.summary}{place}\n")
            return True
        return False

    def unreported(self, diagnostic: Diagnostic) -> bool:
        """Whether it was not shown yet."""
        return id(diagnostic) not in self.reported

    def save_plan(self, path: Path, result: api.PlanResult, signer: Signer | None = None) -> None:
        """Write the plan file, signed where there is a signer."""
        write_plan_file(
            path,
            result.plan,
            self.configuration,
            result.state,
            inputs=dict(self.inputs),
            base=self.workspace.state,
            digest=self.workspace.store.stored.digest,
            workspace=self.workspace.name,
            providers=self.providers,
            # Not that of a checkout, which is gone when the plan is applied.
            data=data_directory(self.at.source) if self.at is not None else None,
            codec=plan_codec(self.configuration),
            signer=signer,
            origin=self._origin(),
        )

    def _origin(self) -> dict[str, Any]:
        """For which environment the plan is, and what it is made of, for the receipt of whoever applies it."""
        store = self.workspace.store
        environment = current()
        about = {} if environment is None else {"environment": environment.name}
        if not is_kept(store.backend, store.workspace):
            return about
        if self.at is not None:
            return about | facts_body(self.at.facts) | self.remarks
        facts, problems = code_facts(Path.cwd())
        self.report(problems)
        return about | facts | self.remarks

    def saved_result(self) -> api.PlanResult:
        """What was planned when the plan file was made."""
        if self.saved is None:
            raise ValueError("this run was not started from a plan file")
        return api.PlanResult(self.saved.plan, self.saved.state, Diagnostics())


@contextmanager
def work(
    options: Shared,
    operation: str,
    *,
    plan_file: Path | None = None,
    state_out: str | None = None,
    backup: str | None = None,
    at: Checkout | None = None,
    verifier: Verifier | None = None,
    document: bool = False,
    begun: bool = False,
) -> Iterator[Run]:
    """Open configuration, inputs, state and providers for one operation, under the state's lock.

    `at`: read configuration and inputs from there, and work there meanwhile; the state is that of the working
    directory. With a `verifier` the plan file must be signed by one of its keys. `document`: standard output is for one
    document, so that what is told before there is one goes to standard error. `begun`: the events of the command have
    begun already, with their version.

    Raises `DiagnosticError` for anything a person must mend first; nothing was changed by then.
    """
    terminal = Terminal(options.json, options.no_color)

    def tell(text: str) -> None:
        if document:
            print(text, file=sys.stderr)
        elif terminal.json:
            from twinfra.cli.machine.events import JsonEvents

            JsonEvents(sys.stdout).log(text)
        else:
            terminal.say(text + "\n")

    try:
        with ExitStack() as stack:
            if options.json and not begun:
                from twinfra.cli.machine.events import JsonEvents

                JsonEvents(sys.stdout).version()
            saved = _read_plan(plan_file, verifier) if plan_file is not None else None
            stop = stack.enter_context(interruptible(quiet=options.json))
            directory = Path.cwd()
            check_run(operation, saved, at)
            # Where the run would act is looked at before anything is read or written, the state included.
            with working_in(at) if at is not None else nullcontext() as order:
                configuration, warnings = saved_configuration(saved)
                if saved is not None:
                    inputs: Mapping[str, Value] = _inputs_of(saved, options)
                else:
                    var, var_file = (options.var, options.var_file) if at is None else ((), ())
                    inputs = fitting_inputs(
                        configuration, warnings, var, var_file, ask=options.input, order=order
                    )
                providers = make_providers(options.sandbox, configuration, directory)
                stack.callback(providers.close)
                check_cloud(configuration, inputs, providers)
            workspace = stack.enter_context(
                open_workspace(
                    # That of today says where the state is; whether it is right does not matter.
                    configuration if at is None else try_configuration()[0],
                    operation,
                    files=LocalFiles(options.state, state_out, backup),
                    lock=options.lock,
                    lock_timeout=seconds(options.lock_timeout),
                    waiting=lambda holder: tell(_waiting(holder)),
                    stop=stop,
                )
            )
            if workspace.store.recovered is not None:
                tell(workspace.store.recovered.text)
            if saved is not None:
                saved.check_fresh(workspace.state, workspace.name, workspace.store.stored.digest)
                saved.check_schemas(providers)
            if at is not None:
                stack.enter_context(working_in(at))
            run = Run(options, terminal, configuration, inputs, providers, workspace, stop, saved, at)
            run.report(warnings)
            if options.lock:
                run.report(append_waiting(workspace.store.backend, workspace.name))
            if workspace.store.intents:
                _find_interrupted(run)
            yield run
    except (DiagnosticError, UsageProblem) as failure:
        if not options.json:
            raise
        told = [usage_diagnostic(failure)] if isinstance(failure, UsageProblem) else failure.diagnostics
        terminal.diagnostics(told)
        sys.stdout.flush()
        raise SilentFailure from None


@contextmanager
def reopened(run: Run, at: Checkout, environment: Environment | None) -> Iterator[Run]:
    """The same run, with its state and its lock, for the code of another commit.

    `environment`: the one in use as it is declared today. Raises `DiagnosticError`.
    """
    with ExitStack() as stack:
        stack.enter_context(chdir(at.source))
        stack.enter_context(using(environment, own=True))
        order = stack.enter_context(working_in(at))
        configuration, warnings = saved_configuration(None)
        inputs = fitting_inputs(configuration, warnings, (), (), ask=False, order=order)
        providers = make_providers(run.options.sandbox, configuration, at.source)
        stack.callback(providers.close)
        check_cloud(configuration, inputs, providers)
        other = replace(
            run,
            configuration=configuration,
            inputs=inputs,
            providers=providers,
            saved=None,
            at=at,
            remarks={},
        )
        other.report(warnings)
        yield other


def _read_plan(path: Path, verifier: Verifier | None) -> SavedPlan:
    saved = read_plan_file(path, codec=saved_plan_codec(), verifier=verifier)
    if saved.plan.errored:
        raise DiagnosticError(
            error(
                "Saved plan has errors",
                f"{path} holds what could be planned before there were errors, and that is not all.",
                mend=f"Mend what is wrong and plan again; to look at it, run: twinfra show {path}",
            )
        )
    return saved


def _inputs_of(saved: SavedPlan, options: Shared) -> dict[str, Value]:
    """The values of variables for a saved plan: its own, and ephemeral ones as given now."""
    if not saved.ephemeral and not options.var and not options.var_file:
        return saved.inputs
    given, _ = root_inputs(saved.configuration, options.var, options.var_file, ask=False, partial=True)
    names = {text.partition("=")[0].strip() for text in options.var}
    if options.var_file:
        around, _ = root_inputs(saved.configuration, (), (), ask=False, partial=True)
        names |= {name for name, value in given.items() if name not in around or around[name] != value}
    return saved.inputs_for_apply(given, sorted(names))


def _waiting(holder: LockInfo | None) -> str:
    who = f" that {holder.who} holds ({holder.operation})" if holder is not None else ""
    return f"Waiting for the lock of the state{who}."


def _find_interrupted(run: Run) -> None:
    """Look for what an interrupted run was creating, and take it into the state before anything is planned."""
    workspace = run.workspace
    with workspace.recording(None, run.stop) as journal:
        outcome = api.recover(
            run.configuration,
            workspace.state,
            run.inputs,
            run.providers,
            workspace.store.intents,
            journal,
            workspace.name,
        )
        workspace.save(outcome.state)
    if outcome.diagnostics.has_errors:
        raise DiagnosticError(outcome.diagnostics)
    run.report(outcome.diagnostics)


@contextmanager
def listening(run: Run, total: int = 0) -> Iterator[Listener]:
    """The listener that fits: JSON lines, a live table on a terminal, or plain lines; logged where that is wanted."""
    with _showing(run, total) as listener:
        if log.wanted(log.ERROR):
            from twinfra.cli.logged import Logged

            yield Logged(listener)
        else:
            yield listener


@contextmanager
def _showing(run: Run, total: int) -> Iterator[Listener]:
    if run.options.json:
        from twinfra.cli.machine.events import JsonEvents

        yield JsonEvents(sys.stdout)
    elif run.terminal.style.colour and sys.stdout.isatty():
        from twinfra.cli.render.live import LiveEvents

        with LiveEvents(run.terminal.style, total) as live:
            yield live
    else:
        from twinfra.cli.render.events import LineEvents

        yield LineEvents(sys.stdout, run.terminal.style)


def make_plan(run: Run, mode: str, options: Mapping[str, Any]) -> api.PlanResult:
    """Refresh and plan, showing progress. Raises `DiagnosticError` where there is no configuration to plan for."""
    if mode != "destroy" and not run.configuration.files:
        raise DiagnosticError(
            error(
                "No configuration",
                "There is no .tf or .tf.json file here, and a plan without one would destroy everything.",
                mend="Work in another directory (-chdir=DIR), or run twinfra destroy if that is what you want.",
            )
        )
    settings = api.PlanOptions(
        mode=mode,
        targets=tuple(options.get("target", ())),
        replace=tuple(options.get("replace", ())),
        refresh=options.get("refresh", True),
        parallelism=run.parallelism,
        workspace=run.workspace.name,
    )
    with listening(run) as listener:
        return api.plan(
            run.configuration, run.workspace.state, run.inputs, run.providers, settings, listener, run.stop
        )


def show_plan(run: Run, result: api.PlanResult) -> None:
    """Print a plan: as text, or as events."""
    if run.options.json:
        from twinfra.cli.machine.events import JsonEvents

        JsonEvents(sys.stdout).plan_events(result.plan)
    else:
        from twinfra.cli.render.plan import render_plan
        from twinfra.cli.shown import SchemaReader

        reader = SchemaReader(run.providers)
        sys.stdout.writelines(render_plan(result.plan, reader.of_change, run.terminal.style))
        sys.stdout.flush()
    run.report(result.diagnostics)


def show_errored(run: Run, result: api.PlanResult) -> None:
    """Print what is wrong with a plan that cannot be applied, and first what could be planned all the same."""
    if result.plan.would_change:
        if not run.options.json:
            run.terminal.say("Not all could be planned. This much could:")
        show_plan(run, result)
    else:
        run.report(result.diagnostics)


def tell_planned(run: Run, plan: Plan) -> None:
    """Before a saved plan is applied, tell programs what it will do, as stock Terraform does."""
    if run.options.json:
        from twinfra.cli.machine.events import JsonEvents

        JsonEvents(sys.stdout).planned_changes(plan)


def approve(run: Run, question: str, mend: str = "Give -auto-approve.") -> bool:
    """Ask for a `yes`. Raises `DiagnosticError` where nobody can be asked, with `mend`."""
    if not run.options.input:
        raise DiagnosticError(
            error(
                "Approval needed",
                "Nobody can be asked, since -input=false or TF_INPUT says so.",
                mend=mend,
            )
        )
    style = run.terminal.style
    text = f"\n{style(question, 'bold')}\n  Only 'yes' is taken as approval.\n\n  Enter a value: "
    return approves(text) and run.stop.level == 0


def perform(
    run: Run, result: api.PlanResult, before_saving: Callable[[State], None] | None = None
) -> api.ApplyResult:
    """Apply a plan, every finished operation recorded, save the state whatever happened, and leave a receipt.

    `before_saving` may change the state that comes of it. Else one that ended early records what it did, and not what
    it found: that would be no drift any more, and was not put right.
    """
    if run.saved is None and result.plan.mode != "refresh-only":
        refuse_unsigned(())
    workspace = run.workspace
    total = sum(1 for change in result.plan.changes if change.action != "no-op")
    with of_apply(run, result) as outcomes:
        with workspace.recording(result.state, run.stop) as recorder, listening(run, total) as listener:
            outcome = api.apply(
                result.plan,
                run.configuration,
                result.state,
                run.inputs,
                run.providers,
                api.ApplyOptions(run.parallelism, workspace.name),
                recorder,
                listener,
                run.stop,
            )
            if before_saving is not None:
                before_saving(outcome.state)
            elif result.plan.mode != "refresh-only" and (outcome.stopped or outcome.diagnostics.has_errors):
                from twinfra.engine.unrepaired import keep_recorded

                drifted = [one.address for one in result.plan.drift]
                keep_recorded(outcome.state, drifted, result.state, workspace.state)
            workspace.save(outcome.state)
        outcomes.append(outcome)
    return outcome
