"""Pages in a real browser: as a document, as a picture, in print; and what tags a page has."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import pytest

_BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

needs_browser = pytest.mark.skipif(_BROWSER is None, reason="no Chromium on the PATH")


class Tags(HTMLParser):
    """The names of all tags and attributes of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.texts: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


def probed(path: Path, script: str) -> None:
    """Put a script into a page, and let it run: else none but its own would."""
    page = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", path.read_text("utf-8"))
    path.write_text(page.replace("</body>", f"<script>{script}</script></body>"), "utf-8")


def browse(path: Path, profile: Path, width: int) -> str:
    """The document as the browser has it after its scripts ran."""
    return run_browser(path, profile, f"--window-size={width},900", "--dump-dom")


def run_browser(path: Path, profile: Path, *flags: str) -> str:
    """What the browser prints when it opens a page with these flags; `profile` is an empty directory."""
    assert _BROWSER is not None
    ran = subprocess.run(
        [_BROWSER, *_FLAGS, f"--user-data-dir={profile}", *flags, path.as_uri()],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ran.stdout
