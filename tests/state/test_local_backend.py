"""States in files: reading, writing, locking, workspaces."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from tests.state.processes import Other

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.local import LocalBackend, check_workspace_name
from twinfra.state.backends.protocol import NOTHING, Conflict, Content, Locked, Place
from twinfra.state.backends.registry import backend_types, connect
from twinfra.state.journal import Journal
from twinfra.state.locks import LockInfo, is_abandoned, new_lock
from twinfra.state.model import State

HOLD = """
from twinfra.state.locks import new_lock
lock = new_lock("apply", "terraform.tfstate")
backend.lock("default", lock)
say(lock.id)
wait()
"""


@pytest.fixture
def backend(tmp_path: Path) -> LocalBackend:
    return LocalBackend(tmp_path)


def test_what_is_written_is_read(backend: LocalBackend) -> None:
    version = backend.write("default", (b"a", b"b"), NOTHING)
    assert backend.read("default") == Content(b"ab", version)


def test_nothing_is_read_where_nothing_is(backend: LocalBackend) -> None:
    assert backend.read("default") is None


def test_a_state_that_changed_meanwhile_is_not_replaced(backend: LocalBackend, tmp_path: Path) -> None:
    version = backend.write("default", (b"a",), NOTHING)
    (tmp_path / "terraform.tfstate").write_bytes(b"other")
    with pytest.raises(Conflict):
        backend.write("default", (b"b",), version)
    assert (tmp_path / "terraform.tfstate").read_bytes() == b"other"


def test_a_state_that_appeared_meanwhile_is_not_replaced(backend: LocalBackend, tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_bytes(b"other")
    with pytest.raises(Conflict):
        backend.write("default", (b"b",), NOTHING)


def test_a_new_state_is_for_its_owner_only(backend: LocalBackend, tmp_path: Path) -> None:
    backend.write("default", (b"a",), None)
    assert stat.S_IMODE((tmp_path / "terraform.tfstate").stat().st_mode) == 0o600


def test_the_group_keeps_what_the_replaced_file_left_it_and_others_lose_it(
    backend: LocalBackend, tmp_path: Path
) -> None:
    path = tmp_path / "terraform.tfstate"
    path.write_bytes(b"a")
    path.chmod(0o664)
    backend.write("default", (b"b",), None)
    assert stat.S_IMODE(path.stat().st_mode) == 0o660


def test_the_first_write_of_a_command_backs_up_what_it_found(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_bytes(b"old")
    backend = LocalBackend(tmp_path)
    for content in (b"new", b"newer"):
        backend.write("default", (content,), None)
    assert (tmp_path / "terraform.tfstate.backup").read_bytes() == b"old"


def test_no_backup_is_made_of_nothing(backend: LocalBackend, tmp_path: Path) -> None:
    backend.write("default", (b"a",), NOTHING)
    assert os.listdir(tmp_path) == ["terraform.tfstate"]


def test_a_backup_goes_where_it_is_told(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_bytes(b"old")
    LocalBackend(tmp_path, backup="kept").write("default", (b"new",), None)
    assert (tmp_path / "kept").read_bytes() == b"old"


def test_a_backup_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").write_bytes(b"old")
    LocalBackend(tmp_path, backup="-").write("default", (b"new",), None)
    assert os.listdir(tmp_path) == ["terraform.tfstate"]


def test_a_state_can_be_written_elsewhere_than_it_was_read(tmp_path: Path) -> None:
    (tmp_path / "in.tfstate").write_bytes(b"old")
    backend = LocalBackend(tmp_path, "in.tfstate", out="out.tfstate")
    found = backend.read("default")
    assert found is not None
    backend.write("default", (b"new",), found.version)
    assert (tmp_path / "in.tfstate").read_bytes() == b"old"
    again = backend.read("default")
    assert again is not None
    assert again.data == b"new"


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    real = tmp_path / "elsewhere" / "state"
    real.write_bytes(b"old")
    link = tmp_path / "terraform.tfstate"
    link.symlink_to(real)
    backend = LocalBackend(tmp_path)
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.write("default", (b"new",), None)
    backend.unlock("default", lock.id)
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_directory_in_the_place_of_the_state_is_refused(backend: LocalBackend, tmp_path: Path) -> None:
    (tmp_path / "terraform.tfstate").mkdir()
    for attempt in (
        lambda: backend.write("default", (b"a",), None),
        lambda: backend.lock("default", new_lock("apply")),
        lambda: backend.read("default"),
    ):
        with pytest.raises(DiagnosticError):
            attempt()


@pytest.fixture
def read_only() -> Iterator[Path]:
    """A directory with a state in which this process may not write, also when it is the superuser's."""
    directory = Path(tempfile.mkdtemp())
    (directory / "terraform.tfstate").write_bytes(b"old")
    (directory / "terraform.tfstate").chmod(0o644)
    directory.chmod(0o555)
    root = os.geteuid() == 0
    if root:
        os.seteuid(65534)
    try:
        yield directory
    finally:
        if root:
            os.seteuid(0)
        directory.chmod(0o700)
        shutil.rmtree(directory)


