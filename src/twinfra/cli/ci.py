"""`twinfra ci`: writes pipelines for GitHub, GitLab and Jenkins, and is what their steps call."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.ci_plan import DIRECTORY, REVIEWED, clear, named_environment, plan, prepare
from twinfra.cli.command import Group, UsageProblem, command, flag, value
from twinfra.diagnostics import DiagnosticError, error, nearest

if TYPE_CHECKING:
    from twinfra.environments.declaration import Project
    from twinfra.pipelines.forge.choosing import Platform
    from twinfra.pipelines.outcome import Outcome
    from twinfra.pipelines.settings import Settings

DIFFERS = 2
"""The exit code of `-check` where the file is not what would be generated."""
APPROVED = "TWINFRA_APPROVED"


@click.group(cls=Group, name="ci")
def ci() -> None:
    """Pipelines that plan on a pull request and apply exactly that plan on merge, and what their steps call."""


def _generating(function: Any) -> Any:
    for option in (
        value("out", "write to this file"),
        flag("check", "write nothing; exit with 2 when the file is not what would be generated"),
        flag("force", "overwrite generated regions that were edited by hand"),
        flag("json", "print JSON"),
        flag("no-color", "no colour"),
    ):
        function = option(function)
    return function


@command("github")
@_generating
def github(**options: Any) -> int:
    """Write a workflow for GitHub Actions: .github/workflows/twinfra.yml."""
    return _generate("github", **options)


@command("gitlab")
@_generating
def gitlab(**options: Any) -> int:
    """Write a pipeline for GitLab: .gitlab-ci.yml."""
    return _generate("gitlab", **options)


@command("jenkins")
@_generating
def jenkins(**options: Any) -> int:
    """Write a declarative pipeline for Jenkins, for a multibranch job: Jenkinsfile."""
    return _generate("jenkins", **options)


def _generate(platform: str, out: str | None, check: bool, force: bool, json: bool, no_color: bool) -> int:
    from twinfra.cli.machine.text import dumps
    from twinfra.cli.terminal import print_diagnostics
    from twinfra.pipelines.generating import CURRENT, make_pipeline, write_pipeline

    if check and force:
        raise UsageProblem("-check writes nothing, so that -force has no place beside it.")
    made = make_pipeline(platform, *_project(), Path.cwd(), out)
    if made.edited and not (check or force):
        raise DiagnosticError(made.edited)
    if made.edited:
        print_diagnostics(made.edited, no_color)
    differs = made.status != CURRENT
    if differs and not check:
        write_pipeline(made)
    if json:
        shown = {"path": str(made.path), "status": made.status, "written": differs and not check}
        print(dumps({**shown, "edited": [one.detail for one in made.edited]}))
    elif check:
        print(f"{made.path} is {'not ' if differs else ''}what would be generated.")
    else:
        print(f"{made.path}: {made.status}.")
        if made.status == "new":
            print("\n" + "\n".join(made.next_steps))
    return DIFFERS if differs and check else 0


@command("changed")
@click.argument("base")
@flag("json", "print JSON")
@flag("names", "print the names of the environments alone, as a JSON list")
@flag("no-color", "accepted; there is no colour here")
def changed(base: str, json: bool, names: bool, no_color: bool) -> int:
    """Show which environments are touched by what changed since the history of HEAD left that of BASE.

    That is a change of the configuration, its modules, the files that they read, files of variables, or the
    environment's declaration.
    """
    from twinfra.cli.machine.text import dumps
    from twinfra.cli.workspace import load_configuration
    from twinfra.pipelines.touched import find_change

    project, settings = _project()
    order = [one.name for one in settings.stages]
    change = find_change(Path.cwd(), load_configuration(), project, base, order)
    if names:
        print(dumps([one.environment for one in change.touched]))
    elif json:
        touched = [{"name": one.environment, "reasons": list(one.reasons)} for one in change.touched]
        print(dumps({"base": change.base, "head": change.head, "environments": touched}))
    elif not change.touched:
        print(f"Nothing changed since {change.base[:12]} that an environment is made of.")
    else:
        for one in change.touched:
            print(one.environment)
            for reason in one.reasons:
                print(f"  {reason}")
    return 0


@command("fetch")
@value("dir", "where plans and outcomes lie", default=DIRECTORY)
@value("approved", f"rather the plan with this digest, which waited for approval; {APPROVED} where not given")
@flag("json", "print JSON")
@flag("no-color", "accepted; there is no colour here")
def fetch(dir: str, approved: str | None, json: bool, no_color: bool) -> int:
    """Fetch the plan of the pull request that HEAD was merged from into DIR/reviewed/NAME.plan. Needs -env NAME.

    It comes from the job that kept it. Where there is none, nothing is written, and the exit code is 0.
    """
    from twinfra.cli.machine.text import dumps
    from twinfra.pipelines.fetching import Fetched, fetch_approved, fetch_reviewed
    from twinfra.pipelines.outcome import plan_file

    name = named_environment("fetch").name
    path = plan_file(Path(dir) / REVIEWED, name)
    clear(path)
    platform = _platform(dir)
    digest = approved if approved is not None else os.environ.get(APPROVED, "").strip()
    commit = _head()
    if digest and fetch_approved(platform, commit, name, digest, path):
        fetched = Fetched(0, digest)
        text = f"The approved plan of {name} is here: {digest}"
    else:
        fetched = fetch_reviewed(platform, commit, name, path)
        where = f"pull request {fetched.number}" if fetched.number else "no pull request"
        kept = (
            f"its plan of {name} is here: {fetched.digest}"
            if fetched.digest
            else f"no plan of {name} is kept"
        )
        text = f"HEAD comes from {where}; {kept}."
    document = {
        "found": bool(fetched.digest),
        "pull_request": fetched.number or None,
        "plan": fetched.digest or None,
    }
    print(dumps(document) if json else text)
    return 0


@command("comment")
@value("dir", "where plans and outcomes lie", default=DIRECTORY)
@value("expect", "a JSON list of environments that must have an outcome: those without one have failed")
@value("exit-code", "with -env NAME: say that the apply of this environment ended so", type=int)
@flag("dry-run", "print the comment, and call nobody")
@flag("json", "print JSON")
@flag("no-color", "accepted; there is no colour here")
def comment(
    dir: str, expect: str | None, exit_code: int | None, dry_run: bool, json: bool, no_color: bool
) -> int:
    """Say on the pull request what lies in DIR: in one comment, which is changed when it is there already.

    After a merge, and with -env NAME, only the sections of the environments at hand are changed.
    """
    from twinfra.cli.environment import current
    from twinfra.cli.machine.text import dumps
    from twinfra.pipelines.comment import mark, render
    from twinfra.pipelines.forge.choosing import secrets_of
    from twinfra.pipelines.posting import post

    environment = current()
    if exit_code is not None and environment is None:
        raise UsageProblem("-exit-code is that of one environment: give -env NAME.")
    _, settings = _project()
    order = tuple(one.name for one in settings.stages)
    if environment is not None:
        order = (environment.name,)
    outcomes = _outcomes(Path(dir), order, expect, exit_code)
    secrets = secrets_of(os.environ, settings.secrets)
    within = _within()
    if dry_run:
        shown = render(outcomes, limit=65_000, secrets=secrets, within=within)
        print(dumps({"text": shown}) if json else shown.rstrip("\n"))
        return 0
    platform = _platform(dir)
    number = platform.forge.current()
    whole = number is not None and environment is None
    if number is None:
        request = platform.forge.merged(_head())
        number = request.number if request is not None else None
    if number is None:
        print(dumps({"pull_request": None}) if json else "HEAD comes from no pull request: nothing is said.")
        return 0

    def text(before: str) -> str:
        kept = "" if whole else before
        return render(outcomes, limit=platform.forge.limit, secrets=secrets, kept=kept, within=within)

    posted = post(platform.forge, number, text, mark(within))
    if json:
        print(dumps({"pull_request": number, "comment": posted.id, "new": posted.new}))
    else:
        print(f"Pull request {number}: the comment is {'new' if posted.new else 'changed'}.")
    return 0


def _outcomes(
    directory: Path, order: tuple[str, ...], expect: str | None, exit_code: int | None
) -> list[Outcome]:
    import json

    from twinfra.pipelines.outcome import FAILED, READY, UNTOUCHED, Outcome, read_outcomes

    found = read_outcomes(directory, order)
    if exit_code is not None:
        found = [one.ended(exit_code) if one.status == READY else one for one in found]
    try:
        expected = json.loads(expect) if expect else []
    except ValueError:
        expected = None
    if not isinstance(expected, list) or not all(isinstance(one, str) for one in expected):
        raise UsageProblem('-expect is a JSON list of names, such as ["staging"].')
    for name in expected:
        if name not in order:
            raise UsageProblem(
                f'-expect names "{name}". {nearest(name, order) or "It is not asked for here."}'
            )
    missing = set(expected) - {one.environment for one in found}
    note = "Nothing was planned: its job, or a check before it, failed. The log tells why."
    found += [Outcome(name, FAILED, notes=(note,)) for name in order if name in missing]
    return sorted(
        (one for one in found if one.status != UNTOUCHED), key=lambda one: order.index(one.environment)
    )


def _project() -> tuple[Project, Settings]:
    from twinfra.cli.environment import needed_project
    from twinfra.pipelines.settings import read_settings

    project = needed_project()
    return project, read_settings(project)


def _platform(directory: str) -> Platform:
    from twinfra.pipelines.forge.choosing import find_platform

    return find_platform(os.environ, directory, _within())


def _within() -> str:
    """The configuration's directory from the top of the repository on; `.` for the top."""
    from twinfra.environments.git import describe

    facts = describe(Path.cwd())
    return facts.prefix.as_posix() if facts is not None else "."


def _head() -> str:
    from twinfra.environments.git import describe, not_in_repository

    facts = describe(Path.cwd())
    if facts is None or not facts.commit:
        raise DiagnosticError(
            not_in_repository(Path.cwd())
            if facts is None
            else error("No commit", "There is no commit here yet.", mend="Commit the configuration.")
        )
    return facts.commit


for _one in (github, gitlab, jenkins, changed, plan, comment, fetch, prepare):
    ci.add_command(_one)

COMMANDS = {"ci": ci}
