"""Asking a person: one line of standard input. Ctrl-C at a question leaves the command, which has done nothing yet."""

from __future__ import annotations

import os
import select
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


def answer(prompt: str) -> str:
    """Show a prompt and read a line, as it was typed; empty where nobody answers.

    Raises `KeyboardInterrupt` for Ctrl-C and SIGTERM, also where a run has taken these for stopping: a question
    that waits for an answer is nothing to finish.
    """
    # Before the question can be seen: who answers it at once with Ctrl-C means it.
    with _leaving() as woken:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        if somebody_there():
            _wait(woken)
        line = sys.stdin.readline()
    if not line:
        sys.stdout.write("\n")
    return line


def approves(prompt: str) -> bool:
    """Whether the answer is `yes`."""
    return answer(prompt).strip() == "yes"


def somebody_there() -> bool:
    """Whether a person sits at standard input."""
    return sys.stdin.isatty()


def _wait(woken: int) -> None:
    """Wait until a line was typed. A signal that comes just before the waiting begins ends it too: reading itself
    would only see signals that come later.
    """
    while True:
        ready, _, _ = select.select([sys.stdin, woken], [], [])
        if woken not in ready:
            return
        os.read(woken, 1)  # what Python does about the signal happens on the way to the next turn


@contextmanager
def _leaving() -> Iterator[int]:
    """While it lasts, SIGINT and SIGTERM raise `KeyboardInterrupt`; gives a descriptor that is readable after one."""

    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    woken, wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
    before = signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    previous = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield woken
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before)
        os.close(woken)
        os.close(wake)
