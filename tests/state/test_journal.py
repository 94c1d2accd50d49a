"""The journal: what is recorded is on the disk after `sync`, and read back whatever happened to its end."""

from __future__ import annotations

import errno
import fcntl
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.state.processes import Other
from tests.state.states import AWS, BUILTIN, data_object, instance_objects, intent_for, state_of, thing

from twinfra.diagnostics import Diagnostic, DiagnosticError
from twinfra.state import journal as module
from twinfra.state.journal import RESERVE, Journal
from twinfra.state.journal_format import (
    AnsweredRecord,
    Damaged,
    IdentityRecord,
    IntentRecord,
    NoteRecord,
    ObjectRecord,
    Opening,
    OutputsRecord,
    SavingRecord,
    line_of,
    object_fields,
    read_lines,
)
from twinfra.state.model import InstanceObject, OutputState, State


def lines(path: Path) -> list[Any]:
    return list(read_lines(path.read_bytes()))


def test_a_journal_says_first_which_state_it_continues(tmp_path: Path) -> None:
    state = state_of("a", serial=7)
    state.identities[str(AWS)] = {"account": "1"}
    Journal(tmp_path / "j", state, "staging").close()
    (opening,) = lines(tmp_path / "j")
    assert isinstance(opening, Opening)
    assert (opening.lineage, opening.serial, opening.workspace, opening.fresh) == (
        "a-lineage",
        7,
        "staging",
        False,
    )
    assert opening.identities == {str(AWS): {"account": "1"}}


