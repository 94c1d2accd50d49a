"""The machine stops before every call that writes: run as `python -m tests.state.powerloss DIRECTORY [WORK]`.

While something is done in a directory, it is noted what has certainly reached the disk. Before each call, the two
worst disks that there may be after a loss of power are laid out and taken up by the next run: one on which nothing
happened since it was synced (neither in a file nor among the names of a directory), and one on which every name is as
it was left, but files hold what was synced of them only.
"""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.state import transfers
from tests.state.crashes import CALLS, account, apply, begin, finish
from tests.state.states import state_of

REAL = {name: getattr(os, name) for name in (*CALLS, "mkdir", "rename", "rmdir")}
_EXISTING = ("open", "close")

Names = dict[str, dict[str, int]]
"""For each directory, relative to the root: its names, with the number of the file (0 for a directory)."""


class Disk:
    """What is durable below a directory: names as of the directories' syncs, contents as of the files'."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.kept: list[int] = []
        self.contents: dict[int, bytes] = {}
        for path in root.rglob("*"):
            if path.is_file():
                self._sync_file(REAL["open"](path, os.O_RDONLY))
        self.names: Names = self._names()

    def _names(self) -> Names:
        return {str(one.relative_to(self.root)): _listed(one) for one in _directories(self.root)}

    def _sync_file(self, descriptor: int) -> None:
        # Held open, so that the number of the file is not given to another one.
        self.kept.append(os.dup(descriptor))
        status = os.fstat(descriptor)
        self.contents[status.st_ino] = os.pread(descriptor, status.st_size, 0)

    def synced(self, descriptor: int) -> None:
        """A sync has returned."""
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}"))
        if not path.is_relative_to(self.root):
            return
        if path.is_dir():
            self.names[str(path.relative_to(self.root))] = _listed(path)
        else:
            self._sync_file(descriptor)

    @contextmanager
    def laid_out(self, names: Names) -> Iterator[None]:
        """Meanwhile the root has these names, and what is durable of their files. The cloud is not on this disk."""
        aside = self.root.with_name(f"{self.root.name}-aside")
        self.root.rename(aside)
        try:
            self.root.mkdir()
            self._fill(self.root, ".", names)
            if (aside / "cloud").exists():
                shutil.copy(aside / "cloud", self.root / "cloud")
            yield
        finally:
            shutil.rmtree(self.root)
            aside.rename(self.root)

    def _fill(self, target: Path, directory: str, names: Names) -> None:
        for name, number in names.get(directory, {}).items():
            if number:
                if name != "cloud":
                    (target / name).write_bytes(self.contents.get(number, b""))
                continue
            (target / name).mkdir()
            self._fill(target / name, str(Path(directory) / name), names)

    def after_a_loss(self) -> list[Names]:
        """The names on either of the worst disks."""
        return [self.names, self._names()]


def _directories(root: Path) -> Iterator[Path]:
    yield root
    for path in root.rglob("*"):
        if path.is_dir():
            yield path


def _listed(directory: Path) -> dict[str, int]:
    with os.scandir(directory) as entries:
        return {one.name: 0 if one.is_dir() else one.inode() for one in entries}


class Machine:
    """Does `work` in a directory, and lets `check` see what a loss of power before each call would leave."""

    def __init__(self, root: Path, work: Callable[[Path], None], check: Callable[[Path], None]) -> None:
        self.disk = Disk(root)
        self.work = work
        self.check = check
        self.points = 0

    def run(self) -> int:
        """Work to the end; returns how many moments there were."""
        for name, real in REAL.items():
            setattr(os, name, self._watch(name, real))
        try:
            self.work(self.disk.root)
        finally:
            self._restore()
        return self.points

    def _restore(self) -> None:
        for name, real in REAL.items():
            setattr(os, name, real)

    def _watch(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            # Opening for reading and closing change nothing.
            if name not in _EXISTING:
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
                    with self.disk.laid_out(names):
                        self.check(self.disk.root)
                code = 0
            except BaseException as wrong:
                import traceback

                traceback.print_exception(wrong)
            finally:
                os._exit(code)
        _, status = os.waitpid(child, 0)
        assert status == 0, "something was lost"


def of_applies(root: Path) -> int:
    """Applies, from nothing and over a state."""
    points = 0
    for start in (None, state_of("old", serial=3)):
        directory = root / "work"
        begin(directory, start)
        serial = 0 if start is None else start.serial

        def check(found: Path, serial: int = serial) -> None:
            account(found, serial)
            finish(found)

        points += Machine(directory, apply, check).run()
    return points


def of_transfers(root: Path) -> int:
    """A transfer between two states; either of the two is looked at first afterwards."""
    points = 0
    for first in transfers.SIDES:
        directory = root / "work"
        transfers.begin(directory)

        def check(found: Path, first: str = first) -> None:
            transfers.account(found, first)

        points += Machine(directory, transfers.move, check).run()
    return points


WORKS = {"applies": of_applies, "transfers": of_transfers}


def main(root: Path, work: str = "applies") -> int:
    """All moments of one kind of work; returns how many were tried."""
    return WORKS[work](root)


if __name__ == "__main__":
    print(main(Path(sys.argv[1]), *sys.argv[2:]))
