"""An estate as one page that needs nothing from elsewhere and runs no script, on a phone and in print too."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from twinfra.environments.twins.report import Report
from twinfra.environments.twins.rows import verdict as twins_verdict
from twinfra.report.cards import COLOURS, cards, colour, problem_box
from twinfra.report.differences import LONGEST, entries_table
from twinfra.report.drifting import drift_section
from twinfra.report.estate import Estate, Pair, Parameter
from twinfra.report.frame import document
from twinfra.report.happenings import history_section
from twinfra.report.markup import Content, Markup, element
from twinfra.report.models import models_section
from twinfra.report.page_style import STYLE
from twinfra.report.tiles import tiles
from twinfra.report.wording import commit_line, counted, pill, when

_ROWS = 60
"""So many rows of a table of differences: a page is looked through, not searched."""


def page(estate: Estate) -> str:
    """The whole page."""
    return document(f"{estate.title}: estate report", _body(estate), STYLE)


def _body(estate: Estate) -> Iterator[Markup]:
    sections = [
        ("environments", "Environments", _environments(estate)),
        ("twins", "Twins", _twins(estate)),
        ("models", "Models", models_section(estate)),
        ("drift", "Drift", drift_section(estate)),
        ("history", "History", history_section(estate)),
    ]
    yield _top(estate)
    yield element("nav", [element("a", title, href=f"#{id}") for id, title, _ in sections])
    yield tiles(estate)
    yield from map(problem_box, estate.problems)
    yield element(
        "main",
        [
            element("section", element("h2", title), "\n", content, "\n", id=id)
            for id, title, content in sections
        ],
    )
    yield element(
        "footer",
        f"Made by twinfra report, version {estate.version}. Times are in UTC. Sensitive values are not on this page.",
    )


def _top(estate: Estate) -> Markup:
    commit = commit_line(estate.commit, estate.branch, estate.dirty)
    return element(
        "header",
        element("div", element("p", "Estate report", cls="eyebrow"), element("h1", estate.title)),
        element(
            "p",
            when(estate.made, year=True),
            [element("br"), "Code here: ", commit] if commit else None,
            cls="soft",
        ),
        cls="top",
    )


def _environments(estate: Estate) -> Content:
    return cards(estate.standings)


# -- twins


def _twins(estate: Estate) -> Iterator[Content]:
    numbers = {one.name: number for number, one in enumerate(estate.standings)}
    values = _values(estate.parameters, list(numbers)) if estate.parameters else None
    if not estate.pairs:
        yield element("p", "No environment declares twin_of, so that none is compared.", cls="soft")
    if estate.pairs or values:
        yield element("div", [_verdict(one, numbers) for one in estate.pairs], values, cls="panel")
    for pair in estate.pairs:
        if pair.report is not None and (pair.report.findings or pair.report.outfits or pair.report.notes):
            yield element("div", _differences(pair.report, numbers), cls="panel")


def _values(parameters: Iterable[Parameter], names: list[str]) -> Markup:
    head = [
        element("th", name, cls=f"side-{number % COLOURS}", scope="col") for number, name in enumerate(names)
    ]
    rows = [
        element(
            "tr",
            element(
                "td",
                element("code", one.name),
                None if one.declared else [" ", pill("not declared", "bad")],
            ),
            [_value(one, name, number) for number, name in enumerate(names)],
            cls="" if one.differs else "same",
        )
        for one in parameters
    ]
    return element(
        "table",
        element("thead", element("tr", element("th", "Parameter", scope="col"), head)),
        element("tbody", rows),
        cls="values",
    )


def _value(parameter: Parameter, name: str, number: int) -> Markup:
    shown = parameter.values.get(name)
    text = "not known" if shown is None else _cut(shown.text)
    side = f"value side-{number % COLOURS}" if parameter.differs and shown is not None else "value"
    return element("td", text, cls=side, data_side=name)


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _verdict(pair: Pair, numbers: dict[str, int]) -> Markup:
    one, two = (element("span", name, cls=f"env {colour(numbers[name])}") for name in pair.names)
    report = pair.report
    if report is None:
        return element(
            "div",
            element("header", element("h3", one, " and ", two), pill("not compared", "bad")),
            [problem_box(problem) for problem in pair.problems],
            cls="block",
        )
    word = pill("twins", "good") if report.twins else pill("not twins", "bad")
    compared = (
        f"{counted(report.compared, 'object')} compared, {report.differing:,} of them differ in something."
    )
    return element(
        "div",
        element("header", element("h3", one, " and ", two), word),
        element("p", f"{twins_verdict(report)} {compared}", cls="soft"),
        cls="block",
    )


def _differences(report: Report, numbers: dict[str, int]) -> Iterator[Content]:
    """Findings, folded outfits, notes."""
    sides = (numbers[report.names[0]] % COLOURS, numbers[report.names[1]] % COLOURS)
    if report.findings:
        title = f"Findings: {counted(len(report.findings), 'difference')} that no declared parameter explains"
        yield element("h3", title, cls="block bad")
        yield entries_table(report, report.findings, findings=True, sides=sides, most=_ROWS)
    if report.outfits:
        title = f"Outfits: {counted(len(report.outfits), 'difference')} that declared parameters make"
        yield element(
            "details",
            element("summary", title),
            entries_table(report, report.outfits, findings=False, sides=sides, most=_ROWS),
        )
    if report.notes:
        yield element("ul", [element("li", note.text) for note in report.notes], cls="block soft notes")
