"""The standard streams: one that cannot be written to (a full disk behind `> log`) stops nothing that is under way.

What is printed is then lost, which the end of the command tells by its exit code.
"""

from __future__ import annotations

import errno
import io
import os
import sys
from typing import TYPE_CHECKING, Any, TextIO

if TYPE_CHECKING:
    from typing_extensions import Buffer


class _Lenient(io.FileIO):
    """A stream that takes what it cannot write for written, and remembers the first reason.

    A pipe that nobody reads any more is told as ever: whoever closed it wants the command to end.
    """

    failure: OSError | None = None

    def write(self, data: Buffer, /) -> int | None:  # type: ignore[override]
        if self.failure is None:
            try:
                return super().write(data)
            except OSError as reason:
                if reason.errno == errno.EPIPE:
                    raise
                self.failure = reason
        return len(memoryview(data).cast("B"))


def open_standard_streams() -> None:
    """Make the standard streams ones that can be worked with, whatever the caller gave.

    What was closed (`<&-`, `>&-`) becomes a stream of nothing: else the next file that is opened would be taken for
    it, and a lock or a state would be written to.
    """
    for number, name, mode in ((0, "stdin", "r"), (1, "stdout", "w"), (2, "stderr", "w")):
        if getattr(sys, name) is None:
            os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, open(number, mode, encoding="utf-8"))  # noqa: SIM115
        elif mode == "w":
            setattr(sys, name, _lenient(getattr(sys, name)))


def failure_of(stream: TextIO) -> OSError | None:
    """Why something of what was printed to a stream is lost; None where nothing is."""
    raw: Any = getattr(getattr(stream, "buffer", None), "raw", None)
    return raw.failure if isinstance(raw, _Lenient) else None


def _lenient(stream: Any) -> TextIO:
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(_Lenient(stream.fileno(), "w", closefd=False)),
        encoding=stream.encoding,
        errors=stream.errors,
        line_buffering=stream.line_buffering,
        write_through=stream.write_through,
    )
