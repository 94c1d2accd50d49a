"""Ctrl-C: the first finishes what is in flight and stops, the second stops at once with what is known recorded."""

from __future__ import annotations

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from twinfra.engine.stop import Stop

FIRST = (
    "\nStopping: what is in flight will be finished and recorded. "
    "Press Ctrl-C again to leave it at what is known now.\n"
)
SECOND = "\nLeaving: what is known is being recorded. Objects still being created may need an import.\n"


@contextmanager
def interruptible(quiet: bool = False) -> Iterator[Stop]:
    """A `Stop` that SIGINT and SIGTERM raise, in place of Python's own handling, while the block runs."""
    stop = Stop()

    def handle(number: int, frame: FrameType | None) -> None:
        level = stop.request()
        if not quiet:
            sys.stderr.write(FIRST if level == 1 else SECOND)
            sys.stderr.flush()

    previous = {number: signal.signal(number, handle) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
