"""Runs commands as a person would, in a directory of their own, within this process."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from tests.planted import check_output

from twinfra.cli.main import run
from twinfra.state.backends.local import LocalBackend
from twinfra.state.backends.protocol import Locked
from twinfra.state.locks import LockInfo


@dataclass(frozen=True)
class Ran:
    """What a command printed, and its exit code."""

    code: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return self.out + self.err


class Directory:
    """A working directory."""

    def __init__(
        self, path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
    ) -> None:
        self.path = path
        self._capsys = capsys
        self._monkeypatch = monkeypatch

    def write(self, **files: str) -> None:
        """Files by name, with `_` for the dot: `main_tf`."""
        for name, text in files.items():
            stem, _, suffix = name.rpartition("_")
            (self.path / f"{stem}.{suffix}").write_text(text, encoding="utf-8")

    def __call__(self, *arguments: str, stdin: str = "") -> Ran:
        self._capsys.readouterr()
        self._monkeypatch.setattr("sys.stdin", io.StringIO(stdin))
        code = run([str(one) for one in arguments])
        printed = self._capsys.readouterr()
        check_output([str(one) for one in arguments], printed.out, printed.err)
        return Ran(code, printed.out, printed.err)

    def ok(self, *arguments: str, **given: Any) -> Ran:
        """Run, and insist on exit code 0."""
        ran = self(*arguments, **given)
        assert ran.code == 0, ran.all
        return ran


@pytest.fixture
def twinfra(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Directory:
    monkeypatch.chdir(tmp_path)
    return Directory(tmp_path, capsys, monkeypatch)


@pytest.fixture
def aws(twinfra: Directory, sandbox: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """The emulated cloud as the account that commands see; gives boto3 clients."""
    from tests.conftest import client_of

    from twinfra.sandbox import server

    for name, value in server.environment(sandbox).items():
        monkeypatch.setenv(name, value)
    return client_of(sandbox)


def hold_lock_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else holds the lock of a local state the first time that it is wanted from now on."""
    lock, refusals = LocalBackend.lock, [Locked(None)]

    def held(self: LocalBackend, workspace: str, wanted: LockInfo) -> None:
        if refusals:
            raise refusals.pop()
        lock(self, workspace, wanted)

    monkeypatch.setattr(LocalBackend, "lock", held)
