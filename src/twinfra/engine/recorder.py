"""The seam between apply and whatever keeps its results safe: the state's journal implements it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

from twinfra.addresses import Instance, ProviderConfig
from twinfra.state.model import InstanceObject


@dataclass(frozen=True, slots=True)
class Intent:
    """A create that is about to be asked for: enough to find what it made, should its answer be lost.

    `config` and `planned` are attributes in the JSON form of the state, unknowns as null; `unknown` are the
    names
    of attributes that the create will choose. `token` is what the provider was given.
    """

    address: Instance
    provider: ProviderConfig
    token: str
    config: dict[str, Any]
    planned: dict[str, Any]
    unknown: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    create_before_destroy: bool = False
    private: dict[str, Any] = field(default_factory=dict)


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

    def sync(self) -> None:
        """Make all that was recorded so far survive a crash of the machine."""


class NoRecorder:
    """Keeps nothing: for tests and for plans whose state nobody saves."""

    def record(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None: ...

    def intend(self, intent: Intent) -> None: ...

    def sync(self) -> None: ...
