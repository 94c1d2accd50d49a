"""The journal: every request that changed something, in the order it was carried out.

It is the truth about a sandbox: carrying the requests out again makes the same cloud again. A request is
written before it is carried out, so that what was acknowledged is always in it, also after a kill. (The
bytes are then the operating system's: only a crash of the whole machine can lose the last of them.)
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.sandbox.files import open_private, replace_private

# Three numbers of eight hexadecimal digits: length of the facts, length of the body, checksum of both.
_HEAD = 24


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: when it came (seconds since 1970), its number, its WSGI variables and its body."""

    number: int
    time: float
    variables: dict[str, Any]
    body: bytes


class Journal:
    """An open journal file. Not safe for threads: the caller takes turns.

    `seed` is the randomness that its requests are carried out with, and so also tells one journal from
    another. `continues`: it does not begin with an empty cloud, but with a snapshot that it cannot do
    without.
    """

    def __init__(self, path: Path) -> None:
        """Open `path`, or begin an empty one. A torn last entry, of a request never carried out, is cut
        off.
        """
        self._path = path
        self._descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        entries = self._read(0)
        first = next(entries, None)
        if first is None:
            os.close(self._descriptor)
            self._begin(fresh_seed(), continues=False)
            return
        opening, self.start = first
        self.seed: str = opening.variables["seed"]
        self.continues: bool = opening.variables["continues"]
        self.end, self.last = self.start, 0
        for entry, end in entries:
            self.end, self.last = end, entry.number
        os.ftruncate(self._descriptor, self.end)

    def append(self, time: float, variables: dict[str, Any], body: bytes) -> int:
        """Write one request down and return its number."""
        self.last += 1
        record = _record(self.last, time, variables, body)
        written = os.write(self._descriptor, record)
        while written < len(record):
            written += os.write(self._descriptor, record[written:])
        self.end += len(record)
        return self.last

    def after(self, position: int) -> Iterator[Entry]:
        """The requests written after the place `position` (`start`, or an earlier `end`), oldest first."""
        for entry, _ in self._read(position):
            yield entry

    def sync(self) -> None:
        """Make sure that what is written survives also a crash of the machine."""
        os.fsync(self._descriptor)

    def clear(self) -> None:
        """Forget all requests: begin again with an empty cloud, and other randomness."""
        os.close(self._descriptor)
        self._begin(fresh_seed(), continues=False)

    def continue_as(self, seed: str) -> None:
        """Forget all requests, because a snapshot for a journal with this seed has them all."""
        os.close(self._descriptor)
        self._begin(seed, continues=True)

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

    @staticmethod
    def length_of_opening(seed: str) -> int:
        """Where the requests begin in a journal that continues with this seed."""
        return len(_opening(seed, continues=True))

    def _begin(self, seed: str, *, continues: bool) -> None:
        opening = _opening(seed, continues=continues)
        replace_private(self._path, opening)
        self._descriptor = open_private(self._path, os.O_RDWR | os.O_APPEND)
        self.seed, self.continues = seed, continues
        self.start = self.end = len(opening)
        self.last = 0

    def _read(self, position: int) -> Iterator[tuple[Entry, int]]:
        """Entries with the place where each ends, up to the end of the file or to one that is not whole."""
        while True:
            head = os.pread(self._descriptor, _HEAD, position)
            try:
                facts_length, body_length, checksum = (int(head[at : at + 8], 16) for at in (0, 8, 16))
            except ValueError:
                return
            content = self._whole(position + _HEAD, facts_length + body_length)
            if content is None or zlib.crc32(content) != checksum:
                return
            number, time, variables = json.loads(content[:facts_length])
            position += _HEAD + len(content)
            yield Entry(number, time, variables, content[facts_length:]), position

    def _whole(self, position: int, length: int) -> bytes | None:
        parts = []
        while length:
            part = os.pread(self._descriptor, length, position)
            if not part:
                return None
            parts.append(part)
            position += len(part)
            length -= len(part)
        return b"".join(parts)


def fresh_seed() -> str:
    """Randomness that no other journal has."""
    return os.urandom(16).hex()


def _opening(seed: str, *, continues: bool) -> bytes:
    return _record(0, 0.0, {"seed": seed, "continues": continues}, b"")


def _record(number: int, time: float, variables: dict[str, Any], body: bytes) -> bytes:
    facts = json.dumps([number, time, variables], separators=(",", ":")).encode()
    checksum = zlib.crc32(body, zlib.crc32(facts))
    return b"%08x%08x%08x%b%b" % (len(facts), len(body), checksum, facts, body)
