"""A ledger in every backend: many append at once, some are killed, and the chain has every entry once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import pytest
from tests.state.backends.conftest import Rig, kill

from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.backends.protocol import Backend
from twinfra.state.ledger.entries import Entry
from twinfra.state.ledger.log import open_ledger
from twinfra.state.ledger.verification import verify

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.parametrize("rig", ["s3", "s3-ministack", "gcs", "pg", "local"], indirect=True),
]

APPENDERS = 20


def test_twenty_who_append_at_once_all_get_their_place(rig: Rig) -> None:
    def append(pair: tuple[int, Backend]) -> list[int]:
        ledger = open_ledger(pair[1], "default")
        return [ledger.append("apply", {"from": pair[0], "round": round}).n for round in range(2)]

    with ThreadPoolExecutor(APPENDERS) as pool:
        numbers = [n for got in pool.map(append, enumerate(rig.open_many(APPENDERS))) for n in got]
    assert sorted(numbers) == list(range(1, 2 * APPENDERS + 1))
    ledger = open_ledger(rig.open(), "default")
    there = Counter((one.body["from"], one.body["round"]) for one in ledger.entries())
    assert there == Counter((one, round) for one in range(APPENDERS) for round in range(2))
    assert verify(ledger).findings == []


def test_those_who_are_killed_leave_whole_entries(rig: Rig) -> None:
    """Three are killed while they append without end, and twenty others append meanwhile: what anybody was told to
    be appended is there, once and whole.
    """
    code = (
        "from twinfra.state.ledger.log import open_ledger\n"
        "ledger = open_ledger(backend, 'default')\n"
        "while True:\n    print(ledger.append('apply', {'text': 'x' * 2000}).id, flush=True)\n"
    )
    processes = [rig.other_process(code) for _ in range(3)]
    others = rig.open_many(APPENDERS)
    told: list[str] = []
    with ThreadPoolExecutor(APPENDERS) as pool:
        for process in processes:
            assert process.stdout is not None
            told += [process.stdout.readline().strip() for _ in range(2)]
        racing = pool.map(lambda one: open_ledger(one, "default").append("apply", {}).id, others)
        for process in processes:
            process.send_signal(9)
        told += racing
    for process in processes:
        assert process.stdout is not None
        told += [line.strip() for line in process.stdout if line.endswith("\n")]
        kill(process)
    ledger = open_ledger(rig.open(), "default")
    ledger.append("apply", {"text": "after"})
    assert verify(ledger).findings == []
    ids = [entry.id for entry in ledger.entries()]
    assert len(ids) == len(set(ids))
    assert set(told) <= set(ids)


def test_a_condition_holds_for_all_who_append_at_once(rig: Rig) -> None:
    def taken(entries: Iterable[Entry]) -> Diagnostic | None:
        return error("Taken") if any(one.body.get("name") == "v1" for one in entries) else None

    def release(backend: Backend) -> bool:
        try:
            open_ledger(backend, "default").append("release", {"name": "v1"}, unless=taken)
        except DiagnosticError as refused:
            return refused.diagnostics[0].summary != "Taken"
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(release, rig.open_many(8))) == 1
    assert len(open_ledger(rig.open(), "default").entries()) == 1


def test_the_newest_are_read_first_across_segments(rig: Rig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinfra.state.ledger.log.MOST_ENTRIES", 2)
    ledger = open_ledger(rig.open(), "default")
    for number in range(5):
        ledger.append("apply", {"number": number})
    assert len(ledger.segments()) == 3
    newest = open_ledger(rig.open(), "default").newest()
    assert [one.body["number"] for one in newest] == [4, 3, 2, 1, 0]
    assert [one.n for one in ledger.entries()] == [1, 2, 3, 4, 5]
