"""A card for each environment: what it is, what runs there, what happened last, and why something is not known."""

from __future__ import annotations

from collections.abc import Iterator

from twinfra.environments.declaration import Environment
from twinfra.releases.timeline import Timeline
from twinfra.report.areas import areas
from twinfra.report.charts import shares
from twinfra.report.estate import Problem, Standing, StateFacts
from twinfra.report.markup import Content, Markup, element
from twinfra.report.wording import commit_line, counted, outcome_pill, pill, when

_KINDS = 5
COLOURS = 6


def cards(standings: tuple[Standing, ...]) -> Markup:
    """All of them, in the order of the file."""
    return element("div", [_card(one, number) for number, one in enumerate(standings)], cls="cards")


def colour(number: int) -> str:
    """The class that gives what is inside the colour of an environment, by its number."""
    return f"s{number % COLOURS}"


def verdict(standing: Standing) -> tuple[str, str]:
    """How an environment stands, in a word or two, and the tone of that."""
    if any(one.is_error and one.part in ("state", "inputs") for one in standing.problems):
        return "cannot be read", "bad"
    past, drift = standing.past, standing.drift
    if past is not None and past.findings:
        return "ledger not intact", "bad"
    if past is not None and past.last is not None:
        outcome = past.last.happening.entry.body.get("outcome")
        if outcome != "done":
            return f"last change {outcome}", "bad"
        if past.last.happening.entry.body.get("mode") == "destroy":
            return "destroyed", "calm"
    if past is not None and past.timeline.unfinished is not None:
        return "rollback unfinished", "bad"
    if drift is not None and drift.last.drifted:
        return "drifted", "warn"
    if standing.unrecorded:
        return "changed unrecorded", "warn"
    if standing.state is not None and not standing.state.objects:
        return "nothing there", "calm"
    return "in order", "good"


def problem_box(problem: Problem) -> Markup:
    """Why something is not told, and what mends it."""
    one = problem.diagnostic
    where = f" ({one.subject.filename}:{one.subject.first.line})" if one.subject is not None else ""
    mend = element("span", one.mend, cls="mend") if one.mend else None
    tone = "problem" if problem.is_error else "problem warn"
    return element("div", element("b", one.summary + where), one.detail, mend, cls=tone)


def _card(standing: Standing, number: int) -> Markup:
    word, tone = verdict(standing)
    facts = [part for title, text in _facts(standing) for part in (element("dt", title), element("dd", text))]
    return element(
        "article",
        element("header", element("h3", standing.name), pill(word, tone)),
        element("p", [[pill(text), " "] for text in _about(standing.environment)], cls="about"),
        _objects(standing.state) if standing.state is not None else None,
        element("dl", facts) if facts else None,
        [problem_box(one) for one in standing.problems],
        cls=f"card {colour(number)}",
    )


def _about(environment: Environment) -> Iterator[str]:
    if environment.sandbox:
        yield "sandbox"
    elif environment.accounts:
        yield f"account {', '.join(environment.accounts)}"
    else:
        yield "any account"
    if environment.regions:
        yield ", ".join(environment.regions)
    if environment.twin_of:
        yield f"twin of {environment.twin_of}"
    if environment.branch:
        yield f"branch {environment.branch}"
    protection = environment.protection
    if protection.clean_commit:
        yield "clean commits"
    if protection.approval:
        yield "approval"
    if protection.plan_file:
        yield "saved plans"


def _objects(state: StateFacts) -> list[Content]:
    if not state.objects:
        return []
    found = areas(state.kinds)
    kinds = [element("li", element("b", f"{count:,}"), f" {kind}") for kind, count in found[:_KINDS]]
    rest = sum(count for _, count in found[_KINDS:])
    more = element("li", element("b", f"{rest:,}"), " other") if rest else None
    return [shares(found, _KINDS), element("ul", kinds, more, cls="legend")]


def _facts(standing: Standing) -> Iterator[tuple[str, Content]]:
    past, state = standing.past, standing.state
    last = past.last if past is not None else None
    if last is not None:
        happening, body = last.happening, last.happening.entry.body
        commit = commit_line(happening.commit_id, str(body.get("branch") or ""), bool(body.get("dirty")))
        if commit:
            why = element("span", happening.why, cls="subject") if happening.why else None
            yield "Runs", [why, element("span", commit, cls="soft")]
        yield (
            "Changed",
            [
                outcome_pill(str(body.get("outcome", ""))),
                f" {happening.entry.kind} {last.words}",
                element("span", when(happening.when, year=True), f" by {happening.entry.who}", cls="soft"),
            ],
        )
    if past is not None:
        yield from _release(past.timeline)
    yield from _drift(standing)
    if state is not None:
        objects = counted(state.objects, "object")
        tainted = f", {state.tainted:,} tainted" if state.tainted else ""
        yield (
            "State",
            [
                f"{objects}{tainted}, serial {state.serial:,}",
                element("code", state.label, cls="soft"),
                element("span", _UNRECORDED, cls="warn") if standing.unrecorded else None,
            ],
        )
    if past is not None:
        entries = counted(past.entries, "entry", "entries")
        if past.findings:
            told = [[element("br"), one.text] for one in past.findings[:3]]
            yield "Ledger", element("span", f"{entries}, not intact:", told, cls="bad")
        elif past.entries:
            waiting = f"; {counted(past.waiting, 'receipt')} not in it yet" if past.waiting else ""
            yield "Ledger", f"{entries}, intact{waiting}"
        else:
            yield "Ledger", "nothing is recorded yet"


_UNRECORDED = "It was written by something that left no receipt."


def _release(timeline: Timeline) -> Iterator[tuple[str, Content]]:
    current, unfinished = timeline.current, timeline.unfinished
    if current is not None:
        models = [[element("code", str(one)), " "] for one in current.models]
        changed = pill("changed since", "warn") if timeline.changes else None
        yield "Release", [element("b", current.name), " ", changed, element("span", models, cls="subject")]
    if unfinished is not None:
        name = unfinished.body.get("release")
        yield "Rollback", element("span", f"to {name} did not come to its end", cls="bad")


def _drift(standing: Standing) -> Iterator[tuple[str, Content]]:
    drift = standing.drift
    if drift is None:
        return
    last = drift.last
    text = f"{counted(last.drifted, 'object')} of {last.checked:,}" if last.drifted else "none"
    tone = "warn" if last.drifted else "good"
    yield "Drift", [pill(text, tone), " ", element("span", "looked at ", when(last.time), cls="soft")]
