"""What tests of environments share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.environments.repositories import Repository, new_repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """An empty Git repository in a directory of its own."""
    return new_repository(tmp_path / "repository")
