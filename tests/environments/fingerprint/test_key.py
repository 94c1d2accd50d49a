"""The key under which secrets are hashed."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest

from twinfra.diagnostics import DiagnosticError
from twinfra.environments.fingerprint import local_key

RACING = 16


def test_all_who_need_the_first_key_of_a_directory_at_the_same_time_get_one_key(tmp_path: Path) -> None:
    start = Barrier(RACING)

    def get(data: Path) -> bytes:
        start.wait()
        return local_key(data)()

    with ThreadPoolExecutor(RACING) as pool:
        for number in range(20):
            data = tmp_path / str(number)
            found = set(pool.map(get, [data] * RACING))
            assert found == {local_key(data)()}


def test_a_key_that_cannot_be_written_is_told_and_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.write", full)
    with pytest.raises(DiagnosticError, match="Cannot write a file"):
        local_key(tmp_path)()
    monkeypatch.undo()
    assert list(tmp_path.iterdir()) == []
    assert len(local_key(tmp_path)()) == 32
