"""What the engine tells while it works: facts for a live table, plain lines or JSON events; `cli` renders
them.

The engine calls a `Listener` on its own thread only. Every method has a do-nothing default in `Silent`.
"""

from __future__ import annotations

from typing import Protocol

from twinfra.addresses import Instance
from twinfra.diagnostics import Diagnostic
from twinfra.engine.changes import Action, ResourceChange


class Listener(Protocol):
    """Takes the engine's events. `seconds` are elapsed whole or fractional seconds of the operation."""

    def refresh_started(self, address: Instance, id: str) -> None:
        """Reading an existing object begins; `id` is its id attribute where it has one."""

    def refresh_finished(self, address: Instance, id: str, seconds: float) -> None:
        """It was read."""

    def data_started(self, address: Instance) -> None:
        """Reading a data source begins."""

    def data_finished(self, address: Instance, id: str, seconds: float) -> None:
        """It was read."""

    def planned(self, change: ResourceChange) -> None:
        """A change was planned."""

    def drifted(self, change: ResourceChange) -> None:
        """Refresh found a difference."""

    def apply_started(self, change: ResourceChange, action: Action, id: str) -> None:
        """An operation begins; of a replacement, each half by itself (`CREATE`, `DELETE`)."""

    def apply_progress(self, address: Instance, action: Action, seconds: float, message: str) -> None:
        """It is still going on; `message` says what is waited for."""

    def apply_finished(self, address: Instance, action: Action, id: str, seconds: float) -> None:
        """It succeeded."""

    def apply_failed(self, address: Instance, action: Action, seconds: float) -> None:
        """It failed; the diagnostics come separately."""

    def provision_started(self, address: Instance, provisioner: str) -> None:
        """A provisioner begins."""

    def provision_output(self, address: Instance, provisioner: str, line: str) -> None:
        """It printed a line."""

    def provision_finished(self, address: Instance, provisioner: str, failed: bool) -> None:
        """It ended."""

    def ephemeral(self, address: Instance, step: str, finished: bool) -> None:
        """An ephemeral resource is being opened, renewed or closed (`step`)."""

    def diagnostic(self, diagnostic: Diagnostic) -> None:
        """A warning or error, as soon as it is known."""


class Silent:
    """A listener that does nothing; base of the others."""

    def refresh_started(self, address: Instance, id: str) -> None: ...
    def refresh_finished(self, address: Instance, id: str, seconds: float) -> None: ...
    def data_started(self, address: Instance) -> None: ...
    def data_finished(self, address: Instance, id: str, seconds: float) -> None: ...
    def planned(self, change: ResourceChange) -> None: ...
    def drifted(self, change: ResourceChange) -> None: ...
    def apply_started(self, change: ResourceChange, action: Action, id: str) -> None: ...
    def apply_progress(self, address: Instance, action: Action, seconds: float, message: str) -> None: ...
    def apply_finished(self, address: Instance, action: Action, id: str, seconds: float) -> None: ...
    def apply_failed(self, address: Instance, action: Action, seconds: float) -> None: ...
    def provision_started(self, address: Instance, provisioner: str) -> None: ...
    def provision_output(self, address: Instance, provisioner: str, line: str) -> None: ...
    def provision_finished(self, address: Instance, provisioner: str, failed: bool) -> None: ...
    def ephemeral(self, address: Instance, step: str, finished: bool) -> None: ...
    def diagnostic(self, diagnostic: Diagnostic) -> None: ...
