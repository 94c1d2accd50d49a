"""Two environments side by side, as text: findings first, then what declared parameters change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from twinfra.cli.render.style import Style
from twinfra.environments.twins.report import Entry, Kind, Report, Shown
from twinfra.environments.twins.rows import (
    OPEN,
    Row,
    around_difference,
    because,
    is_open,
    left_out,
    shown_rows,
    structure,
    verdict,
)

_COLOURS = ("cyan", "yellow")
_GAP = 2


def render(report: Report, style: Style) -> str:
    """The whole report."""
    return "\n".join(_Page(report, style).lines()) + "\n"


class _Page:
    def __init__(self, report: Report, style: Style) -> None:
        self._report = report
        self._style = style
        self._width = min(style.width, 120)
        self._column = (self._width - 2) // 4
        self._name = self._width - 2 * (self._column + _GAP)

    def lines(self) -> Iterator[str]:
        report = self._report
        yield self._heading()
        yield from self._inputs()
        if report.findings:
            rows, others = shown_rows(report.findings)
            yield ""
            yield self._style("Findings: differences that no declared parameter explains", "bold", "red")
            yield from self._rows(rows)
            yield from self._left_out(others)
        if report.outfits:
            rows, others = shown_rows(report.outfits)
            yield ""
            yield self._style("Outfits: what declared parameters change", "bold")
            yield from self._rows(rows)
            yield from self._left_out(others)
        if report.notes:
            yield ""
            yield self._style("Notes", "bold")
            for note in report.notes:
                yield from self._wrapped(note.text, 2)
        yield ""
        what = "deployed objects" if report.deployed else "objects"
        things = what if report.compared != 1 else what.removesuffix("s")
        verb = "differs" if report.differing == 1 else "differ"
        yield f"{report.compared} {things} compared, {report.differing} of them {verb} in something."
        yield self._style(verdict(report), "bold", "green" if report.twins else "red")

    def _heading(self) -> str:
        names = [
            self._style(_cut(name, self._column).ljust(self._column), "bold", colour)
            for name, colour in zip(self._report.names, _COLOURS, strict=True)
        ]
        return (" " * (self._name + _GAP) + (" " * _GAP).join(names)).rstrip()

    def _inputs(self) -> Iterator[str]:
        if not self._report.inputs:
            yield "All inputs are the same."
            return
        yield self._style("Inputs that differ", "bold")
        for one in self._report.inputs:
            yield from self._side_by_side(one.input.name, one.values, 2, mark="" if one.declared else "!")
        if any(not one.declared for one in self._report.inputs):
            yield from self._wrapped("! is no declared parameter", 4)

    def _rows(self, rows: Sequence[Row]) -> Iterator[str]:
        address = ""
        for row in rows:
            entry = row.entry
            shown = f"{entry.address} and {row.more:,} more" if row.more else entry.address
            if shown != address:
                yield from self._wrapped(shown, 2)
                address = shown
            yield from self._entry(entry)

    def _entry(self, entry: Entry) -> Iterator[str]:
        if entry.kind in (Kind.MODULE, Kind.RESOURCE, Kind.INSTANCE):
            yield f"    {structure(entry, self._report.names)}"
        else:
            path = entry.path or "value"
            yield from self._side_by_side(path, entry.values, 4)
            if is_open(entry):
                yield from self._wrapped(OPEN, 6)
            what = structure(entry, self._report.names)
            if what:
                yield from self._wrapped(what, 6)
        yield from self._wrapped(because(entry), 6, "dim")
        for reason in entry.reasons:
            yield from self._wrapped(f"reason: {reason}", 6, "dim")

    def _left_out(self, count: int) -> Iterator[str]:
        if count:
            yield from self._wrapped(left_out(count), 2)

    def _side_by_side(
        self, label: str, values: tuple[Shown, Shown], indent: int, mark: str = ""
    ) -> Iterator[str]:
        texts = (values[0].text, values[1].text)
        lead = mark.ljust(indent) if mark else " " * indent
        fits = all(len(text) <= self._column for text in texts)
        if fits and indent + len(label) <= self._name:
            columns = [
                self._style(text.ljust(self._column), colour)
                for text, colour in zip(texts, _COLOURS, strict=True)
            ]
            line = (lead + label).ljust(self._name + _GAP) + (" " * _GAP).join(columns)
            yield line.rstrip()
            return
        yield from self._wrapped(label, indent, lead=lead)
        width = max(map(len, self._report.names))
        for name, text, colour in zip(
            self._report.names,
            around_difference(texts, self._width - indent - 4 - width),
            _COLOURS,
            strict=True,
        ):
            yield f"{' ' * (indent + 2)}{name.ljust(width)}  {self._style(text, colour)}"

    def _wrapped(self, text: str, indent: int, *colours: str, lead: str = "") -> Iterator[str]:
        """Text in lines that fit, broken between words, or within one that is too long."""
        room = max(self._width - indent, 20)
        first = lead or " " * indent
        line = ""
        for word in text.split(" "):
            while len(word) > room:
                if line:
                    yield first + self._style(line, *colours)
                    first, line = " " * (indent + 2), ""
                    room = max(self._width - indent - 2, 20)
                    continue
                yield first + self._style(word[:room], *colours)
                first, word = " " * (indent + 2), word[room:]
                room = max(self._width - indent - 2, 20)
            if line and len(line) + 1 + len(word) > room:
                yield first + self._style(line, *colours)
                first, line = " " * (indent + 2), word
                room = max(self._width - indent - 2, 20)
            else:
                line = f"{line} {word}" if line else word
        if line:
            yield first + self._style(line, *colours)


def _cut(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"
