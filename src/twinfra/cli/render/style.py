"""Colours of the terminal, and whether to use them."""

from __future__ import annotations

import os
import sys
from typing import TextIO

from twinfra.dataclass import dataclass

CODES = {
    "green": "32",
    "red": "31",
    "yellow": "33",
    "cyan": "36",
    "bold": "1",
    "dim": "2",
    "underline": "4",
}


@dataclass(frozen=True, slots=True)
class Style:
    """How text may look: with colour or without, and how many columns there are."""

    colour: bool = False
    width: int = 80

    def __call__(self, text: str, *names: str) -> str:
        """`text` in the named colours, or plain where colour is off."""
        if not self.colour or not names or not text:
            return text
        return f"\x1b[{';'.join(CODES[name] for name in names)}m{text}\x1b[0m"


PLAIN = Style()


def style_for(stream: TextIO, no_color: bool = False) -> Style:
    """The style for a stream: colour only on a terminal, unless `-no-color`, `NO_COLOR` or a dumb terminal."""
    width = 80
    if stream.isatty():
        import shutil

        width = shutil.get_terminal_size((80, 24)).columns
    colour = (
        not no_color and stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"
    )
    return Style(colour, max(width, 20))


def standard_style(no_color: bool = False) -> Style:
    """The style for standard output."""
    return style_for(sys.stdout, no_color)
