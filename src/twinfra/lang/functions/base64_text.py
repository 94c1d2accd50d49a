"""Base64 as the language reads it: the standard alphabet with padding; line ends are passed over."""

from __future__ import annotations

import re
from base64 import b64decode, b64encode

_BASE64 = re.compile(r"(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?")
_LINE_ENDS = {ord("\r"): None, ord("\n"): None}


def read_base64(text: str) -> bytes | None:
    """The bytes that a text stands for; None when it is not base64."""
    bare = text.translate(_LINE_ENDS)
    return b64decode(bare) if _BASE64.fullmatch(bare) else None


def write_base64(data: bytes) -> str:
    """The text that stands for the bytes, with padding, in one line."""
    return b64encode(data).decode("ascii")
