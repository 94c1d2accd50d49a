"""Appending to a ledger and reading it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends.local import LocalBackend
from twinfra.state.ledger import authors
from twinfra.state.ledger.entries import chained, write_segment
from twinfra.state.ledger.log import open_ledger
from twinfra.state.ledger.verification import verify


def test_an_empty_ledger_leaves_nothing_on_the_disk(tmp_path: Path) -> None:
    ledger = open_ledger(LocalBackend(tmp_path), "default")
    assert not ledger.exists()
    assert ledger.entries() == []
    assert list(ledger.newest()) == []
    assert list(tmp_path.iterdir()) == []


def test_an_entry_says_who_where_and_when(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TWINFRA_ACTOR", "ada")
    entry = open_ledger(LocalBackend(tmp_path), "default").append("apply", {"outcome": "done"})
    assert (entry.n, entry.kind, entry.who, entry.body) == (1, "apply", "ada", {"outcome": "done"})
    assert entry.host
    assert entry.time.endswith("Z")
    assert open_ledger(LocalBackend(tmp_path), "default").entries() == [entry]


def test_the_same_entry_is_not_appended_twice(tmp_path: Path) -> None:
    ledger = open_ledger(LocalBackend(tmp_path), "default")
    made = authors.about("apply", {})
    assert ledger.append_made(made) == ledger.append_made(made)
    assert len(ledger.entries()) == 1


def test_a_condition_that_is_not_met_appends_nothing(tmp_path: Path) -> None:
    ledger = open_ledger(LocalBackend(tmp_path), "default")
    with pytest.raises(DiagnosticError):
        ledger.append("release", {}, unless=lambda entries: error("No"))
    assert not ledger.exists()


def test_a_segment_ends_where_it_becomes_large(tmp_path: Path) -> None:
    ledger = open_ledger(LocalBackend(tmp_path), "default")
    for _ in range(3):
        ledger.append("apply", {"text": "x" * 200_000})
    assert len(ledger.segments()) == 3
    assert verify(ledger).findings == []


def test_any_text_survives_with_its_hash(tmp_path: Path) -> None:
    ledger = open_ledger(LocalBackend(tmp_path), "default")
    body = {"text": "ä\u2028\n\x00\ud800", "list": [1, None, True, {"z": 1, "a": ""}]}
    ledger.append("apply", body)
    assert ledger.entries()[0].body == body
    assert verify(ledger).findings == []


def test_the_ledger_of_a_newer_version_is_told_as_such(tmp_path: Path) -> None:
    ledger = open_ledger(LocalBackend(tmp_path), "default")
    ledger.append("apply", {})
    path = tmp_path / "terraform.tfstate.records" / "ledger-000001.json"
    path.write_text(path.read_text().replace('"twinfra_ledger":1', '"twinfra_ledger":2'))
    with pytest.raises(DiagnosticError) as caught:
        ledger.entries()
    assert "newer Twinfra" in caught.value.diagnostics[0].detail


def test_ten_thousand_entries_are_read_and_checked(tmp_path: Path) -> None:
    directory = tmp_path / "terraform.tfstate.records"
    directory.mkdir()
    before, entries = "", []
    for n in range(1, 10_001):
        body = {
            "commit": "a" * 40,
            "subject": "Grow the cluster",
            "outcome": "done",
            "code": "sha256:" + "b" * 64,
        }
        entries.append(chained(n, before, authors.about("apply", body)))
        before = entries[-1].hash
    for number in range(0, len(entries), 256):
        (directory / f"ledger-{number // 256 + 1:06}.json").write_bytes(
            write_segment(entries[number : number + 256])
        )
    (directory / "ledger-head.json").write_text(json.dumps({"n": entries[-1].n, "hash": before}))
    ledger = open_ledger(LocalBackend(tmp_path), "default")
    assert ledger.entries() == entries
    assert verify(ledger).findings == []