def test_a_directory_that_cannot_be_written_to_is_named(read_only: Path) -> None:
    backend = LocalBackend(read_only)
    attempts: list[Callable[[], object]] = [
        lambda: backend.lock("default", new_lock("apply")),
        lambda: backend.write("default", (b"a",), None),
        lambda: backend.create("staging"),
        lambda: Journal(backend.journal_path("default"), State.fresh()),
    ]
    for attempt in attempts:
        with pytest.raises(DiagnosticError) as caught:
            attempt()
        (one,) = caught.value.diagnostics
        assert str(read_only) in one.detail
        assert "Permission denied" in one.detail
        assert "permission" in one.mend
    found = backend.read("default")
    assert found is not None
    assert found.data == b"old"


def test_a_missing_directory_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DiagnosticError) as caught:
        LocalBackend(tmp_path, "file/x.tfstate").write("default", (b"a",), None)
    assert "Not a directory" in caught.value.diagnostics[0].detail


# -- locks


def test_a_lock_keeps_another_process_out_and_says_who_has_it(backend: LocalBackend, tmp_path: Path) -> None:
    with Other(tmp_path, HOLD) as other:
        held = other.hear()
        with pytest.raises(Locked) as caught:
            backend.lock("default", new_lock("plan"))
        assert caught.value.holder is not None
        assert caught.value.holder.id == held
        other.say()


def test_a_lock_keeps_the_same_process_out_too(backend: LocalBackend, tmp_path: Path) -> None:
    backend.lock("default", new_lock("apply"))
    with pytest.raises(Locked):
        LocalBackend(tmp_path).lock("default", new_lock("plan"))
    backend.close()


def test_reading_elsewhere_in_the_process_does_not_end_a_lock(backend: LocalBackend, tmp_path: Path) -> None:
    backend.write("default", (b"a",), None)
    backend.lock("default", new_lock("apply"))
    (tmp_path / "terraform.tfstate").read_bytes()
    with Other(
        tmp_path, "try: backend.lock('default', None)\nexcept Exception as x: say(type(x).__name__)"
    ) as other:
        assert other.hear() == "Locked"
    backend.close()


def test_a_lock_outlives_every_write(backend: LocalBackend, tmp_path: Path) -> None:
    backend.lock("default", new_lock("apply"))
    for content in (b"a", b"b", b"c"):
        backend.write("default", (content,), None)
        with pytest.raises(Locked):
            LocalBackend(tmp_path).lock("default", new_lock("plan"))
    backend.close()
    LocalBackend(tmp_path).lock("default", new_lock("plan"))


def test_a_lock_of_a_killed_process_is_free(backend: LocalBackend, tmp_path: Path) -> None:
    with Other(tmp_path, HOLD) as other:
        other.hear()
        other.kill()
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.unlock("default", lock.id)
    assert os.listdir(tmp_path) == []


def test_a_lock_leaves_nothing_behind(backend: LocalBackend, tmp_path: Path) -> None:
    lock = new_lock("plan")
    backend.lock("default", lock)
    assert sorted(os.listdir(tmp_path)) == [".terraform.tfstate.lock.info", "terraform.tfstate"]
    assert backend.read("default") is None
    backend.unlock("default", lock.id)
    assert os.listdir(tmp_path) == []


def test_unlocking_with_another_id_is_refused(backend: LocalBackend) -> None:
    backend.lock("default", new_lock("apply"))
    with pytest.raises(Locked):
        backend.unlock("default", "another")
    backend.close()


def test_what_a_killed_process_left_of_its_lock_can_be_removed(backend: LocalBackend, tmp_path: Path) -> None:
    with Other(tmp_path, HOLD) as other:
        held = other.hear()
        other.kill()
    backend.unlock("default", held)
    assert os.listdir(tmp_path) == ["terraform.tfstate"]


def test_the_lock_of_a_living_process_cannot_be_removed(backend: LocalBackend, tmp_path: Path) -> None:
    with Other(tmp_path, HOLD) as other:
        held = other.hear()
        with pytest.raises(Locked):
            backend.unlock("default", held)
        other.say()


