"""A workspace opened for a command: locked, recovered, recorded to, saved; and what happens when that fails."""

from __future__ import annotations

import errno
import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.state.processes import Other
from tests.state.states import BUILTIN, data_object, intent_for, state_of, thing

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends import local
from twinfra.state.backends.local import LocalBackend
from twinfra.state.journal import Journal
from twinfra.state.locks import LockInfo
from twinfra.state.model import OutputState, State
from twinfra.state.store import NO_LOCK, LockOptions, Store, current_state, open_store, read_stored
from twinfra.state.v4 import read_state, write_state

STATE = "terraform.tfstate"
JOURNAL = ".terraform.tfstate.journal"


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    return LocalBackend(tmp_path)


def put(directory: Path, state: State) -> bytes:
    content = b"".join(write_state(state))
    (directory / STATE).write_bytes(content)
    return content


def stored(directory: Path) -> State:
    state = read_state((directory / STATE).read_bytes(), STATE)
    assert state is not None
    return state


def with_thing(state: State, name: str) -> State:
    result = state.copy()
    result.put(thing(name), BUILTIN, data_object(f"id-{name}", name))
    return result


def leave_journal(directory: Path, state: State, *names: str, fresh: bool = False) -> None:
    journal = Journal(directory / JOURNAL, state, fresh=fresh)
    for name in names:
        journal.record(thing(name), BUILTIN, data_object(f"id-{name}", name))
    journal.close()


# -- saving


def test_a_first_save_has_serial_one_and_a_lineage(backend: LocalBackend, tmp_path: Path) -> None:
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert not store.existed
        store.save(with_thing(store.state, "a"))
    state = stored(tmp_path)
    assert state.serial == 1
    assert len(state.lineage) == 36
    assert os.listdir(tmp_path) == [STATE]
    assert stat.S_IMODE((tmp_path / STATE).stat().st_mode) == 0o600


def test_each_save_raises_the_serial_and_keeps_the_lineage(backend: LocalBackend, tmp_path: Path) -> None:
    put(tmp_path, state_of("a", serial=7))
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.save(with_thing(store.state, "b"))
        assert store.save(with_thing(store.state, "c"))
    assert (stored(tmp_path).serial, stored(tmp_path).lineage) == (9, "a-lineage")


def test_a_state_that_says_nothing_new_is_not_written(backend: LocalBackend, tmp_path: Path) -> None:
    content = put(tmp_path, state_of("a"))
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert not store.save(replace(store.state.copy(), serial=99))
    assert (tmp_path / STATE).read_bytes() == content
    assert os.listdir(tmp_path) == [STATE]


CHECK = {"object_kind": "check", "config_addr": "check.c", "status": "pass", "objects": None}


@pytest.mark.parametrize(
    "change",
    [
        lambda state: state.outputs.update(o=OutputState(True, "bool")),
        lambda state: state.put(thing("a"), BUILTIN, data_object("id-a", "a", tainted=True)),
        lambda state: state.put(thing("a"), BUILTIN, data_object("id-a", "a", private={"x": 1})),
        lambda state: state.put(thing("a"), BUILTIN, None),
        lambda state: setattr(state, "check_results", [CHECK]),
    ],
)
def test_any_difference_is_written(
    backend: LocalBackend, tmp_path: Path, change: Callable[[State], None]
) -> None:
    put(tmp_path, state_of("a"))
    with open_store(backend, "default", "apply", tmp_path) as store:
        state = store.state.copy()
        change(state)
        assert store.save(state)
    assert stored(tmp_path).serial == 2


def test_what_was_there_before_is_kept_as_backup(backend: LocalBackend, tmp_path: Path) -> None:
    content = put(tmp_path, state_of("a"))
    with open_store(backend, "default", "apply", tmp_path) as store:
        store.save(with_thing(store.state, "b"))
        store.save(with_thing(store.state, "c"))
    assert (tmp_path / "terraform.tfstate.backup").read_bytes() == content
    assert stat.S_IMODE((tmp_path / "terraform.tfstate.backup").stat().st_mode) == 0o600


def test_a_state_of_another_lineage_is_a_bug(backend: LocalBackend, tmp_path: Path) -> None:
    put(tmp_path, state_of("a"))
    with (
        open_store(backend, "default", "apply", tmp_path) as store,
        pytest.raises(ValueError, match="lineage"),
    ):
        store.save(state_of("a", lineage="another"))


def test_a_state_that_somebody_changed_without_the_lock_is_not_overwritten(
    backend: LocalBackend, tmp_path: Path
) -> None:
    put(tmp_path, state_of("a"))
    with open_store(backend, "default", "apply", tmp_path, NO_LOCK) as store:
        theirs = put(tmp_path, state_of("a", "theirs", serial=2))
        with pytest.raises(DiagnosticError) as caught:
            store.save(with_thing(store.state, "ours"))
    assert (tmp_path / STATE).read_bytes() == theirs
    assert "changed by somebody else" in caught.value.diagnostics[0].summary
    rescued = read_state((tmp_path / "errored.tfstate").read_bytes(), "x")
    assert rescued is not None
    assert rescued.current(thing("ours")) is not None


