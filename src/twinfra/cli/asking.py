"""Asking a person: one line of standard input. Ctrl-C at a question leaves the command, which has done nothing yet."""

from __future__ import annotations

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
    with _leaving():
        sys.stdout.write(prompt)
        sys.stdout.flush()
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


@contextmanager
def _leaving() -> Iterator[None]:
    def leave(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    previous = {number: signal.signal(number, leave) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
