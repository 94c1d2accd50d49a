"""What every backend does with states: read, write under a condition, workspaces."""

from __future__ import annotations

import pytest
from tests.state.backends.conftest import Rig, in_workspaces, on_all

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.protocol import NOTHING, Conflict

pytestmark = pytest.mark.emulator

ONE, TWO, THREE = b'{"serial": 1}\n', b'{"serial": 2, "text": "\xc3\xa4"}\n', b'{"serial": 3}\n'


@on_all
def test_there_is_nothing_before_the_first_write(rig: Rig) -> None:
    backend = rig.open()
    assert backend.read("default") is None
    assert backend.workspaces() == ["default"]
    assert backend.holder("default") is None


@on_all
def test_what_was_written_is_read_by_all(rig: Rig) -> None:
    backend, other = rig.open(), rig.open()
    version = backend.write("default", (ONE[:5], ONE[5:]), NOTHING)
    for reader in (backend, other):
        content = reader.read("default")
        assert content is not None
        assert (content.data, content.version) == (ONE, version)


@on_all
def test_a_version_is_followed_by_another_one(rig: Rig) -> None:
    backend = rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    second = backend.write("default", (TWO,), first)
    assert first != second
    content = rig.open().read("default")
    assert content is not None
    assert (content.data, content.version) == (TWO, second)


@on_all
def test_a_write_over_an_older_version_changes_nothing(rig: Rig) -> None:
    backend, other = rig.open(), rig.open()
    first = backend.write("default", (ONE,), NOTHING)
    second = other.write("default", (TWO,), first)
    with pytest.raises(Conflict):
        backend.write("default", (THREE,), first)
    content = backend.read("default")
    assert content is not None
    assert (content.data, content.version) == (TWO, second)


@on_all
def test_a_first_write_where_there_is_a_state_already_changes_nothing(rig: Rig) -> None:
    rig.open().write("default", (ONE,), NOTHING)
    with pytest.raises(Conflict):
        rig.open().write("default", (TWO,), NOTHING)
    content = rig.open().read("default")
    assert content is not None
    assert content.data == ONE


@in_workspaces
def test_a_write_over_a_state_that_is_gone_changes_nothing(rig: Rig) -> None:
    backend = rig.open()
    version = backend.write("gone", (ONE,), NOTHING)
    rig.open().delete("gone")
    with pytest.raises(Conflict):
        backend.write("gone", (TWO,), version)
    assert backend.read("gone") is None


@on_all
def test_a_write_without_a_condition_replaces_whatever_is_there(rig: Rig) -> None:
    backend = rig.open()
    backend.write("default", (ONE,), None)
    version = backend.write("default", (TWO,), None)
    content = rig.open().read("default")
    assert content is not None
    assert (content.data, content.version) == (TWO, version)


def test_workspaces_are_apart(rig: Rig) -> None:
    backend = rig.open()
    if not rig.has_workspaces:
        with pytest.raises(DiagnosticError, match="No workspaces"):
            backend.write("dev", (ONE,), NOTHING)
        return
    for name in ("dev", "über-prod".replace("ü", "u"), "a.b"):
        backend.create(name)
        backend.write(name, (name.encode(),), NOTHING)
    assert backend.read("default") is None
    assert rig.open().workspaces() == ["default", "a.b", "dev", "uber-prod"]
    content = rig.open().read("dev")
    assert content is not None
    assert content.data == b"dev"
    backend.delete("dev")
    assert rig.open().read("dev") is None
    assert rig.open().workspaces() == ["default", "a.b", "uber-prod"]


@on_all
def test_the_default_workspace_is_never_deleted(rig: Rig) -> None:
    with pytest.raises(ValueError, match="default"):
        rig.open().delete("default")


@in_workspaces
def test_deleting_a_workspace_removes_its_journal(rig: Rig) -> None:
    backend = rig.open()
    backend.write("dev", (ONE,), NOTHING)
    journal = backend.journal_path("dev")
    journal.parent.mkdir(parents=True)
    journal.write_bytes(b"x")
    backend.delete("dev")
    assert not journal.exists()


def test_journals_of_two_states_are_two_files(rig: Rig) -> None:
    backend = rig.open()
    if rig.has_workspaces:
        assert backend.journal_path("a") != backend.journal_path("b")
    assert backend.journal_path("default") == rig.open().journal_path("default")
    assert backend.journal_path("default").is_relative_to(rig.place.data_directory)


def test_the_label_names_the_place_without_secrets(rig: Rig) -> None:
    label = rig.open().label("default")
    assert "://" in label
    for secret in ("not-a-secret", "postgres@"):
        assert secret not in label


@on_all
def test_an_empty_object_is_no_state_and_is_replaced(rig: Rig) -> None:
    """Some tools make one before there is a state."""
    backend = rig.open()
    backend.write("default", (b"",), None)
    assert backend.read("default") is None
    version = backend.write("default", (ONE,), NOTHING)
    content = rig.open().read("default")
    assert content is not None
    assert (content.data, content.version) == (ONE, version)
