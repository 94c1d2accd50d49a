"""OpenTofu's encrypted format by its public documentation, with nothing of ours: to write what we must read."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM


def encrypt(
    state: bytes, passphrase: str, *, name: str = "key_provider.pbkdf2.main", hash: str = "sha512"
) -> bytes:
    """A state as OpenTofu stores it with PBKDF2 and AES-GCM."""
    salt, nonce = os.urandom(32), os.urandom(12)
    key = hashlib.pbkdf2_hmac(hash, passphrase.encode(), salt, 200_000, 32)
    meta = {"salt": _text(salt), "iterations": 200_000, "hash_function": hash, "key_length": 32}
    fields = json.loads(state)
    return json.dumps(
        {
            "serial": fields["serial"],
            "lineage": fields["lineage"],
            "meta": {name: _text(json.dumps(meta, separators=(",", ":")).encode())},
            "encrypted_data": _text(nonce + AESGCM(key).encrypt(nonce, state, None)),
            "encryption_version": "v0",
        },
        separators=(",", ":"),
    ).encode()


def decrypt(content: bytes, passphrase: str, name: str = "key_provider.pbkdf2.main") -> bytes:
    """What OpenTofu would read of it."""
    fields = json.loads(content)
    meta: dict[str, Any] = json.loads(base64.b64decode(fields["meta"][name]))
    salt = base64.b64decode(meta["salt"])
    key = hashlib.pbkdf2_hmac(
        meta["hash_function"], passphrase.encode(), salt, meta["iterations"], meta["key_length"]
    )
    data = base64.b64decode(fields["encrypted_data"])
    assert fields["encryption_version"] == "v0"
    return AESGCM(key).decrypt(data[:12], data[12:], None)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()
