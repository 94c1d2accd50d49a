"""Many writers and one state: one wins each round, and no update is lost."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest
from tests.state.backends.conftest import Rig, on_all

from twinfra.state.backends.protocol import NOTHING, Backend, Conflict, Locked
from twinfra.state.locks import new_lock

pytestmark = [pytest.mark.emulator, on_all]

WRITERS = 200
AT_ONCE = 50
_T = TypeVar("_T")


@pytest.fixture
def writers(rig: Rig) -> Sequence[Backend]:
    return rig.open_many(WRITERS)


def all_at_once(writers: Sequence[Backend], act: Callable[[int, Backend], _T]) -> list[_T]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(lambda pair: act(*pair), enumerate(writers)))


def test_of_two_hundred_writers_one_wins_each_round(rig: Rig, writers: Sequence[Backend]) -> None:
    """Each adds its number to what is there: in the end all that won are there, in their order."""
    version, data = NOTHING, b""
    for round in range(2):
        barrier = threading.Barrier(AT_ONCE)

        def write(
            number: int,
            backend: Backend,
            before: bytes = data,
            expected: str = version,
            barrier: threading.Barrier = barrier,
        ) -> str:
            barrier.wait(60)
            try:
                return backend.write("default", (before, f"{number} ".encode()), expected)
            except Conflict:
                return ""

        results = all_at_once(writers, write)
        won = [number for number, result in enumerate(results) if result]
        assert len(won) == 1
        found = rig.open().read("default")
        assert found is not None
        assert (found.data, found.version) == (data + f"{won[0]} ".encode(), results[won[0]])
        assert len(found.data.split()) == round + 1
        version, data = found.version, found.data


def test_of_two_hundred_one_gets_the_lock(rig: Rig, writers: Sequence[Backend]) -> None:
    def lock(number: int, backend: Backend) -> str:
        mine = new_lock(f"writer {number}")
        try:
            backend.lock("default", mine)
        except Locked:
            return ""
        return mine.id

    got = [id for id in all_at_once(writers, lock) if id]
    assert len(got) == 1
    holder = rig.open().holder("default")
    assert holder is not None
    assert holder.id == got[0]


def test_no_update_is_lost(rig: Rig, writers: Sequence[Backend]) -> None:
    """Each of twenty adds one, twice, and tries again until it could."""
    some = writers[:20]
    rig.open().write("default", (b"0",), NOTHING)

    def add(_: int, backend: Backend) -> None:
        done = 0
        while done < 2:
            now = backend.read("default")
            assert now is not None
            try:
                backend.write("default", (str(int(now.data) + 1).encode(),), now.version)
            except Conflict:
                continue
            done += 1

    all_at_once(some, add)
    found = rig.open().read("default")
    assert found is not None
    assert found.data == b"40"
