"""What tests of twins share."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.environments.twins.pairs import Pair


@pytest.fixture
def pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Pair:
    """Two sides of a configuration in an empty directory, which is the working directory."""
    monkeypatch.chdir(tmp_path)
    return Pair(Path())