# -- what is wrong with the file


@pytest.mark.parametrize("content", [b"{", b"not json", b'{"version": 5}', b'{"version": 4, "resources": 1}'])
def test_a_bad_state_is_refused_and_left_as_it_is(
    backend: LocalBackend, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / STATE).write_bytes(content)
    with pytest.raises(DiagnosticError), open_store(backend, "default", "apply", tmp_path):
        pass
    assert (tmp_path / STATE).read_bytes() == content
    assert os.listdir(tmp_path) == [STATE]


# -- the journal of an interrupted run


def test_a_journal_is_folded_in_saved_and_told(backend: LocalBackend, tmp_path: Path) -> None:
    put(tmp_path, state_of("a"))
    leave_journal(tmp_path, state_of("a"), "b")
    with open_store(backend, "default", "plan", tmp_path) as store:
        assert store.recovered is not None
        assert "terraform_data.b" in store.recovered.text
        assert store.state.current(thing("b")) is not None
    assert stored(tmp_path).serial == 2
    assert stored(tmp_path).current(thing("b")) is not None
    assert not (tmp_path / JOURNAL).exists()


def test_a_journal_of_a_first_apply_is_folded_in(backend: LocalBackend, tmp_path: Path) -> None:
    leave_journal(tmp_path, State(lineage="x"), "a", fresh=True)
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.state.current(thing("a")) is not None
    assert stored(tmp_path).lineage == "x"


def test_those_who_only_look_see_it_and_write_nothing(backend: LocalBackend, tmp_path: Path) -> None:
    content = put(tmp_path, state_of("a"))
    leave_journal(tmp_path, state_of("a"), "b")
    state, recovered = current_state(backend, "default")
    assert state is not None
    assert state.current(thing("b")) is not None
    assert recovered is not None
    assert (tmp_path / STATE).read_bytes() == content
    assert (tmp_path / JOURNAL).exists()


def test_those_who_only_look_are_not_stopped_by_a_journal_that_does_not_fit(
    backend: LocalBackend, tmp_path: Path
) -> None:
    put(tmp_path, state_of("a"))
    leave_journal(tmp_path, state_of("a", lineage="another"), "b")
    state, recovered = current_state(backend, "default")
    assert state is not None
    assert state.current(thing("b")) is None
    assert recovered is not None
    assert "not counted in" in recovered.text
    assert "does not fit" in recovered.text


def test_those_who_only_look_see_no_state_where_there_is_but_a_journal_that_cannot_be_read(
    backend: LocalBackend, tmp_path: Path
) -> None:
    (tmp_path / JOURNAL).write_bytes(b"no journal\n")
    state, recovered = current_state(backend, "default")
    assert state is None
    assert recovered is not None
    assert "journal is damaged" in recovered.text


def test_those_who_only_look_are_told_that_nothing_is_stored_yet(
    backend: LocalBackend, tmp_path: Path
) -> None:
    put(tmp_path, state_of("a"))
    leave_journal(tmp_path, state_of("a"), "b")
    _, recovered = current_state(backend, "default")
    assert recovered is not None
    assert "counted in here; plan and apply store it" in recovered.text


def test_those_who_only_look_are_told_of_an_apply_that_runs(backend: LocalBackend, tmp_path: Path) -> None:
    with open_store(backend, "default", "apply", tmp_path) as store, store.recording() as journal:
        journal.record(thing("a"), BUILTIN, data_object("a"))
        journal.sync()
        state, recovered = current_state(backend, "default")
        assert state is None
        assert recovered is not None
        assert recovered.text == "An apply is running here. What it has done so far is not counted in."


def test_nothing_is_seen_where_nothing_is(backend: LocalBackend) -> None:
    assert current_state(backend, "default") == (None, None)


def test_a_journal_that_does_not_fit_stops_who_wants_to_change_something(
    backend: LocalBackend, tmp_path: Path
) -> None:
    put(tmp_path, state_of("a"))
    leave_journal(tmp_path, state_of("a", lineage="another"), "b")
    with (
        pytest.raises(DiagnosticError, match="does not fit"),
        open_store(backend, "default", "plan", tmp_path),
    ):
        pass
    assert sorted(os.listdir(tmp_path)) == [JOURNAL, STATE]


def test_unanswered_creates_outlive_commands_until_they_are_answered(
    backend: LocalBackend, tmp_path: Path
) -> None:
    put(tmp_path, state_of("a"))
    journal = Journal(tmp_path / JOURNAL, state_of("a"))
    journal.record(thing("b"), BUILTIN, data_object("b"))
    journal.intend(intent_for("c"))
    journal.close()
    for _ in range(2):
        with open_store(backend, "default", "plan", tmp_path) as store:
            assert store.intents == (intent_for("c"),)
    with open_store(backend, "default", "apply", tmp_path) as store:
        with store.recording() as recorder:
            recorder.answered("token-c")
            store.save(store.state)
        assert store.intents == ()
    assert not (tmp_path / JOURNAL).exists()
    assert stored(tmp_path).current(thing("b")) is not None


# -- recording


