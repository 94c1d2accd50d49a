"""AES-GCM by the `cryptography` library: a nonce of 12 random bytes, the ciphertext, and its tag of 16 bytes."""

from __future__ import annotations

import secrets

NONCE = 12
KEY_SIZES = (16, 24, 32)
_LARGEST = (1 << 31) - 1


class Refused(Exception):
    """The key does not fit the content, or the content was changed."""


class TooLarge(Exception):
    """More than the library encrypts at once."""


def encrypt(key: bytes, content: bytes, authenticated: bytes | None = None) -> bytes:
    """Encrypted content. `authenticated` is not part of it, but must be given again to decrypt it."""
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    if len(content) > _LARGEST:
        raise TooLarge
    nonce = secrets.token_bytes(NONCE)
    return nonce + AESGCM(key).encrypt(nonce, content, authenticated)


def decrypt(key: bytes, data: bytes, authenticated: bytes | None = None) -> bytes:
    """The content. Raises `Refused`."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    try:
        return AESGCM(key).decrypt(data[:NONCE], data[NONCE:], authenticated)
    except (InvalidTag, ValueError):
        raise Refused from None
