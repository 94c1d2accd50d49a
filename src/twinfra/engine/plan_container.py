"""The file of a saved plan: compressed parts behind a fixed first line, sealed so that a changed byte is
noticed.

Every file ends in a SHA-256 of all before it, which tells damage. Without a secret that is all a checksum
can: so before it there is also a MAC by a key that stays in the working directory (`.terraform/plan.key`, for its owner
only), which tells a plan that was made here from one that somebody else made or changed. A signature, where one was
asked for, is the last part, over the SHA-256 of all before it (see `plan_signature`).
"""

from __future__ import annotations

import errno
import hashlib
import hmac
import json
import os
import secrets
import struct
import zlib
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.state.encryption.envelope import is_encrypted_plan
from twinfra.state.files import PRIVATE, file_problem, make_directory, remove_leftovers, replace_file
from twinfra.state.v4_writing import compact_json

if TYPE_CHECKING:
    from twinfra.engine.plan_signature import Signer, Verifier

MAGIC = b"twinfra saved plan, format 1\n"
_FAMILY = b"twinfra saved plan, format "
SIGNATURE = "signature"
_KEY_NAME = "plan.key"
_KEY_SIZE = 32
_KEY_ID_SIZE = 8
_DIGEST_SIZE = 32
_SEAL = _KEY_ID_SIZE + 2 * _DIGEST_SIZE
_LENGTHS = struct.Struct(">HQQ")
_GIVEN_UP = 3600.0
"""Seconds after which nobody is still writing a plan file: it was killed."""
_LIMIT = 1 << 33
"""No part is larger uncompressed: a file that says so is not one of ours."""


def is_sealed(start: bytes) -> bool:
    """Whether a file that begins so is a saved plan of ours, of whatever format, encrypted or not."""
    return start.startswith(_FAMILY) or is_encrypted_plan(start)


def write_sealed(
    path: Path, parts: Mapping[str, Any], data: Path, codec: Codec = PLAIN, signer: Signer | None = None
) -> None:
    """Write JSON parts as one sealed file, readable by its owner only. `data` is the data directory.

    `codec` encrypts all of it, where that is configured; `signer` signs it. Raises `DiagnosticError` where it
    cannot be written.
    """
    pieces = [MAGIC]
    for name, value in parts.items():
        pieces += _packed(name, value)
    if signer is not None:
        digest = hashlib.sha256(b"".join(pieces)).digest()
        pieces += _packed(SIGNATURE, signer.sign(digest).document())
    key = _own_key(data)
    pieces.append(_seal(pieces, key))
    try:
        remove_leftovers(path, _GIVEN_UP)
        replace_file(path, codec.encode(pieces))
    except OSError as reason:
        raise file_problem(reason, "write the plan to", path) from None


def _packed(name: str, value: Any) -> list[bytes]:
    text = compact_json(value).encode("utf-8", "surrogatepass")
    packed = zlib.compress(text, 1)
    encoded = name.encode()
    return [_LENGTHS.pack(len(encoded), len(text), len(packed)), encoded, packed]


def read_content(path: Path) -> bytes:
    """What a file holds, for `unseal`. Raises `DiagnosticError`."""
    try:
        return path.read_bytes()
    except OSError as reason:
        raise file_problem(reason, "read the plan", path) from None


def unseal(
    path: Path, content: bytes, data: Path, codec: Codec = PLAIN, verifier: Verifier | None = None
) -> dict[str, Any]:
    """The JSON parts of a sealed file, which `codec` decrypts where it is encrypted. `path` is how people know it.

    With a `verifier` it must be signed by one of its keys, and may then be sealed in another place. Raises
    `DiagnosticError` where it is none, or was changed.
    """
    if is_sealed(content):
        content = codec.decode(content, str(path))
    if not content.startswith(MAGIC):
        raise DiagnosticError(_not_ours(path, content))
    body, seal = content[:-_SEAL], content[-_SEAL:]
    if len(body) < len(MAGIC):
        raise DiagnosticError(_damaged(path))
    key_id, mac, digest = seal[:_KEY_ID_SIZE], seal[_KEY_ID_SIZE:-_DIGEST_SIZE], seal[-_DIGEST_SIZE:]
    if not hmac.compare_digest(hashlib.sha256(body + key_id + mac).digest(), digest):
        raise DiagnosticError(_damaged(path))
    if verifier is not None:
        return _verified(path, body, verifier)
    key = _read_key(data)
    # Where there is no key yet, such as in the next job of a pipeline, the checksum must do.
    if key is not None:
        if not hmac.compare_digest(_key_id(key), key_id):
            raise DiagnosticError(_foreign(path, data))
        if not hmac.compare_digest(hmac.digest(key, hashlib.sha256(body + key_id).digest(), "sha256"), mac):
            raise DiagnosticError(_damaged(path))
    try:
        return _parts(body)[0]
    except _UNREADABLE:
        raise DiagnosticError(_damaged(path)) from None


