"""Functions that hash strings and files, make UUIDs, and decrypt."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

from twinfra.lang.functions.arguments import normal_text, whole_number
from twinfra.lang.functions.base64_text import read_base64, write_base64
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.paths import read_file
from twinfra.lang.scope import EvaluationContext
from twinfra.values.types import NUMBER, STRING
from twinfra.values.unknowns import UNKNOWN_STRING
from twinfra.values.value import Value

_TEXT = parameter("str", STRING, "the string, hashed as UTF-8")
_FILE = parameter("path", STRING, "the file")
_BCRYPT_DEFAULT, _BCRYPT_LEAST, _BCRYPT_MOST = 10, 4, 31
_BCRYPT_LONGEST = 72


def _hash(algorithm: str, data: bytes) -> Any:
    return hashlib.new(algorithm, data, usedforsecurity=False)


def _hex(algorithm: str, text: str) -> str:
    return str(_hash(algorithm, text.encode("utf-8", "surrogatepass")).hexdigest())


def _file_hex(algorithm: str, base: Path, path: str) -> str:
    return str(_hash(algorithm, read_file(base, path, None)).hexdigest())


@function(
    "md5", "The MD5 hash of a string, in hexadecimal; no protection against forgery.", _TEXT, returns=STRING
)
def md5(text: str) -> str:
    """32 digits."""
    return _hex("md5", text)


@function(
    "sha1",
    "The SHA-1 hash of a string, in hexadecimal; no protection against forgery.",
    _TEXT,
    returns=STRING,
)
def sha1(text: str) -> str:
    """40 digits."""
    return _hex("sha1", text)


@function("sha256", "The SHA-256 hash of a string, in hexadecimal.", _TEXT, returns=STRING)
def sha256(text: str) -> str:
    """64 digits."""
    return _hex("sha256", text)


@function("sha512", "The SHA-512 hash of a string, in hexadecimal.", _TEXT, returns=STRING)
def sha512(text: str) -> str:
    """128 digits."""
    return _hex("sha512", text)


@function("base64sha256", "The SHA-256 hash of a string, in base64.", _TEXT, returns=STRING)
def base64sha256(text: str) -> str:
    """Of the hash's bytes, not of its hexadecimal digits."""
    return write_base64(hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())


@function("base64sha512", "The SHA-512 hash of a string, in base64.", _TEXT, returns=STRING)
def base64sha512(text: str) -> str:
    """Of the hash's bytes, not of its hexadecimal digits."""
    return write_base64(hashlib.sha512(text.encode("utf-8", "surrogatepass")).digest())


@function("filemd5", "The MD5 hash of a file, in hexadecimal.", _FILE, returns=STRING, needs_context=True)
def filemd5(context: EvaluationContext, path: str) -> str:
    """Of any file, text or not."""
    return _file_hex("md5", context.base_dir, path)


@function("filesha1", "The SHA-1 hash of a file, in hexadecimal.", _FILE, returns=STRING, needs_context=True)
def filesha1(context: EvaluationContext, path: str) -> str:
    """Of any file, text or not."""
    return _file_hex("sha1", context.base_dir, path)


@function(
    "filesha256", "The SHA-256 hash of a file, in hexadecimal.", _FILE, returns=STRING, needs_context=True
)
def filesha256(context: EvaluationContext, path: str) -> str:
    """Of any file, text or not."""
    return _file_hex("sha256", context.base_dir, path)


@function(
    "filesha512", "The SHA-512 hash of a file, in hexadecimal.", _FILE, returns=STRING, needs_context=True
)
def filesha512(context: EvaluationContext, path: str) -> str:
    """Of any file, text or not."""
    return _file_hex("sha512", context.base_dir, path)


@function(
    "filebase64sha256", "The SHA-256 hash of a file, in base64.", _FILE, returns=STRING, needs_context=True
)
def filebase64sha256(context: EvaluationContext, path: str) -> str:
    """Of any file, text or not."""
    return write_base64(hashlib.sha256(read_file(context.base_dir, path, None)).digest())


@function(
    "filebase64sha512", "The SHA-512 hash of a file, in base64.", _FILE, returns=STRING, needs_context=True
)
def filebase64sha512(context: EvaluationContext, path: str) -> str:
    """Of any file, text or not."""
    return write_base64(hashlib.sha512(read_file(context.base_dir, path, None)).digest())


