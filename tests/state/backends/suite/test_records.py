"""What every backend with records does with them: written only if unchanged, gone with their workspace."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.state.backends.conftest import BUCKET, Rig

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.protocol import NOTHING, Backend, Conflict
from twinfra.state.backends.records import Records, records_of

pytestmark = pytest.mark.emulator

with_records = pytest.mark.parametrize(
    "rig", ["s3", "s3-dynamodb", "s3-ministack", "gcs", "pg", "local"], indirect=True
)
over_a_network = pytest.mark.parametrize("rig", ["s3", "gcs", "pg"], indirect=True)


def records(rig: Rig) -> Records:
    return records_of(rig.open())


@with_records
def test_a_record_is_read_as_it_was_written(rig: Rig) -> None:
    one = records(rig)
    assert one.read_record("default", "a-1") is None
    assert one.list_records("default") == []
    version = one.write_record("default", "a-1", b"\x00\xff not text", NOTHING)
    found = records(rig).read_record("default", "a-1")
    assert found is not None
    assert (found.data, found.version) == (b"\x00\xff not text", version)


@with_records
def test_a_record_is_replaced_only_where_it_is_the_one_that_was_read(rig: Rig) -> None:
    one, other = records(rig), records(rig)
    first = one.write_record("default", "a", b"1", NOTHING)
    with pytest.raises(Conflict):
        other.write_record("default", "a", b"x", NOTHING)
    second = other.write_record("default", "a", b"2", first)
    with pytest.raises(Conflict):
        one.write_record("default", "a", b"3", first)
    assert second != first
    found = one.read_record("default", "a")
    assert found is not None
    assert found.data == b"2"
    one.write_record("default", "a", b"any", None)
    assert other.read_record("default", "a").data == b"any"  # type: ignore[union-attr]


@with_records
def test_several_records_are_read_at_once_in_the_order_asked_for(rig: Rig) -> None:
    one = records(rig)
    for name in ("c", "a", "b"):
        one.write_record("default", name, name.encode(), NOTHING)
    assert one.list_records("default") == ["a", "b", "c"]
    found = one.read_records("default", ["b", "missing", "c"])
    assert [None if each is None else each.data for each in found] == [b"b", None, b"c"]


@with_records
def test_records_are_those_of_one_workspace_and_go_with_it(rig: Rig) -> None:
    backend = rig.open()
    one = records_of(backend)
    for workspace in ("default", "other"):
        backend.write(workspace, (b"{}",), NOTHING)
        one.write_record(workspace, "a", workspace.encode(), NOTHING)
    assert backend.workspaces() == ["default", "other"]
    backend.delete("other")
    assert one.list_records("other") == []
    assert backend.workspaces() == ["default"]
    assert one.read_record("default", "a").data == b"default"  # type: ignore[union-attr]


@with_records
def test_of_twenty_writers_one_wins(rig: Rig) -> None:
    barrier = threading.Barrier(20)

    def write(pair: tuple[int, Backend]) -> int:
        barrier.wait(60)
        try:
            records_of(pair[1]).write_record("default", "a", str(pair[0]).encode(), NOTHING)
        except Conflict:
            return -1
        return pair[0]

    with ThreadPoolExecutor(20) as pool:
        won = [one for one in pool.map(write, enumerate(rig.open_many(20))) if one >= 0]
    found = records(rig).read_record("default", "a")
    assert found is not None
    assert [found.data] == [str(one).encode() for one in won]


@over_a_network
@pytest.mark.parametrize("kind", ["drop", "drop-after"])
def test_a_write_whose_answer_was_lost_is_told_as_what_it_was(rig: Rig, kind: str) -> None:
    one = records(rig)
    first = one.write_record("default", "a", b"1", NOTHING)
    rig.proxy.spoil(kind, rig.writes)
    second = one.write_record("default", "a", b"2", first)
    found = records(rig).read_record("default", "a")
    assert found is not None
    assert (found.data, found.version) == (b"2", second)


@pytest.mark.parametrize("rig", ["http"], indirect=True)
def test_a_backend_with_one_url_says_that_it_keeps_none(rig: Rig) -> None:
    with pytest.raises(DiagnosticError) as caught:
        records(rig)
    assert caught.value.diagnostics[0].summary == "A backend without history"
    assert "init -migrate-state" in caught.value.diagnostics[0].mend


@pytest.mark.parametrize("rig", ["pg"], indirect=True)
def test_a_table_that_must_not_be_made_is_asked_for(rig: Rig) -> None:
    rig.open()
    backend = rig.open(skip_table_creation=True)
    rig.open().write("default", (b"{}",), NOTHING)
    assert records_of(backend).read_record("default", "a") is None
    with pytest.raises(DiagnosticError) as caught:
        records_of(backend).write_record("default", "a", b"1", NOTHING)
    assert "CREATE TABLE" in caught.value.diagnostics[0].mend


@pytest.mark.parametrize("rig", ["local"], indirect=True)
def test_what_a_killed_writer_left_is_removed_by_the_next(rig: Rig) -> None:
    one = records(rig)
    one.write_record("default", "a", b"1", NOTHING)
    directory = next(rig.place.directory.glob("*.records"))
    (directory / ".a.json.0123456789ab.new").write_bytes(b"half")
    assert one.list_records("default") == ["a"]
    one.write_record("default", "b", b"2", NOTHING)
    assert sorted(path.name for path in directory.iterdir()) == ["a.json", "b.json"]


@pytest.mark.parametrize("rig", ["s3"], indirect=True)
def test_records_lie_beside_the_state_in_its_bucket(rig: Rig) -> None:
    records(rig).write_record("dev", "a", b"1", NOTHING)
    key = f"env:/dev/{rig.settings['key']}.records/a"
    bucket = records(rig)._bucket  # type: ignore[attr-defined]
    assert list(bucket.keys("env:/dev/")) == [key]
    assert BUCKET == "states"
