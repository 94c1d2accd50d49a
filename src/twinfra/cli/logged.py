"""The engine's events in the log, besides where they are shown: what happens to which address, and no values."""

from __future__ import annotations

from typing import Any

from twinfra import log
from twinfra.addresses import Instance
from twinfra.diagnostics import Diagnostic, Severity
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.events import Listener


class Logged:
    """Passes every event on to another listener, and notes those that say what is done."""

    def __init__(self, inner: Listener) -> None:
        self.inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self.inner, name)

    def refresh_finished(self, address: Instance, id: str, seconds: float) -> None:
        log.say(log.TRACE, "read", address=str(address), seconds=round(seconds, 4))
        self.inner.refresh_finished(address, id, seconds)

    def planned(self, change: ResourceChange) -> None:
        if log.wanted(log.DEBUG):
            log.say(
                log.DEBUG,
                "planned",
                address=str(change.address),
                action=change.action.value,
                reason=change.reason.value or None,
            )
        self.inner.planned(change)

    def apply_started(self, change: ResourceChange, action: Action, id: str) -> None:
        log.say(log.DEBUG, "operation begins", address=str(change.address), action=action.value)
        self.inner.apply_started(change, action, id)

    def apply_finished(self, address: Instance, action: Action, id: str, seconds: float) -> None:
        log.say(
            log.INFO, "operation done", address=str(address), action=action.value, seconds=round(seconds, 4)
        )
        self.inner.apply_finished(address, action, id, seconds)

    def apply_failed(self, address: Instance, action: Action, seconds: float) -> None:
        log.say(
            log.ERROR,
            "operation failed",
            address=str(address),
            action=action.value,
            seconds=round(seconds, 4),
        )
        self.inner.apply_failed(address, action, seconds)

    def provision_finished(self, address: Instance, provisioner: str, failed: bool) -> None:
        log.say(log.DEBUG, "provisioner ended", address=str(address), kind=provisioner, failed=failed)
        self.inner.provision_finished(address, provisioner, failed)

    def diagnostic(self, diagnostic: Diagnostic) -> None:
        level = log.ERROR if diagnostic.severity is Severity.ERROR else log.WARN
        log.say(level, "told", summary=diagnostic.summary)
        self.inner.diagnostic(diagnostic)
