"""From wishes to edits of the text: entries come and go by lines where they stand on lines of their own."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange
from twinfra.environments.drift.literals import Added, Collection, Removed, Replaced, Wish
from twinfra.lang.formatter import format_source
from twinfra.lang.nodes import ObjectExpression

_REST = re.compile(r"[ \t]*(,?)[ \t]*(?:(?:#|//)[^\n]*)?(\r?\n|\Z)")
"""What may follow an entry on its line: a comma, and a comment."""

_COMMA = re.compile(r"[ \t]*,[ \t]*")


@dataclass(frozen=True, slots=True)
class Edit:
    """A stretch of the source that gets another text."""

    range: SourceRange
    text: str


def edits_of(wishes: Iterable[Wish]) -> list[Edit]:
    """The edits that fulfil wishes, by file and place, none overlapping another."""
    found: list[Edit] = []
    holders: dict[tuple[str, int, int], list[Added | Removed]] = {}
    for wish in wishes:
        if isinstance(wish, Replaced):
            found.append(Edit(wish.expression.range, wish.text))
        else:
            range = wish.holder.range
            holders.setdefault((range.filename, range.start, range.end), []).append(wish)
    for own in holders.values():
        found += _of_holder(own[0].holder, own)
    return _outermost(found)


def _of_holder(holder: Collection, wishes: list[Added | Removed]) -> Iterator[Edit]:
    entries = _entries(holder)
    gone = {one.at for one in wishes if isinstance(one, Removed)}
    coming = sorted((one for one in wishes if isinstance(one, Added)), key=lambda one: one.at)
    text = holder.range.source.text
    line = text.rfind("\n", 0, holder.range.end) + 1
    closed_alone = line > holder.range.start and not text[line : holder.range.end - 1].strip()
    alone = [_is_alone(text, start, end) for start, end in entries]
    if closed_alone and all(alone):
        yield from _by_lines(holder, entries, gone, coming, line)
    elif len(gone) == len(entries):
        yield Edit(holder.range, _one_line(holder, coming))
    else:
        yield from _inline(holder, entries, gone, coming)


def _entries(holder: Collection) -> list[tuple[int, int]]:
    if isinstance(holder, ObjectExpression):
        return [(one.key.range.start, one.value.range.end) for one in holder.items]
    return [(one.range.start, one.range.end) for one in holder.elements]


def _is_alone(text: str, start: int, end: int) -> bool:
    """Whether an entry has its lines for itself."""
    before = text[text.rfind("\n", 0, start) + 1 : start]
    return not before.strip() and _REST.match(text, end) is not None


def _one_line(holder: Collection, coming: list[Added]) -> str:
    inside = ", ".join(one.text for one in coming)
    if isinstance(holder, ObjectExpression):
        return f"{{ {inside} }}" if inside else "{}"
    return f"[{inside}]"


def _by_lines(
    holder: Collection, entries: list[tuple[int, int]], gone: set[int], coming: list[Added], close: int
) -> Iterator[Edit]:
    """Whole lines come and go. `close`: where the line of the closing bracket begins."""
    source, text = holder.range.source, holder.range.source.text
    end_of_line = "\r\n" if text[:close].endswith("\r\n") else "\n"
    comma = "" if isinstance(holder, ObjectExpression) else ","
    starts = [text.rfind("\n", 0, start) + 1 for start, _ in entries]
    closing = text[close : holder.range.end - 1]
    indent = text[starts[0] : entries[0][0]] if entries else f"{closing}  "
    for at in gone:
        rest = _REST.match(text, entries[at][1])
        assert rest is not None
        yield Edit(SourceRange(source, starts[at], rest.end()), "")
    left = [at for at in range(len(entries)) if at not in gone]
    if comma and left and any(one.at > left[-1] for one in coming):
        # The last element that stays may have been written without a comma.
        stop = entries[left[-1]][1]
        rest = _REST.match(text, stop)
        if rest is not None and not rest[1]:
            yield Edit(SourceRange(source, stop, stop), ",")
    for one in coming:
        place = starts[one.at] if one.at < len(entries) else close
        body = one.text.replace("\n", end_of_line + indent)
        yield Edit(SourceRange(source, place, place), f"{indent}{body}{comma}{end_of_line}")


def _inline(
    holder: Collection, entries: list[tuple[int, int]], gone: set[int], coming: list[Added]
) -> Iterator[Edit]:
    """Entries come and go within lines, with the commas between them. At least one stays."""
    source, text = holder.range.source, holder.range.source.text
    left = [at for at in range(len(entries)) if at not in gone]
    at = 0
    while at < len(entries):
        if at not in gone:
            at += 1
            continue
        first = at
        while at in gone:
            at += 1
        if first == 0:
            stretch = (entries[0][0], entries[at][0])
        elif "\n" in text[entries[first - 1][1] : entries[first][0]]:
            stretch = _own_stretch(text, entries[first][0], entries[at - 1][1])
        else:
            stretch = (entries[first - 1][1], entries[at - 1][1])
        yield Edit(SourceRange(source, *stretch), "")
    for one in coming:
        before = [stayed for stayed in left if stayed < one.at]
        if before:
            place = entries[before[-1]][1]
            yield Edit(SourceRange(source, place, place), f", {one.text}")
        else:
            place = entries[0][0]
            yield Edit(SourceRange(source, place, place), f"{one.text}, ")


def _own_stretch(text: str, start: int, end: int) -> tuple[int, int]:
    """An entry with its comma, where it begins a line: the line too, where nothing else is on it."""
    rest = _REST.match(text, end)
    if rest is not None:
        return (text.rfind("\n", 0, start) + 1, rest.end())
    comma = _COMMA.match(text, end)
    return (start, end if comma is None else comma.end())


def _outermost(edits: list[Edit]) -> list[Edit]:
    """Edits that do not overlap: of two that do, the one that holds the other says the same and more."""
    kept: list[Edit] = []
    for edit in sorted(edits, key=_order):
        last = kept[-1] if kept else None
        if (
            last is not None
            and last.range.filename == edit.range.filename
            and edit.range.start < last.range.end
        ):
            continue
        kept.append(edit)
    return kept


def _order(edit: Edit) -> tuple[str, int, bool, int]:
    """What comes into a place stands before what begins there; wide stretches before narrow ones."""
    empty = edit.range.start == edit.range.end
    return (edit.range.filename, edit.range.start, not empty, -edit.range.end)


def edited(edits: Iterable[Edit]) -> dict[str, tuple[str, str]]:
    """The texts of the files that edits change, before and after. What was in the canonical format stays in it."""
    files: dict[str, list[Edit]] = {}
    for edit in edits:
        files.setdefault(edit.range.filename, []).append(edit)
    result: dict[str, tuple[str, str]] = {}
    for name, own in files.items():
        before = own[0].range.source.text
        parts: list[str] = []
        at = 0
        for edit in sorted(own, key=_order):
            parts += [before[at : edit.range.start], edit.text]
            at = edit.range.end
        text = "".join([*parts, before[at:]])
        result[name] = (before, format_source(text) if format_source(before) == before else text)
    return result
