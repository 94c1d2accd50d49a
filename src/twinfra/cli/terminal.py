"""What a command prints with: text for people or JSON events, and diagnostics in either form.

Diagnostics of people's mistakes go to standard error as text; in JSON they are events on standard output.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from dataclasses import field
from pathlib import Path

from twinfra.cli.render.style import Style, standard_style, style_for
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity, error


def print_diagnostics(diagnostics: Iterable[Diagnostic], no_color: bool = False) -> None:
    """Errors and warnings as text, on standard error; the same warning many times is shown once.

    Without colour where `no_color` says so, or `-no-color` was given to the command that runs.
    """
    import click

    from twinfra.cli.render.diagnostics import render_diagnostic

    context = click.get_current_context(silent=True)
    style = style_for(sys.stderr, no_color or (context is not None and bool(context.params.get("no_color"))))
    sys.stdout.flush()
    for diagnostic, repeats in collapse(diagnostics):
        sys.stderr.write(render_diagnostic(diagnostic, style))
        if repeats:
            plural = "place" if repeats == 1 else "places"
            sys.stderr.write(f"  (and the same in {repeats} more {plural})\n")
    sys.stderr.flush()


def collapse(diagnostics: Iterable[Diagnostic]) -> list[tuple[Diagnostic, int]]:
    """Diagnostics with how many more of the same summary follow: warnings are shown once a kind, errors all."""
    shown: list[tuple[Diagnostic, int]] = []
    seen: dict[str, int] = {}
    for diagnostic in diagnostics:
        if diagnostic.severity is Severity.WARNING and diagnostic.summary in seen:
            at = seen[diagnostic.summary]
            shown[at] = (shown[at][0], shown[at][1] + 1)
            continue
        seen[diagnostic.summary] = len(shown)
        shown.append((diagnostic, 0))
    return shown


def write_page(path: Path, text: str) -> None:
    """Write a page to a file. Raises `DiagnosticError` where that cannot be."""
    try:
        # Half of a surrogate pair, as of a file name that is no text, is no UTF-8.
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as reason:
        raise DiagnosticError(
            error("Cannot write the page", f"{path}: {reason.strerror or reason}.", mend="Name another file.")
        ) from None


@dataclass(slots=True)
class Terminal:
    """Where a command prints. `json` chooses events; `no_color` text without colour."""

    json: bool = False
    no_color: bool = False
    style: Style = field(init=False)

    def __post_init__(self) -> None:
        self.style = standard_style(self.no_color)

    def say(self, text: str = "") -> None:
        """A line for people; nothing in JSON mode."""
        if not self.json:
            print(text)

    def write(self, text: str) -> None:
        """Text for people, as it is; nothing in JSON mode."""
        if not self.json:
            sys.stdout.write(text)

    def diagnostics(self, diagnostics: Iterable[Diagnostic]) -> None:
        """Diagnostics in the chosen form."""
        if self.json:
            from twinfra.cli.machine.events import JsonEvents

            events = JsonEvents(sys.stdout)
            for diagnostic in diagnostics:
                events.diagnostic(diagnostic)
        else:
            print_diagnostics(diagnostics, self.no_color)
