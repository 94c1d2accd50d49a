"""Reads a state as every command does: `python -m benchmarks.reading DIRECTORY`. Prints how many instances it has."""

from __future__ import annotations

import gc
import sys
from pathlib import Path

from twinfra.state.backends.local import LocalBackend
from twinfra.state.store import read_stored


def main(directory: Path) -> None:
    """Read the state of a directory."""
    # As `twinfra.cli.main` sets it for every command.
    gc.set_threshold(50_000, 20, 20)
    state = read_stored(LocalBackend(directory), "default").state
    print(sum(len(record.instances) for record in state.resources.values()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
