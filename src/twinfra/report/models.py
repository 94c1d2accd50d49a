"""Releases, and which model runs where: what is in force, and what was."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice

from twinfra.releases.record import Release
from twinfra.releases.timeline import Period, Timeline
from twinfra.report.cards import COLOURS, colour
from twinfra.report.estate import Estate
from twinfra.report.markup import Content, Markup, element
from twinfra.report.wording import commit_line, counted, pill, when

_RELEASES = 10
"""So many releases of each environment are listed."""


def models_section(estate: Estate) -> Iterator[Content]:
    """Models by environments, then the newest releases of each."""
    timelines = [
        (one.name, number, one.past.timeline if one.past is not None else None)
        for number, one in enumerate(estate.standings)
    ]
    known = [timeline for _, _, timeline in timelines if timeline is not None]
    if not any(timeline.releases for timeline in known):
        yield element(
            "p",
            "Nothing is released yet: ",
            element("code", "twinfra release create NAME -env ENVIRONMENT -model MODEL:VERSION"),
            cls="soft",
        )
        return
    running = _running(timelines)
    if running is not None:
        yield element("div", running, cls="panel")
    waiting = sum(len(timeline.all_waiting()) for timeline in known)
    if waiting:
        verb = "is" if waiting == 1 else "are"
        yield element(
            "p",
            element(
                "span", f"{counted(waiting, 'release')} {verb} not known to every registry yet: ", cls="warn"
            ),
            element("code", "twinfra release repair"),
        )
    for name, number, timeline in timelines:
        if timeline is not None and timeline.releases:
            yield element("div", _releases(name, number, timeline), cls="panel")


def _running(timelines: list[tuple[str, int, Timeline | None]]) -> Markup | None:
    """A row for each model, a column for each environment."""
    names = sorted(
        {
            model.name
            for _, _, timeline in timelines
            if timeline is not None and timeline.current is not None
            for model in timeline.current.models
        }
    )
    if not names:
        return None
    head = [element("th", name, cls=f"side-{number % COLOURS}", scope="col") for name, number, _ in timelines]
    rows = [
        element("tr", element("td", element("code", name)), [_cell(name, *one) for one in timelines])
        for name in names
    ]
    return element(
        "table",
        element("thead", element("tr", element("th", "Model", scope="col"), head)),
        element("tbody", rows),
        cls="values",
    )


def _cell(model: str, name: str, number: int, timeline: Timeline | None) -> Markup:
    if timeline is None:
        return element("td", "not known", cls="value", data_side=name)
    period = timeline.period
    version = period.release.version_of(model) if period is not None else ""
    if period is None or not version:
        return element("td", "–", cls="value", data_side=name)
    told = [period.release.name, ", since ", when(period.by.time, zone=False)]
    changed = [" ", pill("changed since", "warn")] if timeline.changes else None
    return element(
        "td",
        element("b", version),
        changed,
        element("span", told, cls="soft subject"),
        cls=f"value side-{number % COLOURS}",
        data_side=name,
    )


def _releases(name: str, number: int, timeline: Timeline) -> Iterator[Content]:
    found = list(islice(reversed(timeline.releases.values()), _RELEASES))
    more = len(timeline.releases) - len(found)
    yield element(
        "div",
        element(
            "header",
            element("h3", "Releases of ", element("span", name, cls=f"env {colour(number)}")),
            element("span", counted(len(timeline.releases), "release"), cls="soft"),
        ),
        cls="block",
    )
    head = [element("th", text, scope="col") for text in ("Release", "Models", "Made", "Commit", "In force")]
    last = {one.release.name: one for one in timeline.periods}
    yield element(
        "table",
        element("thead", element("tr", head)),
        element("tbody", [_release(one, timeline, last.get(one.name)) for one in found]),
        cls="releases",
    )
    if more:
        yield element(
            "p",
            f"{more:,} more: ",
            element("code", f"twinfra release list -env {name} -n 0"),
            cls="soft remark",
        )


def _release(release: Release, timeline: Timeline, period: Period | None) -> Markup:
    models = [[element("code", str(one)), element("br")] for one in release.models]
    tag = [element("br"), f"tag {release.tag}"] if release.tag else None
    return element(
        "tr",
        element("td", element("b", release.name)),
        element("td", models),
        element(
            "td",
            when(release.entry.time, zone=False),
            element("span", f"by {release.entry.who}", cls="soft subject"),
        ),
        element("td", commit_line(release.commit, "", False), tag, cls="soft"),
        element("td", _force(release, timeline, period)),
    )


def _force(release: Release, timeline: Timeline, period: Period | None) -> Content:
    if timeline.current is not None and timeline.current.name == release.name and period is not None:
        word = "now, by rollback" if period.back else "now"
        changed = [" ", pill("changed since", "warn")] if timeline.changes else None
        return [pill(word, "good"), changed]
    if period is not None and period.ended is not None:
        return element("span", "until ", when(period.ended.time, zone=False), cls="soft")
    return element("span", "never", cls="soft")
