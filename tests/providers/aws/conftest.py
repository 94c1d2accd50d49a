"""A moto server of this test process, and a rig that drives the provider as the engine does."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.sandbox.extensions import install


@pytest.fixture(scope="session")
def moto_endpoint() -> Iterator[str]:
    """The URL of a moto server that lives as long as this test process."""
    server_module = pytest.importorskip("moto.server")
    install()
    os.environ["MOTO_IAM_LOAD_MANAGED_POLICIES"] = "true"
    server = server_module.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def rig(moto_endpoint: str) -> Iterator[Rig]:
    """An empty cloud, our provider configured for it, and boto3 beside it."""
    made = Rig(moto_endpoint)
    made.reset()
    yield made
    made.close()


@pytest.fixture
def rig_with(moto_endpoint: str) -> Iterator[Any]:
    """Like `rig`, with a provider block of the test's choosing."""
    rigs: list[Rig] = []

    def make(**settings: Any) -> Rig:
        made = Rig(moto_endpoint, settings)
        if not rigs:
            made.reset()
        rigs.append(made)
        return made

    yield make
    for one in rigs:
        one.close()
