"""`twinfra report`: a picture of an estate, as a page, as text or as JSON. Looks, and changes nothing.

What cannot be read of one environment is told there, and keeps nothing else from being told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from twinfra.cli.command import UsageProblem, command, flag, value
from twinfra.cli.environment import current, needed_project, opened, using
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, error
from twinfra.report.estate import Drift, Estate, Looked, Pair, Problem, Standing

if TYPE_CHECKING:
    from twinfra.config.model import Configuration
    from twinfra.engine.providers import Providers
    from twinfra.environments.declaration import Environment, Project
    from twinfra.environments.drift.rules import Rule
    from twinfra.environments.twins.inputs import Inputs, Side
    from twinfra.environments.twins.report import Report
    from twinfra.environments.twins.rules import Rules
    from twinfra.report.estate import Parameter

SHOWN = 20
_ERRORS = 10
"""So many errors of the code are told: `validate` has all of them."""


@command("report")
@value("html", "write the report as one self-contained page to this file")
@flag("json", "print JSON, as described in docs/report.md")
@flag("drift", "look for drift now, in every environment")
@flag("who", "with -drift: ask the cloud who changed what drifted", default=True)
@value("drift-summary", "show the numbers that `drift -summary` has appended to this file")
@value("n", "show the newest NUMBER entries of each history; 0 for all", type=int, default=SHOWN)
@flag("no-color", "no colour")
@flag("sandbox", "with -drift: all environments are in the embedded cloud")
def report(
    html: str | None,
    json: bool,
    drift: bool,
    who: bool,
    drift_summary: str | None,
    n: int,
    no_color: bool,
    sandbox: bool,
) -> int:
    """Show all environments: what runs in each, whether they are twins, what drifted, and what happened.

    With -env, only that environment and those that it is tied to by twin_of.
    """
    if n < 0:
        raise UsageProblem("-n is a number of entries, 0 for all.")
    if sandbox and not drift:
        raise UsageProblem("-sandbox goes with -drift: without it no cloud is called.")
    if not who and not drift:
        raise UsageProblem("-who=false goes with -drift: without it nobody is asked.")
    estate = _Looking(needed_project(), n, drift, who, drift_summary, sandbox).estate()
    if html is not None:
        from twinfra.cli.terminal import write_page
        from twinfra.report.page import page

        write_page(Path(html), page(estate))
    if json:
        from twinfra.cli.machine.report import report_text

        print(report_text(estate))
        return 0
    from twinfra.cli.render.report import render_report
    from twinfra.cli.render.style import standard_style

    print("\n".join(render_report(estate, standard_style(no_color))))
    if html is not None:
        print(f"\nThe page is in {html}.")
    return 0


class _Looking:
    """One look at an estate. Owned by one thread."""

    def __init__(
        self, project: Project, most: int, drift: bool, who: bool, drift_summary: str | None, sandbox: bool
    ) -> None:
        from twinfra.environments.drift.rules import read_rules as read_noise
        from twinfra.environments.twins.rules import read_rules
        from twinfra.report.settings import read_settings
        from twinfra.report.standing import read_trend

        if not project.environments:
            raise DiagnosticError(_no_environment(project))
        self._project = project
        self._most = most
        self._drift = drift
        self._who = who
        self._sandbox = sandbox
        self._settings = read_settings(project)
        self._noise = read_noise(project)
        self._rules: Rules = read_rules(project)
        path = Path(drift_summary) if drift_summary is not None else self._settings.drift_summary
        self._trends: Mapping[str, list[Looked]] = read_trend(path) if path is not None else {}
        self._made = datetime.now(UTC)
        self._configuration: Configuration
        self._wrong: Diagnostics
        self._sides: dict[str, Side] = {}
        self._unsuitable: dict[str, Diagnostic] = {}
        self._warnings: dict[str, list[Diagnostic]] = {}

    @property
    def _time(self) -> str:
        return self._made.strftime("%Y-%m-%dT%H:%M:%SZ")

    def estate(self) -> Estate:
        """All of it. Raises `DiagnosticError` where `twinfra.toml` is wrong, and for nothing else."""
        from twinfra import __version__
        from twinfra.cli.receipts import code_facts
        from twinfra.cli.workspace import make_providers, try_configuration

        self._configuration, self._wrong = try_configuration()
        facts, problems = code_facts(Path.cwd())
        environments = _wanted(self._project)
        with using(None):
            providers = make_providers(False, self._configuration)
        try:
            for one in environments:
                self._take_side(one)
            pairs, reports = self._pairs(environments, providers)
            parameters = self._parameters(environments, reports, providers)
        finally:
            providers.close()
        standings = tuple(map(self._standing, environments))
        return Estate(
            self._settings.title,
            self._time,
            __version__,
            facts["commit"],
            facts["branch"],
            facts["dirty"],
            parameters,
            standings,
            pairs,
            tuple(Problem("code", one) for one in (*self._wrong.errors[:_ERRORS], *problems)),
        )

    # -- what the code makes of the inputs

    def _take_side(self, environment: Environment) -> None:
        from twinfra.cli.terminal import collapse
        from twinfra.cli.twins import side_of

        if self._wrong.has_errors:
            self._unsuitable[environment.name] = self._wrong.errors[0]
            return
        try:
            side, warnings = side_of(environment, self._configuration)
            self._sides[environment.name] = side
            self._warnings[environment.name] = [one for one, _ in collapse(warnings)]
        except DiagnosticError as failed:
            self._unsuitable[environment.name] = failed.diagnostics[0]

    def _pairs(
        self, environments: Sequence[Environment], providers: Providers
    ) -> tuple[tuple[Pair, ...], list[Report]]:
        from twinfra.environments.twins.compare import compare

        pairs, reports = [], []
        names_here = {one.name for one in environments}
        for one in environments:
            if one.twin_of not in names_here:
                continue
            names = (one.twin_of, one.name)
            lacking = [self._unsuitable[name] for name in names if name in self._unsuitable]
            if lacking:
                pairs.append(Pair(names, None, (Problem("twins", lacking[0]),)))
                continue
            try:
                first, second = (self._sides[name] for name in names)
                found = compare(self._configuration, first, second, providers, self._rules)
            except DiagnosticError as failed:
                pairs.append(Pair(names, None, tuple(Problem("twins", each) for each in failed.diagnostics)))
                continue
            reports.append(found)
            pairs.append(Pair(names, found))
        return tuple(pairs), reports

    def _parameters(
        self, environments: Iterable[Environment], reports: Iterable[Report], providers: Providers
    ) -> tuple[Parameter, ...]:
        from twinfra.environments.twins.inputs import accepted
        from twinfra.report.parameters import parameters

        inputs: dict[str, Inputs] = {}
        for one in environments:
            side = self._sides.get(one.name)
            if side is None:
                continue
            try:
                program = providers.program(self._configuration)
                program.problems.raise_errors()
                inputs[one.name] = accepted(program, side)
            except DiagnosticError as failed:
                self._unsuitable[one.name] = failed.diagnostics[0]
        return parameters(self._rules, inputs, reports)

    # -- what is recorded, and what is there

    def _standing(self, environment: Environment) -> Standing:
        from twinfra.report.standing import drift_known

        problems = [Problem("inputs", one) for one in self._warnings.get(environment.name, ())]
        if environment.name in self._unsuitable and not self._wrong.has_errors:
            problems.append(Problem("inputs", self._unsuitable[environment.name]))
        trend = self._trends.get(environment.name, [])
        standing = Standing(environment, drift=drift_known(trend))
        with using(environment):
            standing = self._recorded(standing, problems)
        if self._drift and standing.state is not None:
            with _telling("drift", problems):
                standing = replace(standing, drift=self._look(environment, trend, problems))
        return replace(standing, problems=tuple(problems))

    def _recorded(self, standing: Standing, problems: list[Problem]) -> Standing:
        """With what state and ledger say, in the environment in use."""
        from twinfra.cli.render.history import subject_of
        from twinfra.cli.workspace import connect_backend, workspace_name
        from twinfra.report.standing import past_of, state_facts
        from twinfra.state.ledger.log import open_ledger
        from twinfra.state.ledger.pending import pending_of
        from twinfra.state.store import current_state

        with _telling("state", problems):
            backend = connect_backend(self._configuration)
            try:
                name = workspace_name()
                state, _ = current_state(backend, name)
                standing = replace(standing, state=state_facts(backend.label(name), state))
                with _telling("history", problems):
                    ledger = open_ledger(backend, name)
                    waiting = pending_of(backend, name).waiting()
                    problems += [Problem("history", one) for one in waiting.problems]
                    past = past_of(ledger, Path.cwd(), self._most, subject_of, len(waiting.entries))
                    standing = replace(standing, past=past)
            finally:
                backend.close()
        return standing

    def _look(self, environment: Environment, trend: list[Looked], problems: list[Problem]) -> Drift:
        """Look for drift now. Raises `DiagnosticError`."""
        from twinfra.cli.drift import ask_who
        from twinfra.engine import api
        from twinfra.environments.drift.detection import detect
        from twinfra.environments.drift.rules import Noise
        from twinfra.report.standing import drift_now
        from twinfra.state.model import State

        self._wrong.raise_errors()
        rules: list[Rule] = self._noise
        with opened(environment, self._configuration, sandbox=self._sandbox) as here:
            here.check_cloud()
            state = here.state() or State()
            options = api.PlanOptions(workspace=here.workspace)
            result = api.plan(here.configuration, state, here.inputs, here.providers, options)
            result.diagnostics.raise_errors()
            noise = Noise(rules, self._made.date(), environment.name)
            found = detect(result.plan, here.configuration, here.providers, state, noise)
            if self._who and found.findings:
                told = ask_who(found, result.plan.drift, here.providers)
                problems += [Problem("drift", one) for one in told]
        return drift_now(found, environment.name, self._time, trend)


@contextmanager
def _telling(part: str, problems: list[Problem]) -> Iterator[None]:
    """What goes wrong within is a problem of this part, and nothing else fails for it."""
    try:
        yield
    except DiagnosticError as failed:
        problems.append(Problem(part, failed.diagnostics[0]))


def _wanted(project: Project) -> list[Environment]:
    """All environments; with -env only that one, and those that it is tied to."""
    chosen = current()
    everything = list(project.environments.values())
    if chosen is None:
        return everything
    return [
        one for one in everything if one.name in (chosen.name, chosen.twin_of) or one.twin_of == chosen.name
    ]


def _no_environment(project: Project) -> Diagnostic:
    return error(
        "No environments",
        f"{project.path.name} declares no environment, and a report is about environments.",
        mend="Declare one: [environments.NAME].",
    )


COMMANDS = {"report": report}
