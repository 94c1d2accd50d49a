"""Copies of what a state was, for backends that keep no versions themselves: in the data directory of who wrote it."""

from __future__ import annotations

from collections import deque
from contextlib import suppress
from typing import Protocol, runtime_checkable

from twinfra.state.backends.protocol import Backend, innermost
from twinfra.state.encryption.backend import codec_of
from twinfra.state.files import file_problem
from twinfra.state.history import MOST, FileHistory, Version, Versioned
from twinfra.state.model import State
from twinfra.state.v4_writing import write_state


@runtime_checkable
class MayKeepVersions(Protocol):
    """A backend whose place keeps versions, or does not: known after a write."""

    def kept_version(self) -> bool:
        """Whether the place has kept what the last write here replaced; False where it cannot be told."""


def keep_copy(backend: Backend, workspace: str, replaced: State) -> None:
    """Keep a state that was replaced, where the backend has not: encrypted if states are.

    Where that cannot be written, such as on a full disk, there is none: it must not keep a state from being saved.
    """
    inner = innermost(backend)
    if not _has_copies(backend) or (isinstance(inner, MayKeepVersions) and inner.kept_version()):
        return
    with suppress(OSError):
        copies_of(backend, workspace).keep(b"".join(write_state(replaced)), codec_of(backend).kept)


def _has_copies(backend: Backend) -> bool:
    """Whether copies are made of what it replaces, always or sometimes."""
    inner = innermost(backend)
    return not isinstance(inner, Versioned) or isinstance(inner, MayKeepVersions)


def copies_of(backend: Backend, workspace: str) -> FileHistory:
    """The copies of a workspace's states that were made here."""
    journal = backend.journal_path(workspace)
    return FileHistory(journal.parent.parent / "history" / journal.stem)


def remove_copies(backend: Backend, workspace: str) -> None:
    """Remove the copies of a workspace that is deleted. Raises `DiagnosticError`."""
    if not _has_copies(backend):
        return
    copies = copies_of(backend, workspace)
    try:
        copies.remove()
    except OSError as reason:
        raise file_problem(reason, "remove what is in", copies.directory) from None


class Kept:
    """All that is kept of what states were: by the backend, else by copies. Implements `history.Versioned`."""

    def __init__(self, backend: Backend) -> None:
        self._backend = backend
        self._versioned = isinstance(innermost(backend), Versioned)

    def history(self, workspace: str) -> list[Version]:
        found: list[Version] = []
        if isinstance(self._backend, Versioned) and self._versioned:
            found = self._backend.history(workspace)
        if not _has_copies(self._backend):
            return found
        # Both, where the place has kept versions for a part of the time.
        return _merged(found, copies_of(self._backend, workspace).versions())[:MOST]

    def read_version(self, workspace: str, id: str) -> bytes | None:
        copies = copies_of(self._backend, workspace)
        content = copies.read(id)
        if content is not None:
            return codec_of(self._backend).decode(content, str(copies.directory / id))
        if isinstance(self._backend, Versioned) and self._versioned:
            return self._backend.read_version(workspace, id)
        return None


def _merged(one: list[Version], other: list[Version]) -> list[Version]:
    """Two lists as one, each in its own order, by serials rather than by the clocks of two machines."""
    merged = []
    first, second = deque(one), deque(other)
    while first and second:
        known = first[0].serial >= 0 and second[0].serial >= 0
        later = first[0].serial > second[0].serial if known else first[0].time > second[0].time
        merged.append((first if later else second).popleft())
    return [*merged, *first, *second]
