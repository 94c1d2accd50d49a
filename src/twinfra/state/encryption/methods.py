"""Encryption methods, ready to use: a chain of key providers and what is done with the key."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import field

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error
from twinfra.state.encryption import aes_gcm
from twinfra.state.encryption.key_providers.protocol import KeyProvider, Meta, UnfitMeta


@dataclass(slots=True)
class Link:
    """A key provider in a chain, the name that its meta is stored under, and where it is declared."""

    stored_as: str
    provider: KeyProvider
    range: SourceRange


@dataclass(slots=True)
class Method:
    """A method by its address. Without `links` it is `unencrypted`. `authenticated`: see `aes_gcm`.

    The last of `links` gives the key; each is given that of the one before it.
    """

    address: str
    range: SourceRange
    links: tuple[Link, ...] = ()
    authenticated: bytes | None = None
    _new: tuple[bytes, dict[str, Meta]] | None = None
    _old: dict[str, bytes] = field(default_factory=dict)

    @property
    def encrypts(self) -> bool:
        """Whether it is more than the method `unencrypted`."""
        return bool(self.links)

    def new_key(self) -> tuple[bytes, dict[str, Meta]]:
        """The key that this process encrypts with, and what to store beside the content. Asked for once."""
        if self._new is None:
            key: bytes | None = None
            metas: dict[str, Meta] = {}
            for link in self.links:
                try:
                    key, metas[link.stored_as] = link.provider.new(key)
                except UnfitMeta as unfit:
                    raise DiagnosticError(_unusable(self, str(unfit))) from None
                except DiagnosticError as failed:
                    raise failed.at(link.range) from None
            self._new = self._checked(key), metas
        return self._new

    def old_key(self, metas: Mapping[str, Meta]) -> bytes:
        """The key that content with these metas was encrypted with. Raises `UnfitMeta`."""
        own = {link.stored_as: metas.get(link.stored_as) for link in self.links}
        known = json.dumps(own, sort_keys=True)
        found = self._old.get(known)
        if found is None:
            key: bytes | None = None
            for link in self.links:
                meta = own[link.stored_as]
                if meta is None:
                    raise UnfitMeta(f"it has nothing of {link.stored_as}")
                try:
                    key = link.provider.old(meta, key)
                except UnfitMeta as unfit:
                    raise UnfitMeta(f"in what it has of {link.stored_as}, {unfit}") from None
                except DiagnosticError as failed:
                    raise failed.at(link.range) from None
            found = self._old[known] = self._checked(key)
        return found

    def _checked(self, key: bytes | None) -> bytes:
        if key is None or len(key) not in aes_gcm.KEY_SIZES:
            size = 0 if key is None else len(key)
            raise DiagnosticError(
                _unusable(self, f"AES-GCM needs a key of 16, 24 or 32 bytes, not of {size}")
            )
        return key


def _unusable(method: Method, why: str) -> Diagnostic:
    return error(
        "Key cannot be used",
        f"{method.address}: {why}.",
        method.range,
        mend="Set key_length = 32 in the key provider.",
    )
