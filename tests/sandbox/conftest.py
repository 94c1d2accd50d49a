"""Sandboxes that a test may start, stop and kill."""

import os
import select
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from twinfra.sandbox import server


@pytest.fixture
def root(tmp_path: Path) -> Iterator[Path]:
    """A working directory; a sandbox that was started in it is stopped afterwards."""
    yield tmp_path
    server.stop(tmp_path)


@pytest.fixture
def ended() -> Callable[[int], bool]:
    """Waits until a process is gone; false when it still is there after a minute."""
    return _ended


@pytest.fixture
def kill() -> Callable[[int], None]:
    """Kills a process as the power going out would, and waits until it is gone."""

    def kill_and_wait(pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        assert _ended(pid)

    return kill_and_wait


def _ended(pid: int) -> bool:
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], 60)[0])
    finally:
        os.close(descriptor)
