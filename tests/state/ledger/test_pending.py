"""Entries that wait for a ledger."""

from __future__ import annotations

from pathlib import Path

from twinfra.state.backends.local import LocalBackend
from twinfra.state.ledger.authors import about
from twinfra.state.ledger.known import forget_ledger
from twinfra.state.ledger.log import open_ledger
from twinfra.state.ledger.pending import append_pending, pending_of


def test_what_waits_is_appended_once_the_oldest_first(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    ledger, pending = open_ledger(backend, "default"), pending_of(backend, "default")
    for number in range(3):
        pending.put(about("apply", {"number": number}))
    assert [one.body["number"] for one in append_pending(ledger, pending)] == [0, 1, 2]
    assert append_pending(ledger, pending) == []
    assert not pending.directory.exists()
    assert len(ledger.entries()) == 3


def test_what_waits_for_a_deleted_workspace_is_not_appended_to_another_of_its_name(tmp_path: Path) -> None:
    backend = LocalBackend(tmp_path)
    pending_of(backend, "dev").put(about("apply", {}))
    forget_ledger(backend, "dev")
    assert append_pending(open_ledger(backend, "dev"), pending_of(backend, "dev")) == []
