"""The report of an estate as text: a few lines for each environment, and one for each pair of twins."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from twinfra.cli.render.style import Style
from twinfra.environments.twins.rows import verdict as twins_verdict
from twinfra.report.cards import verdict
from twinfra.report.estate import Estate, Pair, Problem, Standing
from twinfra.report.wording import counted

_TONES = {"good": ("green",), "bad": ("red", "bold"), "warn": ("yellow",), "calm": ()}
_TITLE = 13


def render_report(estate: Estate, style: Style) -> Iterator[str]:
    """The report, line by line."""
    commit = (
        f", {estate.commit[:12]}" + (f" on {estate.branch}" if estate.branch else "") if estate.commit else ""
    )
    yield f"{style(estate.title, 'bold')}  {_time(estate.made)}{commit}"
    for problem in estate.problems:
        yield from _problem(problem, style)
    for standing in estate.standings:
        yield ""
        yield from _standing(standing, style)
    if estate.pairs:
        yield ""
    for pair in estate.pairs:
        yield from _pair(pair, style)


def _standing(standing: Standing, style: Style) -> Iterator[str]:
    word, tone = verdict(standing)
    yield f"{style(standing.name, 'bold')}  {style(word, *_TONES[tone])}"
    past, state, drift = standing.past, standing.state, standing.drift
    if past is not None and past.last is not None:
        happening = past.last.happening
        entry, body = happening.entry, happening.entry.body
        if happening.commit_id:
            dirty = ", with changes that were not committed" if body.get("dirty") else ""
            yield from _fact("runs", f"{happening.commit_id[:12]} {happening.why}{dirty}", style)
        told = " ".join(filter(None, (entry.kind, str(body.get("outcome", "")), past.last.words)))
        yield from _fact("last change", f"{told}, {_time(happening.when)} by {entry.who}", style)
    current = past.timeline.current if past is not None else None
    if past is not None and current is not None:
        changed = ", changed since" if past.timeline.changes else ""
        yield from _fact("release", f"{current.name}: {', '.join(map(str, current.models))}{changed}", style)
    if past is not None and past.timeline.unfinished is not None:
        name = past.timeline.unfinished.body.get("release")
        yield from _fact("rollback", f"to {name} did not come to its end", style)
    if drift is not None:
        last = drift.last
        found = f"{counted(last.drifted, 'object')}" if last.drifted else "none"
        yield from _fact("drift", f"{found} of {last.checked:,}, {_time(last.time)}", style)
    if state is not None:
        yield from _fact(
            "state", f"{counted(state.objects, 'object')}, serial {state.serial:,}, {state.label}", style
        )
        if standing.unrecorded:
            yield from _fact("", "It was written by something that left no receipt.", style)
    if past is not None:
        intact = "not intact: twinfra audit verify" if past.findings else "intact"
        waiting = f"; {counted(past.waiting, 'receipt')} not in it yet" if past.waiting else ""
        yield from _fact("ledger", f"{counted(past.entries, 'entry', 'entries')}, {intact}{waiting}", style)
    for problem in standing.problems:
        yield from _problem(problem, style)


def _pair(pair: Pair, style: Style) -> Iterator[str]:
    if pair.report is None:
        yield style(f"{pair.names[0]} and {pair.names[1]} were not compared.", "red", "bold")
        for problem in pair.problems:
            yield from _problem(problem, style)
    else:
        yield style(twins_verdict(pair.report), "bold", "green" if pair.report.twins else "red")


def _fact(title: str, text: str, style: Style) -> Iterator[str]:
    # What people wrote into commits and names must not steer the terminal.
    text = "".join(one if one.isprintable() else " " for one in text)
    lines = textwrap.wrap(text, max(style.width - _TITLE - 2, 20), break_on_hyphens=False) or [""]
    for number, line in enumerate(lines):
        yield f"  {(title if number == 0 else '').ljust(_TITLE)}{line}"


def _problem(problem: Problem, style: Style) -> Iterator[str]:
    one = problem.diagnostic
    yield f"  {style(one.summary, 'red' if problem.is_error else 'yellow')}"
    for text in (*one.detail.split("\n"), one.mend):
        yield from textwrap.wrap(
            text, style.width - 4, initial_indent="    ", subsequent_indent="    ", break_on_hyphens=False
        )


def _time(text: str) -> str:
    """A time for people, in UTC as it was recorded."""
    return text[:16].replace("T", " ") + "Z" if len(text) >= 16 else text
