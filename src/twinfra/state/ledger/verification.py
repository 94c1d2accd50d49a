"""Whether a ledger is as it was written: finds entries that were changed, taken away or put elsewhere.

Whoever can write the backend can also write a whole new chain; that is found by a head that was kept elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import field
from itertools import pairwise

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.protocol import Content
from twinfra.state.ledger.entries import FIRST, Entry, Malformed, hash_of, lines_in, read_line
from twinfra.state.ledger.log import HEAD, Ledger

CHANGED, MISSING, REORDERED, DAMAGED = "changed", "missing", "reordered", "damaged"


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it was written. `kind` is one of those above; `n` is the entry's number, or 0.

    `place` is the record and the line in it; empty for what is not there.
    """

    kind: str
    n: int
    place: str
    text: str


@dataclass(frozen=True, slots=True)
class Head:
    """How far a ledger went: the number and the hash of an entry. `NUMBER:HASH` as text."""

    n: int
    hash: str

    def __str__(self) -> str:
        return f"{self.n}:{self.hash}"

    @staticmethod
    def parse(text: str) -> Head | None:
        """The head that a text names; None where it is none."""
        number, _, hash = text.strip().partition(":")
        if not number.isdecimal() or len(hash) != 64 or hash.strip("0123456789abcdef"):
            return None
        return Head(int(number), hash)


@dataclass(frozen=True, slots=True)
class Verified:
    """What was looked at, and what is wrong.

    `backwards`: pairs of entries that follow each other though their clocks say otherwise: no finding, since
    clocks of machines differ, but whoever reads times should know.
    """

    entries: list[Entry]
    findings: list[Finding]
    backwards: list[tuple[Entry, Entry]]

    @property
    def head(self) -> Head | None:
        """The last entry; None where there is none."""
        last = max(self.entries, key=lambda entry: entry.n, default=None)
        return Head(last.n, last.hash) if last is not None else None


@dataclass(slots=True)
class _Walk:
    entries: list[Entry] = field(default_factory=list)
    places: list[str] = field(default_factory=list)
    changed: set[int] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)


def verify(ledger: Ledger, known: Iterable[Head] = ()) -> Verified:
    """Read and check all of a ledger. `known`: heads that were kept elsewhere. Raises `DiagnosticError` where it
    cannot be read at all.
    """
    walk = _Walk()
    names = ledger.segments()
    for name, content in zip(names, _contents(ledger, names, walk), strict=True):
        if content is not None:
            _look_at(name, ledger.readable(name, content), walk)
    _look_for_gaps(walk)
    _look_at_order(walk)
    _look_at_chain(walk)
    heads = [*known, *_noted_head(ledger, walk)]
    for head in heads:
        _look_at_head(head, walk)
    entries = sorted(walk.entries, key=lambda entry: entry.n)
    backwards = [(one, next_) for one, next_ in pairwise(entries) if next_.time < one.time]
    return Verified(entries, sorted(set(walk.findings), key=lambda one: (one.n, one.text)), backwards)


def _contents(ledger: Ledger, names: list[str], walk: _Walk) -> list[Content | None]:
    try:
        return ledger.records.read_records(ledger.workspace, names)
    except DiagnosticError:
        # One by one, so that a segment that cannot be decrypted hides no other.
        found: list[Content | None] = []
        for name in names:
            try:
                found.append(ledger.records.read_record(ledger.workspace, name))
            except DiagnosticError as problem:
                found.append(None)
                why = problem.diagnostics[0]
                walk.findings.append(Finding(DAMAGED, 0, name, why.detail or why.summary))
        return found


def _look_at(name: str, data: bytes, walk: _Walk) -> None:
    try:
        lines = lines_in(data)
    except Malformed as wrong:
        walk.findings.append(Finding(DAMAGED, 0, name, f"{name} cannot be read: {wrong}."))
        lines = [line for line in data.split(b"\n")[1:] if line]
    for number, line in enumerate(lines, 2):
        place = f"{name}, line {number}"
        try:
            entry = read_line(line)
        except Malformed as wrong:
            walk.findings.append(Finding(DAMAGED, 0, place, f"{place} is no entry: {wrong}."))
            continue
        walk.entries.append(entry)
        walk.places.append(place)
        if hash_of(entry.document()) != entry.hash:
            walk.changed.add(entry.n)
            text = f"Entry {entry.n} ({place}) was changed: it does not have the hash that it says."
            walk.findings.append(Finding(CHANGED, entry.n, place, text))


def _look_for_gaps(walk: _Walk) -> None:
    there = sorted({entry.n for entry in walk.entries})
    for before, after in pairwise([0, *there]):
        if after > before + 1:
            walk.findings.append(_missing(before + 1, after - 1))


def _missing(first: int, last: int) -> Finding:
    which = f"Entry {first} is" if first == last else f"Entries {first} to {last} are"
    return Finding(MISSING, first, "", f"{which} missing.")


def _look_at_order(walk: _Walk) -> None:
    highest = 0
    for entry, place in zip(walk.entries, walk.places, strict=True):
        if entry.n <= highest:
            text = f"Entry {entry.n} ({place}) stands after entry {highest}."
            walk.findings.append(Finding(REORDERED, entry.n, place, text))
        highest = max(highest, entry.n)


def _look_at_chain(walk: _Walk) -> None:
    """Each entry must follow the one before. What was found already is not told once more."""
    by_number = {entry.n: entry for entry in walk.entries}
    places = {entry.n: place for entry, place in zip(walk.entries, walk.places, strict=True)}
    told = {one.n for one in walk.findings if one.kind == REORDERED}
    for n, entry in by_number.items():
        before = by_number.get(n - 1)
        if n == 1:
            fits = entry.previous == FIRST
        elif before is None:
            continue
        else:
            fits = entry.previous == before.hash
        if fits or {n, n - 1} & (walk.changed | told):
            continue
        text = (
            f"Entry {n} ({places[n]}) says that another entry came before it than the one that does: "
            f"entry {max(n - 1, 0)} was replaced, hash and all."
        )
        walk.findings.append(Finding(CHANGED, n - 1 or n, places.get(n - 1, places[n]), text))


def _noted_head(ledger: Ledger, walk: _Walk) -> list[Head]:
    head, why = None, "it is no head"
    try:
        content = ledger.records.read_record(ledger.workspace, HEAD)
        if content is None:
            # A process that was killed may have left the very first entry without it.
            if len(walk.entries) > 1:
                text = f"{HEAD} is missing: entries that were taken away from the end would not be missed."
                walk.findings.append(Finding(MISSING, 0, HEAD, text))
            return []
        fields = json.loads(ledger.readable(HEAD, content))
        head = Head.parse(f"{fields['n']}:{fields['hash']}")
    except DiagnosticError as problem:
        told = problem.diagnostics[0]
        why = (told.detail or told.summary).removesuffix(".")
    except (ValueError, LookupError, TypeError):
        pass
    if head is None:
        # Without it, entries that were taken away from the end would not be missed.
        walk.findings.append(Finding(DAMAGED, 0, HEAD, f"{HEAD} cannot be read: {why}."))
        return []
    return [head]


def _look_at_head(head: Head, walk: _Walk) -> None:
    by_number = {entry.n: entry for entry in walk.entries}
    last = max(by_number, default=0)
    if head.n > last:
        walk.findings.append(_missing(last + 1, head.n))
    elif head.n in by_number and by_number[head.n].hash != head.hash and head.n not in walk.changed:
        text = f"Entry {head.n} is not the one that was there: its hash was {head.hash}."
        walk.findings.append(Finding(CHANGED, head.n, "", text))
