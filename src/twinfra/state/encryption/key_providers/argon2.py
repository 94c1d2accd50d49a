"""`key_provider "argon2"`: a key from a passphrase by Argon2id (RFC 9106), which also costs a guess memory.

OpenTofu has no such provider: what is encrypted with it is for Twinfra only.
"""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from twinfra.schema import Attribute, Block
from twinfra.state.encryption.key_providers import _passphrases
from twinfra.state.encryption.key_providers.protocol import Meta, UnfitMeta, number_in, whole
from twinfra.values.types import NUMBER

SCHEMA = Block(
    {
        **_passphrases.ATTRIBUTES,
        "memory": Attribute(NUMBER, optional=True, description="KiB that a guess needs; 65536 by default."),
        "lanes": Attribute(
            NUMBER, optional=True, description="How many parts run in parallel; 4 by default."
        ),
    }
)

_LEAST_MEMORY, _MOST_MEMORY = 19_456, 1 << 22
_MOST_ITERATIONS, _MOST_LANES = 1000, 64


def provider(settings: Mapping[str, Any]) -> Argon2:
    """The provider with these settings."""
    return Argon2(
        _passphrases.passphrase_of(settings),
        whole(settings, "key_length", 32, 4, _passphrases.LONGEST_KEY),
        whole(settings, "iterations", 3, 2, _MOST_ITERATIONS),
        whole(settings, "salt_length", 32, 8, 1024),
        whole(settings, "memory", 65_536, _LEAST_MEMORY, _MOST_MEMORY),
        whole(settings, "lanes", 4, 1, _MOST_LANES),
    )


class Argon2:
    """Makes keys; lengths in bytes, memory in KiB."""

    def __init__(
        self,
        passphrase: bytes | None,
        key_length: int,
        iterations: int,
        salt_length: int,
        memory: int,
        lanes: int,
    ) -> None:
        self._passphrase = passphrase
        self._salt_length = salt_length
        self._costs = {
            "iterations": iterations,
            "memory": memory,
            "lanes": lanes,
            "key_length": key_length,
        }

    def new(self, chained: bytes | None) -> tuple[bytes, Meta]:
        salt = secrets.token_bytes(self._salt_length)
        meta = {"salt": base64.b64encode(salt).decode(), **self._costs}
        return self.old(meta, chained), meta

    def old(self, meta: Meta, chained: bytes | None) -> bytes:
        from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

        lanes, memory = number_in(meta, "lanes", _MOST_LANES), number_in(meta, "memory", _MOST_MEMORY)
        secret = _passphrases.secret_of(self._passphrase, chained)
        try:
            derivation = Argon2id(
                salt=_passphrases.salt_in(meta),
                length=number_in(meta, "key_length", _passphrases.LONGEST_KEY),
                iterations=number_in(meta, "iterations", _MOST_ITERATIONS),
                lanes=lanes,
                memory_cost=memory,
            )
        except ValueError as refused:
            raise UnfitMeta(str(refused)) from None
        return derivation.derive(secret)
