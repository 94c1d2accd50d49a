"""Progress as plain lines: what begins, what is still going on, what is done. For pipes, logs and CI."""

from __future__ import annotations

import sys
from typing import TextIO

from twinfra.addresses import Instance
from twinfra.cli.render.style import PLAIN, Style
from twinfra.diagnostics import Diagnostic
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.events import Silent

WORDS = {
    Action.CREATE: ("Creating...", "Creation complete", "Still creating"),
    Action.UPDATE: ("Modifying...", "Modifications complete", "Still modifying"),
    Action.DELETE: ("Destroying...", "Destruction complete", "Still destroying"),
    Action.READ: ("Reading...", "Read complete", "Still reading"),
}


def elapsed_text(seconds: float) -> str:
    """`7s`, `2m05s`, `1h02m`."""
    whole = int(seconds)
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02}s"
    return f"{whole // 3600}h{whole % 3600 // 60:02}m"


def id_text(id: str) -> str:
    """` [id=...]`, or nothing."""
    return f" [id={id}]" if id else ""


class LineEvents(Silent):
    """A listener that writes one line an event."""

    def __init__(self, stream: TextIO = sys.stdout, style: Style = PLAIN, refresh_lines: bool = True) -> None:
        self.stream = stream
        self.style = style
        self.refresh_lines = refresh_lines

    def line(self, address: Instance, text: str) -> None:
        """`address: text`."""
        self.stream.write(f"{self.style(str(address), 'bold')}: {text}\n")
        self.stream.flush()

    def refresh_started(self, address: Instance, id: str) -> None:
        if self.refresh_lines:
            self.line(address, f"Refreshing state...{id_text(id)}")

    def data_started(self, address: Instance) -> None:
        self.line(address, "Reading...")

    def data_finished(self, address: Instance, id: str, seconds: float) -> None:
        self.line(address, f"Read complete after {elapsed_text(seconds)}{id_text(id)}")

    def apply_started(self, change: ResourceChange, action: Action, id: str) -> None:
        deposed = f" (deposed {change.deposed})" if change.deposed else ""
        self.line(
            change.address, WORDS[action][0] + deposed + (id_text(id) if action is not Action.CREATE else "")
        )

    def apply_progress(self, address: Instance, action: Action, seconds: float, message: str) -> None:
        note = f" ({message})" if message else ""
        self.line(address, f"{WORDS[action][2]}... [{elapsed_text(seconds)} elapsed]{note}")

    def apply_finished(self, address: Instance, action: Action, id: str, seconds: float) -> None:
        shown = id_text(id) if action is not Action.DELETE else ""
        self.line(address, f"{WORDS[action][1]} after {elapsed_text(seconds)}{shown}")

    def apply_failed(self, address: Instance, action: Action, seconds: float) -> None:
        self.line(address, f"{self.style('Failed', 'red')} after {elapsed_text(seconds)}")

    def provision_started(self, address: Instance, provisioner: str) -> None:
        self.line(address, f"Provisioning with '{provisioner}'...")

    def provision_output(self, address: Instance, provisioner: str, line: str) -> None:
        self.line(address, f"({provisioner}): {line}")

    def provision_finished(self, address: Instance, provisioner: str, failed: bool) -> None:
        if failed:
            self.line(address, f"({provisioner}) failed")

    def ephemeral(self, address: Instance, step: str, finished: bool) -> None:
        self.line(address, f"{step} complete" if finished else f"{step}...")

    def diagnostic(self, diagnostic: Diagnostic) -> None:
        """Diagnostics are shown once, at the end, by the command."""
