"""A project in an empty directory, for every test that asks for one."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.engine.memory import Project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.chdir(tmp_path)
    return Project(Path("."))
