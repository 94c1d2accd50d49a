"""The interface to where states are kept: bytes by workspace, written only if unchanged, under a lock.

A backend is a module of this package named for its type. It declares `SCHEMA` (its settings, a
`schema.Block`) and `connect(config, place)`, which returns a `Backend`; `registry` finds it by being there. A
backend knows bytes only: what a state is, serials, journals and encryption are `state.store`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

from twinfra.dataclass import dataclass
from twinfra.schema import Block
from twinfra.state.locks import LockInfo

DEFAULT_WORKSPACE = "default"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a command works. `directory`: relative paths start there; `data_directory`: `.terraform`."""

    directory: Path
    data_directory: Path


@dataclass(frozen=True, slots=True)
class Content:
    """A state as stored. `version` tells it from any other that was or will be there."""

    data: bytes
    version: str


NOTHING = ""
"""The version of a state that does not exist."""


class Locked(Exception):
    """Somebody else holds the lock. `holder` is None where that cannot be told."""

    def __init__(self, holder: LockInfo | None) -> None:
        super().__init__("the state is locked")
        self.holder = holder


class Conflict(Exception):
    """The stored state is not the one that was to be replaced; nothing was written."""


class Backend(Protocol):
    """Keeps the states of one configuration, one for each workspace.

    Methods raise `DiagnosticError` for what a person must mend (no permission, unreachable, full). One object
    serves one command, on one thread; what it holds open ends with `close`.
    """

    def label(self, workspace: str) -> str:
        """How people know a workspace's state, such as `terraform.tfstate` or `s3://bucket/key`."""

    def workspaces(self) -> list[str]:
        """The names of all workspaces, sorted, the default one first and always."""

    def create(self, workspace: str) -> None:
        """Make a workspace known without a state in it; nothing where the first write does that."""

    def read(self, workspace: str) -> Content | None:
        """The state as it is now (never a stale one), or None where there is none."""

    def write(self, workspace: str, pieces: Iterable[bytes], expected: str | None) -> str:
        """Replace the state as a whole; returns its new version. A crash leaves the old one or the new one.

        `expected`: the version that is to be replaced (`NOTHING` for none yet), None to replace any. Raises
        `Conflict` when another one is there. When it cannot tell whether it was written (the connection broke
        after sending), it reads and compares before it gives up.
        """

    def delete(self, workspace: str) -> None:
        """Remove a workspace with its state and what belongs to it; never the default one's name."""

    def lock(self, workspace: str, lock: LockInfo) -> None:
        """Take the lock without waiting; raises `Locked`. Nothing is taken where the backend has no locks."""

    def unlock(self, workspace: str, id: str) -> None:
        """Let go of the lock with this ID, also of one that a process left behind.

        Raises `Locked` when the lock is another one; nothing happens when there is none.
        """

    def holder(self, workspace: str) -> LockInfo | None:
        """Who holds the lock or left it behind; None where there is none."""

    def journal_path(self, workspace: str) -> Path:
        """Where the journal of an apply is kept: a local file, beside the state where that is local too."""

    def close(self) -> None:
        """Let go of connections."""


def is_redirected(backend: Backend, workspace: str) -> bool:
    """Whether a backend writes the state to another place than it reads it from, as `-state-out` asks for."""
    redirected = getattr(backend, "redirected", None)
    return redirected is not None and bool(redirected(workspace))


def innermost(backend: Backend) -> Backend:
    """The backend that keeps what others, such as one that encrypts, hand on to it as their `inner`."""
    while (within := getattr(backend, "inner", None)) is not None:
        backend = within
    return backend


class BackendModule(Protocol):
    """What a module of this package offers."""

    SCHEMA: Block

    def connect(self, config: Mapping[str, Any], place: Place) -> Backend:
        """A backend with these settings: plain Python by `SCHEMA`, None where not given."""
