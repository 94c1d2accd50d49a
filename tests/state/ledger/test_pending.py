"""Entries that wait for a ledger."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.state.encryption.blocks import SIMPLE, encryption, provider

from twinfra.diagnostics import Severity
from twinfra.state.backends.local import LocalBackend
from twinfra.state.encryption.backend import encrypted
from twinfra.state.ledger.authors import about
from twinfra.state.ledger.known import forget_ledger
from twinfra.state.ledger.log import open_ledger
from twinfra.state.ledger.pending import append_pending, pending_of

_NEW = provider("new", "another horse battery staple")
OTHER = _NEW + "state { method = method.aes_gcm.new }\n"
WITH_FALLBACK = (
    provider()
    + _NEW
    + "state {\n  method = method.aes_gcm.new\n  fallback { method = method.aes_gcm.main }\n}\n"
)


def test_what_waits_is_appended_once_the_oldest_first(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    ledger, pending = open_ledger(backend, "default"), pending_of(backend, "default")
    for number in range(3):
        pending.put(about("apply", {"number": number}))
    assert [one.body["number"] for one in append_pending(ledger, pending)[0]] == [0, 1, 2]
    assert append_pending(ledger, pending) == ([], [])
    assert not pending.directory.exists()
    assert len(ledger.entries()) == 3


def test_what_waits_for_a_deleted_workspace_is_not_appended_to_another_of_its_name(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    pending_of(backend, "dev").put(about("apply", {}))
    forget_ledger(backend, "dev")
    assert append_pending(open_ledger(backend, "dev"), pending_of(backend, "dev")) == ([], [])


def test_a_receipt_whose_key_is_gone_keeps_no_other_from_being_appended(tmp_path: Path) -> None:
    local = LocalBackend(tmp_path)
    old, new = (encrypted(local, encryption(block).state()) for block in (SIMPLE, OTHER))
    lost = about("apply", {"number": 0})
    pending_of(old, "default").put(lost)
    pending = pending_of(new, "default")
    pending.put(about("apply", {"number": 1}))
    for number in (1, 2):
        appended, [told] = append_pending(open_ledger(new, "default"), pending)
        assert [one.body["number"] for one in appended] == [1][number - 1 :]
        assert told.severity is Severity.WARNING
        assert f"{lost['id']}.json" in told.detail
        assert "fallback" in told.mend
    assert pending.waiting().entries == []

    both = encrypted(local, encryption(WITH_FALLBACK).state())
    appended, problems = append_pending(open_ledger(both, "default"), pending_of(both, "default"))
    assert [one.id for one in appended] == [lost["id"]]
    assert problems == []
    assert not pending.directory.exists()


@pytest.mark.parametrize(
    "content",
    [
        "{",
        "[]",
        '{"entry": {"time": "t", "id": "i"}, "process": {}}',
        '{"entry": null, "process": {}}',
        json.dumps({"entry": about("apply", {}) | {"kind": 1}, "process": {}}),
    ],
)
def test_a_damaged_receipt_is_told_and_left_where_it_is(tmp_path: Path, content: str) -> None:
    backend = LocalBackend(tmp_path)
    pending = pending_of(backend, "default")
    pending.put(about("apply", {}))
    damaged = pending.directory / "0123456789abcdef.json"
    damaged.write_text(content)
    appended, [told] = append_pending(open_ledger(backend, "default"), pending)
    assert len(appended) == 1
    assert "damaged" in told.detail
    assert [*pending.directory.iterdir()] == [damaged]
