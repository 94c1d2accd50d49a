"""Writes project files, and reads them."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinfra.diagnostics import Diagnostic, DiagnosticError
from twinfra.environments.declaration import FILE, Project, load_project


def declared(directory: Path, text: str) -> Project:
    """The project that a text declares."""
    (directory / FILE).write_text(text, encoding="utf-8")
    project = load_project(directory)
    assert project is not None
    return project


def refused(directory: Path, text: str) -> list[Diagnostic]:
    """What is wrong with a text."""
    with pytest.raises(DiagnosticError) as caught:
        declared(directory, text)
    return list(caught.value.diagnostics)
