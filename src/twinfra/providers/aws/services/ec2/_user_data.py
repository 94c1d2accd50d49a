"""User data: plain text or Base64, and the checksum that older states have in its place."""

from __future__ import annotations

import base64
import binascii
import hashlib
from typing import Any


def encoded(text: Any) -> str:
    """User data in Base64; what is so already is taken as it is."""
    plain = str(text)
    try:
        base64.b64decode(plain, validate=True)
    except (binascii.Error, ValueError):
        return base64.b64encode(plain.encode()).decode()
    return plain


def sent(text: Any) -> bytes:
    """User data for a request, which is put into Base64 on the way."""
    return base64.b64decode(encoded(text))


def decoded(text: str) -> str | None:
    """Plain text out of Base64, None where it is no text."""
    try:
        return base64.b64decode(text).decode()
    except (binascii.Error, ValueError):
        return None


def same_user_data(one: Any, other: Any) -> bool:
    """Whether two are the same: as text, in Base64, or one of them as the checksum in older states."""
    if one == other or encoded(one) == encoded(other):
        return True
    return bool(other == _checksum(one) or one == _checksum(other))


def _checksum(text: Any) -> str:
    return hashlib.sha1(base64.b64decode(encoded(text)), usedforsecurity=False).hexdigest()
