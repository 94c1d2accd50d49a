"""A state of 100 MB."""

from __future__ import annotations

import hashlib

import pytest
from tests.state.backends.conftest import KINDS, Rig

from twinfra.state.backends.protocol import NOTHING, Conflict

# Not with DynamoDB alone: its states are objects as those of s3 are, and with ministack there is a digest, too.
EACH = [kind for kind in (*KINDS, "local") if kind != "s3-dynamodb"]

pytestmark = [
    pytest.mark.emulator,
    pytest.mark.slow,
    pytest.mark.parametrize("rig", EACH, indirect=True),
]

SIZE = 100 * 1000 * 1000


def test_a_state_of_100_mb_goes_there_and_back(rig: Rig) -> None:
    line = b'{"name": "' + b"0123456789abcdef" * 61 + b'\xc3\xa4"},\n'
    data = (line * (SIZE // len(line) + 1))[: SIZE - 1] + b"\n"
    backend = rig.open()
    version = backend.write("default", (data[: SIZE // 2], data[SIZE // 2 :]), NOTHING)
    found = rig.open().read("default")
    assert found is not None
    assert hashlib.sha256(found.data).digest() == hashlib.sha256(data).digest()
    assert found.version == version
    with pytest.raises(Conflict):
        backend.write("default", (b"small",), NOTHING)
