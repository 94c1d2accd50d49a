"""Encryption blocks to test with, and the codecs that come of them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from twinfra.diagnostics import DiagnosticError, Diagnostics
from twinfra.state.encryption.building import Encryption
from twinfra.state.encryption.declared import declared_in
from twinfra.state.encryption.names import StaticNames
from twinfra.values.value import Value

PASSPHRASE = "correct horse battery staple"


def encryption(text: str, given: Mapping[str, Value] | None = None) -> Encryption:
    """What TF_ENCRYPTION with this text makes."""
    declared = declared_in([], text)
    assert declared is not None
    return Encryption(declared, StaticNames(declared, {}, {}, lambda: (given or {}, Diagnostics()), Path()))


def provider(name: str = "main", passphrase: str = PASSPHRASE, extra: str = "") -> str:
    """A passphrase provider that costs as little as is allowed, and its method."""
    return f"""
key_provider "pbkdf2" "{name}" {{
  passphrase = "{passphrase}"
  iterations = 200000
  {extra}
}}
method "aes_gcm" "{name}" {{ keys = key_provider.pbkdf2.{name} }}
"""


SIMPLE = provider() + "state { method = method.aes_gcm.main }\nplan { method = method.aes_gcm.main }\n"
PLAIN_METHOD = 'method "unencrypted" "off" {}\n'


def words(refused: DiagnosticError) -> str:
    """All that a person is told."""
    return " ".join(f"{one.summary} {one.detail} {one.mend}" for one in refused.diagnostics)
