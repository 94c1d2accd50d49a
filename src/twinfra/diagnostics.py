"""Diagnostics: what went wrong (or may), where in the source, why, and what mends it.

A diagnostic is data; rendering it for people or as JSON happens in `cli`. A `SourceRange` holds offsets only
and computes lines and columns when somebody asks, so that ranges on every syntax node stay cheap.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import field, replace
from enum import StrEnum
from functools import cached_property

from twinfra.dataclass import dataclass


class Severity(StrEnum):
    """How bad it is: an error stops the command, a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class Source:
    """One source text with its name as people know it (a path relative to the working directory)."""

    def __init__(self, filename: str, text: str) -> None:
        self.filename = filename
        self.text = text

    @cached_property
    def line_starts(self) -> list[int]:
        """Offsets (in characters) at which each line begins; the first is 0."""
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    @property
    def lines(self) -> int:
        """The number of its last line."""
        return len(self.line_starts)

    def line(self, number: int) -> str:
        """The text of a line (counted from 1), without its line end."""
        starts = self.line_starts
        end = starts[number] if number < len(starts) else len(self.text)
        return self.text[starts[number - 1] : end].rstrip("\r\n")

    def position(self, offset: int) -> Position:
        """Where an offset lies."""
        starts = self.line_starts
        line = bisect_right(starts, offset)
        before = self.text[:offset].encode("utf-8", "surrogatepass")
        return Position(line, offset - starts[line - 1] + 1, len(before))


class UnescapedSource(Source):
    """What a string says whose escapes are resolved, with the range of what stands between its quotes.

    Lines and columns count as if the file had the characters themselves, as in stock Terraform.
    """

    def __init__(self, written: SourceRange, text: str) -> None:
        super().__init__(written.filename, text)
        self.written = written

    @property
    def lines(self) -> int:
        """See `Source`."""
        return self.written.first.line + super().lines - 1

    def line(self, number: int) -> str:
        """See `Source`. The first has what stands before it in the file."""
        start = self.written.first
        if number < start.line:
            return self.written.source.line(number)
        own = super().line(number - start.line + 1)
        return own if number > start.line else self.written.source.line(number)[: start.column - 1] + own

    def position(self, offset: int) -> Position:
        """See `Source`."""
        start, own = self.written.first, super().position(offset)
        column = own.column + (start.column - 1 if own.line == 1 else 0)
        return Position(start.line + own.line - 1, column, start.byte + own.byte)


@dataclass(frozen=True, slots=True)
class Position:
    """A place in a source: line and column count from 1, column in characters; byte counts from 0, in UTF-8."""

    line: int
    column: int
    byte: int


@dataclass(frozen=True, slots=True)
class SourceRange:
    """A stretch of a source, `start` included and `end` excluded, as character offsets."""

    source: Source
    start: int
    end: int

    @property
    def filename(self) -> str:
        """The name of the file it lies in."""
        return self.source.filename

    @property
    def text(self) -> str:
        """The source text it covers."""
        return self.source.text[self.start : self.end]

    @property
    def first(self) -> Position:
        """Where it starts."""
        return self.source.position(self.start)

    @property
    def last(self) -> Position:
        """Where it ends (the position just after it)."""
        return self.source.position(self.end)

    @property
    def in_file(self) -> SourceRange:
        """The same; of a stretch of what an escaped string says, all of the string."""
        return self.source.written if isinstance(self.source, UnescapedSource) else self

    def to(self, other: SourceRange) -> SourceRange:
        """The range from the start of this one to the end of `other`, in the same source."""
        return SourceRange(self.source, min(self.start, other.start), max(self.end, other.end))

    def covers(self, other: SourceRange) -> bool:
        """Whether the other lies within this one."""
        if other.source is not self.source:
            other = other.in_file
        return self.source is other.source and self.start <= other.start and other.end <= self.end

    def __str__(self) -> str:
        at = self.first
        return f"{self.filename}:{at.line},{at.column}"


