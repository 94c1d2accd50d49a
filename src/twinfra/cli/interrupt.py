"""Ctrl-C: the first finishes what is in flight and stops, the second stops at once with what is known recorded."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from twinfra.engine.stop import Stop

FIRST = (
    "\nStopping: what is in flight will be finished and recorded. "
    "Press Ctrl-C again to leave it at what is known now.\n"
)
SECOND = "\nLeaving: what is known is being recorded. Objects still being created may need an import.\n"


def _tell(text: str) -> None:
    """Say something from within a signal's handler, which is no reason to end in another way than it says."""
    # Nobody may be there any more.
    with suppress(OSError, ValueError):
        try:
            sys.stderr.write(text)
            sys.stderr.flush()
        except RuntimeError:
            # The signal came in the middle of another write, and Python's streams take one at a time.
            os.write(sys.stderr.fileno(), text.encode())


@contextmanager
def interruptible(quiet: bool = False) -> Iterator[Stop]:
    """A `Stop` that SIGINT and SIGTERM raise, in place of Python's own handling, while the block runs."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        level = stop.request()
        if not quiet:
            _tell(FIRST if level == 1 else SECOND)

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
