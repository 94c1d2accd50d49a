"""The ledger of one workspace: entries appended under a condition, so that none is lost when many append at once.

Entries lie in segments, which are records of the backend; only the last one is ever written again, so that an
append costs the same however long the ledger is.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.backends.protocol import NOTHING, Backend, Conflict, Content
from twinfra.state.backends.records import Records, records_of
from twinfra.state.encryption.backend import codec_of
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.state.ledger.authors import about
from twinfra.state.ledger.entries import (
    FIRST,
    Entry,
    Malformed,
    chained,
    line_of,
    lines_in,
    read_line,
    write_segment,
)

MOST_ENTRIES = 256
MOST_BYTES = 256 * 1024
HEAD = "ledger-head"
_SEGMENT = "ledger-"
_BLOCK = 64
"""The most segments that are read at a time, from the newest back."""
_SECONDS = 120.0
_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5

Condition = Callable[[Iterable[Entry]], Diagnostic | None]


def open_ledger(backend: Backend, workspace: str, pause: Callable[[float], None] = time.sleep) -> Ledger:
    """The ledger of a workspace, which may have no entry yet; nothing is read or written here.

    Raises `DiagnosticError` where the backend cannot have one.
    """
    return Ledger(records_of(backend), workspace, backend.label(workspace), codec_of(backend), pause)


class Ledger:
    """One ledger. Owned by one thread. `pause` waits, in seconds. Methods raise `DiagnosticError`."""

    def __init__(
        self,
        records: Records,
        workspace: str,
        label: str,
        codec: Codec = PLAIN,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.records = records
        self.workspace = workspace
        self.label = label
        self._codec = codec
        self._pause = pause
        self._closed: dict[str, list[Entry]] = {}

    def exists(self) -> bool:
        """Whether anything was ever appended."""
        return bool(self.segments())

    def segments(self) -> list[str]:
        """The names of the segments there are, in order."""
        found = self.records.list_records(self.workspace)
        return [name for name in found if name.startswith(_SEGMENT) and name[len(_SEGMENT) :].isdigit()]

    def entries(self) -> list[Entry]:
        """All entries, in order. Hashes are not checked here: see `state.ledger.verification`."""
        return [entry for entries in self._read(self.segments()) for entry in entries]

    def newest(self) -> Iterator[Entry]:
        """Entries from the newest back; no more is read than is asked for, a few segments at a time."""
        names = self.segments()
        size = 1
        while names:
            block, names = names[-size:], names[:-size]
            for entries in reversed(self._read(block)):
                yield from reversed(entries)
            size = min(2 * size, _BLOCK)

    def append(self, kind: str, body: Mapping[str, Any], *, unless: Condition | None = None) -> Entry:
        """Append an entry that happens now; returns it.

        `unless` sees all entries, in each attempt anew, and says what speaks against it: two who append at once
        never both pass it.
        """
        return self.append_made(about(kind, dict(body)), unless=unless)

    def append_made(self, made: Mapping[str, Any], *, unless: Condition | None = None) -> Entry:
        """Append an entry that was made before, by `authors.about`; the same one is never there twice."""
        give_up = time.monotonic() + _SECONDS
        longest = _FIRST_PAUSE
        while True:
            names = self.segments()
            if unless is not None and (problem := unless(self._all(names))) is not None:
                raise DiagnosticError(problem)
            written = self._append(names, made)
            if written is not None:
                return written
            if time.monotonic() > give_up:
                raise DiagnosticError(
                    error(
                        "Ledger is busy",
                        f"For {_SECONDS:.0f} s others appended to the ledger of {self.label} each time before this "
                        "entry could be.",
                        mend="Run the command again.",
                    )
                )
            # By chance, so that those who met do not meet again.
            self._pause(random.uniform(0, longest))
            longest = min(longest * 2, _LONGEST_PAUSE)

    def seal(self) -> int:
        """Write all records again as new content would be written, such as with a new key; returns how many.

        One that somebody else writes meanwhile is left to them.
        """
        names = self.records.list_records(self.workspace)
        self._write_anew(names)
        return len(names)

    def decode(self, name: str, content: Content | None) -> list[Entry]:
        """The entries of a segment as it was read. Raises `DiagnosticError` where it is damaged."""
        try:
            if content is None:
                raise Malformed("it is gone")
            return [read_line(line) for line in lines_in(self.readable(name, content))]
        except Malformed as wrong:
            raise DiagnosticError(
                error(
                    "Ledger is damaged",
                    f"The record {name} beside {self.label} cannot be read: {wrong}.",
                    mend="See what else is wrong: twinfra audit verify. Then restore that record from a backup.",
                )
            ) from None

    def readable(self, name: str, content: Content) -> bytes:
        """A record's data. Raises `DiagnosticError` where it is sealed, and nothing here opens it."""
        # Where something does, the backend has opened it already.
        return PLAIN.decode(content.data, f"The record {name} beside {self.label}")

    # -- reading

    def _read(self, names: list[str]) -> list[list[Entry]]:
        missing = [name for name in names if name not in self._closed]
        contents = self.records.read_records(self.workspace, missing)
        found = {name: self.decode(name, content) for name, content in zip(missing, contents, strict=True)}
        # The last segment may grow; one that has a successor is never written again.
        self._closed.update({name: entries for name, entries in found.items() if name != names[-1]})
        return [found[name] if name in found else self._closed[name] for name in names]

    def _all(self, names: list[str]) -> Iterator[Entry]:
        for entries in self._read(names):
            yield from entries

    # -- appending

    def _append(self, names: list[str], made: Mapping[str, Any]) -> Entry | None:
        """The entry, appended after what is there now; None where somebody else came first."""
        last = names[-1] if names else ""
        content = self.records.read_record(self.workspace, last) if last else None
        held = self.decode(last, content) if last else []
        again = next((entry for entry in held if entry.id == made["id"]), None)
        if again is not None:
            return again
        if self._codec.fell_back:
            others = self.records.list_records(self.workspace)
            self._write_anew([name for name in others if name not in (last, HEAD)])
        before = held[-1] if held else None
        entry = chained(
            before.n + 1 if before is not None else 1, before.hash if before is not None else FIRST, made
        )
        line = line_of(entry)
        full = len(held) >= MOST_ENTRIES or (
            content is not None and held and len(content.data) + len(line) > MOST_BYTES
        )
        if content is None or full:
            name = f"{_SEGMENT}{int(last.removeprefix(_SEGMENT) or 0) + 1:06}"
            data, expected = write_segment([entry]), NOTHING
        else:
            name, data, expected = last, content.data + line + b"\n", content.version
        try:
            self.records.write_record(self.workspace, name, data, expected)
        except Conflict:
            return None
        self._note_head(entry)
        return entry

    def _write_anew(self, names: list[str]) -> None:
        """Write records again after a change of keys, so that the old key can be let go of.

        In an append before the last segment, which tells the next command that there was a change.
        """
        contents = self.records.read_records(self.workspace, names)
        self._codec.renew()
        for name, content in zip(names, contents, strict=True):
            # Who came first did just the same.
            with suppress(Conflict):
                if content is not None:
                    self.records.write_record(self.workspace, name, content.data, content.version)

    def _note_head(self, entry: Entry) -> None:
        """Note elsewhere too how far the ledger goes, so that a last entry that is taken away is missed.

        When two do that at once it may say one entry less, which `verification` allows for.
        """
        head = json.dumps({"n": entry.n, "hash": entry.hash}).encode()
        # The entry is there already: that this note could not be written must not say otherwise.
        with suppress(DiagnosticError):
            self.records.write_record(self.workspace, HEAD, head, None)
