"""`key_provider "pbkdf2"`: a key from a passphrase by PBKDF2, as OpenTofu makes it."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Mapping
from typing import Any

from twinfra.schema import Attribute, Block
from twinfra.state.encryption.key_providers import _passphrases
from twinfra.state.encryption.key_providers.protocol import Meta, UnfitMeta, number_in, whole, wrong
from twinfra.values.types import STRING

SCHEMA = Block(
    {
        **_passphrases.ATTRIBUTES,
        "hash_function": Attribute(STRING, optional=True, description="sha512 (the default) or sha256."),
    }
)

_HASHES = ("sha512", "sha256")
_FEWEST, _MOST = 200_000, 100_000_000


def provider(settings: Mapping[str, Any]) -> Pbkdf2:
    """The provider with these settings."""
    hash = str(settings.get("hash_function") or "sha512")
    if hash not in _HASHES:
        raise wrong("hash_function", "hash_function must be sha512 or sha256.")
    return Pbkdf2(
        _passphrases.passphrase_of(settings),
        whole(settings, "key_length", 32, 1, _passphrases.LONGEST_KEY),
        whole(settings, "iterations", 600_000, _FEWEST, _MOST),
        whole(settings, "salt_length", 32, 1, 1024),
        hash,
    )


class Pbkdf2:
    """Makes keys; lengths in bytes."""

    def __init__(
        self, passphrase: bytes | None, key_length: int, iterations: int, salt_length: int, hash: str
    ) -> None:
        self._passphrase = passphrase
        self._key_length = key_length
        self._iterations = iterations
        self._salt_length = salt_length
        self._hash = hash

    def new(self, chained: bytes | None) -> tuple[bytes, Meta]:
        salt = secrets.token_bytes(self._salt_length)
        meta = {
            "salt": base64.b64encode(salt).decode(),
            "iterations": self._iterations,
            "hash_function": self._hash,
            "key_length": self._key_length,
        }
        return self.old(meta, chained), meta

    def old(self, meta: Meta, chained: bytes | None) -> bytes:
        from cryptography.hazmat.primitives import hashes
        from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

        if meta.get("hash_function") not in _HASHES:
            raise UnfitMeta("its hash function is not known")
        hash = hashes.SHA256() if meta["hash_function"] == "sha256" else hashes.SHA512()
        length = number_in(meta, "key_length", _passphrases.LONGEST_KEY)
        derivation = PBKDF2HMAC(
            hash, length, _passphrases.salt_in(meta), number_in(meta, "iterations", _MOST)
        )
        return derivation.derive(_passphrases.secret_of(self._passphrase, chained))