@function(
    "bcrypt",
    "The bcrypt hash of a string, with a new salt each time; known only when applying.",
    parameter("str", STRING, "the string, at most 72 bytes of UTF-8"),
    variadic=parameter("cost", NUMBER, "the cost, 4 to 31; 10 when left out"),
    returns=STRING,
    needs_context=True,
)
def bcrypt(context: EvaluationContext, text: str, *costs: Value) -> Value:
    """Unknown while planning, since the apply will have another salt."""
    if len(costs) > 1:
        raise FunctionError("bcrypt takes no more than two arguments")
    cost = whole_number(costs[0], "cost") if costs else _BCRYPT_DEFAULT
    if cost < _BCRYPT_LEAST:
        cost = _BCRYPT_DEFAULT
    if cost > _BCRYPT_MOST:
        raise FunctionError(f"the cost can be from {_BCRYPT_LEAST} to {_BCRYPT_MOST}, not {cost}")
    data = text.encode("utf-8", "surrogatepass")
    if len(data) > _BCRYPT_LONGEST:
        raise FunctionError(f"bcrypt hashes at most {_BCRYPT_LONGEST} bytes, the string has {len(data)}")
    if context.planning:
        return UNKNOWN_STRING
    import bcrypt as library

    return library.hashpw(data, library.gensalt(cost, b"2a")).decode("ascii")


@function(
    "rsadecrypt",
    "Decrypts what was encrypted with an RSA key (PKCS #1 v1.5).",
    parameter("ciphertext", STRING, "base64 of the encrypted bytes"),
    parameter("privatekey", STRING, "the private key in PEM format, without a passphrase"),
    returns=STRING,
)
def rsadecrypt(ciphertext: str, private_key: str) -> str:
    """The decrypted text."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_ssh_private_key

    data = read_base64(ciphertext)
    if data is None:
        raise FunctionError('"ciphertext" is not base64', 0)
    pem = private_key.encode("utf-8", "surrogatepass")
    load = load_ssh_private_key if b"OPENSSH PRIVATE KEY" in pem else load_pem_private_key
    try:
        key = load(pem, password=None)
    except TypeError as failure:
        raise FunctionError('"privatekey" is protected by a passphrase', 1) from failure
    except (ValueError, UnsupportedAlgorithm) as failure:
        raise FunctionError('"privatekey" is not a private key in PEM format', 1) from failure
    if not isinstance(key, RSAPrivateKey):
        raise FunctionError('"privatekey" is not an RSA key', 1)
    try:
        return normal_text(key.decrypt(data, PKCS1v15()).decode("utf-8", "replace"))
    except ValueError as failure:
        raise FunctionError('"ciphertext" was not encrypted for this key', 0) from failure


@function(
    "uuid",
    "A new random UUID each time; known only when applying.",
    returns=STRING,
    needs_context=True,
)
def uuid(context: EvaluationContext) -> Value:
    """Unknown while planning, since the apply will make another."""
    if context.planning:
        return UNKNOWN_STRING
    from secrets import token_hex

    digits = token_hex(16)
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


_NAMESPACES = {
    "dns": "6ba7b810-9dad-11d1-80b4-00c04fd430c8",
    "url": "6ba7b811-9dad-11d1-80b4-00c04fd430c8",
    "oid": "6ba7b812-9dad-11d1-80b4-00c04fd430c8",
    "x500": "6ba7b814-9dad-11d1-80b4-00c04fd430c8",
}


@function(
    "uuidv5",
    "The UUID of a name within a namespace (RFC 4122, version 5): always the same.",
    parameter("namespace", STRING, "dns, url, oid, x500, or a UUID"),
    parameter("name", STRING, "the name"),
    returns=STRING,
)
def uuidv5(namespace: str, name: str) -> str:
    """A hash of both."""
    space = _uuid_bytes(_NAMESPACES.get(namespace, namespace))
    if space is None:
        known = ", ".join(_NAMESPACES)
        raise FunctionError(f'"{namespace}" is not a namespace: it can be {known}, or a UUID')
    digest = bytearray(_hash("sha1", space + name.encode("utf-8", "surrogatepass")).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    digits = digest.hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def _uuid_bytes(text: str) -> bytes | None:
    """The bytes of a UUID in one of its four notations, or None."""
    import re

    lowered = text.lower()
    if len(text) == 45:
        lowered = lowered.removeprefix("urn:uuid:")
    elif len(text) == 38:
        # Any two characters may be around it, as stock Terraform has it.
        lowered = lowered[1:-1]
    pattern = r"[0-9a-f]{32}|[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
    return bytes.fromhex(lowered.replace("-", "")) if re.fullmatch(pattern, lowered) else None
