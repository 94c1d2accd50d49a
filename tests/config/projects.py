"""Configurations given as texts, loaded from a directory of their own."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from twinfra.config.installer import load
from twinfra.config.model import Configuration, Module
from twinfra.diagnostics import Diagnostics

Place = tuple[str, str | None, int | None, int | None]


class Project:
    """A working directory with files."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def write(self, files: Mapping[str, str]) -> Project:
        for name, text in files.items():
            path = self.directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return self

    def load(self, files: Mapping[str, str] | str = "") -> tuple[Configuration, Diagnostics]:
        self.write({"main.tf": files} if isinstance(files, str) else files)
        return load(Path())

    def root(self, files: Mapping[str, str] | str) -> Module:
        """The root module, which must be without errors."""
        configuration, found = self.load(files)
        assert not found.has_errors, list(found)
        return configuration.root


def places(found: Diagnostics) -> list[Place]:
    """Severity and place of each, in some fixed order."""
    made: list[Place] = []
    for one in found:
        if one.subject is None:
            made.append((str(one.severity), None, None, None))
        else:
            at = one.subject.first
            made.append((str(one.severity), one.subject.filename, at.line, at.column))
    return sorted(made, key=str)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(tmp_path)
