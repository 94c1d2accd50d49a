"""Tables of what differs between two environments: their inputs, findings and outfits."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twinfra.environments.twins.report import Entry, Given, Report, Shown
from twinfra.environments.twins.rows import (
    OPEN,
    Row,
    around_difference,
    because,
    is_open,
    left_out,
    shown_rows,
    structure,
)
from twinfra.report.markup import Content, Markup, element, joined

LONGEST = 600
"""How much of a value is on a page; machines read all of it in the JSON."""


def inputs_table(report: Report, sides: tuple[int, int] = (0, 1)) -> Markup:
    """The inputs that differ. `sides`: the numbers of the colours of both."""
    return element(
        "table", _head(report, "Input", sides), (_input(report, one, sides) for one in report.inputs)
    )


def _input(report: Report, one: Given, sides: tuple[int, int]) -> Markup:
    noun = "difference" if one.effects == 1 else "differences"
    name = joined(
        element("code", one.input.name),
        None if one.declared else [element("br"), element("span", "no declared parameter", cls="bad")],
        element("br"),
        element("span", f"{one.effects:,} {noun}", cls="soft"),
    )
    return element("tbody", element("tr", element("td", name), _cells(report, one.values, sides)), cls="rows")


def entries_table(
    report: Report,
    entries: Sequence[Entry],
    *,
    findings: bool,
    sides: tuple[int, int] = (0, 1),
    most: int = 0,
) -> Iterator[Markup]:
    """A table of differences by object, and what is to be said of those that are not in it.

    `findings`: they are marked as such. `most`: so many rows at most, all where it is 0.
    """
    rows, others = shown_rows(entries)
    shown = rows[:most] if most else rows
    objects: dict[str, list[Row]] = {}
    for row in shown:
        title = f"{row.entry.address} and {row.more:,} more" if row.more else row.entry.address
        objects.setdefault(title, []).append(row)
    yield element(
        "table",
        _head(report, "Attribute", sides),
        (
            element(
                "tbody",
                element("tr", element("td", element("code", title), colspan="3"), cls="object"),
                [_row(report, row.entry, findings, sides) for row in own],
                cls="rows",
            )
            for title, own in objects.items()
        ),
    )
    if len(rows) > len(shown):
        names = " ".join(report.names)
        yield _remark(f"{len(rows) - len(shown):,} more: ", element("code", f"twinfra twins {names}"))
    if others:
        yield _remark(left_out(others))


def _remark(*content: Content) -> Markup:
    return element("p", *content, cls="soft remark")


def _head(report: Report, first: str, sides: tuple[int, int]) -> Markup:
    names = [
        element("th", name, cls=f"side-{side}", scope="col")
        for name, side in zip(report.names, sides, strict=True)
    ]
    return element("thead", element("tr", element("th", first, scope="col"), names))


def _row(report: Report, entry: Entry, finding: bool, sides: tuple[int, int]) -> Markup:
    path = element("code", entry.path) if entry.path else None
    what = OPEN if is_open(entry) else structure(entry, report.names)
    kind = element("span", what, cls="soft") if what else None
    label = [path, element("br") if path and kind else None, kind]
    reasons = [[element("br"), f"Reason: {reason}"] for reason in entry.reasons]
    return joined(
        element(
            "tr",
            element("td", label),
            _cells(report, entry.values, sides),
            cls="finding" if finding else "",
        ),
        element("tr", element("td", because(entry), reasons, colspan="3", cls="soft"), cls="why"),
    )


def _cells(report: Report, values: tuple[Shown, Shown], sides: tuple[int, int]) -> list[Markup]:
    texts = around_difference((values[0].text, values[1].text), LONGEST)
    return [
        element("td", text, cls=f"value side-{side}", data_side=name)
        for side, name, text in zip(sides, report.names, texts, strict=True)
    ]
