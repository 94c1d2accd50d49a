"""Encrypts and decrypts states, saved plans and journals with the methods of an `encryption` block."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.state.encryption import aes_gcm
from twinfra.state.encryption.codec import LineSealer
from twinfra.state.encryption.envelope import (
    Envelope,
    Malformed,
    identity_in,
    is_envelope,
    read_envelope,
    write_envelope,
)
from twinfra.state.encryption.key_providers.protocol import Meta, UnfitMeta
from twinfra.state.encryption.lines import Sealer, is_sealed, read_header, unsealed
from twinfra.state.encryption.methods import Method


class ContentCodec:
    """A `codec.Codec`. Written is with the first method; read is with any of them.

    `kind`: `state` or `plan`. `accepts_plain`: what is not encrypted is read too, as it is where the method
    `unencrypted` is among them.
    """

    def __init__(self, methods: Sequence[Method], kind: str, accepts_plain: bool = False) -> None:
        self._methods = methods
        self._kind = kind
        self.fell_back = False
        self._last: tuple[bytes, Mapping[str, Meta]] | None = None
        self._accepts_plain = accepts_plain or any(not one.encrypts for one in methods)

    @property
    def encrypts(self) -> bool:
        """Whether what is written is encrypted."""
        return self._methods[0].encrypts

    def encode(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        return self._encoded(pieces, None)

    def encode_again(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        return self._encoded(pieces, self._last)

    def renew(self) -> None:
        self._last = None

    def _encoded(
        self, pieces: Iterable[bytes], known_key: tuple[bytes, Mapping[str, Meta]] | None
    ) -> Iterable[bytes]:
        if not self.encrypts:
            return pieces
        known = list(pieces)
        identity = identity_in(known) if self._kind == "state" else None
        method = self._methods[0]
        key, metas = known_key or method.new_key()
        try:
            data = aes_gcm.encrypt(key, b"".join(known), method.authenticated)
        except aes_gcm.TooLarge:
            raise DiagnosticError(
                error(
                    "Too large to be encrypted",
                    f"The {self._kind} has 2 GiB or more, which AES-GCM does not encrypt at once.",
                    mend="Split it: state mv takes resources into another state.",
                )
            ) from None
        return write_envelope(metas, data, identity)

    def decode(self, data: bytes, name: str) -> bytes:
        if not is_envelope(data):
            if not data or self._accepts_plain:
                self.fell_back |= self.encrypts and bool(data)
                return data
            raise DiagnosticError(self._not_encrypted(name))
        try:
            envelope = read_envelope(data)
        except Malformed as wrong:
            raise DiagnosticError(_damaged(name, str(wrong))) from None
        content = self._opened(
            envelope.meta,
            name,
            lambda method, key: aes_gcm.decrypt(key, envelope.data, method.authenticated),
        )
        self._check_identity(envelope, content, name)
        return content

    def kept(self, data: bytes) -> bytes:
        if not data or not self.encrypts or is_envelope(data):
            return data
        return b"".join(self.encode((data,)))

    def sealer(self) -> LineSealer | None:
        return Sealer(*self._methods[0].new_key()) if self.encrypts else None

    def unseal(self, content: bytes, name: str) -> bytes:
        if not is_sealed(content):
            if not content.strip(b"\0") or self._accepts_plain:
                return content
            raise DiagnosticError(self._not_encrypted(name))
        try:
            journal, metas = read_header(content)
        except Malformed as wrong:
            raise DiagnosticError(_damaged(name, str(wrong))) from None
        first = content.rstrip(b"\0").count(b"\n") > 1
        return self._opened(metas, name, lambda method, key: _lines(content, journal, key, first))

    def _opened(
        self, metas: Mapping[str, Meta], name: str, opening: Callable[[Method, bytes], bytes]
    ) -> bytes:
        """What the first method that fits makes of it. Raises `DiagnosticError`."""
        reasons: list[str] = []
        failures: list[Diagnostic] = []
        for method in self._methods:
            if not method.encrypts:
                continue
            try:
                key = method.old_key(metas)
                content = opening(method, key)
                if method is self._methods[0]:
                    self._last = key, metas
                else:
                    self.fell_back = True
                return content
            except UnfitMeta as unfit:
                reasons.append(f"{method.address}: {unfit}")
            except aes_gcm.Refused:
                reasons.append(f"{method.address}: the key does not fit, or the content was changed")
            except DiagnosticError as failed:
                failures += failed.diagnostics
        told = error(
            "Content cannot be decrypted",
            f"{name}: no method fits. {'. '.join(reasons) or 'None that decrypts is configured'}.",
            mend="Give the key that it was encrypted with, in a fallback if it is an older one; if that is right, "
            "restore an earlier version.",
        )
        raise DiagnosticError([*failures, told] if reasons or not failures else failures)

    def _check_identity(self, envelope: Envelope, content: bytes, name: str) -> None:
        """What stands beside the content in the clear must be what the content says."""
        beside = (envelope.serial, envelope.lineage)
        inside = identity_in((content,)) if self._kind == "state" else None
        if beside != (inside or (None, None)):
            raise DiagnosticError(
                _damaged(name, "the serial and lineage beside the content are not those inside")
            )

    def _not_encrypted(self, name: str) -> Diagnostic:
        return error(
            "Content is not encrypted",
            f"{name} is not encrypted, and only encrypted content may be read here.",
            mend='To encrypt it, name a method "unencrypted" in a fallback until it was written once; '
            "else find out who wrote it.",
        )


def _lines(content: bytes, journal: str, key: bytes, expected: bool) -> bytes:
    """The lines of a sealed journal. Raises `aes_gcm.Refused` when the key opens none of them."""
    opened = 0

    def opening(data: bytes, bound: bytes) -> bytes:
        nonlocal opened
        line = aes_gcm.decrypt(key, data, bound)
        opened += 1
        return line

    found = unsealed(content, journal, opening)
    if expected and not opened:
        raise aes_gcm.Refused
    return found


def _damaged(name: str, why: str) -> Diagnostic:
    return error(
        "Encrypted content is damaged",
        f"{name} cannot be decrypted: {why}.",
        mend="Restore an earlier version of it.",
    )
