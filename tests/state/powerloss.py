"""The machine stops before every call that writes: run as `python -m tests.state.powerloss DIRECTORY`.

While an apply runs, it is noted what has certainly reached the disk. Before each call, the two worst disks that
there may be after a loss of power are laid out and taken up by the next run: one on which nothing happened
since it was synced, and one on which every name is as it was left, but files hold what was synced of them only.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.state.crashes import CALLS, account, apply, begin, finish
from tests.state.states import state_of

REAL = {name: getattr(os, name) for name in CALLS}


class Disk:
    """What is durable of a directory: names as of its last sync, contents as of each file's last sync."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.kept: list[int] = []
        self.contents: dict[int, bytes] = {}
        for path in directory.iterdir():
            self._sync_file(REAL["open"](path, os.O_RDONLY))
        self.names = self._names()

    def _names(self) -> dict[str, int]:
        with os.scandir(self.directory) as entries:
            return {one.name: one.inode() for one in entries}

    def _sync_file(self, descriptor: int) -> None:
        # Held open, so that the number of the file is not given to another one.
        self.kept.append(os.dup(descriptor))
        status = os.fstat(descriptor)
        self.contents[status.st_ino] = os.pread(descriptor, status.st_size, 0)

    def synced(self, descriptor: int) -> None:
        """A sync has returned."""
        status = os.fstat(descriptor)
        if os.path.isdir(f"/proc/self/fd/{descriptor}"):
            if status.st_ino == self.directory.stat().st_ino:
                self.names = self._names()
        elif os.readlink(f"/proc/self/fd/{descriptor}").startswith(str(self.directory)):
            self._sync_file(descriptor)

    def lay_out(self, target: Path, names: dict[str, int]) -> None:
        """A directory with these names, and what is durable of their files. The cloud is not on this disk."""
        shutil.rmtree(target, ignore_errors=True)
        target.mkdir()
        for name, number in names.items():
            if name != "cloud":
                (target / name).write_bytes(self.contents.get(number, b""))
        cloud = self.directory / "cloud"
        if cloud.exists():
            shutil.copy(cloud, target / "cloud")

    def after_a_loss(self) -> list[dict[str, int]]:
        """The names on either of the worst disks."""
        return [self.names, self._names()]


class Machine:
    """Runs an apply, and tries before each call what a loss of power would leave."""

    def __init__(self, directory: Path, target: Path, serial: int) -> None:
        self.disk = Disk(directory)
        self.target = target
        self.serial = serial
        self.points = 0

    def run(self) -> None:
        """Apply to the end."""
        for name, real in REAL.items():
            setattr(os, name, self._watch(name, real))
        try:
            apply(self.disk.directory)
        finally:
            self._restore()

    def _restore(self) -> None:
        for name, real in REAL.items():
            setattr(os, name, real)

    def _watch(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            # Opening for reading and closing change nothing.
            if name not in ("open", "close"):
                self._lose_power()
            result = real(*arguments, **named)
            if name in ("fsync", "fdatasync"):
                self.disk.synced(arguments[0])
            return result

        return call

    def _lose_power(self) -> None:
        self.points += 1
        child = os.fork()
        if not child:
            code = 1
            try:
                self._restore()
                for names in self.disk.after_a_loss():
                    self.disk.lay_out(self.target, names)
                    account(self.target, self.serial)
                    finish(self.target)
                code = 0
            except BaseException as wrong:
                import traceback

                traceback.print_exception(wrong)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert status == 0, "something was lost"


def main(root: Path) -> int:
    """From nothing and over a state; returns how many moments were tried."""
    points = 0
    for start in (None, state_of("old", serial=3)):
        directory = root / "work"
        begin(directory, start)
        machine = Machine(directory, root / "after", 0 if start is None else start.serial)
        machine.run()
        points += machine.points
    return points


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
