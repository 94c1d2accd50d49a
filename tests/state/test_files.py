"""Files are replaced as a whole, and survive a crash of the machine."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from twinfra.state import files
from twinfra.state.files import file_problem, make_directory, remove_leftovers, replace_file


class Calls:
    """Notes the calls that decide what survives, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.names: list[str] = []
        for name in ("fsync", "fdatasync", "replace", "write"):
            self._watch(monkeypatch, name, getattr(os, name))

    def _watch(self, monkeypatch: pytest.MonkeyPatch, name: str, real: Any) -> None:
        def call(*arguments: Any) -> Any:
            detail = ""
            if name == "fsync":
                detail = " directory" if stat.S_ISDIR(os.fstat(arguments[0]).st_mode) else " file"
            self.names.append(name + detail)
            return real(*arguments)

        monkeypatch.setattr(os, name, call)


def test_a_file_is_synced_before_it_gets_its_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    replace_file(tmp_path / "x", (b"a", b"b"))
    assert calls.names == ["write", "write", "fdatasync", "replace", "fsync directory"]


def test_what_is_of_no_use_after_a_crash_waits_for_no_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    replace_file(tmp_path / "x", (b"a",), durable=False)
    assert calls.names == ["write", "replace"]


def test_a_file_is_for_its_owner_only(tmp_path: Path) -> None:
    replace_file(tmp_path / "x", (b"a",))
    assert stat.S_IMODE((tmp_path / "x").stat().st_mode) == 0o600


def test_a_failed_write_leaves_the_old_content_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"old")

    def pieces() -> Iterator[bytes]:
        yield b"new"
        raise OSError(errno.ENOSPC, "no space")

    with pytest.raises(OSError, match="no space"):
        replace_file(path, pieces())
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["x"]


def test_a_full_disk_is_named_with_its_mend(tmp_path: Path) -> None:
    (one,) = file_problem(
        OSError(errno.ENOSPC, "No space left on device"), "write the state to", "x"
    ).diagnostics
    assert "No space left" in one.detail
    assert "Make room" in one.mend


def test_what_a_killed_process_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "terraform.tfstate"
    fresh, descriptor = files.write_beside(path, (b"x",))
    os.close(descriptor)
    other = tmp_path / ".terraform.tfstate.mine.new"
    other.write_text("")
    remove_leftovers(path)
    assert not fresh.exists()
    assert other.exists()


def test_directories_are_made_for_their_owner_only_and_synced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = Calls(monkeypatch)
    make_directory(tmp_path / "a" / "b")
    assert calls.names == ["fsync directory", "fsync directory"]
    assert stat.S_IMODE((tmp_path / "a" / "b").stat().st_mode) == 0o700
