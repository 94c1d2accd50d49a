"""The seam between apply and whatever keeps its results safe: the state's journal implements it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from twinfra.addresses import Instance, ProviderConfig
from twinfra.state.intents import Intent
from twinfra.state.model import InstanceObject

__all__ = ["Intent", "NoRecorder", "Recorder"]


class Recorder(Protocol):
    """Takes each finished operation. The engine calls it on its own thread only.

    The engine calls `record` for all operations that have finished by now, then `sync` once, and only then
    starts what depends on them.
    """

    def record(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None:
        """An object is now `value` (None: it is gone): the current one, or the one under a deposed key.

        A record of the current object also answers the last intent for that address.
        """

    def intend(self, intent: Intent) -> None:
        """An object is about to be created; `record` for the same address tells what came of it."""

    def answered(self, token: str) -> None:
        """What came of the intent with this token is known, and needs no record: it made nothing."""

    def identify(self, provider: ProviderConfig, identity: Mapping[str, str]) -> None:
        """A provider configuration acts on this cloud (see `State.identities`)."""

    def sync(self) -> None:
        """Make all that was recorded so far survive a crash of the machine."""


class NoRecorder:
    """Keeps nothing: for tests and for plans whose state nobody saves."""

    def record(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None: ...

    def intend(self, intent: Intent) -> None: ...

    def answered(self, token: str) -> None: ...

    def identify(self, provider: ProviderConfig, identity: Mapping[str, str]) -> None: ...

    def sync(self) -> None: ...