def test_who_waited_for_a_replaced_file_finds_no_state_in_it(backend: LocalBackend, tmp_path: Path) -> None:
    path = tmp_path / "terraform.tfstate"
    backend.lock("default", new_lock("apply"))
    with path.open("rb") as waiting:
        backend.write("default", (b'{"version": 4}',), None)
        assert b"replaced" in waiting.read()
    backend.close()


def test_only_one_of_many_processes_gets_the_lock(tmp_path: Path) -> None:
    code = """
from twinfra.state.locks import new_lock
from twinfra.state.backends.protocol import Locked
say("ready")
wait()
try:
    backend.lock("default", new_lock("apply"))
    say("mine")
except Locked:
    say("locked")
wait()
"""
    others = [Other(tmp_path, code) for _ in range(6)]
    try:
        for other in others:
            other.hear()
        for other in others:
            other.say()
        assert sorted(other.hear() for other in others) == ["locked"] * 5 + ["mine"]
        for other in others:
            other.say()
    finally:
        for other in others:
            other.__exit__()


def test_a_process_that_ended_is_known_to_have_abandoned_its_lock(tmp_path: Path) -> None:
    code = "from twinfra.state.locks import new_lock\nsay(new_lock('apply').to_json().decode())\nwait()"
    with Other(tmp_path, code) as other:
        lock = LockInfo.from_json(other.hear())
        assert lock is not None
        assert not is_abandoned(lock)
        other.kill()
    assert is_abandoned(lock)


def test_locks_of_others_are_never_called_abandoned() -> None:
    assert not is_abandoned(LockInfo("1", who="root@elsewhere", info=new_lock("plan").info))
    assert not is_abandoned(LockInfo("1", info=""))


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b'{"ID": 1}', b"\xff"])
def test_lock_information_of_any_form_is_no_error(content: bytes) -> None:
    LockInfo.from_json(content)


def test_lock_information_is_read_back() -> None:
    lock = new_lock("apply", "é.tfstate")
    assert LockInfo.from_json(lock.to_json()) == lock
    assert lock.operation == "OperationTypeApply"


# -- workspaces


def test_workspaces_are_directories(backend: LocalBackend, tmp_path: Path) -> None:
    assert backend.workspaces() == ["default"]
    backend.create("b")
    backend.write("a", (b"x",), NOTHING)
    assert backend.workspaces() == ["default", "a", "b"]
    assert (tmp_path / "terraform.tfstate.d" / "a" / "terraform.tfstate").read_bytes() == b"x"


def test_a_deleted_workspace_is_gone(backend: LocalBackend, tmp_path: Path) -> None:
    backend.write("a", (b"x",), NOTHING)
    backend.write("a", (b"y",), None)
    backend.delete("a")
    assert backend.workspaces() == ["default"]
    assert os.listdir(tmp_path / "terraform.tfstate.d") == []


def test_a_workspace_with_other_files_is_not_emptied(backend: LocalBackend, tmp_path: Path) -> None:
    backend.write("a", (b"x",), NOTHING)
    mine = tmp_path / "terraform.tfstate.d" / "a" / "notes.txt"
    mine.write_text("keep")
    with pytest.raises(DiagnosticError):
        backend.delete("a")
    assert mine.exists()


@pytest.mark.parametrize("name", ["", "a/b", "..", ".", "a b", "ä", "a\\b", "a\n"])
def test_names_that_no_workspace_can_have_are_refused(name: str) -> None:
    with pytest.raises(DiagnosticError):
        check_workspace_name(name)


@pytest.mark.parametrize("name", ["a", "a-b_c.d~1", "feature+x", "a@b"])
def test_names_that_stock_terraform_allows_are_allowed(name: str) -> None:
    check_workspace_name(name)


# -- finding backends


def test_backends_are_found_by_being_there() -> None:
    assert "local" in backend_types()
    assert "protocol" not in backend_types()


def test_a_backend_takes_its_settings(tmp_path: Path) -> None:
    backend = connect("local", {"path": "x/y.tfstate"}, Place(tmp_path, tmp_path / ".terraform"))
    backend.write("default", (b"a",), NOTHING)
    assert (tmp_path / "x" / "y.tfstate").read_bytes() == b"a"
    assert backend.label("default") == "x/y.tfstate"


@pytest.mark.parametrize(("type", "settings"), [("locl", {}), ("local", {"pth": "x"})])
def test_an_unknown_backend_or_setting_is_refused_with_the_nearest(
    tmp_path: Path, type: str, settings: dict[str, str]
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        connect(type, settings, Place(tmp_path, tmp_path))
    assert "Did you mean" in caught.value.diagnostics[0].mend
