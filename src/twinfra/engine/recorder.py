"""The seam between apply and whatever keeps its results safe: the state's journal implements it."""

from __future__ import annotations

from typing import Protocol

from twinfra.addresses import Instance, ProviderConfig
from twinfra.state.model import InstanceObject


class Recorder(Protocol):
    """Takes each finished operation. The engine calls it on its own thread only.

    The engine calls `record` for all operations that have finished by now, then `sync` once, and only then
    starts what depends on them.
    """

    def record(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None:
        """An object is now `value` (None: it is gone): the current one, or the one under a deposed key."""

    def sync(self) -> None:
        """Make all that was recorded so far survive a crash of the machine."""


class NoRecorder:
    """Keeps nothing: for tests and for plans whose state nobody saves."""

    def record(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None: ...

    def sync(self) -> None: ...
