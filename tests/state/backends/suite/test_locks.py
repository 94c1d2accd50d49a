"""Locks exclude, tell who has them, and are released only by their holder or by name."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

import pytest
from tests.state.backends.conftest import Rig, in_workspaces, kill, on_all

from twinfra.state.backends.protocol import NOTHING, Conflict, Locked
from twinfra.state.locks import new_lock
from twinfra.state.store import open_store

pytestmark = pytest.mark.emulator


@pytest.fixture(params=["new", "written"])
def workspace(request: pytest.FixtureRequest, rig: Rig) -> str:
    """A workspace without a state, or with one: some backends lock these in two ways."""
    if request.param == "written":
        rig.open().write("default", (b"{}",), NOTHING)
    return "default"


@on_all
def test_a_lock_keeps_others_out_until_it_is_released(rig: Rig, workspace: str) -> None:
    backend, other = rig.open(), rig.open()
    lock = new_lock("apply")
    backend.lock(workspace, lock)
    with pytest.raises(Locked) as caught:
        other.lock(workspace, new_lock("plan"))
    assert caught.value.holder is not None
    assert caught.value.holder.id == lock.id
    backend.unlock(workspace, lock.id)
    second = new_lock("plan")
    other.lock(workspace, second)
    assert (holder := other.holder(workspace)) is not None
    assert holder.id == second.id
    other.unlock(workspace, second.id)
    assert other.holder(workspace) is None


@on_all
def test_the_holder_can_be_seen_by_others(rig: Rig, workspace: str) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock(workspace, lock)
    holder = rig.open().holder(workspace)
    assert holder is not None
    assert holder.id == lock.id
    assert holder.operation.endswith("Apply")
    backend.unlock(workspace, lock.id)


@on_all
def test_a_state_can_be_read_and_written_under_the_lock(rig: Rig, workspace: str) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock(workspace, lock)
    now = backend.read(workspace)
    first = backend.write(workspace, (b'{"serial": 1}',), NOTHING if now is None else now.version)
    backend.write(workspace, (b'{"serial": 2}',), first)
    with pytest.raises(Locked):
        rig.open().lock(workspace, new_lock("plan"))
    backend.unlock(workspace, lock.id)
    rig.open().lock(workspace, new_lock("plan"))


@in_workspaces
def test_a_lock_of_one_workspace_is_none_of_another(rig: Rig) -> None:
    for name in ("a", "b"):
        rig.open().write(name, (b"{}",), NOTHING)
    rig.open().lock("a", new_lock("apply"))
    other = rig.open()
    lock = new_lock("apply")
    other.lock("b", lock)
    other.unlock("b", lock.id)


@on_all
def test_another_lock_is_not_released(rig: Rig, workspace: str) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock(workspace, lock)
    for anybody in (backend, rig.open()):
        with pytest.raises(Locked) as caught:
            anybody.unlock(workspace, "another")
        assert caught.value.holder is not None
        assert caught.value.holder.id == lock.id
    with pytest.raises(Locked):
        rig.open().lock(workspace, new_lock("plan"))


@on_all
def test_releasing_where_there_is_no_lock_does_nothing(rig: Rig, workspace: str) -> None:
    rig.open().unlock(workspace, "any")
    assert rig.open().holder(workspace) is None


def test_anybody_can_release_a_lock_by_its_id(rig: Rig, workspace: str) -> None:
    backend, other = rig.open(), rig.open()
    lock = new_lock("apply")
    backend.lock(workspace, lock)
    other.unlock(workspace, lock.id)
    assert other.holder(workspace) is None
    third = new_lock("plan")
    other.lock(workspace, third)
    # Whoever lost the lock does not release the one that came after.
    with suppress(Locked):
        backend.unlock(workspace, lock.id)
    assert (holder := rig.open().holder(workspace)) is not None
    assert holder.id == third.id


def test_who_lost_the_lock_to_a_writer_writes_nothing(rig: Rig, workspace: str) -> None:
    slow, other = rig.open(), rig.open()
    lock = new_lock("apply")
    slow.lock(workspace, lock)
    now = slow.read(workspace)
    version = NOTHING if now is None else now.version
    rig.open().unlock(workspace, lock.id)
    second = new_lock("apply")
    other.lock(workspace, second)
    other.write(workspace, (b"theirs",), version)
    other.unlock(workspace, second.id)
    with pytest.raises(Conflict):
        slow.write(workspace, (b"ours",), version)
    content = rig.open().read(workspace)
    assert content is not None
    assert content.data == b"theirs"


@on_all
def test_a_lock_whose_holder_was_killed(rig: Rig, workspace: str) -> None:
    process = rig.other_process(
        "lock = new_lock('apply')\nbackend.lock('default', lock)\nprint(lock.id, flush=True)\nsys.stdin.read()\n"
    )
    assert process.stdout is not None
    id = process.stdout.readline().strip()
    other = rig.open()
    with pytest.raises(Locked):
        other.lock(workspace, new_lock("plan"))
    kill(process)
    if rig.lock_outlives_holder:
        with pytest.raises(Locked) as caught:
            other.lock(workspace, new_lock("plan"))
        assert caught.value.holder is not None
        assert caught.value.holder.id == id
        other.unlock(workspace, id)
        other.lock(workspace, new_lock("plan"))
        return
    while True:
        # The server notices soon that the connection has ended.
        try:
            other.lock(workspace, new_lock("plan"))
            break
        except Locked:
            continue


@on_all
def test_closing_leaves_others_able_to_lock(rig: Rig, workspace: str) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock(workspace, lock)
    backend.unlock(workspace, lock.id)
    backend.close()
    rig.open().lock(workspace, new_lock("plan"))


def test_a_command_that_lost_its_lock_ends_without_taking_that_of_another(rig: Rig, tmp_path: Path) -> None:
    backend, other = rig.open(), rig.open()
    second = new_lock("plan")
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.lock is not None
        rig.open().unlock("default", store.lock.id)
        other.lock("default", second)
    assert (holder := rig.open().holder("default")) is not None
    assert holder.id == second.id
