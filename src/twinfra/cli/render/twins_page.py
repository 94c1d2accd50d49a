"""Two environments side by side, as one page that needs nothing from elsewhere, on a phone and in print too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from html import escape

from twinfra.cli.render.twins import (
    OPEN,
    Row,
    around_difference,
    because,
    is_open,
    lacks,
    shown_rows,
    verdict,
)
from twinfra.environments.twins.report import STRUCTURE, Entry, Kind, Report, Shown

_LONGEST = 600
"""How much of a value is on the page; machines read all of it in the JSON."""

STYLE = """
:root { --ground: #fff; --ink: #1c2126; --soft: #5d6873; --line: #d9dee3; --one: #0b6e99; --two: #9a5b00;
  --good: #1a7f47; --bad: #b3261e; --band: #f5f7f9; color-scheme: light dark; }
@media (prefers-color-scheme: dark) { :root { --ground: #14181c; --ink: #e4e8ec; --soft: #98a3ae; --line: #2f3740;
  --one: #6cc4ea; --two: #e9b05c; --good: #5fd08f; --bad: #ff8a80; --band: #1b2126; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 70rem; padding: 1.5rem 1rem 4rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.2; margin: 0 0 .25rem; } h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.verdict { font-weight: 600; } .good { color: var(--good); } .bad { color: var(--bad); }
.soft { color: var(--soft); font-size: .875rem; }
td code { line-height: 1.5rem; }
code, td.value { font: .8125rem/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th { text-align: left; font-size: .8125rem; font-weight: 600; }
th, td { padding: .375rem .5rem; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere; }
th:nth-child(2), td.one { color: var(--one); } th:nth-child(3), td.two { color: var(--two); }
tr.object td { background: var(--band); font-weight: 600; } tr.why td { border-top: 0; padding-top: 0; }
tr.finding td:first-child { border-left: 3px solid var(--bad); padding-left: .5rem; }
input { width: 100%; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--ground);
  border: 1px solid var(--line); border-radius: .375rem; }
@media (max-width: 40rem) { table, tbody, tr, td { display: block; } thead { display: none; }
  td { border-top: 0; padding: .125rem 0; } tr { border-top: 1px solid var(--line); padding: .375rem 0; }
  tr.why { border-top: 0; padding-top: 0; } tr.object td { padding: .25rem .5rem; }
  td.one::before, td.two::before { content: attr(data-side) ": "; color: var(--soft); } }
@media print { body { max-width: none; padding: 0; } .search { display: none; } tr { break-inside: avoid; } }
""".strip()

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
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    one, two = (escape(name) for name in report.names)
    yield "<!doctype html>"
    yield '<html lang="en"><head><meta charset="utf-8">'
    yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
    yield f"<title>{one} and {two}</title>"
    yield f"<style>\n{STYLE}\n</style></head><body>"
    yield f"<h1>{one} and {two}</h1>"
    yield f'<p class="verdict {"good" if report.twins else "bad"}">{escape(verdict(report))}</p>'
    what = "deployed objects" if report.deployed else "objects"
    yield (
        f'<p class="soft">{report.compared:,} {what} compared, {report.differing:,} of them differ in something.'
        "</p>"
    )
    yield '<p class="search"><input type="search" placeholder="Filter by object, attribute, value or input"'
    yield 'aria-label="Filter"></p>'
    yield from _inputs(report)
    yield from _section(
        report, "Findings", "Differences that no declared parameter explains.", report.findings, True
    )
    yield from _section(report, "Outfits", "What declared parameters change.", report.outfits, False)
    if report.notes:
        yield "<h2>Notes</h2><ul>"
        yield from (f"<li>{escape(note.text)}</li>" for note in report.notes)
        yield "</ul>"
    yield f"<script>\n{SCRIPT}\n</script></body></html>"


def _head(report: Report, first: str) -> str:
    names = "".join(f"<th>{escape(name)}</th>" for name in report.names)
    return f"<table><thead><tr><th>{first}</th>{names}</tr></thead>"


def _inputs(report: Report) -> Iterator[str]:
    yield "<h2>Inputs that differ</h2>"
    if not report.inputs:
        yield "<p>All inputs are the same.</p>"
        return
    yield _head(report, "Input")
    for one in report.inputs:
        declared = "" if one.declared else '<br><span class="bad">no declared parameter</span>'
        noun = "difference" if one.effects == 1 else "differences"
        effects = f'<br><span class="soft">{one.effects:,} {noun}</span>'
        yield (
            f'<tbody class="rows"><tr><td><code>{escape(one.input.name)}</code>{declared}{effects}</td>'
            f"{_cells(report, one.values)}</tr></tbody>"
        )
    yield "</table>"


def _section(
    report: Report, title: str, explained: str, entries: Sequence[Entry], finding: bool
) -> Iterator[str]:
    if not entries:
        return
    rows, left_out = shown_rows(entries)
    yield f'<h2>{title}</h2><p class="soft">{explained}</p>'
    yield _head(report, "Attribute")
    objects: dict[str, list[Row]] = {}
    for row in rows:
        shown = f"{row.entry.address} and {row.more:,} more" if row.more else row.entry.address
        objects.setdefault(shown, []).append(row)
    for address, own in objects.items():
        yield f'<tbody class="rows"><tr class="object"><td colspan="3"><code>{escape(address)}</code></td></tr>'
        for row in own:
            yield from _row(report, row.entry, finding)
        yield "</tbody>"
    yield "</table>"
    if left_out:
        noun = "difference follows" if left_out == 1 else "differences follow"
        yield f'<p class="soft">{left_out:,} more {noun} from these: providers make such values of them.</p>'


def _row(report: Report, entry: Entry, finding: bool) -> Iterator[str]:
    owner = report.names[1 if lacks(entry.values[0]) else 0]
    what = {
        Kind.MODULE: f"only {owner} has it",
        Kind.RESOURCE: f"only {owner} has it",
        Kind.INSTANCE: f"only {owner} has it",
        Kind.ARGUMENT: f"only {owner} sets it",
        Kind.BLOCK: f"only {owner} has this block",
        Kind.DEPENDENCY: "the two depend on different objects",
    }
    path = f"<code>{escape(entry.path)}</code>" if entry.path else ""
    kind = f'<span class="soft">{escape(what[entry.kind])}</span>' if entry.kind in STRUCTURE else ""
    if is_open(entry):
        kind = f'<span class="soft">{OPEN}</span>'
    label = "<br>".join(filter(None, (path, kind)))
    mark = ' class="finding"' if finding else ""
    yield f"<tr{mark}><td>{label}</td>{_cells(report, entry.values)}</tr>"
    reasons = "".join(f"<br>Reason: {escape(reason)}" for reason in entry.reasons)
    yield f'<tr class="why"><td colspan="3" class="soft">{escape(because(entry))}{reasons}</td></tr>'


def _cells(report: Report, values: tuple[Shown, Shown]) -> str:
    texts = around_difference((values[0].text, values[1].text), _LONGEST)
    return "".join(
        f'<td class="value {side}" data-side="{escape(name, quote=True)}">{escape(text)}</td>'
        for side, name, text in zip(("one", "two"), report.names, texts, strict=True)
    )
