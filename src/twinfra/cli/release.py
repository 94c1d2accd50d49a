"""`twinfra release`: making releases and looking at them; the group takes in `rollback` and `verify`, too."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.command import Group, UsageProblem, command, flag, value
from twinfra.cli.release_rollback import rollback
from twinfra.cli.release_verify import verify
from twinfra.diagnostics import DiagnosticError

if TYPE_CHECKING:
    from twinfra.diagnostics import Diagnostic
    from twinfra.environments.declaration import Environment
    from twinfra.releases.record import Model, Release
    from twinfra.releases.registry import Registry
    from twinfra.releases.timeline import Timeline
    from twinfra.state.ledger.entries import Entry
    from twinfra.state.ledger.log import Ledger


@click.group(cls=Group, name="release")
def release() -> None:
    """Releases: a version of a model and the infrastructure it runs on, recorded, shown and brought back together."""


def place_and_mend() -> tuple[str, str]:
    """How people know the state in use, and the command that applies it."""
    from twinfra.cli.environment import current
    from twinfra.cli.workspace import workspace_name

    environment = current()
    if environment is None:
        return f'The workspace "{workspace_name()}"', "twinfra apply"
    return f'The environment "{environment.name}"', f"twinfra apply -env {environment.name}"


# -- making one


@release.command("create")
@value("model", "a model's version: NAME:VERSION", multiple=True)
@flag("tag", "make a Git tag of the release's name at its commit")
@flag("move-alias", "let the registries point to these versions: MLflow's alias, SageMaker's approval")
@flag("offline", "do not ask the registries now; `release repair` tells them later")
@flag("lock", "hold the state's lock meanwhile", default=True)
@value("lock-timeout", "how long to wait for the lock, such as 30s", default="10s")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@flag("sandbox", "SageMaker is that of the embedded cloud")
@click.argument("name")
def create(
    name: str,
    model: tuple[str, ...],
    tag: bool,
    move_alias: bool,
    offline: bool,
    lock: bool,
    lock_timeout: str,
    json: bool,
    no_color: bool,
    sandbox: bool,
) -> int:
    """Record what runs now (the last apply, its commit and its outputs) together with models, as the release NAME.

    It is an entry of the ledger beside the state, and noted in MLflow and SageMaker where twinfra.toml names them.
    Exits with 1 where it was recorded, and a registry could not be told: `release repair` makes up for that.
    """
    from twinfra.cli.registries import as_warnings, registries, tell_waiting
    from twinfra.cli.state_change import opened
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.releases.record import check_name, parse_models, release_of
    from twinfra.releases.registry import pairs
    from twinfra.releases.timeline import read_timeline
    from twinfra.state.ledger.log import open_ledger

    check_name(name)
    models = parse_models(model)
    if not models:
        raise UsageProblem("Which model runs on it? Give -model NAME:VERSION, once or several times.")
    with (
        opened(
            "release create", lock=lock, lock_timeout=lock_timeout, state=None, must_exist=False
        ) as workspace,
        registries(sandbox) as found,
    ):
        ledger = open_ledger(workspace.store.backend, workspace.name)
        receipt = _releasable(ledger, workspace.store.state if workspace.store.existed else None)
        covering = [one for one in found if any(one.covers(item.name) for item in models)]
        if not offline:
            for pair in pairs(covering, models):
                pair.registry.check(pair.model, moving=move_alias)
        entry = _record(ledger, workspace.state.outputs, receipt, name, models, covering, tag, move_alias)
        made = release_of(entry)
        print_diagnostics(_clock(ledger), no_color)
        problems: list[tuple[Release, Diagnostic]] = []
        if not offline:
            _, problems = tell_waiting(read_timeline(ledger.entries()), found, ledger)
    # What is wrong with an older one is told, and is no failure of this one.
    own = [problem for about, problem in problems if about.name == name]
    print_diagnostics(as_warnings(problem for about, problem in problems if about.name != name), no_color)
    print_diagnostics(own, no_color)
    failed = bool(own)
    _say_created(made, covering, offline, failed, json, no_color)
    return 1 if failed else 0


def _releasable(ledger: Ledger, state: Any) -> Entry:
    """The receipt that is released. Raises `DiagnosticError`."""
    from twinfra.releases.creating import applied_receipt, refuse_changed

    where, again = place_and_mend()
    receipt = applied_receipt(where, again, ledger.newest())
    problem = refuse_changed(receipt, state, where, again)
    if problem is not None:
        raise DiagnosticError(problem)
    return receipt


def _record(
    ledger: Ledger,
    outputs: Any,
    receipt: Entry,
    name: str,
    models: tuple[Model, ...],
    covering: list[Registry],
    tag: bool,
    moves: bool,
) -> Entry:
    """Make the tag, and the entry; neither stays without the other. Raises `DiagnosticError`."""
    from twinfra.releases.creating import condition, release_body
    from twinfra.releases.record import RELEASE
    from twinfra.releases.tags import check_tag, make_tag, remove_tag

    where, _ = place_and_mend()
    unless = condition(name, receipt, where)
    problem = unless(ledger.entries())
    if problem is not None:
        raise DiagnosticError(problem)
    here, commit = Path.cwd(), str(receipt.body["commit"])
    tagged = check_tag(here, name, commit, making=tag)
    making = tag and not tagged
    if making:
        make_tag(here, name, commit, f"{name}: {', '.join(map(str, models))}")
    body = release_body(
        name,
        models,
        receipt,
        outputs,
        tag=name if tagged or making else "",
        registries=[one.key for one in covering],
        moves=moves,
    )
    try:
        return ledger.append(RELEASE, body, unless=unless)
    except DiagnosticError:
        if making:
            remove_tag(here, name)
        raise


def _clock(ledger: Ledger) -> list[Diagnostic]:
    """A warning where the clocks of those who wrote the ledger disagree. The order in it counts, not the times."""
    from itertools import islice

    from twinfra.diagnostics import warning
    from twinfra.environments.history import join

    found = join(islice(ledger.newest(), 2), Path.cwd())
    if not found or not found[0].clock:
        return []
    return [
        warning(
            "Clocks disagree",
            f"The release has the time {found[0].entry.time}, and {found[0].clock}. Releases are told apart by their "
            "order in the ledger, so that nothing is wrong but the times that are shown.",
            mend="Set the clock of this machine.",
        )
    ]


def _say_created(
    made: Release, covering: list[Registry], offline: bool, failed: bool, json: bool, no_color: bool
) -> None:
    if json:
        from twinfra.cli.machine.text import dumps
        from twinfra.releases.documents import release_document

        waiting = [one.key for one in covering] if offline else []
        print(dumps(release_document(made) | {"told": not (waiting or failed)}, indent=2))
        return
    from twinfra.cli.render.releases import render_release
    from twinfra.cli.render.style import standard_style

    print("\n".join(render_release(made, standard_style(no_color))))
    print()
    if made.tag:
        print(f"The Git tag is in this clone only until you push it: git push origin {made.tag}")
    if failed:
        print("The release is recorded. A registry could not be told of it: twinfra release repair")
    elif offline and covering:
        titles = " and ".join(one.title for one in covering)
        print(f"{titles} do not know of it yet: twinfra release repair")
    else:
        print(f"Released {made.name}.")


@release.command("repair")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@flag("sandbox", "SageMaker is that of the embedded cloud")
def repair(json: bool, no_color: bool, sandbox: bool) -> int:
    """Tell the model registries of releases that they do not know yet, such as after one of them was down."""
    from twinfra.cli.history import opened_ledger
    from twinfra.cli.registries import registries, tell_waiting
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.releases.timeline import read_timeline

    with opened_ledger() as ledger, registries(sandbox) as found:
        timeline = read_timeline(ledger.entries())
        told, problems = tell_waiting(timeline, found, ledger)
    print_diagnostics([problem for _, problem in problems], no_color)
    if json:
        from twinfra.cli.machine.text import dumps

        listed = [{"release": one.name, "registry": registry.key} for one, registry in told]
        print(dumps({"told": listed, "complete": not problems}))
        return 1 if problems else 0
    for one, registry in told:
        print(f"{registry.title} knows of {one.name} now.")
    if timeline.unfinished is not None:
        name = timeline.unfinished.body.get("release")
        print(f"A rollback did not come to its end. Run it again: twinfra release rollback {name}")
        return 1
    if not told and not problems:
        print("There is nothing to repair: every registry knows of every release.")
    return 1 if problems else 0


# -- looking at them


@contextmanager
def timeline_here() -> Iterator[tuple[Timeline, str]]:
    """What ran when in the environment in use, and how people know it. Raises `DiagnosticError`."""
    from twinfra.cli.history import opened_ledger
    from twinfra.releases.timeline import read_timeline

    with opened_ledger() as ledger:
        yield read_timeline(ledger.entries()), place_and_mend()[0]


def timelines() -> tuple[list[tuple[str, Timeline]], list[Diagnostic]]:
    """What ran when, by environment: of the one in use, else of all that are declared, else of the plain workspace.

    An environment that cannot be read is told as diagnostics, and keeps no other from being read.
    """
    from twinfra.cli.environment import current, project, using

    chosen = current()
    declared = project()
    environments: list[Environment | None]
    if chosen is not None:
        environments = [chosen]
    elif declared is not None and declared.environments:
        environments = list(declared.environments.values())
    else:
        environments = [None]
    found: list[tuple[str, Timeline]] = []
    problems: list[Diagnostic] = []
    for one in environments:
        with using(one):
            try:
                with timeline_here() as (timeline, _):
                    found.append((one.name if one is not None else "", timeline))
            except DiagnosticError as failed:
                problems += failed.diagnostics
    return found, problems


@release.command("list")
@value("n", "show only the newest NUMBER of each environment; 0 for all", type=int, default=20)
@flag("json", "print JSON")
@flag("no-color", "no colour")
def list_(n: int, json: bool, no_color: bool) -> int:
    """List releases, the newest first: of the environment in use, or of all that are declared."""
    from twinfra.cli.terminal import print_diagnostics

    if n < 0:
        raise UsageProblem("-n is a number of releases, 0 for all.")
    found, problems = timelines()
    print_diagnostics(problems, no_color)
    if json:
        from twinfra.cli.machine.text import dumps
        from twinfra.releases.documents import list_document

        print(dumps([list_document(name, timeline, n) for name, timeline in found], indent=2))
        return 1 if problems else 0
    from twinfra.cli.render.releases import render_list
    from twinfra.cli.render.style import standard_style

    style = standard_style(no_color)
    for name, timeline in found:
        for line in render_list(name, timeline, n, style):
            print(line)
    return 1 if problems else 0


@release.command("show")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@click.argument("name", required=False)
def show(json: bool, no_color: bool, name: str | None) -> int:
    """Show the release NAME, or the one in force: models, receipt, commit, outputs. Sensitive outputs are not in it."""
    with timeline_here() as (timeline, where):
        found = timeline.named(name, where)
    if json:
        from twinfra.cli.machine.text import dumps
        from twinfra.releases.documents import shown_document

        print(dumps(shown_document(found, timeline), indent=2))
        return 0
    from twinfra.cli.render.releases import render_release, render_standing
    from twinfra.cli.render.style import standard_style

    style = standard_style(no_color)
    print("\n".join([*render_release(found, style), *render_standing(found, timeline, style)]))
    return 0


@release.command("diff")
@flag("json", "print JSON")
@flag("no-color", "no colour")
@click.argument("before")
@click.argument("after", required=False)
def diff(json: bool, no_color: bool, before: str, after: str | None) -> int:
    """Tell what differs from the release BEFORE to the release AFTER, or to the one in force."""
    from twinfra.releases.comparison import compare

    with timeline_here() as (timeline, where):
        first, second = timeline.find(before, where), timeline.named(after, where)
    found = compare(first, second)
    if json:
        from twinfra.cli.machine.text import dumps
        from twinfra.releases.documents import difference_document

        print(dumps(difference_document(first, second, found), indent=2))
        return 0
    from twinfra.cli.render.releases import render_differences
    from twinfra.cli.render.style import standard_style

    print("\n".join(render_differences(first, second, found, Path.cwd(), standard_style(no_color))))
    return 0


# -- where does what run?


@command("which")
@value("model", "a model's version: NAME:VERSION, or NAME for all its versions")
@flag("json", "print JSON")
@flag("no-color", "no colour")
def which(model: str | None, json: bool, no_color: bool) -> int:
    """Say what a model runs on and ran on (-model), or what an environment runs now (-env).

    With -model all declared environments are looked at, or the one that -env names. Exits with 2 where the model
    never ran anywhere.
    """
    from twinfra.cli.environment import current
    from twinfra.cli.render.style import standard_style
    from twinfra.cli.terminal import print_diagnostics

    if model is None and current() is None:
        raise UsageProblem("Which model, or which environment? Give -model NAME:VERSION or -env NAME.")
    found, problems = timelines()
    print_diagnostics(problems, no_color)
    if model is None:
        return _what_runs(found, problems, json, no_color)
    from twinfra.releases.running import runs_of

    runs = runs_of(found, model)
    if json:
        from twinfra.cli.machine.text import dumps

        print(
            dumps(
                {"model": model, "complete": not problems, "runs": [one.document() for one in runs]}, indent=2
            )
        )
    else:
        from twinfra.cli.render.releases import render_runs

        print("\n".join(render_runs(model, runs, found, standard_style(no_color))))
    return 1 if problems else 0 if runs else 2


def _what_runs(
    found: list[tuple[str, Timeline]], problems: list[Diagnostic], json: bool, no_color: bool
) -> int:
    if problems:
        return 1
    name, timeline = found[0]
    if json:
        from twinfra.cli.machine.text import dumps
        from twinfra.releases.documents import running_document

        print(dumps(running_document(name, timeline), indent=2))
        return 0
    from twinfra.cli.render.releases import render_running
    from twinfra.cli.render.style import standard_style

    print("\n".join(render_running(name, timeline, Path.cwd(), standard_style(no_color))))
    return 0


release.add_command(rollback)
release.add_command(verify)

COMMANDS = {"release": release, "which": which}
