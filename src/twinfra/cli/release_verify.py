"""`twinfra release verify`: does the receipt of a release still hold against code, state, cloud and registries?"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from twinfra.cli.command import command
from twinfra.cli.options import Shared, shared, take_shared
from twinfra.diagnostics import DiagnosticError

if TYPE_CHECKING:
    from twinfra.cli.running import Run
    from twinfra.releases.record import Release
    from twinfra.releases.verification import Check

BROKEN = 2
"""The exit code where a release does not hold any more."""


@command("verify")
@shared
@click.argument("name", required=False)
def verify(name: str | None, **options: Any) -> int:
    """Hold the release NAME, or the one in force, against its commit, the state, the cloud and the registries.

    Reads only, under the state's lock. Exits with 0 where it holds, 2 where it does not, 1 where that cannot be told.
    """
    from twinfra.cli.history import opened_ledger
    from twinfra.cli.registries import registries
    from twinfra.cli.release import place_and_mend
    from twinfra.releases.registry import pairs
    from twinfra.releases.tags import commit_of_tag
    from twinfra.releases.timeline import read_timeline
    from twinfra.releases.verification import check_models, check_receipt, check_tag

    common = take_shared(options)
    with opened_ledger() as ledger:
        entries = ledger.entries()
    timeline = read_timeline(entries)
    where, _ = place_and_mend()
    release = timeline.named(name, where)
    current = timeline.current
    in_force = current is not None and current.name == release.name
    found = [check_receipt(release, entries)]
    tag = check_tag(release, commit_of_tag(Path.cwd(), release.tag) if release.tag else "")
    found += [tag] if tag is not None else []
    found += _against_what_is_there(release, common)
    with registries(common.sandbox) as known:
        found += check_models(release, pairs(known, release.models), in_force)
    return _tell(release, in_force, found, common)


def _against_what_is_there(release: Release, common: Shared) -> list[Check]:
    """Code, inputs, state and cloud; what cannot be looked at is told as such."""
    from twinfra.cli.running import work
    from twinfra.environments.checkout import materialised
    from twinfra.releases.verification import Check

    # The answer is one document; the events of a run are many.
    quiet = replace(common, json=False, input=False)
    try:
        with (
            materialised(Path.cwd(), release.commit) as checkout,
            work(quiet, "drift", at=checkout, document=common.json) as run,
        ):
            return _look(run, release)
    except DiagnosticError as failed:
        first = failed.diagnostics[0]
        return [Check("code", None, " ".join(f"{first.summary}: {first.detail} {first.mend}".split()))]


def _look(run: Run, release: Release) -> list[Check]:
    from twinfra.cli.environment import current
    from twinfra.engine import api
    from twinfra.engine.changes import Action
    from twinfra.environments.declaration import load_project
    from twinfra.environments.drift.detection import detect
    from twinfra.environments.drift.rules import Noise, read_rules
    from twinfra.environments.fingerprint import fingerprint, shared_key, volatile_rules
    from twinfra.releases.verification import Check, check_cloud, check_digests, check_state

    assert run.at is not None
    workspace = run.workspace
    state = workspace.state
    declared = load_project(run.at.source)
    now = fingerprint(
        run.configuration,
        run.inputs,
        state,
        run.providers,
        workspace=workspace.name,
        key=shared_key(workspace.store.backend, workspace.name),
        volatile=volatile_rules(declared),
    )
    found = list(check_digests(release, now))
    other = check_state(release, state)
    if other is not None:
        found = [one for one in found if one.part != "state"] + [other]
    settings = api.PlanOptions(parallelism=run.parallelism, workspace=workspace.name)
    result = api.plan(run.configuration, state, run.inputs, run.providers, settings, stop=run.stop)
    if result.diagnostics.has_errors:
        first = result.diagnostics.errors[0]
        return [*found, Check("cloud", None, f"{first.summary}: {first.detail}")]
    environment = current()
    rules = read_rules(declared)
    noise = Noise(rules, datetime.now(UTC).date(), environment.name if environment is not None else "")
    report = detect(result.plan, run.configuration, run.providers, state, noise)
    drifted = {str(one.address) for one in result.plan.drift}
    pending = [
        str(one.address)
        for one in result.plan.changes
        if one.action not in (Action.NO_OP, Action.READ) and str(one.address) not in drifted
    ]
    return [*found, check_cloud(report, pending)]


def _tell(release: Release, in_force: bool, found: list[Check], common: Shared) -> int:
    broken = any(one.holds is False for one in found)
    unknown = any(one.holds is None for one in found)
    code = BROKEN if broken else 1 if unknown else 0
    if common.json:
        from twinfra.cli.machine.text import dumps

        document = {
            "release": release.name,
            "in_force": in_force,
            "holds": False if broken else None if unknown else True,
            "checks": [one.document() for one in found],
        }
        print(dumps(document, indent=2))
        return code
    from twinfra.cli.render.history import cut
    from twinfra.cli.render.style import standard_style

    style = standard_style(common.no_color)
    colours = {True: "green", False: "red", None: "yellow"}
    words = {True: "holds", False: "broken", None: "unknown"}
    print(style(release.name, "bold") + ("" if in_force else " (not in force)"))
    for one in found:
        for number, line in enumerate(_wrapped(cut(one.text, 10 * style.width), style.width - 20)):
            mark = style(f"{words[one.holds]:<8}", colours[one.holds]) if number == 0 else " " * 8
            print(f"  {one.part if number == 0 else '':<8} {mark} {line}")
    if broken:
        print(f"\n{style('It does not hold any more.', 'red', 'bold')}")
    elif unknown:
        print(f"\n{style('Not all of it could be looked at.', 'yellow', 'bold')}")
    else:
        print(f"\n{style('It holds.', 'green', 'bold')}")
    return code


def _wrapped(text: str, width: int) -> list[str]:
    import textwrap

    return textwrap.wrap(text, width) or [""]
