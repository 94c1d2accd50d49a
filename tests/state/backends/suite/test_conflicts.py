"""Whole states on every kind of backend: lineage and serial tell them apart, and none is put over another unseen."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.state.backends.conftest import KINDS, Rig, on_all
from tests.state.states import BUILTIN, data_object, state_of, thing

from twinfra.diagnostics import DiagnosticError
from twinfra.state.locks import new_lock
from twinfra.state.store import NO_LOCK, Store, open_store

pytestmark = pytest.mark.emulator


def add(store: Store, name: str) -> None:
    """Save with one thing more."""
    state = store.state.copy()
    state.put(thing(name), BUILTIN, data_object(name, name))
    store.save(state)


@on_all
def test_each_save_is_one_serial_of_one_lineage(rig: Rig, tmp_path: Path) -> None:
    with open_store(rig.open(), "default", "apply", tmp_path) as store:
        add(store, "a")
        lineage = store.state.lineage
        add(store, "b")
    with open_store(rig.open(), "default", "plan", tmp_path) as store:
        assert (store.state.serial, store.state.lineage) == (2, lineage)


@on_all
@pytest.mark.parametrize(
    ("serial", "lineage", "said"),
    [(4, "a-lineage", "older"), (5, "a-lineage", "the same serial"), (9, "another", "lineage")],
)
def test_a_state_of_another_history_is_refused(
    rig: Rig, serial: int, lineage: str, said: str, tmp_path: Path
) -> None:
    with open_store(rig.open(), "default", "state push", tmp_path) as store:
        store.overwrite(state_of("a", serial=5))
        with pytest.raises(DiagnosticError) as caught:
            store.overwrite(state_of("b", serial=serial, lineage=lineage))
        assert said in caught.value.diagnostics[0].detail
    with open_store(rig.open(), "default", "plan", tmp_path) as store:
        assert (store.state.serial, store.state.lineage) == (5, "a-lineage")
        assert store.state.get(thing("a")) is not None


@pytest.mark.parametrize("rig", ["local"], indirect=True)
def test_an_empty_state_makes_way_for_any_and_serials_never_go_back(rig: Rig, tmp_path: Path) -> None:
    with open_store(rig.open(), "default", "state push", tmp_path) as store:
        store.overwrite(state_of(serial=5))
        store.overwrite(state_of("a", serial=2))
        assert store.state.serial == 6
        store.overwrite(state_of("b", serial=7, lineage=""))
        assert store.state.lineage == "a-lineage"
        store.overwrite(state_of(serial=8))
        store.overwrite(state_of("c", serial=1, lineage="another"))
    with open_store(rig.open(), "default", "plan", tmp_path) as store:
        assert (store.state.serial, store.state.lineage) == (1, "another")


@on_all
def test_of_two_who_work_without_the_lock_the_second_loses_nothing(rig: Rig, tmp_path: Path) -> None:
    with (
        open_store(rig.open(), "default", "apply", tmp_path, NO_LOCK) as first,
        open_store(rig.open(), "default", "apply", tmp_path, NO_LOCK) as second,
    ):
        add(first, "a")
        with pytest.raises(DiagnosticError) as caught:
            add(second, "b")
    assert "changed by somebody else" in caught.value.diagnostics[0].summary
    with open_store(rig.open(), "default", "plan", tmp_path) as store:
        assert [str(one) for one in store.state.resources] == ["terraform_data.a"]
    kept = json.loads((tmp_path / "errored.tfstate").read_text())
    assert [one["name"] for one in kept["resources"]] == ["b"]


@pytest.mark.parametrize("rig", KINDS, indirect=True)
def test_an_apply_whose_lock_expires_takes_nothing_from_who_came_after(rig: Rig, tmp_path: Path) -> None:
    """Somebody thinks it dead, releases its lock and applies; then it comes to its end."""
    with open_store(rig.open(), "default", "apply", tmp_path) as store:
        add(store, "a")
    caught: pytest.ExceptionInfo[DiagnosticError]
    with open_store(rig.open(), "default", "apply", tmp_path / "slow") as slow:
        assert slow.lock is not None
        rig.open().unlock("default", slow.lock.id)
        with open_store(rig.open(), "default", "apply", tmp_path / "other") as other:
            add(other, "b")
            (tmp_path / "slow").mkdir()
            with pytest.raises(DiagnosticError) as caught:
                add(slow, "c")
            holder = rig.open().holder("default")
            assert other.lock is not None
            assert holder is not None
            assert holder.id == other.lock.id
    assert "changed by somebody else" in caught.value.diagnostics[0].summary
    assert (tmp_path / "slow/errored.tfstate").exists()
    with open_store(rig.open(), "default", "plan", tmp_path) as store:
        assert sorted(map(str, store.state.resources)) == ["terraform_data.a", "terraform_data.b"]
    rig.open().lock("default", new_lock("apply"))
