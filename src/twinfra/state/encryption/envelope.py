"""The JSON around encrypted content, as OpenTofu writes it.

The format is public: https://opentofu.org/docs/language/state/encryption/. `meta` has for each key provider
what it needs to find the key again (JSON in base64), `encrypted_data` the content. A state's serial and lineage
stand beside it in the clear, for those who keep it to compare.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from twinfra.dataclass import dataclass

VERSION = "v0"
_START = re.compile(rb'\s*\{\s*"(?:serial|lineage|meta|encrypted_data|encryption_version)"\s*:')
_MARK = b'"encryption_version"'
_OPENING = re.compile(rb"\s*\{\s*")
_SCALAR = re.compile(rb'"(version|terraform_version|serial|lineage)"\s*:\s*("(?:[^"\\]|\\.)*"|\d+)\s*,\s*')
_LOOKED_AT = 4096
_AT_ONCE = 3 << 20
"""Bytes turned into base64 at once: a multiple of three."""


class Malformed(ValueError):
    """It is no such JSON."""


@dataclass(frozen=True, slots=True)
class Envelope:
    """What an encrypted file says. `serial` and `lineage` are None where it does not say them."""

    meta: dict[str, dict[str, Any]]
    data: bytes
    serial: int | None = None
    lineage: str | None = None


def is_envelope(data: bytes) -> bool:
    """Whether it is encrypted content, damaged or not; nothing is parsed."""
    return _START.match(data[:256]) is not None and (_MARK in data[-4096:] or _MARK in data[:4096])


def is_encrypted_plan(start: bytes) -> bool:
    """Whether a file that begins so is an encrypted plan: a state begins with its serial."""
    return re.match(rb'\{"meta":\{"', start) is not None


def write_envelope(
    meta: Mapping[str, Mapping[str, Any]], data: bytes, identity: tuple[int, str] | None
) -> Iterator[bytes]:
    """Encrypted content as a file, in pieces. `identity`: a state's serial and lineage."""
    head: dict[str, Any] = {}
    if identity is not None:
        head["serial"], head["lineage"] = identity
    head["meta"] = encoded_meta(meta)
    yield json.dumps(head, separators=(",", ":"))[:-1].encode() + b',"encrypted_data":"'
    for at in range(0, len(data), _AT_ONCE):
        yield base64.b64encode(data[at : at + _AT_ONCE])
    yield b'","encryption_version":"%s"}' % VERSION.encode()


def read_envelope(content: bytes) -> Envelope:
    """What `write_envelope` or OpenTofu wrote. Raises `Malformed`."""
    try:
        fields = json.loads(content)
    except (ValueError, RecursionError):
        raise Malformed("it is no JSON") from None
    if type(fields) is not dict:
        raise Malformed("it is no JSON object")
    version, text = fields.get("encryption_version"), fields.get("encrypted_data")
    if version != VERSION:
        raise Malformed("its encryption_version is not known")
    if type(text) is not str:
        raise Malformed("it has no encrypted_data")
    try:
        data = _decoded(text)
    except ValueError:
        raise Malformed("its encrypted_data is no base64") from None
    serial, lineage = fields.get("serial"), fields.get("lineage")
    return Envelope(
        decoded_meta(fields.get("meta")),
        data,
        serial if type(serial) is int else None,
        lineage if type(lineage) is str else None,
    )


def encoded_meta(meta: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """The `meta` of a file."""
    return {
        name: base64.b64encode(json.dumps(one, separators=(",", ":")).encode()).decode()
        for name, one in meta.items()
    }


def decoded_meta(fields: Any) -> dict[str, dict[str, Any]]:
    """What `meta` says by key provider. Raises `Malformed`."""
    found: dict[str, dict[str, Any]] = {}
    if type(fields) is not dict:
        raise Malformed("it has no meta")
    for name, text in fields.items():
        try:
            one = json.loads(_decoded(text))
        except (ValueError, TypeError, RecursionError):
            one = None
        if type(one) is not dict:
            raise Malformed(f"what it says of {name} cannot be read")
        found[name] = one
    return found


def identity_in(pieces: Sequence[bytes]) -> tuple[int, str] | None:
    """The serial and lineage of a state in the clear; None where it is no state."""
    start = pieces[0][:_LOOKED_AT] if pieces else b""
    return _identity_at_start(start) or _identity_by_parsing(b"".join(pieces))


def _identity_at_start(start: bytes) -> tuple[int, str] | None:
    """What is found without parsing all of it, as a state written by any known program begins."""
    found: dict[bytes, bytes] = {}
    at = _OPENING.match(start)
    place = at.end() if at is not None else len(start)
    while member := _SCALAR.match(start, place):
        found[member.group(1)] = member.group(2)
        place = member.end()
        if b"serial" in found and b"lineage" in found:
            break
    try:
        return int(found[b"serial"]), str(json.loads(found[b"lineage"]))
    except (KeyError, ValueError):
        return None


def _identity_by_parsing(content: bytes) -> tuple[int, str] | None:
    try:
        fields = json.loads(content)
        serial, lineage = fields["serial"], fields["lineage"]
    except (ValueError, LookupError, TypeError, RecursionError):
        return None
    return (serial, lineage) if type(serial) is int and type(lineage) is str else None


def _decoded(text: str) -> bytes:
    """The bytes of canonical base64: of another text for the same bytes nobody could say that it is unchanged."""
    data = base64.b64decode(text, validate=True)
    rest = len(data) % 3 or min(3, len(data))
    if text[-4:] != base64.b64encode(data[len(data) - rest :]).decode()[-4:]:
        raise ValueError("not canonical")
    return data
