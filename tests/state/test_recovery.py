"""Folding a journal in: all it tells of is in the state afterwards, once, and nothing of others is lost."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.state.states import AWS, BUILTIN, data_object, instance_objects, intent_for, state_of, thing

from twinfra.addresses import Instance
from twinfra.diagnostics import DiagnosticError
from twinfra.state.comparison import same_content
from twinfra.state.journal import Journal
from twinfra.state.model import InstanceObject, OutputState, State
from twinfra.state.recovery import Recovered, fold, interrupted
from twinfra.state.v4 import write_state


class Past:
    """A run that ended early: its stored state, and its journal."""

    def __init__(self, directory: Path, state: State, fresh: bool = False) -> None:
        self.path = directory / "j"
        self.state = state
        self.fresh = fresh
        self.journal = Journal(self.path, state, fresh=fresh)

    def fold(self, stored: State | None = None) -> Recovered:
        self.journal.close()
        now = (None if self.fresh else self.state) if stored is None else stored
        digest = "" if now is None else digest_of(now)
        found = fold(self.path.read_bytes(), now, digest, "terraform.tfstate", self.path)
        assert found is not None
        return found


def digest_of(state: State) -> str:
    return hashlib.sha256(b"".join(write_state(state))).hexdigest()


def saved(state: State) -> State:
    """As it is after it was stored once more."""
    copy = state.copy()
    copy.serial += 1
    return copy


def test_what_was_made_changed_and_destroyed_is_in_the_state(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("kept", "changed", "gone"))
    past.journal.record(thing("new"), BUILTIN, data_object("n"))
    past.journal.record(thing("changed"), BUILTIN, data_object("id-changed", "later"))
    past.journal.record(thing("gone"), BUILTIN, None)
    found = past.fold()
    assert set(found.state.resources) == {thing(name).of for name in ("kept", "changed", "new")}
    assert found.state.current(thing("changed")) == data_object("id-changed", "later")
    assert found.changed
    assert [(str(one.address), one.what) for one in found.objects] == [
        ("terraform_data.new", "recorded"),
        ("terraform_data.changed", "recorded"),
        ("terraform_data.gone", "gone"),
    ]


def test_the_stored_state_is_not_touched(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("b"), BUILTIN, data_object("b"))
    past.fold()
    assert list(past.state.resources) == [thing("a").of]


def test_the_last_record_of_an_object_counts(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of())
    past.journal.record(thing("a"), BUILTIN, data_object("1", tainted=True))
    past.journal.record(thing("a"), BUILTIN, data_object("1"))
    found = past.fold()
    assert found.state.current(thing("a")) == data_object("1")
    assert len(found.objects) == 1


def test_a_first_apply_that_never_stored_anything_is_recovered(tmp_path: Path) -> None:
    past = Past(tmp_path, State(lineage="fresh"), fresh=True)
    past.journal.record(thing("a"), BUILTIN, data_object("1"))
    found = past.fold()
    assert found.state.lineage == "fresh"
    assert found.state.current(thing("a")) == data_object("1")


def test_what_is_in_the_stored_state_already_is_not_done_again(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("b"), BUILTIN, data_object("b"))
    after = saved(past.state)
    after.put(thing("b"), BUILTIN, data_object("b"))
    past.journal.saving(after, digest_of(after))
    found = past.fold(after)
    assert not found.changed
    assert found.objects == ()
    assert not found.moved


def test_what_was_recorded_after_a_save_is_added_to_it(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    after = saved(past.state)
    past.journal.saving(after, digest_of(after))
    past.journal.record(thing("c"), BUILTIN, data_object("c"))
    found = past.fold(after)
    assert [str(one.address) for one in found.objects] == ["terraform_data.c"]


def test_outputs_of_a_finished_apply_are_recovered(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    after = saved(past.state)
    after.outputs["o"] = OutputState("x", "string")
    after.check_results = [{"status": "pass"}]
    past.journal.saving(after, digest_of(after))
    found = past.fold()
    assert found.state.outputs == after.outputs
    assert found.state.check_results == after.check_results


def test_identities_are_recovered(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.identify(AWS, {"account": "1"})
    past.journal.record(thing("b"), AWS, data_object("b"))
    assert past.fold().state.identities == {str(AWS): {"account": "1"}}


def test_folding_twice_is_folding_once(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a", "b"))
    past.journal.record(thing("b"), BUILTIN, None)
    past.journal.record(thing("c"), BUILTIN, data_object("c"))
    once = past.fold().state
    again = past.fold(saved(once))
    assert not again.changed
    assert same_content(again.state, once)


# -- others have written meanwhile


def test_an_object_that_others_do_not_know_is_added(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("b"), BUILTIN, data_object("b"))
    theirs = state_of("a", "theirs", serial=5)
    found = past.fold(theirs)
    assert found.moved
    assert set(found.state.resources) == {thing(name).of for name in ("a", "b", "theirs")}


def test_an_object_whose_place_others_took_becomes_deposed(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("b"), BUILTIN, data_object("ours"))
    found = past.fold(state_of("a", "b", serial=5))
    there = found.state.get(thing("b"))
    assert there is not None
    assert there.current == data_object("id-b", "b")
    assert list(there.deposed.values()) == [data_object("ours")]
    assert found.objects[0].what == "deposed"


def test_what_others_recorded_of_the_same_object_is_left_as_it_is(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("a"), BUILTIN, data_object("id-a", "ours"))
    found = past.fold(state_of("a", serial=5))
    assert not found.changed


def test_a_destroyed_object_that_others_still_record_is_left_to_the_next_refresh(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("a"), BUILTIN, None)
    assert not past.fold(state_of("a", serial=5)).changed


# -- what does not fit


def test_a_journal_of_another_state_is_refused_with_what_it_tells_of(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("b"), BUILTIN, data_object("b"))
    with pytest.raises(DiagnosticError) as caught:
        past.fold(state_of("a", lineage="another"))
    (one,) = caught.value.diagnostics
    assert "terraform_data.b" in one.detail
    assert one.mend


def test_a_journal_whose_state_is_gone_is_refused(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("b"), BUILTIN, data_object("b"))
    past.journal.close()
    with pytest.raises(DiagnosticError, match="does not fit"):
        fold(past.path.read_bytes(), None, "", "terraform.tfstate", past.path)


def test_a_journal_without_its_first_record_is_refused_with_what_it_tells_of(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    past.journal.record(thing("b"), BUILTIN, data_object("b"))
    past.journal.close()
    content = past.path.read_bytes()
    with pytest.raises(DiagnosticError) as caught:
        fold(b"x" + content, past.state, "", "terraform.tfstate", past.path)
    assert "terraform_data.b" in caught.value.diagnostics[0].detail


def test_damaged_records_are_counted_and_told(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    for name in ("b", "c"):
        past.journal.record(thing(name), BUILTIN, data_object(name))
    past.journal.close()
    content = past.path.read_bytes().replace(b'"terraform_data","b"', b'"terraform_data","x"')
    found = fold(content, past.state, digest_of(past.state), "terraform.tfstate", past.path)
    assert found is not None
    assert found.damaged == 1
    assert "could not be read" in found.text
    assert found.state.current(thing("c")) == data_object("c")


def test_an_empty_journal_tells_nothing() -> None:
    assert fold(b"\0" * 100, state_of(), "", "x", Path("j")) is None


# -- intents


def test_creates_without_an_answer_are_told_of(tmp_path: Path) -> None:
    past = Past(tmp_path, state_of("a"))
    for name in ("b", "c", "d"):
        past.journal.intend(intent_for(name))
    past.journal.record(thing("b"), BUILTIN, data_object("b"))
    past.journal.answered("token-c")
    found = past.fold()
    assert found.intents == (intent_for("d"),)
    assert "terraform_data.d" in found.text
    problem = interrupted(found)
    assert problem is not None
    assert "terraform_data.d" in problem.detail


def test_without_open_creates_nothing_keeps_commands_from_working(tmp_path: Path) -> None:
    assert interrupted(Past(tmp_path, state_of("a")).fold()) is None


# -- in general

_operations = st.lists(
    st.tuples(
        st.sampled_from("abc"),
        st.sampled_from(["", "00000001"]),
        st.one_of(st.none(), instance_objects),
    ),
    max_size=8,
)


@given(_operations, st.integers(0, 8))
@settings(max_examples=60, deadline=None)
def test_a_crash_at_any_moment_of_an_apply_leaves_what_was_done_by_then(
    tmp_path_factory: pytest.TempPathFactory,
    operations: list[tuple[str, str, InstanceObject | None]],
    crash: int,
) -> None:
    past = Past(tmp_path_factory.mktemp("journal"), state_of("a", "b"))
    expected = past.state.copy()
    for name, deposed, value in operations[:crash]:
        address: Instance = thing(name)
        expected.put(address, BUILTIN, value, deposed)
        past.journal.record(address, BUILTIN, value, deposed)
    assert same_content(past.fold().state, expected)