def test_a_journal_whose_run_was_saved_is_removed(backend: LocalBackend, tmp_path: Path) -> None:
    with open_store(backend, "default", "apply", tmp_path) as store:
        with store.recording() as journal:
            journal.record(thing("a"), BUILTIN, data_object("id-a", "a"))
            journal.sync()
            assert (tmp_path / JOURNAL).exists()
            store.save(with_thing(store.state, "a"))
        assert not (tmp_path / JOURNAL).exists()


def test_a_journal_whose_run_was_not_saved_stays(backend: LocalBackend, tmp_path: Path) -> None:
    def crash() -> None:
        with open_store(backend, "default", "apply", tmp_path) as store, store.recording() as journal:
            journal.record(thing("a"), BUILTIN, data_object("id-a", "a"))
            raise RuntimeError("a bug")

    with pytest.raises(RuntimeError, match="a bug"):
        crash()
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.recovered is not None
        assert store.state.current(thing("a")) is not None


def test_a_run_that_did_nothing_leaves_no_journal(backend: LocalBackend, tmp_path: Path) -> None:
    put(tmp_path, state_of("a"))
    with open_store(backend, "default", "apply", tmp_path) as store, store.recording():
        pass
    assert os.listdir(tmp_path) == [STATE]


def failing(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(local, "write_beside", refuse)


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EIO])
def test_a_state_that_cannot_be_written_is_kept_elsewhere_and_in_the_journal(
    backend: LocalBackend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    content = put(tmp_path, state_of("a"))

    def apply(store: Store) -> None:
        with store.recording() as journal:
            journal.record(thing("b"), BUILTIN, data_object("id-b", "b"))
            journal.sync()
            with monkeypatch.context() as patch:
                failing(patch, number)
                store.save(with_thing(store.state, "b"))

    with pytest.raises(DiagnosticError) as caught, open_store(backend, "default", "apply", tmp_path) as store:
        apply(store)
    assert (tmp_path / STATE).read_bytes() == content
    first, second = caught.value.diagnostics
    assert os.strerror(number) in first.detail
    assert "errored.tfstate" in second.detail
    assert "journal" in second.detail
    rescued = json.loads((tmp_path / "errored.tfstate").read_bytes())
    assert len(rescued["resources"]) == 2
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.state.current(thing("b")) is not None


# -- locks


def test_a_wait_for_the_lock_ends_when_the_holder_lets_go(backend: LocalBackend, tmp_path: Path) -> None:
    hold = """
with open_store(backend, "default", "apply", directory) as store:
    say("held")
    wait()
"""
    with Other(tmp_path, hold) as other:
        other.hear()
        holders: list[LockInfo | None] = []

        def waiting(holder: LockInfo | None) -> None:
            holders.append(holder)
            other.say()

        with open_store(
            backend, "default", "plan", tmp_path, LockOptions(timeout=60, waiting=waiting)
        ) as store:
            assert store.lock is not None
    (holder,) = holders
    assert holder is not None
    assert holder.operation == "OperationTypeApply"


def test_a_wait_for_the_lock_has_an_end(backend: LocalBackend, tmp_path: Path) -> None:
    with (
        open_store(LocalBackend(tmp_path), "default", "apply", tmp_path),
        pytest.raises(DiagnosticError) as caught,
        open_store(backend, "default", "plan", tmp_path, LockOptions(timeout=0.1)),
    ):
        pass
    (one,) = caught.value.diagnostics
    assert re.search(r"after \d+\.\d s", one.detail)
    assert "-lock-timeout" in one.mend


def test_a_wait_for_the_lock_can_be_cancelled(backend: LocalBackend, tmp_path: Path) -> None:
    options = LockOptions(timeout=600, cancelled=lambda: True)
    with (
        open_store(LocalBackend(tmp_path), "default", "apply", tmp_path),
        pytest.raises(DiagnosticError, match="locked"),
        open_store(backend, "default", "plan", tmp_path, options),
    ):
        pass


def test_the_lock_is_let_go_when_the_state_cannot_be_read(backend: LocalBackend, tmp_path: Path) -> None:
    (tmp_path / STATE).write_bytes(b"{")
    for _ in range(2):
        with (
            pytest.raises(DiagnosticError, match="damaged"),
            open_store(backend, "default", "plan", tmp_path),
        ):
            pass


def test_reading_takes_no_lock(backend: LocalBackend, tmp_path: Path) -> None:
    put(tmp_path, state_of("a"))
    with open_store(LocalBackend(tmp_path), "default", "apply", tmp_path):
        assert read_stored(backend, "default").existed


def test_a_first_apply_of_a_saved_plan_crashes_between_save_and_the_end(
    backend: LocalBackend, tmp_path: Path
) -> None:
    planned = with_thing(State.fresh(), "a")
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.state.lineage != planned.lineage
        with store.recording(planned) as journal:
            journal.record(thing("a"), BUILTIN, data_object("id-a", "a"))
            store.save(planned)
            left = (tmp_path / JOURNAL).read_bytes()
    (tmp_path / JOURNAL).write_bytes(left)
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.recovered is not None
        assert not store.recovered.changed
        assert store.state.lineage == planned.lineage
