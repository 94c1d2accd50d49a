"""What of a report is listed for people, and in which words; where and in which form is up to those who show it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from twinfra.dataclass import dataclass
from twinfra.environments.twins.report import Cause, Entry, Kind, Report, Shown


@dataclass(frozen=True, slots=True)
class Row:
    """Entries that say the same of several instances of a block: the first, and how many more."""

    entry: Entry
    more: int


def gathered(entries: Iterable[Entry]) -> list[Row]:
    """Entries of one block that differ in their instance alone become one row."""
    groups: dict[object, list[Entry]] = {}
    for one in entries:
        causes = tuple((cause.input.number, cause.through) for cause in one.causes)
        lacking = tuple("absent" in value.data for value in one.values)
        key = (one.block, one.path, one.kind, causes, one.together, one.reasons, lacking)
        groups.setdefault(key, []).append(one)
    return [Row(found[0], len(found) - 1) for found in groups.values()]


def shown_rows(entries: Sequence[Entry]) -> tuple[list[Row], int]:
    """What is listed, and how many entries are left out because providers made them of what is listed."""
    places = {one.place for one in entries}
    listed = [one for one in entries if one.derived_from not in places]
    return gathered(listed), len(entries) - len(listed)


def verdict(report: Report) -> str:
    """The result in one sentence."""
    one, two = report.names
    if report.twins:
        return f"{one} and {two} are twins."
    places = {entry.place for entry in report.findings}
    count = sum(1 for entry in report.findings if entry.derived_from not in places)
    return f"{one} and {two} are not twins: {count} finding{'' if count == 1 else 's'}."


_ONLY = {
    Kind.MODULE: "has it",
    Kind.RESOURCE: "has it",
    Kind.INSTANCE: "has it",
    Kind.ARGUMENT: "sets it",
    Kind.BLOCK: "has this block",
}


def structure(entry: Entry, names: tuple[str, str]) -> str:
    """What only one side has, or that objects differ, in words; empty where the two differ in a value alone."""
    if entry.kind is Kind.DEPENDENCY:
        return "the two depend on different objects"
    what = _ONLY.get(entry.kind)
    return f"only {names[1 if _lacks(entry.values[0]) else 0]} {what}" if what else ""


def left_out(count: int) -> str:
    """Says of so many entries why they are not listed (see `shown_rows`)."""
    noun = "difference follows" if count == 1 else "differences follow"
    return f"{count:,} more {noun} from these: providers make such values of them."


OPEN = "known only after an apply, and made of what differs"


def _lacks(value: Shown) -> bool:
    """Whether a side has nothing there."""
    return "absent" in value.data or value.text == "null"


def is_open(entry: Entry) -> bool:
    """Whether nothing of both values is known but that they come from inputs that differ."""
    return entry.kind is Kind.VALUE and all(
        value.data.get("unknown") and "prefix" not in value.data for value in entry.values
    )


def because(entry: Entry) -> str:
    """Where a difference comes from, in words."""
    if not entry.causes:
        return "nothing in the code or its inputs makes them differ"
    joined = (" together with " if entry.together else " and ").join(_cause(one) for one in entry.causes)
    return f"because of {joined}"


def _cause(cause: Cause) -> str:
    steps = [hop for hop in cause.through if hop.name != cause.input.name]
    way = ", ".join(f"{hop.name} ({hop.place})" if hop.place else hop.name for hop in steps)
    return f"{cause.input.name}, by {way}" if way else cause.input.name


def around_difference(texts: tuple[str, str], width: int) -> tuple[str, str]:
    """Both texts cut to a width, so that where they begin to differ can be seen."""
    one, two = texts
    start = 0
    while start < min(len(one), len(two)) and one[start] == two[start]:
        start += 1
    return _window(one, start, width), _window(two, start, width)


def _window(text: str, start: int, width: int) -> str:
    if len(text) <= width:
        return text
    begin = 0 if start < width * 2 // 3 else start - width // 3
    begin = min(begin, len(text) - width + 1)
    shown = text[begin : begin + width]
    if begin > 0:
        shown = "…" + shown[1:]
    if begin + width < len(text):
        shown = shown[:-1] + "…"
    return shown
