"""A rig that drives the provider as the engine does, on an emptied emulator of this test process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.sandbox.server import Sandbox


@pytest.fixture
def rig(sandbox: Sandbox) -> Iterator[Rig]:
    """An empty cloud, our provider configured for it, and boto3 beside it."""
    made = Rig(sandbox.endpoint)
    yield made
    made.close()


@pytest.fixture
def rig_with(sandbox: Sandbox) -> Iterator[Callable[..., Rig]]:
    """Like `rig`, with a provider block of the test's choosing."""
    rigs: list[Rig] = []

    def make(**settings: Any) -> Rig:
        rigs.append(Rig(sandbox.endpoint, settings))
        return rigs[-1]

    yield make
    for one in rigs:
        one.close()
