"""Two environments side by side, as one page that needs nothing from elsewhere, on a phone and in print too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twinfra.environments.twins.report import Entry, Report
from twinfra.environments.twins.rows import verdict
from twinfra.report.differences import entries_table, inputs_table
from twinfra.report.frame import document
from twinfra.report.markup import Markup, element
from twinfra.report.wording import counted

SCRIPT = """
const field = document.querySelector(".search input");
field?.addEventListener("input", () => {
  const wanted = field.value.trim().toLowerCase();
  for (const part of document.querySelectorAll("tbody.rows"))
    part.hidden = wanted !== "" && !part.textContent.toLowerCase().includes(wanted);
});
""".strip()


def page(report: Report) -> str:
    """The whole page."""
    return document(" and ".join(report.names), _body(report), script=SCRIPT)


def _body(report: Report) -> Iterator[Markup]:
    yield element("h1", " and ".join(report.names))
    yield element("p", verdict(report), cls=f"verdict {'good' if report.twins else 'bad'}")
    what = counted(report.compared, "deployed object" if report.deployed else "object")
    yield element(
        "p",
        f"{what} compared, {report.differing:,} of them differ in something.",
        cls="soft",
    )
    field = element(
        "input",
        type="search",
        placeholder="Filter by object, attribute, value or input",
        aria_label="Filter",
    )
    yield element("p", field, cls="search")
    yield element("h2", "Inputs that differ")
    if report.inputs:
        yield element("div", inputs_table(report), cls="panel")
    else:
        yield element("p", "All inputs are the same.")
    yield from _section(
        report, "Findings", "Differences that no declared parameter explains.", report.findings, True
    )
    yield from _section(report, "Outfits", "What declared parameters change.", report.outfits, False)
    if report.notes:
        yield element("h2", "Notes")
        yield element("ul", (element("li", note.text) for note in report.notes))


def _section(
    report: Report, title: str, explained: str, entries: Sequence[Entry], findings: bool
) -> Iterator[Markup]:
    if entries:
        yield element("h2", title)
        yield element("p", explained, cls="soft")
        table, *remarks = entries_table(report, entries, findings=findings)
        yield element("div", table, cls="panel")
        yield from remarks
