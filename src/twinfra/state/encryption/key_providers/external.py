"""`key_provider "external"`: a command that gives keys, by OpenTofu's public protocol.

The command writes a first line `{"magic": "OpenTofu-External-Key-Provider", "version": 1}`; it is then given
`null` or what it stored beside the content, and writes one JSON object with the keys in base64:
https://opentofu.org/docs/language/state/encryption/#external-experimental.
"""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Mapping
from typing import Any

from twinfra.diagnostics import DiagnosticError, error
from twinfra.schema import Attribute, Block
from twinfra.state.encryption.key_providers.protocol import Meta, UnfitMeta, wrong
from twinfra.values.types import STRING, ListType

SCHEMA = Block(
    {"command": Attribute(ListType(STRING), required=True, description="The program and its arguments.")}
)

MAGIC = "OpenTofu-External-Key-Provider"
_SECONDS = 60
_DATA = "external_data"


def provider(settings: Mapping[str, Any]) -> External:
    """The provider with these settings."""
    command = [str(one) for one in settings["command"]]
    if not command or not command[0]:
        raise wrong("command", "command names no program.", 'Write command = ["program", "argument"].')
    return External(command)


class External:
    """Asks a command for keys. What it writes to standard error is for people, and goes there."""

    def __init__(self, command: list[str]) -> None:
        self._command = command

    def new(self, chained: bytes | None) -> tuple[bytes, Meta]:
        keys, meta = self._ask(None)
        return self._key(keys, "encryption_key"), {_DATA: meta.get(_DATA)}

    def old(self, meta: Meta, chained: bytes | None) -> bytes:
        data = meta.get(_DATA)
        if data is not None and type(data) is not dict:
            raise UnfitMeta(f"its {_DATA} is no object")
        # A command that stores nothing, as one does that always gives the same keys, is asked as for a new key.
        keys, _ = self._ask(None if data is None else {_DATA: data})
        if "decryption_key" not in keys:
            raise UnfitMeta("the command gives no decryption_key for it")
        return self._key(keys, "decryption_key")

    def _ask(self, meta: Meta | None) -> tuple[dict[str, Any], Meta]:
        try:
            done = subprocess.run(
                self._command,
                input=json.dumps(meta).encode(),
                stdout=subprocess.PIPE,
                timeout=_SECONDS,
                check=False,
            )
        except FileNotFoundError:
            raise self._failed("there is no such program") from None
        except subprocess.TimeoutExpired:
            raise self._failed(f"it did not end within {_SECONDS} seconds") from None
        except OSError as reason:
            raise self._failed(reason.strerror or "it cannot be started") from None
        if done.returncode != 0:
            raise self._failed(f"it ended with {done.returncode}")
        first, _, rest = done.stdout.partition(b"\n")
        header = _object(first)
        if header is None or header.get("magic") != MAGIC:
            raise self._failed("its first line is not that of a key provider")
        if header.get("version") != 1:
            raise self._failed("it speaks another version of the protocol than 1")
        answer = _object(rest) or {}
        keys, found = answer.get("keys"), answer.get("meta") or {}
        if type(keys) is not dict or type(found) is not dict:
            raise self._failed("its answer has no keys")
        return keys, found

    def _key(self, keys: dict[str, Any], name: str) -> bytes:
        try:
            key = base64.b64decode(keys[name], validate=True)
        except (LookupError, TypeError, ValueError):
            key = b""
        if not key:
            raise self._failed(f"its answer has no {name} in base64")
        return key

    def _failed(self, why: str) -> DiagnosticError:
        return DiagnosticError(
            error(
                "The command for keys failed",
                f"{self._command[0]}: {why}.",
                mend="Correct the command of the key provider, or what it needs.",
                path=("command",),
            )
        )


def _object(text: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if type(found) is dict else None
