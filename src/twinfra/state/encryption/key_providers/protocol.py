"""What a key provider offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, TypeAlias

from twinfra.diagnostics import DiagnosticError, error
from twinfra.schema import Block

Meta: TypeAlias = dict[str, Any]
"""What a provider needs to find a key again, stored beside the content: JSON, never anything secret."""


class UnfitMeta(Exception):
    """What is stored beside the content is not what this provider needs; the message says why."""


class KeyProvider(Protocol):
    """Gives keys. Methods raise `DiagnosticError` for what a person must mend, and never tell a key."""

    def new(self, chained: bytes | None) -> tuple[bytes, Meta]:
        """A key to encrypt with, and how to find it again. `chained` is the key of the provider before it."""

    def old(self, meta: Meta, chained: bytes | None) -> bytes:
        """The key that was given with this meta. Raises `UnfitMeta`."""


class KeyProviderModule(Protocol):
    """What a module of a key provider offers."""

    SCHEMA: Block

    def provider(self, settings: Mapping[str, Any]) -> KeyProvider:
        """The provider with these settings: plain Python by `SCHEMA`, None where not given."""


def wrong(name: str, why: str, mend: str = "") -> DiagnosticError:
    """A setting of a key provider that cannot be used. `why` never quotes its value."""
    return DiagnosticError(
        error("Wrong setting of a key provider", why, mend=mend or f"Correct {name}.", path=(name,))
    )


def whole(settings: Mapping[str, Any], name: str, default: int, least: int, most: int) -> int:
    """A setting that is a whole number within limits."""
    value = settings.get(name)
    if value is None:
        return default
    if value != int(value) or not least <= value <= most:
        raise wrong(name, f"{name} must be a whole number from {least} to {most}.")
    return int(value)


def number_in(meta: Meta, name: str, most: int) -> int:
    """A positive whole number of a meta. Raises `UnfitMeta`: numbers out of all reason would never end."""
    value = meta.get(name)
    if type(value) is not int or not 0 < value <= most:
        raise UnfitMeta(f"it has no usable {name}")
    return value