def _verified(path: Path, body: bytes, verifier: Verifier) -> dict[str, Any]:
    """The parts, when the signature that is the last of them is one of all others."""
    from twinfra.engine.plan_signature import Signature

    try:
        parts, signed = _parts(body)
        # A signature with something behind it would not be of the whole.
        last = next(reversed(parts), "") == SIGNATURE
        found = Signature.of(parts[SIGNATURE]) if last else None
    except _UNREADABLE:
        raise DiagnosticError(_damaged(path)) from None
    verifier.check(found, hashlib.sha256(body[:signed]).digest(), path)
    return parts


_UNREADABLE = (ValueError, RecursionError, struct.error, zlib.error)


def _parts(body: bytes) -> tuple[dict[str, Any], int]:
    """All parts, and where the last one begins."""
    parts: dict[str, Any] = {}
    at = start = len(MAGIC)
    while at < len(body):
        start = at
        name_size, size, packed_size = _LENGTHS.unpack_from(body, at)
        at += _LENGTHS.size
        name = body[at : at + name_size].decode()
        at += name_size
        packed = body[at : at + packed_size]
        at += packed_size
        if len(packed) != packed_size or size > _LIMIT:
            raise ValueError("a part is cut off")
        unpacking = zlib.decompressobj()
        text = unpacking.decompress(packed, size + 1)
        if len(text) != size or not unpacking.eof or unpacking.unused_data:
            raise ValueError("a part has another size")
        if name in parts:
            raise ValueError("a part is there twice")
        parts[name] = json.loads(text.decode("utf-8", "surrogatepass"), parse_float=Decimal)
    return parts, start


# -- the seal


def _seal(pieces: list[bytes], key: bytes) -> bytes:
    key_id = _key_id(key)
    sum = hashlib.sha256()
    for piece in pieces:
        sum.update(piece)
    sum.update(key_id)
    mac = hmac.digest(key, sum.digest(), "sha256")
    sum.update(mac)
    return key_id + mac + sum.digest()


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"twinfra plan key\n" + key).digest()[:_KEY_ID_SIZE]


def _read_key(data: Path) -> bytes | None:
    path = data / _KEY_NAME
    try:
        key = path.read_bytes()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as reason:
        raise file_problem(reason, "read the key for saved plans from", path) from None
    if len(key) != _KEY_SIZE:
        raise DiagnosticError(
            error(
                "The key for saved plans is damaged",
                f"{path} has not the {_KEY_SIZE} bytes of a key.",
                mend=f"Remove {path} and plan again.",
            )
        )
    return key


def _own_key(data: Path) -> bytes:
    """The working directory's key, made where there is none."""
    found = _read_key(data)
    if found is not None:
        return found
    path = data / _KEY_NAME
    try:
        make_directory(data)
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, PRIVATE)
        except FileExistsError:
            return _own_key(data)
        try:
            key = secrets.token_bytes(_KEY_SIZE)
            os.write(descriptor, key)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except PermissionError:
        # A directory that can only be read has no key: its plans are sealed with one that nobody knows.
        return secrets.token_bytes(_KEY_SIZE)
    except OSError as reason:
        if reason.errno == errno.EROFS:
            return secrets.token_bytes(_KEY_SIZE)
        raise file_problem(reason, "write the key for saved plans to", path) from None
    return key


# -- what may be wrong


def _damaged(path: Path) -> Diagnostic:
    return error(
        "Saved plan is damaged",
        f"{path} is not as it was written: it was changed, or not copied as a whole.",
        mend="Nothing was done. Plan again: twinfra plan -out=FILE",
    )


def _foreign(path: Path, data: Path) -> Diagnostic:
    return error(
        "Saved plan was made elsewhere",
        f"{path} is not sealed with this working directory's key ({data / _KEY_NAME}).",
        mend=f"Plan again here; or copy {_KEY_NAME} from where the plan was made, if you trust that place.",
    )


def _not_ours(path: Path, content: bytes) -> Diagnostic:
    if is_sealed(content):
        return error(
            "Saved plan is of another format",
            f"{path} was written by another version of this program.",
            mend="Use that version, or plan again with this one.",
        )
    if content.startswith(b"PK\x03\x04") and b"tfplan" in content[:4096]:
        return error(
            "Saved plan is Terraform's",
            f"{path} was written by Terraform or OpenTofu. States can be shared with it, plans cannot.",
            mend="Apply it with the program that wrote it, or plan again: twinfra plan -out=FILE",
        )
    return error(
        "Not a saved plan",
        f"{path} does not begin as a saved plan does.",
        mend="Name a file that twinfra plan -out=FILE has written.",
    )
