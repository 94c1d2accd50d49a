"""What Ctrl-C says, whatever is being written when it comes."""

from __future__ import annotations

import io
import os
import signal

import pytest

from twinfra.cli.interrupt import FIRST, interruptible


class Interrupted(io.RawIOBase):
    """A stream to a pipe during whose first write Ctrl-C is pressed; or one that is `gone`: nobody reads from it."""

    def __init__(self, gone: bool = False) -> None:
        self.reading, self.writing = os.pipe()
        self.pressed = gone
        if gone:
            os.close(self.reading)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self.writing

    def write(self, data: object) -> int:
        if not self.pressed:
            self.pressed = True
            signal.raise_signal(signal.SIGINT)
        return os.write(self.writing, data)  # type: ignore[arg-type]


def written(raw: Interrupted, monkeypatch: pytest.MonkeyPatch) -> io.TextIOWrapper:
    """The standard error stream that ends there."""
    stream = io.TextIOWrapper(io.BufferedWriter(raw), encoding="utf-8", line_buffering=True)
    monkeypatch.setattr("sys.stderr", stream)
    return stream


def test_in_the_middle_of_another_message_it_stops_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = Interrupted()
    stream = written(raw, monkeypatch)
    with interruptible() as stop:
        stream.write("a warning\n")
    assert stop.level == 1
    assert os.read(raw.reading, 10_000).decode() == FIRST + "a warning\n"


def test_where_nobody_reads_it_stops_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    written(Interrupted(gone=True), monkeypatch)
    with interruptible() as stop:
        signal.raise_signal(signal.SIGINT)
    assert stop.level == 1
