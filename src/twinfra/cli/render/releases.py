"""Releases, what runs where, and what differs between two of them, as text of 80 columns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from twinfra.cli.render.history import cut, time_text
from twinfra.cli.render.style import Style
from twinfra.environments.git import read_commits
from twinfra.releases.comparison import Difference
from twinfra.releases.record import DIGESTS, Release
from twinfra.releases.running import ModelRun
from twinfra.releases.timeline import Timeline
from twinfra.state.ledger.entries import Entry

_DIGEST = len("sha256:") + 16
_ID = 12
_SHOWN = 5


def render_release(release: Release, style: Style) -> Iterator[str]:
    """A release by itself."""
    entry, receipt = release.entry, release.receipt
    applied = time_text(str(receipt.get("finished", "")))
    yield style(release.name, "bold")
    lines = [
        ("released", f"{time_text(entry.time)} by {entry.who}@{entry.host} (entry {entry.n})"),
        ("models", ", ".join(map(str, release.models))),
        ("commit", f"{release.commit[:_ID]} {entry.body.get('branch') or ''}".rstrip()),
        ("", str(entry.body.get("subject") or "")),
        ("tag", release.tag),
        ("applied", f"{applied} (entry {receipt.get('n')}), serial {receipt.get('serial')}"),
        *((name, str(receipt.get(name, ""))[:_DIGEST]) for name in DIGESTS),
    ]  # fmt: skip
    for name, text in lines:
        if text:
            yield cut(f"  {name:<9} {text}", style.width)
    for name, output in release.outputs.items():
        yield cut(f"  output    {name} = {_output(output)}", style.width)
    for name in entry.body.get("sensitive") or ():
        yield cut(f"  output    {name} is sensitive, and not recorded", style.width)


def render_standing(release: Release, timeline: Timeline, style: Style) -> Iterator[str]:
    """How a release stands: since when it is in force, and who does not know of it."""
    current = timeline.current
    if current is not None and current.name == release.name:
        period = timeline.period
        assert period is not None
        how = "again, by a rollback, " if period.back else ""
        yield f"  {'stands':<9} {style('in force', 'green')} {how}since {time_text(period.by.time)}"
        yield from _since(timeline.changes, style)
    else:
        yield f"  {'stands':<9} not in force"
    waiting = timeline.waiting(release)
    if waiting:
        yield style(f"  {', '.join(waiting)} does not know of it yet: twinfra release repair", "yellow")


def render_list(environment: str, timeline: Timeline, most: int, style: Style) -> Iterator[str]:
    """A line for each release, the newest first."""
    if environment:
        yield style(environment, "bold")
    found = list(reversed(timeline.releases.values()))
    if not found:
        yield "  No release yet."
    shown = found[:most] if most else found
    width = max((len(one.name) for one in shown), default=0)
    current = timeline.current
    for one in shown:
        here = current is not None and one.name == current.name
        models = ", ".join(map(str, one.models))
        waiting = "  (not registered)" if timeline.waiting(one) else ""
        line = cut(
            f"{'*' if here else ' '} {one.name:<{width}}  {time_text(one.entry.time)}  {one.entry.who}  "
            f"{one.commit[:_ID]}  {models}{waiting}",
            style.width,
        )
        yield style(line, "green") if here else line
    if len(shown) < len(found):
        yield f"  There are older ones: twinfra release list -n {most * 5}"
    if current is not None:
        yield from _since(timeline.changes, style)
    if timeline.unfinished is not None:
        yield _unfinished(timeline.unfinished, style)


def render_running(environment: str, timeline: Timeline, directory: Path, style: Style) -> Iterator[str]:
    """What an environment runs now."""
    yield style(environment or "The workspace in use", "bold")
    current, period, last = timeline.current, timeline.period, timeline.last
    if current is None or period is None:
        yield "  release   none is in force"
    else:
        yield cut(f"  release   {current.name} since {time_text(period.by.time)}", style.width)
        for model in current.models:
            yield cut(f"  model     {model}", style.width)
        if timeline.waiting(current):
            yield style("  A registry does not know of it yet: twinfra release repair", "yellow")
    if last is None:
        yield "  applied   nothing is recorded"
    else:
        body = last.body
        commit = str(body.get("commit") or "")
        outcome = "" if body.get("outcome") == "done" else f", {body.get('outcome')}"
        yield cut(
            f"  applied   {time_text(str(body.get('finished') or last.time))} by {last.who} "
            f"({last.kind}, entry {last.n}{outcome})",
            style.width,
        )
        if commit:
            known = read_commits(directory, [commit])
            subject = known[commit].subject if commit in known else str(body.get("subject") or "")
            dirty = ", with changes that were not committed" if body.get("dirty") else ""
            yield cut(f"  commit    {commit[:_ID]} {subject}{dirty}", style.width)
    if current is not None:
        yield from _since(timeline.changes, style)
    if timeline.unfinished is not None:
        yield _unfinished(timeline.unfinished, style)


def render_runs(
    model: str, runs: list[ModelRun], timelines: Iterable[tuple[str, Timeline]], style: Style
) -> Iterator[str]:
    """Where a model runs and ran."""
    yield style(model, "bold")
    for one in runs:
        period = one.period
        until = "now" if one.now else time_text(period.ended.time) if period.ended is not None else ""
        what = "runs on" if one.now else "ran on"
        version = "" if ":" in model else f" with version {one.model.version}"
        where = f"{one.environment}: " if one.environment else ""
        head = f"  {where}{what} {period.release.name}{version}"
        yield cut(style(head, "green") if one.now and style.colour else head, style.width)
        back = ", by a rollback" if period.back else ""
        yield cut(f"      {time_text(period.by.time)} to {until}{back}", style.width)
        yield cut(
            f"      commit {period.release.commit[:_ID]} {period.release.entry.body.get('subject')}",
            style.width,
        )
        if one.changed:
            yield style("      changed since, without a release", "yellow")
    if not runs:
        names = sorted(
            {str(item) for _, one in timelines for it in one.releases.values() for item in it.models}
        )
        yield "  It ran nowhere that is recorded."
        if names:
            yield cut(
                f"  Recorded are: {', '.join(names[:_SHOWN])}{' ...' if len(names) > _SHOWN else ''}",
                style.width,
            )


def render_differences(
    before: Release, after: Release, found: list[Difference], directory: Path, style: Style
) -> Iterator[str]:
    """What differs between two releases."""
    yield style(f"{before.name} -> {after.name}", "bold")
    if not found:
        yield "  Nothing differs: the same models, code, inputs, state and outputs."
    for one in found:
        name = f"{one.part} {one.name}".rstrip()
        if one.part == "output":
            yield cut(f"  {name}: {_output(one.before)} -> {_output(one.after)}", style.width)
        elif one.part == "commit":
            yield f"  commit: {one.before[:_ID]} -> {one.after[:_ID]}"
            known = read_commits(directory, [one.before, one.after])
            for id, release in ((one.before, before), (one.after, after)):
                subject = known[id].subject if id in known else release.entry.body.get("subject")
                yield cut(f"      {id[:_ID]} {subject}", style.width)
        elif one.part in DIGESTS:
            yield f"  {name}: {str(one.before)[:_DIGEST]} -> {str(one.after)[:_DIGEST]}"
        else:
            yield cut(f"  {name}: {one.before or '(none)'} -> {one.after or '(none)'}", style.width)


def _since(changes: list[Entry], style: Style) -> Iterator[str]:
    if changes:
        listed = ", ".join(f"{one.kind} (entry {one.n}, {one.who})" for one in changes[-3:])
        more = f"{len(changes) - 3} more and " if len(changes) > 3 else ""
        yield style(cut(f"  changed since, without a release: {more}{listed}", style.width), "yellow")


def _unfinished(entry: Entry, style: Style) -> str:
    name, outcome = entry.body.get("release"), entry.body.get("outcome")
    return style(
        cut(f"  The rollback to {name} (entry {entry.n}) {outcome}: run it again, or apply.", style.width),
        "red",
    )


def _output(output: Any) -> str:
    if output is None:
        return "(none)"
    if "sha256" in output:
        return f"{output['bytes']} bytes, sha256:{output['sha256'][:16]}"
    from twinfra.cli.machine.text import dumps

    return dumps(output.get("value"))
