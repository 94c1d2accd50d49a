"""Commands run as processes, with the time they take and the memory they and their children hold at most."""

from __future__ import annotations

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_INTERVAL = 0.02
_PAGE = os.sysconf("SC_PAGE_SIZE")


@dataclass(frozen=True)
class Run:
    """What a command took: wall time and processor time in seconds, and the peak of the memory of all its
    processes in bytes. `code`: what it exited with.
    """

    seconds: float
    memory: int
    processor: float
    code: int = 0


class CommandFailed(Exception):
    """A command that exited otherwise than expected; the message has what it printed."""


def measure(
    command: Sequence[str], directory: Path, environment: Mapping[str, str], expected: tuple[int, ...] = (0,)
) -> Run:
    """Run a command once. Raises `CommandFailed`."""
    printed = directory / "printed.txt"
    with printed.open("wb") as output:
        start = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
        tree = _Tree(process.pid)
        watcher = threading.Thread(target=tree.watch, daemon=True)
        watcher.start()
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - start
        tree.ended.set()
        watcher.join()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in expected:
        text = printed.read_text("utf-8", "replace")[-4000:]
        raise CommandFailed(f"{' '.join(command)} exited with {process.returncode}:\n{text}")
    return Run(seconds, _peak(tree, usage.ru_maxrss), usage.ru_utime + usage.ru_stime, process.returncode)


def _peak(tree: _Tree, told: int) -> int:
    """The most memory that was held, of what was seen and what the system tells of the command, in KiB.

    The latter counts only above our own peak, which a process inherits as it starts; or where nothing was seen.
    """
    status = Path("/proc/self/status").read_text()
    ours = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:"))
    return max(tree.peak, told * 1024) if told > ours or not tree.peak else tree.peak


def first_output(command: Sequence[str], directory: Path, environment: Mapping[str, str]) -> Run:
    """Run a command until it prints something, then end it. Raises `CommandFailed` where it never does."""
    start = time.perf_counter()
    process = subprocess.Popen(
        command,
        cwd=directory,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert process.stdout is not None
    tree = _Tree(process.pid)
    watcher = threading.Thread(target=tree.watch, daemon=True)
    watcher.start()
    printed = os.read(process.stdout.fileno(), 1)
    seconds = time.perf_counter() - start
    tree.ended.set()
    watcher.join()
    process.terminate()
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if not printed:
        raise CommandFailed(f"{' '.join(command)} printed nothing and exited with {process.returncode}")
    return Run(seconds, _peak(tree, usage.ru_maxrss), usage.ru_utime + usage.ru_stime)


def best(
    times: int,
    command: Sequence[str],
    directory: Path,
    environment: Mapping[str, str],
    expected: tuple[int, ...] = (0,),
) -> Run:
    """Run a command several times: the shortest times and the smallest peak."""
    return best_of([measure(command, directory, environment, expected) for _ in range(times)])


def best_of(runs: Sequence[Run]) -> Run:
    """The shortest times and the smallest peak of several runs."""
    return Run(
        min(run.seconds for run in runs), min(run.memory for run in runs), min(run.processor for run in runs)
    )


class _Tree:
    """A process and its descendants, looked at again and again until it ends."""

    def __init__(self, root: int) -> None:
        self.root = root
        self.peak = 0
        self.ended = threading.Event()

    def watch(self) -> None:
        """Keep the highest sum of resident memory that was seen."""
        while not self.ended.wait(_INTERVAL):
            self.peak = max(self.peak, sum(map(_resident, self._processes())))

    def _processes(self) -> list[int]:
        found = [self.root]
        for process in found:
            # It may end while it is looked at.
            with suppress(OSError):
                for children in Path(f"/proc/{process}/task").glob("*/children"):
                    found += map(int, children.read_text().split())
        return found


def _resident(process: int) -> int:
    try:
        return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * _PAGE
    except (OSError, IndexError):
        return 0
