"""What providers share that make a key of a passphrase, or of another provider's key."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from twinfra.schema import Attribute
from twinfra.state.encryption.key_providers.protocol import Meta, UnfitMeta, wrong
from twinfra.values.types import NUMBER, STRING

SHORTEST = 16
LONGEST_KEY = 1024

ATTRIBUTES = {
    "passphrase": Attribute(
        STRING, optional=True, sensitive=True, description="The passphrase: at least 16 characters."
    ),
    "chain": Attribute(
        STRING, optional=True, description="The key provider whose key takes the passphrase's place."
    ),
    "key_length": Attribute(NUMBER, optional=True, description="The key's length in bytes; 32 by default."),
    "iterations": Attribute(NUMBER, optional=True, description="How much work a guess costs."),
    "salt_length": Attribute(NUMBER, optional=True, description="The salt's length in bytes; 32 by default."),
}


def passphrase_of(settings: Mapping[str, Any]) -> bytes | None:
    """The passphrase; None where another provider's key takes its place. Raises `DiagnosticError`."""
    passphrase, chain = settings.get("passphrase"), settings.get("chain")
    if passphrase is not None and chain is not None:
        raise wrong("chain", "passphrase and chain exclude each other.", "Give one of them.")
    if chain is not None:
        return None
    if not passphrase:
        raise wrong(
            "passphrase",
            "There is no passphrase.",
            "Set passphrase, such as to a variable given by TF_VAR_name; or chain another key provider.",
        )
    secret = str(passphrase).encode()
    if len(secret) < SHORTEST:
        raise wrong("passphrase", f"The passphrase has less than {SHORTEST} characters.", "Use a longer one.")
    return secret


def secret_of(passphrase: bytes | None, chained: bytes | None) -> bytes:
    """What the key is made of."""
    secret = passphrase if passphrase is not None else chained
    if secret is None:
        raise ValueError("a key provider that is chained needs the other's key")
    if len(secret) < SHORTEST:
        raise wrong("chain", f"The key of the chained provider has less than {SHORTEST} bytes.")
    return secret


def salt_in(meta: Meta) -> bytes:
    """The salt of a meta. Raises `UnfitMeta`."""
    text = meta.get("salt")
    try:
        salt = base64.b64decode(text, validate=True) if type(text) is str else b""
    except ValueError:
        salt = b""
    if not salt:
        raise UnfitMeta("it has no usable salt")
    return salt
