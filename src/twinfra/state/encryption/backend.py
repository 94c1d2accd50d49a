"""A backend that keeps only what is encrypted: whatever is written through it, and read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from twinfra.state.backends.protocol import Backend, Content, is_redirected
from twinfra.state.backends.records import records_of
from twinfra.state.encryption.codec import PLAIN, Codec
from twinfra.state.history import KeepsCopies, Version, versioned
from twinfra.state.locks import LockInfo


class EncryptedBackend:
    """The `inner` backend with a codec between it and everybody else. Implements `backends.protocol.Backend`."""

    def __init__(self, inner: Backend, codec: Codec) -> None:
        self.inner = inner
        self.codec = codec
        if isinstance(inner, KeepsCopies):
            inner.kept = codec.kept

    def label(self, workspace: str) -> str:
        return self.inner.label(workspace)

    def workspaces(self) -> list[str]:
        return self.inner.workspaces()

    def create(self, workspace: str) -> None:
        self.inner.create(workspace)

    def read(self, workspace: str) -> Content | None:
        found = self.inner.read(workspace)
        if found is None:
            return None
        return Content(self.codec.decode(found.data, self.label(workspace)), found.version)

    def redirected(self, workspace: str) -> bool:
        return is_redirected(self.inner, workspace)

    def write(self, workspace: str, pieces: Iterable[bytes], expected: str | None) -> str:
        return self.inner.write(workspace, self.codec.encode(pieces), expected)

    def delete(self, workspace: str) -> None:
        self.inner.delete(workspace)

    def lock(self, workspace: str, lock: LockInfo) -> None:
        self.inner.lock(workspace, lock)

    def unlock(self, workspace: str, id: str) -> None:
        self.inner.unlock(workspace, id)

    def holder(self, workspace: str) -> LockInfo | None:
        return self.inner.holder(workspace)

    def journal_path(self, workspace: str) -> Path:
        return self.inner.journal_path(workspace)

    def history(self, workspace: str) -> list[Version]:
        return versioned(self.inner).history(workspace)

    def read_version(self, workspace: str, id: str) -> bytes | None:
        found = versioned(self.inner).read_version(workspace, id)
        return None if found is None else self.codec.decode(found, f"{self.label(workspace)} ({id})")

    def list_records(self, workspace: str) -> list[str]:
        return records_of(self.inner).list_records(workspace)

    def read_record(self, workspace: str, name: str) -> Content | None:
        return self._decoded(workspace, name, records_of(self.inner).read_record(workspace, name))

    def read_records(self, workspace: str, names: Sequence[str]) -> list[Content | None]:
        found = records_of(self.inner).read_records(workspace, names)
        return [self._decoded(workspace, *one) for one in zip(names, found, strict=True)]

    def write_record(self, workspace: str, name: str, data: bytes, expected: str | None) -> str:
        sealed = b"".join(self.codec.encode_again((data,)))
        return records_of(self.inner).write_record(workspace, name, sealed, expected)

    def _decoded(self, workspace: str, name: str, found: Content | None) -> Content | None:
        if found is None:
            return None
        return Content(self.codec.decode(found.data, f"{self.label(workspace)} ({name})"), found.version)

    def close(self) -> None:
        self.inner.close()


def encrypted(backend: Backend, codec: Codec) -> Backend:
    """The backend itself where nothing is encrypted, else with the codec between."""
    return backend if codec is PLAIN else EncryptedBackend(backend, codec)


def codec_of(backend: Backend) -> Codec:
    """How a backend's content is written: for what is written beside it."""
    return backend.codec if isinstance(backend, EncryptedBackend) else PLAIN
