"""Bad networks and servers: nothing is lost, nothing is written twice, and nobody is told what is not so."""

from __future__ import annotations

from typing import Any

import pytest
from tests.state.backends.conftest import KINDS, Rig

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.protocol import NOTHING, Conflict, Locked
from twinfra.state.locks import new_lock

pytestmark = pytest.mark.emulator

ONE, TWO = b'{"serial": 1}\n' + b" " * 2000, b'{"serial": 2}\n' + b" " * 2000
ALWAYS = 1000

BEFORE = ("refuse", "drop")
AFTER = ("refuse-after", "drop-after")


def with_faults(*kinds: str) -> Any:
    """Every kind of backend with every one of these faults that its protocol can have."""
    pairs = [
        (backend, kind)
        for kind in kinds
        for backend in KINDS
        if backend != "pg" or kind in ("drop", "drop-after", "cut")
    ]
    return pytest.mark.parametrize(("rig", "kind"), pairs, indirect=["rig"])


def content(rig: Rig) -> bytes | None:
    found = rig.open().read("default")
    return None if found is None else found.data


@with_faults("refuse", "drop", "drop-after", "cut")
def test_a_read_is_repeated(rig: Rig, kind: str) -> None:
    rig.open().write("default", (ONE,), NOTHING)
    rig.proxy.spoil(kind, rig.reads)
    assert content(rig) == ONE


@with_faults("refuse", "drop", "cut")
def test_a_read_that_never_succeeds_is_an_error_and_no_state(rig: Rig, kind: str) -> None:
    backend = rig.open()
    backend.write("default", (ONE,), NOTHING)
    rig.proxy.spoil(kind, rig.reads, ALWAYS)
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    assert caught.value.diagnostics[0].mend


@with_faults(*BEFORE, *AFTER)
def test_a_write_is_repeated_and_counts_once(rig: Rig, kind: str) -> None:
    backend = rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    rig.proxy.spoil(kind, rig.writes)
    second = backend.write("default", (TWO,), first)
    found = rig.open().read("default")
    assert found is not None
    assert (found.data, found.version) == (TWO, second)


@with_faults(*BEFORE, *AFTER)
def test_a_first_write_is_repeated_and_counts_once(rig: Rig, kind: str) -> None:
    backend = rig.open()
    rig.proxy.spoil(kind, rig.writes)
    version = backend.write("default", (ONE,), NOTHING)
    backend.write("default", (TWO,), version)
    assert content(rig) == TWO


@with_faults(*AFTER)
def test_a_write_whose_answers_are_all_lost_is_read_back(rig: Rig, kind: str) -> None:
    backend = rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    rig.proxy.spoil(kind, rig.writes, ALWAYS)
    second = backend.write("default", (TWO,), first)
    found = backend.read("default")
    assert found is not None
    assert (found.data, found.version) == (TWO, second)


@with_faults(*BEFORE)
def test_a_write_that_never_succeeds_is_an_error_and_changes_nothing(rig: Rig, kind: str) -> None:
    backend = rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    rig.proxy.spoil(kind, rig.writes, ALWAYS)
    with pytest.raises(DiagnosticError):
        backend.write("default", (TWO,), first)
    assert content(rig) == ONE


@with_faults(*BEFORE, *AFTER)
def test_a_repeated_write_does_not_take_another_state_for_its_own(rig: Rig, kind: str) -> None:
    backend, other = rig.open(), rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    other.write("default", (TWO,), first)
    rig.proxy.spoil(kind, rig.writes)
    with pytest.raises(Conflict):
        backend.write("default", (b"ours",), first)
    assert content(rig) == TWO


@with_faults(*BEFORE, *AFTER)
def test_a_lock_is_taken_once_however_often_it_is_asked_for(rig: Rig, kind: str) -> None:
    backend = rig.open()
    rig.proxy.spoil(kind, rig.locks)
    lock = new_lock("apply")
    backend.lock("default", lock)
    with pytest.raises(Locked) as caught:
        rig.open().lock("default", new_lock("plan"))
    assert caught.value.holder is not None
    assert caught.value.holder.id == lock.id
    backend.unlock("default", lock.id)
    assert rig.open().holder("default") is None


@with_faults(*BEFORE)
def test_a_lock_that_cannot_be_asked_for_is_an_error(rig: Rig, kind: str) -> None:
    backend = rig.open()
    backend.read("default")
    rig.proxy.spoil(kind, rig.locks, ALWAYS)
    with pytest.raises(DiagnosticError):
        backend.lock("default", new_lock("apply"))


@pytest.mark.parametrize("doing", ["reading", "writing", "locking"])
def test_a_server_that_hangs_does_not_hang_us(rig: Rig, doing: str, hurry: None) -> None:
    """It does what it is asked, but its answer comes when nobody waits for it any more."""
    backend = rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    rig.proxy.spoil("hang", {"reading": rig.reads, "writing": rig.writes, "locking": rig.locks}[doing])
    if doing == "reading":
        found = backend.read("default")
        assert found is not None
        assert (found.data, found.version) == (ONE, first)
    elif doing == "writing":
        second = backend.write("default", (TWO,), first)
        assert second != first
        assert content(rig) == TWO
    else:
        lock = new_lock("apply")
        backend.lock("default", lock)
        with pytest.raises(Locked):
            rig.open().lock("default", new_lock("plan"))
        backend.unlock("default", lock.id)
        assert rig.open().holder("default") is None


@pytest.mark.parametrize("rig", [kind for kind in KINDS if kind != "pg"], indirect=True)
def test_what_was_read_from_a_stale_copy_is_not_the_base_of_a_write(rig: Rig) -> None:
    """Something on the way gives an old state; a database's own connection has nothing on the way."""
    backend = rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    assert content(rig) == ONE
    rig.open().write("default", (TWO,), first)
    rig.proxy.spoil("stale", rig.reads)
    found = backend.read("default")
    assert found is not None
    if found.data == TWO:
        # The digest beside the state told that it was old, and it was read again.
        assert "dynamodb_table" in rig.settings
        return
    with pytest.raises(Conflict):
        backend.write("default", (b"ours",), found.version)
    assert content(rig) == TWO


def test_a_server_that_is_not_there_is_an_error_that_names_it(rig: Rig) -> None:
    backend = rig.open()
    rig.proxy.stop()
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    found = caught.value.diagnostics[0]
    assert "reachable" in found.summary
    assert "not-a-secret" not in found.detail + found.mend
    assert str(rig.proxy.port) in found.detail


def test_what_a_network_breaks_in_the_middle_of_an_apply_is_mended(rig: Rig) -> None:
    """All connections break while the lock is held; nobody else took the lock meanwhile."""
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    first = backend.write("default", (ONE,), NOTHING)
    rig.proxy.break_all()
    second = backend.write("default", (TWO,), first)
    assert second != first
    with pytest.raises(Locked):
        rig.open().lock("default", new_lock("plan"))
    backend.unlock("default", lock.id)
    assert content(rig) == TWO
    rig.open().lock("default", new_lock("plan"))