def test_every_kind_of_record_is_read_back(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", state_of())
    intent = intent_for("b")
    journal.record(thing("a", 0), BUILTIN, data_object("1", "x", tainted=True), "0a1b2c3d")
    journal.record(thing("a"), BUILTIN, None)
    journal.intend(intent)
    journal.answered(intent.token)
    journal.identify(AWS, {"region": "r"})
    journal.note("later", {"x": [1]})
    state = State(serial=2, outputs={"o": OutputState(1, "number", True)}, check_results=[1])
    journal.saving(state, "abc")
    journal.close()
    assert lines(tmp_path / "j")[1:] == [
        ObjectRecord(thing("a", 0), BUILTIN, data_object("1", "x", tainted=True), "0a1b2c3d"),
        ObjectRecord(thing("a"), BUILTIN, None),
        IntentRecord(intent),
        AnsweredRecord(intent.token),
        IdentityRecord(str(AWS), {"region": "r"}),
        NoteRecord("note-later", {"x": [1]}),
        OutputsRecord({"o": OutputState(1, "number", True)}, [1]),
        SavingRecord(2, "abc"),
    ]


@given(instance_objects, st.one_of(st.none(), st.integers(0, 99), st.text(max_size=5)))
@settings(max_examples=60, deadline=None)
def test_any_object_is_read_back(value: InstanceObject, key: int | str | None) -> None:
    address = thing("a", key)
    line = line_of(object_fields(1, address, str(AWS), value, ""))
    (found,) = read_lines(line)
    assert found == ObjectRecord(address, AWS, value)


def test_what_is_synced_is_on_the_disk_and_what_is_not_is_not(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", state_of())
    journal.record(thing("a"), BUILTIN, data_object("1"))
    assert len(lines(tmp_path / "j")) == 1
    journal.sync()
    assert len(lines(tmp_path / "j")) == 2
    journal.close()


def test_many_records_cost_one_wait_for_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    journal = Journal(tmp_path / "j", state_of())
    waits: list[int] = []
    monkeypatch.setattr(os, "fdatasync", waits.append)
    for number in range(100):
        journal.record(thing("a", number), BUILTIN, data_object(str(number)))
    journal.sync()
    journal.sync()
    assert len(waits) == 1
    journal.close()


def test_a_journal_is_for_its_owner_only(tmp_path: Path) -> None:
    Journal(tmp_path / "j", state_of()).close()
    assert stat.S_IMODE((tmp_path / "j").stat().st_mode) == 0o600


def test_a_journal_whose_content_is_saved_is_removed(tmp_path: Path) -> None:
    Journal(tmp_path / "j", state_of()).remove()
    assert os.listdir(tmp_path) == []


def test_two_processes_do_not_write_one_journal(tmp_path: Path) -> None:
    code = "journal = Journal(directory / 'j', state_of('a'))\nsay('open')\nwait()"
    with Other(tmp_path, code) as other:
        assert other.hear() == "open"
        with pytest.raises(DiagnosticError) as caught:
            Journal(tmp_path / "j", state_of("a"))
        assert "without its lock" in caught.value.diagnostics[0].detail
        other.say()


# -- torn and damaged


def full(tmp_path: Path, count: int = 3) -> bytes:
    journal = Journal(tmp_path / "j", state_of())
    for number in range(count):
        journal.record(thing("a", number), BUILTIN, data_object(str(number), "x" * 40))
    journal.close()
    return (tmp_path / "j").read_bytes().rstrip(b"\0")


def test_who_looks_at_a_journal_is_not_taken_for_one_who_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "j"
    Journal(path, state_of("a"), "default").close()
    assert path.exists()
    with path.open("rb") as looking:
        # As another process has it while it looks.
        fcntl.flock(looking, fcntl.LOCK_SH)
        assert not module.is_written(path)
        Journal(path, state_of("a"), "default").close()


def test_a_tail_torn_at_any_byte_costs_only_the_last_record(tmp_path: Path) -> None:
    content = full(tmp_path)
    whole = [at + 1 for at, byte in enumerate(content) if byte == 0x0A]
    for at in range(len(content) + 1):
        found = list(read_lines(content[:at]))
        assert not any(isinstance(one, Damaged) for one in found)
        complete = sum(end <= at for end in whole)
        # A record whose line end alone is missing is whole all the same.
        assert len(found) in (complete, complete + (at + 1 in whole))


def test_zeros_after_the_end_are_reserved_room(tmp_path: Path) -> None:
    content = full(tmp_path)
    assert list(read_lines(content + bytes(1000))) == list(read_lines(content))


def test_a_damaged_line_costs_only_itself(tmp_path: Path) -> None:
    content = bytearray(full(tmp_path))
    at = content.index(b"\n") + 30
    content[at] ^= 1
    kinds = [type(one) for one in read_lines(bytes(content))]
    assert kinds == [Opening, Damaged, ObjectRecord, ObjectRecord]


@given(st.binary(max_size=300))
def test_arbitrary_bytes_are_damaged_records_at_worst(content: bytes) -> None:
    for one in read_lines(content):
        assert isinstance(one, Damaged | NoteRecord)


@given(st.data())
@settings(max_examples=100, deadline=None)
def test_changed_bytes_never_change_what_a_record_says(data: st.DataObject) -> None:
    content = b"".join(
        line_of(object_fields(number, thing("a", number), str(BUILTIN), data_object(str(number)), ""))
        for number in range(3)
    )
    genuine = list(read_lines(content))
    changed = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        changed[data.draw(st.integers(0, len(changed) - 1))] = data.draw(st.integers(0, 255))
    for one in read_lines(bytes(changed)):
        assert isinstance(one, Damaged) or one in genuine


# -- a disk that refuses


def refuse(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    def full_disk(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(module if hasattr(module, name) else os, name, full_disk)


def test_without_room_no_journal_begins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    refuse(monkeypatch, "posix_fallocate")
    with pytest.raises(DiagnosticError) as caught:
        Journal(tmp_path / "j", state_of())
    assert "No space left" in caught.value.diagnostics[0].detail
    assert os.listdir(tmp_path) == []


def test_a_full_disk_is_told_once_while_there_is_room_for_what_is_in_flight(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j", state_of())
    told: list[Diagnostic] = []
    journal.on_failure = told.append
    refuse(monkeypatch, "posix_fallocate")
    big = "x" * (RESERVE // 2)
    journal.record(thing("a"), BUILTIN, data_object("1", big))
    journal.sync()
    journal.record(thing("b"), BUILTIN, data_object("2"))
    journal.sync()
    assert len(told) == 1
    assert journal.failure is told[0]
    journal.close()
    assert len(lines(tmp_path / "j")) == 3


def test_what_could_not_be_written_is_written_by_the_next_sync(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal = Journal(tmp_path / "j", state_of())
    journal.record(thing("a"), BUILTIN, data_object("1"))
    with monkeypatch.context() as patch:
        refuse(patch, "write_all")
        journal.sync()
    assert journal.failure is not None
    assert len(lines(tmp_path / "j")) == 1
    journal.record(thing("b"), BUILTIN, data_object("2"))
    journal.sync()
    journal.close()
    assert [one.address for one in lines(tmp_path / "j")[1:]] == [thing("a"), thing("b")]


# -- intents


def test_an_intent_is_answered_by_a_record_of_its_address(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", state_of())
    for name in ("a", "b", "c"):
        journal.intend(intent_for(name))
    journal.record(thing("a"), BUILTIN, data_object("1"))
    journal.answered("token-b")
    assert journal.unanswered == [intent_for("c")]
    journal.close()


def test_a_record_of_a_deposed_object_answers_no_intent(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", state_of())
    journal.intend(intent_for("a"))
    journal.record(thing("a"), BUILTIN, data_object("1"), "0a1b2c3d")
    assert journal.unanswered == [intent_for("a")]
    journal.close()


def test_intents_of_earlier_runs_are_in_the_new_journal(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "j", state_of(), intents=[intent_for("a")])
    assert IntentRecord(intent_for("a")) in lines(tmp_path / "j")
    assert journal.unanswered == [intent_for("a")]
    journal.close()
