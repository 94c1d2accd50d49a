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
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from twinfra.sandbox.files import open_private

_HEAD = (
    24  # three numbers of eight hexadecimal digits: length of the facts, length of the body, checksum of both
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One request: when it came (seconds since 1970), its number, its WSGI variables and its body."""

    number: int
    time: float
    variables: dict[str, Any]
    body: bytes


class Journal:
    """An open journal file. Not safe for threads: the caller takes turns."""

    def __init__(self, path: Path) -> None:
        """Open `path` for appending, or make it. A torn last entry, of a request never carried out, is
        cut off.
        """
        self._descriptor = open_private(path, os.O_RDWR | os.O_CREAT | os.O_APPEND)
        self.end = 0
        self.last = 0
        for entry, end in self._read(0):
            self.end, self.last = end, entry.number
        os.ftruncate(self._descriptor, self.end)

    def append(self, time: float, variables: dict[str, Any], body: bytes) -> int:
        """Write one request down and return its number."""
        self.last += 1
        facts = json.dumps([self.last, time, variables], separators=(",", ":")).encode()
        checksum = zlib.crc32(body, zlib.crc32(facts))
        record = b"%08x%08x%08x%b%b" % (len(facts), len(body), checksum, facts, body)
        written = os.write(self._descriptor, record)
        while written < len(record):
            written += os.write(self._descriptor, record[written:])
        self.end += len(record)
        return self.last

    def after(self, position: int) -> Iterator[Entry]:
        """The requests written after the place `position` (an earlier `end`), oldest first."""
        for entry, _ in self._read(position):
            yield entry

    def sync(self) -> None:
        """Make sure that what is written survives also a crash of the machine."""
        os.fsync(self._descriptor)

    def clear(self) -> None:
        """Forget all requests."""
        os.ftruncate(self._descriptor, 0)
        self.end = self.last = 0

    def close(self) -> None:
        """Close the file."""
        os.close(self._descriptor)

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
