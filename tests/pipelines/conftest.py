"""A forge on loopback, and what its clients need."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.pipelines.forge_server import ForgeServer


@pytest.fixture
def forge() -> Iterator[ForgeServer]:
    server = ForgeServer()
    yield server
    server.stop()
