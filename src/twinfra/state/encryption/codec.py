"""The seam between what is written and how it lies somewhere: one codec for states, one for saved plans.

Without an encryption configured it is `PLAIN`, which changes no byte.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from twinfra.diagnostics import DiagnosticError, error


class LineSealer(Protocol):
    """Seals the lines of one journal."""

    @property
    def header(self) -> bytes:
        """The line that begins the journal."""

    def seal(self, line: bytes) -> bytes:
        """A line (with its end) as it is written, one line too."""


class Codec(Protocol):
    """How content is written and read back. Methods raise `DiagnosticError`, and never tell any content.

    `fell_back`: whether something was read that would be written in another way now, such as with a newer key.
    """

    fell_back: bool

    def encode(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        """Content as it is stored."""

    def encode_again(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        """The same with the key of what was read last, where that is one to write with: for many contents that are
        read together, of which each would need a key made (from a passphrase, or by a service) of its own.
        """

    def renew(self) -> None:
        """Let `encode_again` take the key that new content gets, whatever was read."""

    def decode(self, data: bytes, name: str) -> bytes:
        """Stored content as it was written; `name` is what people call it."""

    def sealer(self) -> LineSealer | None:
        """What seals the lines of a new journal; None where they are written as they are."""

    def unseal(self, content: bytes, name: str) -> bytes:
        """The lines of a journal as they were written. Of one that was changed or lost, something is left
        that is no record.
        """

    def kept(self, data: bytes) -> bytes:
        """What replaced content is kept as, beside what replaces it: encrypted if new content would be."""


class Plain:
    """Everything as it is; what is encrypted is refused."""

    fell_back = False

    def encode(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        return pieces

    def encode_again(self, pieces: Iterable[bytes]) -> Iterable[bytes]:
        return pieces

    def renew(self) -> None:
        pass

    def decode(self, data: bytes, name: str) -> bytes:
        from twinfra.state.encryption.envelope import is_envelope

        if is_envelope(data):
            raise DiagnosticError(
                error(
                    "Content is encrypted",
                    f"{name} is encrypted, and no encryption is configured here.",
                    mend="Write the encryption block that it was encrypted with, or set TF_ENCRYPTION.",
                )
            )
        return data

    def sealer(self) -> LineSealer | None:
        return None

    def unseal(self, content: bytes, name: str) -> bytes:
        from twinfra.state.encryption.lines import is_sealed

        if is_sealed(content):
            raise DiagnosticError(
                error(
                    "The journal is encrypted",
                    f"{name} was left by a run that did not end well, and no encryption is configured here.",
                    mend="Write the encryption block that it was encrypted with, or set TF_ENCRYPTION.",
                )
            )
        return content

    def kept(self, data: bytes) -> bytes:
        return data


PLAIN: Codec = Plain()
