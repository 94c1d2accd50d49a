"""Secrets that tests plant, and where they must never come up: whatever a command prints or logs without being asked.

Every test runs with the log at its finest level. What our commands print in it, in this process or another, their log
and their crash reports are searched for `PLANTED`, of which every planted secret has a part.
"""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

PLANTED = "planted-secret"


def asks_for_values(arguments: Sequence[str]) -> bool:
    """Whether these arguments of a command say that values are to be shown, sensitive ones too."""
    words = [one.lstrip("-") for one in arguments if not one.startswith(("-chdir", "--chdir"))]
    name = next((one for one in words if one in _ON_REQUEST), "")
    if name == "output":
        named = any(not one.startswith("-") for one in arguments[arguments.index("output") + 1 :])
        return named or "json" in words or "raw" in words
    if name == "state":
        return "pull" in words or ("show" in words and "json" in words)
    if name == "show":
        return "json" in words
    return bool(name)


_ON_REQUEST = ("output", "show", "state", "console", "kubeconfig")


def refuse_planted(what: str, *texts: str | bytes | None) -> None:
    """Fail where one of the texts has a planted secret."""
    for text in texts:
        shown = text.decode("utf-8", "replace") if isinstance(text, bytes) else text or ""
        for line in shown.splitlines():
            assert PLANTED not in line, f"a planted secret in {what}: {line}"


def check_output(arguments: Sequence[str], out: str | bytes | None, err: str | bytes | None) -> None:
    """Fail where a command has printed a planted secret without being asked for values."""
    what = f"what twinfra {' '.join(arguments)} prints"
    refuse_planted(what, err)
    if not asks_for_values(arguments):
        refuse_planted(what, out)


def watch_processes() -> None:
    """From here on what processes of ours print is searched, where somebody collects it."""
    real = subprocess.Popen.communicate

    def communicate(self: subprocess.Popen[Any], *arguments: Any, **named: Any) -> Any:
        out, err = real(self, *arguments, **named)
        given = self.args if isinstance(self.args, list | tuple) else []
        words = [os.fsdecode(one) for one in given]
        at = next((at for at, one in enumerate(words) if Path(one).name == "twinfra"), None)
        if at is not None:
            check_output(words[at + 1 :], out, err)
        return out, err

    subprocess.Popen.communicate = communicate  # type: ignore[method-assign]


@contextmanager
def watched_files(log: Path) -> Iterator[None]:
    """What is added meanwhile to the log, and crash reports that are written, are searched."""
    before = log.stat().st_size if log.exists() else 0
    reports = _reports()
    yield
    if log.exists():
        with log.open("rb") as file:
            file.seek(before)
            refuse_planted("the log", file.read())
    for path in _reports() - reports:
        # Those of others lie there too: they may be closed to us, or be gone already.
        with suppress(FileNotFoundError, PermissionError):
            refuse_planted("a crash report", path.read_bytes())


def _reports() -> set[Path]:
    with os.scandir(tempfile.gettempdir()) as entries:
        return {Path(one.path) for one in entries if one.name.startswith("twinfra-crash-")}
