"""What happened in all environments: how often, and the newest of it in one list."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from twinfra.report.cards import colour
from twinfra.report.charts import WEEKS, activity
from twinfra.report.estate import Estate, Told
from twinfra.report.markup import Content, Markup, element
from twinfra.report.wording import commit_line, counted, day_text, outcome_pill, when


def history_section(estate: Estate) -> Iterator[Content]:
    """The activity of each environment, and a table of the newest entries of all."""
    known = [(one, number) for number, one in enumerate(estate.standings) if one.past is not None]
    told = [
        (line, one.name, number) for one, number in known if one.past is not None for line in one.past.newest
    ]
    if not told:
        yield element("p", "Nothing is recorded yet.", cls="soft")
        return
    today = date.fromisoformat(estate.made[:10])
    strips = [
        element(
            "div",
            element(
                "p",
                element("span", one.name, cls="env"),
                element("span", f"{counted(one.past.entries, 'entry', 'entries')} in all", cls="soft"),
            ),
            activity(one.past.days, today, one.name),
            cls=f"strip {colour(number)}",
        )
        for one, number in known
        if one.past is not None
    ]
    yield element(
        "p", f"A bar for each day of the last {WEEKS} weeks; red is what did not end well.", cls="soft"
    )
    marks = [today - timedelta(weeks=number) for number in range(WEEKS, -1, -WEEKS // 4)]
    scale = element("div", [element("span", day_text(one)) for one in marks], cls="scale soft")
    yield element("div", strips, scale, cls="panel whole")
    told.sort(key=lambda one: one[0].happening.when, reverse=True)
    head = [element("th", text, scope="col") for text in ("When", "Where", "Who", "What", "Why")]
    yield element(
        "div",
        element(
            "table",
            element("thead", element("tr", head)),
            element("tbody", [_row(*one) for one in told]),
            cls="history",
        ),
        cls="panel",
    )


def _row(line: Told, name: str, number: int) -> Markup:
    happening = line.happening
    entry, body = happening.entry, happening.entry.body
    commit = commit_line(happening.commit_id, str(body.get("branch") or ""), bool(body.get("dirty")))
    said: list[Content] = []
    if happening.why:
        said.append(element("span", happening.why, cls="subject"))
    if commit:
        author = f", {happening.commit.author}" if happening.commit is not None else ""
        said.append(element("span", commit, author, cls="soft"))
    if happening.clock:
        said.append(element("span", f"Clock: {happening.clock}.", cls="subject warn"))
    return element(
        "tr",
        element("td", when(happening.when, zone=False)),
        element("td", element("span", name, cls=f"env {colour(number)}")),
        element("td", entry.who),
        element("td", outcome_pill(str(body.get("outcome", ""))), f" {entry.kind} {line.words}", cls="what"),
        element("td", said, cls="why"),
    )
