import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinfra.sandbox.journal import Entry, Journal

requests = st.lists(
    st.tuples(
        st.floats(0, 4e9),
        st.dictionaries(st.text(max_size=8), st.text(max_size=8), max_size=3),
        st.binary(max_size=64),
    ),
    max_size=6,
)


def written(path: Path, entries: list[tuple[float, dict[str, Any], bytes]]) -> Journal:
    path.unlink(missing_ok=True)
    journal = Journal(path)
    for time, variables, body in entries:
        journal.append(time, variables, body)
    return journal


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(entries=requests)
def test_what_was_written_is_read_again_in_order(
    tmp_path: Path, entries: list[tuple[float, dict[str, Any], bytes]]
) -> None:
    written(tmp_path / "journal", entries).close()
    journal = Journal(tmp_path / "journal")
    expected = [Entry(number, *entry) for number, entry in enumerate(entries, 1)]
    assert list(journal.after(journal.start)) == expected
    journal.close()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], deadline=None)
@given(entries=requests, cut=st.integers(0, 400), garbage=st.binary(max_size=30))
def test_a_journal_cut_anywhere_keeps_all_whole_entries_and_nothing_else(
    tmp_path: Path, entries: list[tuple[float, dict[str, Any], bytes]], cut: int, garbage: bytes
) -> None:
    path = tmp_path / "journal"
    journal = written(path, entries)
    start, seed = journal.start, journal.seed
    ends = [end for _, end in journal._read(start)]
    journal.close()
    os.truncate(path, min(start + cut, path.stat().st_size))
    with path.open("ab") as file:
        file.write(garbage)
    again = Journal(path)
    whole = sum(end <= start + cut for end in ends)
    assert len(list(again.after(again.start))) == whole
    assert again.seed == seed
    assert path.stat().st_size == again.end
    again.close()


def test_reading_can_begin_after_a_place(tmp_path: Path) -> None:
    journal = written(tmp_path / "journal", [(1.0, {}, b"one")])
    place = journal.end
    journal.append(2.0, {}, b"two")
    assert [entry.body for entry in journal.after(place)] == [b"two"]


def test_numbers_go_on_after_a_restart(tmp_path: Path) -> None:
    written(tmp_path / "journal", [(1.0, {}, b"one")]).close()
    assert Journal(tmp_path / "journal").append(2.0, {}, b"two") == 2


def test_a_cleared_journal_begins_with_other_randomness(tmp_path: Path) -> None:
    journal = written(tmp_path / "journal", [(1.0, {}, b"one")])
    before = journal.seed
    journal.clear()
    assert list(Journal(tmp_path / "journal").after(journal.start)) == []
    assert journal.seed != before
    assert not journal.continues


def test_a_journal_can_go_on_from_a_snapshot(tmp_path: Path) -> None:
    journal = written(tmp_path / "journal", [(1.0, {}, b"one")])
    journal.continue_as("seed")
    assert journal.start == journal.end == Journal.length_of_opening("seed")
    journal.append(2.0, {}, b"two")
    again = Journal(tmp_path / "journal")
    assert (again.seed, again.continues) == ("seed", True)
    assert [entry.body for entry in again.after(again.start)] == [b"two"]


@pytest.mark.parametrize("kind", ["symlink", "directory"])
def test_only_a_file_of_its_own_is_opened(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "journal"
    if kind == "symlink":
        path.symlink_to(tmp_path / "elsewhere")
    else:
        path.mkdir()
    with pytest.raises(OSError, match="journal"):
        Journal(path)
