"""Files of which some regions are generated and all else is people's own.

A region begins with a line that names it and has the digest of what was generated, and ends with a line that names it.
A region whose text has another digest was edited by hand.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Source, SourceRange, error

_DIGITS = 16
_BEGIN = re.compile(r"[ \t]*(?:#|//) >>> twinfra ([\w.-]+) ([0-9a-f]{16})\b.*")
_END = re.compile(r"[ \t]*(?:#|//) <<< twinfra ([\w.-]+)[ \t]*")


@dataclass(frozen=True, slots=True)
class Region:
    """A generated part: `text` ends with a line feed. `indent` is how far its marks are indented."""

    name: str
    text: str
    indent: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A region in a file: its lines with the marks are `start` to `end`, counted from 0, the end not included."""

    name: str
    start: int
    end: int
    edited: bool


@dataclass(frozen=True, slots=True)
class Merged:
    """A file as it is to be. `edited`: regions that people changed, which are lost in it, with their places."""

    text: str
    edited: tuple[Diagnostic, ...] = ()


def new_file(regions: Sequence[Region], comment: str) -> str:
    """A file of these regions; `comment` begins a comment in its language (`#` or `//`)."""
    return "".join(_written(one, comment) for one in regions)


def merge(text: str, name: str, regions: Sequence[Region], comment: str) -> Merged:
    """The file `text` with these regions in the places of its old ones; what people wrote stays where it is.

    A region that the file does not have goes behind the one that comes before it; one that is not generated any more
    goes. Raises `DiagnosticError` where the marks are not in order, or there are none.
    """
    lines = text.splitlines(keepends=True)
    if lines and not lines[-1].endswith("\n"):
        lines[-1] += "\n"
    found = _regions(lines, Source(name, text))
    if not found:
        raise DiagnosticError(
            error(
                "File is there already",
                f"{name} has no region that was generated, so all of it would be overwritten.",
                mend="Move it away, or write to another file: -out=FILE.",
            )
        )
    source = Source(name, text)
    wanted = {one.name: one for one in regions}
    behind: dict[str, list[Region]] = {}
    had = {one.name for one in found}
    before = ""
    for region in regions:
        if region.name in had:
            before = region.name
        else:
            behind.setdefault(before, []).append(region)
    parts: list[str] = []
    at = 0
    if "" in behind:
        at = found[0].start
        parts += lines[:at]
        parts += [_written(one, comment) for one in behind[""]]
    for one in found:
        parts += lines[at : one.start]
        if one.name in wanted:
            parts.append(_written(wanted[one.name], comment))
        parts += [_written(new, comment) for new in behind.get(one.name, ())]
        at = one.end
    parts += lines[at:]
    edited = tuple(_edited(one, source, name) for one in found if one.edited)
    return Merged("".join(parts), edited)


def _written(region: Region, comment: str) -> str:
    return (
        f"{region.indent}{comment} >>> twinfra {region.name} {_digest(region.text)} (generated: edits are lost)\n"
        f"{region.text}{region.indent}{comment} <<< twinfra {region.name}\n"
    )


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:_DIGITS]


def _regions(lines: Sequence[str], source: Source) -> list[_Found]:
    found: list[_Found] = []
    begun: tuple[str, str, int] | None = None
    for number, line in enumerate(lines):
        begin, end = _BEGIN.fullmatch(line.rstrip("\r\n")), _END.fullmatch(line.rstrip("\r\n"))
        if begin is not None:
            if begun is not None or any(one.name == begin[1] for one in found):
                raise DiagnosticError(_disorder(source, number, f'The region "{begin[1]}" begins twice.'))
            begun = (begin[1], begin[2], number)
        elif end is not None:
            if begun is None or begun[0] != end[1]:
                raise DiagnosticError(
                    _disorder(source, number, f'The region "{end[1]}" ends without having begun.')
                )
            name, digest, start = begun
            inside = "".join(lines[start + 1 : number]).replace("\r\n", "\n")
            found.append(_Found(name, start, number + 1, _digest(inside) != digest))
            begun = None
    if begun is not None:
        raise DiagnosticError(_disorder(source, begun[2], f'The region "{begun[0]}" does not end.'))
    return found


def _place(source: Source, number: int) -> SourceRange:
    start = source.line_starts[number]
    return SourceRange(source, start, start + len(source.text[start:].split("\n", 1)[0]))


def _disorder(source: Source, number: int, detail: str) -> Diagnostic:
    return error(
        "Marks of generated regions are not in order",
        detail,
        _place(source, number),
        mend="Put the lines with >>> and <<< back as they were, or move the file away and generate it anew.",
    )


def _edited(region: _Found, source: Source, name: str) -> Diagnostic:
    return error(
        "Generated region was edited",
        f'The region "{region.name}" of {name} is not as it was generated. What was changed in it would be lost.',
        _place(source, region.start),
        mend="Move the change out of the region, or into [ci] of twinfra.toml; with -force it is overwritten.",
    )
