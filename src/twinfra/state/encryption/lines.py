"""The sealed lines of a journal: each encrypted by itself, so that one that is lost takes no other with it.

The first line says with which keys. Each further one is its number and base64; the number and the journal's
own random name are authenticated with it, so that no line can be moved, repeated or put into another journal.
"""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from twinfra.state.encryption import aes_gcm
from twinfra.state.encryption.envelope import Malformed, decoded_meta, encoded_meta

_START = b"twinfra sealed journal 1 "
_NO_RECORD = b"sealed line lost\n"


def is_sealed(content: bytes) -> bool:
    """Whether the lines of a journal are sealed."""
    return content.startswith(_START)


class Sealer:
    """Seals the lines of one new journal. `meta`: see `envelope`."""

    def __init__(self, key: bytes, meta: Mapping[str, Mapping[str, Any]]) -> None:
        self._key = key
        self._name = secrets.token_hex(16)
        self._number = 0
        fields = {"journal": self._name, "meta": encoded_meta(meta)}
        self.header = _START + json.dumps(fields, separators=(",", ":")).encode() + b"\n"

    def seal(self, line: bytes) -> bytes:
        self._number += 1
        bound = _bound(self._name, self._number)
        return b"%d %s\n" % (self._number, base64.b64encode(aes_gcm.encrypt(self._key, line, bound)))


def read_header(content: bytes) -> tuple[str, dict[str, dict[str, Any]]]:
    """The name and the `meta` that a sealed journal begins with. Raises `Malformed`."""
    line = content[len(_START) :].split(b"\n", 1)[0]
    try:
        fields = json.loads(line)
        name = fields["journal"]
    except (ValueError, LookupError, TypeError, RecursionError):
        raise Malformed("its first line cannot be read") from None
    if type(name) is not str:
        raise Malformed("its first line cannot be read")
    return name, decoded_meta(fields.get("meta"))


def unsealed(content: bytes, name: str, opening: Callable[[bytes, bytes], bytes]) -> bytes:
    """The lines as they were sealed; what cannot be opened becomes a line that is no record.

    `opening` decrypts data with what was authenticated with it, and raises `aes_gcm.Refused`. What follows the
    last line end was being written when the process died, and is left out.
    """
    return b"".join(_lines(content, name, opening))


def _lines(content: bytes, name: str, opening: Callable[[bytes, bytes], bytes]) -> Iterator[bytes]:
    last = 0
    lost = False
    for line in content.rstrip(b"\0").split(b"\n")[1:-1]:
        # A kill within a write may leave zeros of reserved room before what was written next.
        number, _, text = line.lstrip(b"\0").partition(b" ")
        try:
            if not number.isdigit() or int(number) <= last:
                raise aes_gcm.Refused
            opened = opening(base64.b64decode(text, validate=True), _bound(name, int(number)))
        except (aes_gcm.Refused, ValueError):
            lost = True
            yield _NO_RECORD
            continue
        if int(number) > last + 1 and not lost:
            yield _NO_RECORD
        last, lost = int(number), False
        yield opened


def _bound(name: str, number: int) -> bytes:
    return b"journal %s line %d" % (name.encode(), number)
