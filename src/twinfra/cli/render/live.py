"""A live table of what is in flight, for terminals: each operation with its elapsed time and what it waits for.

Finished operations scroll away above it as plain lines.
"""

from __future__ import annotations

import sys
import threading
import time

from rich.console import Console
from rich.live import Live
from rich.table import Table

from twinfra.addresses import Instance
from twinfra.cli.render.events import WORDS, LineEvents, elapsed_text, id_text
from twinfra.cli.render.style import Style
from twinfra.dataclass import dataclass
from twinfra.engine.changes import Action, ResourceChange

_GAP = 2
_NARROWEST = 12
MAX_ROWS = 12


@dataclass(slots=True)
class Row:
    """One operation in flight."""

    address: str
    action: Action
    started: float
    note: str = ""


class LiveEvents(LineEvents):
    """A listener that keeps a table of what is in flight at the foot of the terminal."""

    def __init__(self, style: Style, total: int = 0) -> None:
        super().__init__(sys.stdout, style, refresh_lines=False)
        self.rows: dict[str, Row] = {}
        self.lock = threading.Lock()
        self.total = total
        self.done = 0
        self.refreshed = 0
        self.console = Console(no_color=not style.colour, highlight=False, soft_wrap=False)
        self.live = Live(
            get_renderable=self.table, console=self.console, refresh_per_second=4, transient=True
        )

    def __enter__(self) -> LiveEvents:
        self.live.__enter__()
        return self

    def __exit__(self, *failure: object) -> None:
        self.live.__exit__(None, None, None)

    def table(self) -> Table:
        """The rows now; the longest running first."""
        now = time.monotonic()
        with self.lock:
            rows = sorted(self.rows.values(), key=lambda row: row.started)
        shown = [
            (row.address, WORDS[row.action][0].rstrip("."), elapsed_text(now - row.started), row.note)
            for row in rows[:MAX_ROWS]
        ]
        verb, elapsed = (max((len(row[at]) for row in shown), default=0) for at in (1, 2))
        # On a narrow terminal, addresses and notes are cut; what is being done and for how long is always seen.
        room = max(self.console.width - verb - elapsed - 3 * _GAP, _NARROWEST)
        address = min(max((len(row[0]) for row in shown), default=room), room)
        table = Table.grid(padding=(0, _GAP), expand=False)
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(address, _NARROWEST))
        table.add_column(no_wrap=True, min_width=verb)
        table.add_column(no_wrap=True, min_width=elapsed, justify="right")
        table.add_column(no_wrap=True, overflow="ellipsis", max_width=max(room - address, 1), style="dim")
        for one in shown:
            table.add_row(*one)
        if len(rows) > MAX_ROWS:
            table.add_row(f"and {len(rows) - MAX_ROWS} more", "", "", "")
        if self.total:
            table.add_row(f"{self.done} of {self.total} done", "", "", "")
        elif self.refreshed:
            table.add_row(f"{self.refreshed} read", "", "", "")
        return table

    def line(self, address: Instance, text: str) -> None:
        """A plain line above the table."""
        self.console.print(f"{address}: {text}", markup=False, soft_wrap=True)

    def _begin(self, address: Instance, action: Action) -> None:
        with self.lock:
            self.rows[f"{address} {action}"] = Row(str(address), action, time.monotonic())

    def _end(self, address: Instance, action: Action) -> None:
        with self.lock:
            self.rows.pop(f"{address} {action}", None)

    def refresh_started(self, address: Instance, id: str) -> None:
        self._begin(address, Action.READ)

    def refresh_finished(self, address: Instance, id: str, seconds: float) -> None:
        self._end(address, Action.READ)
        self.refreshed += 1

    def data_started(self, address: Instance) -> None:
        self._begin(address, Action.READ)

    def data_finished(self, address: Instance, id: str, seconds: float) -> None:
        self._end(address, Action.READ)
        self.refreshed += 1

    def apply_started(self, change: ResourceChange, action: Action, id: str) -> None:
        self._begin(change.address, action)

    def apply_progress(self, address: Instance, action: Action, seconds: float, message: str) -> None:
        with self.lock:
            row = self.rows.get(f"{address} {action}")
            if row is not None:
                row.note = message

    def apply_finished(self, address: Instance, action: Action, id: str, seconds: float) -> None:
        self._end(address, action)
        self.done += 1
        shown = id_text(id) if action is not Action.DELETE else ""
        self.line(address, f"{WORDS[action][1]} after {elapsed_text(seconds)}{shown}")

    def apply_failed(self, address: Instance, action: Action, seconds: float) -> None:
        self._end(address, action)
        self.line(address, f"Failed after {elapsed_text(seconds)}")
