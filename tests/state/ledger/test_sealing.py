"""A ledger beside an encrypted state: sealed, and readable after a change of keys."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.state.encryption.blocks import PLAIN_METHOD, SIMPLE, encryption, provider, words

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.local import LocalBackend
from twinfra.state.encryption.backend import encrypted
from twinfra.state.ledger.log import Ledger, open_ledger
from twinfra.state.ledger.verification import verify

SECRET = "planted-secret-value"


@pytest.fixture(autouse=True)
def small_segments(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("twinfra.state.ledger.log.MOST_ENTRIES", 2)


def ledger(directory: Path, block: str = "") -> Ledger:
    backend = LocalBackend(directory)
    return open_ledger(encrypted(backend, encryption(block).state()) if block else backend, "default")


def contents(directory: Path) -> list[bytes]:
    return [path.read_bytes() for path in sorted((directory / "terraform.tfstate.records").iterdir())]


def test_what_is_appended_is_sealed(tmp_path: Path) -> None:
    for _ in range(3):
        ledger(tmp_path, SIMPLE).append("release", {"output": SECRET})
    assert len(ledger(tmp_path, SIMPLE).entries()) == 3
    assert not any(SECRET.encode() in one for one in contents(tmp_path))
    assert verify(ledger(tmp_path, SIMPLE)).findings == []
    with pytest.raises(DiagnosticError) as caught:
        ledger(tmp_path).entries()
    assert "encrypted" in words(caught.value)


def test_what_was_written_in_the_clear_is_sealed_by_the_first_append(tmp_path: Path) -> None:
    for _ in range(3):
        ledger(tmp_path).append("release", {"output": SECRET})
    block = PLAIN_METHOD + SIMPLE.replace(
        "state { method = method.aes_gcm.main }",
        "state {\n  method = method.aes_gcm.main\n  fallback { method = method.unencrypted.off }\n}",
    )
    ledger(tmp_path, block).append("apply", {})
    assert not any(SECRET.encode() in one for one in contents(tmp_path))
    assert len(ledger(tmp_path, SIMPLE).entries()) == 4


def test_after_an_append_with_a_new_key_the_old_one_is_not_needed(tmp_path: Path) -> None:
    for _ in range(3):
        ledger(tmp_path, SIMPLE).append("apply", {})
    both = (
        provider()
        + provider("new", "another horse battery staple")
        + "state {\n  method = method.aes_gcm.new\n  fallback { method = method.aes_gcm.main }\n}\n"
    )
    ledger(tmp_path, both).append("apply", {})
    new = provider("new", "another horse battery staple") + "state { method = method.aes_gcm.new }\n"
    assert verify(ledger(tmp_path, new)).findings == []
    assert len(ledger(tmp_path, new).entries()) == 4


def test_a_sealed_segment_that_was_changed_is_found(tmp_path: Path) -> None:
    for _ in range(5):
        ledger(tmp_path, SIMPLE).append("apply", {})
    path = tmp_path / "terraform.tfstate.records" / "ledger-000002.json"
    content = bytearray(path.read_bytes())
    middle = content.index(b"encrypted_data") + 200
    content[middle] = ord("A") if content[middle] != ord("A") else ord("B")
    path.write_bytes(bytes(content))
    found = verify(ledger(tmp_path, SIMPLE)).findings
    assert {(one.kind, one.n) for one in found} == {("damaged", 0), ("missing", 3)}


def test_segments_of_many_processes_need_one_key(tmp_path: Path) -> None:
    for _ in range(5):
        ledger(tmp_path, SIMPLE).append("apply", {})
    salts = set()
    for content in contents(tmp_path):
        salts.add(json.loads(content)["meta"]["key_provider.pbkdf2.main"])
    assert len(salts) == 1


def test_sealing_anew_takes_a_new_key_for_all_records(tmp_path: Path) -> None:
    for _ in range(5):
        ledger(tmp_path, SIMPLE).append("apply", {})
    before = contents(tmp_path)
    one = ledger(tmp_path, SIMPLE)
    entries = one.entries()
    assert one.seal() == 4
    salts = [json.loads(content)["meta"]["key_provider.pbkdf2.main"] for content in contents(tmp_path)]
    assert len(set(salts)) == 1
    assert salts[0] != json.loads(before[0])["meta"]["key_provider.pbkdf2.main"]
    assert ledger(tmp_path, SIMPLE).entries() == entries
