"""A ledger that was tampered with is found out, with the place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.state.encryption.blocks import SIMPLE, encryption

from twinfra.state.backends.local import LocalBackend
from twinfra.state.encryption.backend import EncryptedBackend
from twinfra.state.ledger.entries import hash_of
from twinfra.state.ledger.log import Ledger, open_ledger
from twinfra.state.ledger.verification import Head, Verified, verify


@pytest.fixture
def ledger(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Ledger:
    """Six entries in three segments."""
    monkeypatch.setattr("twinfra.state.ledger.log.MOST_ENTRIES", 2)
    found = open_ledger(LocalBackend(tmp_path), "default")
    for number in range(6):
        found.append("apply", {"number": number})
    return found


@pytest.fixture
def segment(tmp_path: Path) -> Callable[[int], Path]:
    return lambda number: tmp_path / "terraform.tfstate.records" / f"ledger-{number:06}.json"


def told(verified: Verified) -> list[tuple[str, int]]:
    return [(one.kind, one.n) for one in verified.findings]


def test_what_nobody_touched_has_no_findings(ledger: Ledger) -> None:
    verified = verify(ledger)
    assert verified.findings == []
    assert [entry.n for entry in verified.entries] == [1, 2, 3, 4, 5, 6]
    assert verified.head == Head(6, verified.entries[-1].hash)


def test_a_changed_entry_is_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    path = segment(2)
    path.write_text(path.read_text().replace('"number":2', '"number":9'))
    assert told(verify(ledger)) == [("changed", 3)]
    assert verify(ledger).findings[0].place == "ledger-000002, line 2"


def test_an_entry_replaced_with_its_hash_is_found_by_the_next(
    ledger: Ledger, segment: Callable[[int], Path]
) -> None:
    path = segment(2)
    lines = path.read_text().splitlines()
    fields = json.loads(lines[1])
    fields["who"] = "mallory"
    fields["hash"] = hash_of(fields)
    lines[1] = json.dumps(fields)
    path.write_text("\n".join([*lines, ""]))
    assert told(verify(ledger)) == [("changed", 3)]


def test_the_last_entry_replaced_with_its_hash_is_found(
    ledger: Ledger, segment: Callable[[int], Path]
) -> None:
    path = segment(3)
    lines = path.read_text().splitlines()
    fields = json.loads(lines[2])
    fields["who"] = "mallory"
    fields["hash"] = hash_of(fields)
    path.write_text("\n".join([*lines[:2], json.dumps(fields), ""]))
    assert told(verify(ledger)) == [("changed", 6)]


def test_a_missing_line_is_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    path = segment(2)
    lines = path.read_text().splitlines()
    path.write_text("\n".join([lines[0], lines[2], ""]))
    assert told(verify(ledger)) == [("missing", 3)]


def test_a_missing_segment_is_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    segment(1).unlink()
    found = verify(ledger).findings
    assert [one.text for one in found] == ["Entries 1 to 2 are missing."]


def test_missing_last_entries_are_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    segment(3).unlink()
    assert [one.text for one in verify(ledger).findings] == ["Entries 5 to 6 are missing."]


def test_all_entries_missing_is_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    for number in (1, 2, 3):
        segment(number).unlink()
    assert [one.text for one in verify(ledger).findings] == ["Entries 1 to 6 are missing."]


def test_entries_in_another_order_are_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    path = segment(2)
    head, first, second = path.read_text().splitlines()
    path.write_text(f"{head}\n{second}\n{first}\n")
    assert told(verify(ledger)) == [("reordered", 3)]


def test_swapped_segments_are_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    one, two = segment(1).read_bytes(), segment(2).read_bytes()
    segment(1).write_bytes(two)
    segment(2).write_bytes(one)
    assert told(verify(ledger)) == [("reordered", 1), ("reordered", 2)]


@pytest.mark.parametrize("content", [b"", b"nonsense", b'{"twinfra_ledger":1}\n{"n":3'])
def test_a_damaged_segment_is_found_and_hides_no_other(
    ledger: Ledger, segment: Callable[[int], Path], content: bytes
) -> None:
    segment(2).write_bytes(content)
    path = segment(3)
    path.write_text(path.read_text().replace('"number":5', '"number":9'))
    kinds = [one.kind for one in verify(ledger).findings]
    assert "damaged" in kinds
    assert ("missing", 3) in told(verify(ledger))
    assert ("changed", 6) in told(verify(ledger))


def test_a_whole_new_chain_is_found_by_a_head_kept_elsewhere(ledger: Ledger, tmp_path: Path) -> None:
    before = verify(ledger).head
    assert before is not None
    for path in (tmp_path / "terraform.tfstate.records").iterdir():
        path.unlink()
    for number in range(7):
        ledger.append("apply", {"number": number})
    assert verify(ledger).findings == []
    assert told(verify(ledger, [before])) == [("changed", 6)]
    assert told(verify(ledger, [Head(9, before.hash)])) == [("missing", 8)]


def test_a_clock_that_went_back_is_told_and_is_no_finding(
    ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    from twinfra.state.ledger import authors

    made = authors.about("apply", {}) | {"time": "2020-01-01T00:00:00.000000Z"}
    ledger.append_made(made)
    verified = verify(ledger)
    assert verified.findings == []
    assert [(one.n, two.n) for one, two in verified.backwards] == [(6, 7)]


@pytest.mark.parametrize("text", ["", "6", "6:", "x:" + "0" * 64, "6:" + "g" * 64, "6:" + "0" * 63])
def test_a_head_is_a_number_and_a_hash(text: str) -> None:
    assert Head.parse(text) is None
    assert Head.parse("6:" + "a" * 64) == Head(6, "a" * 64)


@pytest.mark.parametrize("text", ["", "{}", "[]", '{"n": 6, "hash": "short"}', '{"n": 6'])
def test_a_head_that_cannot_be_read_is_found(
    ledger: Ledger, segment: Callable[[int], Path], text: str
) -> None:
    segment(1).with_name("ledger-head.json").write_text(text)
    assert told(verify(ledger)) == [("damaged", 0)]


def test_a_sealed_head_of_which_a_byte_was_changed_is_found(tmp_path: Path) -> None:
    codec = encryption(SIMPLE).state()
    ledger = open_ledger(EncryptedBackend(LocalBackend(tmp_path), codec), "default")
    ledger.append("apply", {})
    path = tmp_path / "terraform.tfstate.records" / "ledger-head.json"
    content = path.read_bytes()
    place = content.index(b'"encrypted_data":"') + 20
    path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
    found = verify(ledger)
    assert told(found) == [("damaged", 0)]
    assert "ledger-head" in found.findings[0].text


@pytest.mark.parametrize("number", ["NaN", "1e999"])
def test_a_number_that_json_does_not_have_is_damage(
    ledger: Ledger, segment: Callable[[int], Path], number: str
) -> None:
    path = segment(2)
    path.write_text(path.read_text().replace('"number":2', f'"number":{number}'))
    assert told(verify(ledger)) == [("damaged", 0), ("missing", 3)]


def test_that_the_note_of_the_head_is_gone_is_found(ledger: Ledger, segment: Callable[[int], Path]) -> None:
    segment(1).with_name("ledger-head.json").unlink()
    assert told(verify(ledger)) == [("missing", 0)]
    ledger.append("apply", {})
    assert verify(ledger).findings == []


def test_the_first_entry_may_be_without_the_note_of_a_head(tmp_path: Path) -> None:
    found = open_ledger(LocalBackend(tmp_path), "default")
    found.append("apply", {})
    (tmp_path / "terraform.tfstate.records/ledger-head.json").unlink()
    assert verify(found).findings == []
