"""Twinfra in this process, as the command line starts it: `python -m benchmarks.applying durable|undurable ARGUMENTS`.

`undurable` leaves out all that makes an apply survive a crash: no journal is kept, and nobody waits for the disk.
What is left is the least that the same apply could take.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from twinfra.cli.main import main
from twinfra.cli.workspace import Workspace
from twinfra.engine.recorder import NoRecorder


@contextmanager
def _recording(self: Workspace, identities: Any, stop: Any) -> Iterator[NoRecorder]:
    yield NoRecorder()


def give_up_durability() -> None:
    """From here on nothing of this process survives a crash."""
    Workspace.recording = _recording  # type: ignore[method-assign, assignment]
    for name in ("fsync", "fdatasync"):
        setattr(os, name, lambda descriptor: None)


if __name__ == "__main__":
    if sys.argv[1] == "undurable":
        give_up_durability()
    main(sys.argv[2:])
