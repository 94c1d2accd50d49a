"""`twinfra twins`: whether two environments differ in nothing but what their parameters say."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import click

from twinfra.cli.command import command, flag, value
from twinfra.diagnostics import Diagnostic, DiagnosticError, error

if TYPE_CHECKING:
    from collections.abc import Sequence

    from twinfra.cli.environment import Opened
    from twinfra.config.model import Configuration
    from twinfra.diagnostics import Diagnostics
    from twinfra.environments.declaration import Environment, Project
    from twinfra.environments.fingerprint import VolatileRule
    from twinfra.environments.twins.inputs import Side
    from twinfra.environments.twins.report import Report
    from twinfra.environments.twins.rules import Rules
    from twinfra.state.model import State

_SANDBOX_REGION = "us-east-1"


@command("twins")
@click.argument("first", required=False, default="")
@click.argument("second", required=False, default="")
@flag("deployed", "compare what is really there, not what the code says")
@flag("refresh", "with -deployed: read what exists first; false takes the states as recorded", default=True)
@flag("json", "print JSON, as described in docs/twins.md")
@value("html", "also write the comparison as one self-contained page to this file")
@flag("no-color", "no colour")
@flag("sandbox", "with -deployed: both environments are in the embedded cloud")
def twins(
    first: str,
    second: str,
    deployed: bool,
    refresh: bool,
    json: bool,
    html: str | None,
    no_color: bool,
    sandbox: bool,
) -> int:
    """Compare two environments: exit code 0 when they are twins, 2 when not."""
    from twinfra.cli.command import UsageProblem
    from twinfra.cli.environment import needed_project
    from twinfra.cli.terminal import Terminal
    from twinfra.cli.workspace import load_configuration
    from twinfra.environments.fingerprint import volatile_rules
    from twinfra.environments.twins.rules import read_rules

    if not refresh and not deployed:
        raise UsageProblem("-refresh=false goes with -deployed: without it no state is looked at.")
    project = needed_project()
    pair = _pair(project, first, second)
    rules = read_rules(project)
    configuration = load_configuration()
    report = _configured(configuration, pair, rules, no_color)
    if deployed:
        report = _deployed(configuration, pair, report, volatile_rules(project), refresh, sandbox)
    if html is not None:
        from twinfra.cli.terminal import write_page
        from twinfra.report.twins_page import page

        write_page(Path(html), page(report))
    if json:
        from twinfra.cli.machine.twins import twins_text

        print(twins_text(report))
    else:
        from twinfra.cli.render.twins import render

        terminal = Terminal(no_color=no_color)
        terminal.write(render(report, terminal.style))
    return 0 if report.twins else 2


def _pair(project: Project, first: str, second: str) -> tuple[Environment, Environment]:
    """The environments to compare: those named, or one and what it is a twin of, or the only such pair.

    Where none is named, `-env` or TWINFRA_ENV may name one.
    """
    from twinfra.cli.environment import current, refuse_another

    named = [one for one in (first, second) if one]
    if named:
        refuse_another(named, f"{' and '.join(named)} {'is' if second == '' else 'are'} compared")
    chosen = current() if not named else None
    first = chosen.name if chosen is not None else first
    if first and second:
        pair = project.environment(first), project.environment(second)
        if first == second:
            raise DiagnosticError(_no_pair(f"{first} is compared with itself."))
        return pair
    if first:
        one = project.environment(first)
        others = [other for other in project.environments.values() if other.twin_of == first]
        if one.twin_of:
            return project.environment(one.twin_of), one
        if len(others) == 1:
            return one, others[0]
        raise DiagnosticError(_no_pair(f"{first} declares no twin_of."))
    declared = [one for one in project.environments.values() if one.twin_of]
    if len(declared) != 1:
        found = f"{len(declared)} environments declare" if declared else "no environment declares"
        raise DiagnosticError(_no_pair(f"{found} twin_of.".capitalize()))
    return project.environment(declared[0].twin_of), declared[0]


def _no_pair(detail: str) -> Diagnostic:
    return error("No two environments", detail, mend="Name both: twinfra twins staging production.")


def _configured(
    configuration: Configuration, pair: tuple[Environment, Environment], rules: Rules, no_color: bool
) -> Report:
    """Compare what the code makes of the inputs of both; calls no cloud."""
    from twinfra.cli.environment import using
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.cli.workspace import make_providers
    from twinfra.environments.twins.compare import compare

    sides = [side_of(one, configuration) for one in pair]
    for _, warnings in sides:
        print_diagnostics(warnings, no_color)
    with using(None):
        providers = make_providers(False, configuration)
    try:
        return compare(configuration, sides[0][0], sides[1][0], providers, rules)
    finally:
        providers.close()


def _deployed(
    configuration: Configuration,
    pair: tuple[Environment, Environment],
    configured: Report,
    volatile: Sequence[VolatileRule],
    refresh: bool,
    sandbox: bool,
) -> Report:
    """Compare what the states of both say is there, refreshed unless told otherwise."""
    from twinfra.cli.environment import opened
    from twinfra.engine.providers import Providers
    from twinfra.environments.twins.comparison import in_environment
    from twinfra.environments.twins.deployed import compare_deployed

    states: list[State] = []
    for one in pair:
        with in_environment(one.name), opened(one, configuration, sandbox=sandbox) as environment:
            states.append(_state(environment, refresh))
    schemas = Providers()
    try:
        return compare_deployed(configured, states[0], states[1], schemas.schema, volatile)
    finally:
        schemas.close()


def _state(environment: Opened, refresh: bool) -> State:
    """The state of an environment; raises `DiagnosticError` where it has none, or cannot be refreshed."""
    from twinfra.engine import api

    state = environment.state()
    if state is None or not state.resources:
        raise DiagnosticError(
            error(
                "Nothing is deployed",
                f'The state in workspace "{environment.workspace}" holds nothing.',
                mend=f"Apply first: twinfra apply -env {environment.environment.name}",
            )
        )
    if not refresh:
        return state
    environment.check_cloud()
    options = api.PlanOptions(mode="refresh-only", workspace=environment.workspace)
    result = api.plan(environment.configuration, state, environment.inputs, environment.providers, options)
    result.diagnostics.raise_errors()
    return result.state


def side_of(environment: Environment, configuration: Configuration) -> tuple[Side, Diagnostics]:
    """What an environment is given, without asking anybody or calling any cloud; and warnings about it.

    Raises `DiagnosticError`.
    """
    from twinfra.cli.environment import using
    from twinfra.cli.workspace import root_inputs
    from twinfra.environments.twins.comparison import in_environment
    from twinfra.environments.twins.inputs import Side

    with using(environment), in_environment(environment.name):
        inputs, warnings = root_inputs(configuration, (), (), ask=False)
    return Side(environment.name, inputs, environment.workspace, _region(environment)), warnings


def _region(environment: Environment) -> str:
    """Where an environment is, for providers whose block does not say so."""
    if len(environment.regions) == 1:
        return environment.regions[0]
    if environment.sandbox:
        return _SANDBOX_REGION
    return os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION") or ""


COMMANDS = {"twins": twins}
