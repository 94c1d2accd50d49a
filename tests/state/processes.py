"""Other processes that hold locks, write journals and get killed, for tests that need real ones."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

_PRELUDE = """
import os, signal, sys
from pathlib import Path
from tests.state.states import *
from twinfra.state.backends.local import LocalBackend
from twinfra.state.journal import Journal
from twinfra.state.store import LockOptions, NO_LOCK, open_store, read_stored
directory = Path(sys.argv[1])
backend = LocalBackend(directory)
def say(text):
    print(text, flush=True)
def wait():
    sys.stdin.readline()
"""


class Other:
    """A Python process that runs `code` in `directory`; `say` sends it lines, `hear` reads its lines."""

    def __init__(self, directory: Path, code: str) -> None:
        environment = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'src'}")
        self.process = subprocess.Popen(
            [sys.executable, "-c", _PRELUDE + code, str(directory)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)
        self.end()

    def end(self) -> int:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.stdout.close()
        return self.process.wait(60)

    def __enter__(self) -> Other:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.end()