@dataclass(frozen=True, slots=True)
class Diagnostic:
    """One finding.

    `summary` names the kind in a few words; `detail` says what and why in sentences; `mend` says what to do
    next. `subject` is underlined; `context` is the wider stretch to show. `address` is the resource instance
    concerned. `values` are (expression text, description) pairs of the values involved, already redacted.
    `path` locates a value inside a provider's object (attribute names and keys), for the engine to turn into
    a `subject`. `transient`: told of a plan; an apply that follows at once finds it anew, or gone. `function`: the
    name of the function, as written, of whose call it is about.
    """

    severity: Severity
    summary: str
    detail: str = ""
    subject: SourceRange | None = None
    context: SourceRange | None = None
    mend: str = ""
    address: str = ""
    values: tuple[tuple[str, str], ...] = ()
    path: tuple[object, ...] = ()
    transient: bool = False
    function: str = ""


def error(
    summary: str,
    detail: str = "",
    subject: SourceRange | None = None,
    *,
    context: SourceRange | None = None,
    mend: str = "",
    address: str = "",
    path: tuple[object, ...] = (),
) -> Diagnostic:
    """An error diagnostic; see `Diagnostic` for the parts."""
    return Diagnostic(Severity.ERROR, summary, detail, subject, context, mend, address, (), path)


def warning(
    summary: str,
    detail: str = "",
    subject: SourceRange | None = None,
    *,
    context: SourceRange | None = None,
    mend: str = "",
    address: str = "",
    path: tuple[object, ...] = (),
) -> Diagnostic:
    """A warning diagnostic; see `Diagnostic` for the parts."""
    return Diagnostic(Severity.WARNING, summary, detail, subject, context, mend, address, (), path)


def as_warnings(diagnostics: Iterable[Diagnostic]) -> list[Diagnostic]:
    """The same diagnostics, none of them an error."""
    return [replace(one, severity=Severity.WARNING) for one in diagnostics]


@dataclass(slots=True)
class Diagnostics:
    """A growing collection of diagnostics, in the order found."""

    items: list[Diagnostic] = field(default_factory=list)

    def add(self, diagnostic: Diagnostic) -> None:
        """Append one."""
        self.items.append(diagnostic)

    def extend(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Append several (another `Diagnostics` too)."""
        self.items.extend(diagnostics)

    @property
    def has_errors(self) -> bool:
        """Whether any of them is an error."""
        return any(item.severity is Severity.ERROR for item in self.items)

    @property
    def errors(self) -> list[Diagnostic]:
        """Only the errors."""
        return [item for item in self.items if item.severity is Severity.ERROR]

    def raise_errors(self) -> None:
        """Raise `DiagnosticError` with all of them when any is an error."""
        if self.has_errors:
            raise DiagnosticError(self.items)

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def __bool__(self) -> bool:
        return bool(self.items)


class DiagnosticError(Exception):
    """Carries diagnostics up from a depth where no result can be given; `cli` renders them, nobody else."""

    def __init__(self, diagnostics: Diagnostic | Iterable[Diagnostic]) -> None:
        items = (diagnostics,) if isinstance(diagnostics, Diagnostic) else tuple(diagnostics)
        super().__init__("; ".join(item.summary for item in items))
        self.diagnostics = items

    def at(self, subject: SourceRange) -> DiagnosticError:
        """The same, with `subject` set where a diagnostic has none yet."""
        return DiagnosticError(
            item if item.subject is not None else replace(item, subject=subject) for item in self.diagnostics
        )


def nearest(name: str, candidates: Iterable[str]) -> str:
    """The candidate most like `name`, as a sentence to append ('Did you mean "x"?'), or an empty string."""
    from difflib import get_close_matches

    found = get_close_matches(name, list(candidates), n=1, cutoff=0.7)
    return f'Did you mean "{found[0]}"?' if found else ""
