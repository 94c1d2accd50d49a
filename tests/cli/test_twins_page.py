"""The page of `twinfra twins -html`, in a real browser."""

from __future__ import annotations

import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from tests.cli.test_twins import CONFIG, PROJECT

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
AWKWARD = '<img src="x" onerror="document.title = 1"> & "quoted"'

PROBE = """
<script>
addEventListener("load", () => {
  const field = document.querySelector(".search input");
  const seen = () => [...document.querySelectorAll("tbody.rows")].filter((one) => !one.hidden).length;
  const all = seen();
  field.value = "counted"; field.dispatchEvent(new Event("input"));
  const some = seen();
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.insertAdjacentHTML("beforeend", `<p id="probe">${all} ${some} ${wide} ${innerWidth}</p>`);
});
</script>
"""


def made(twinfra: Any) -> Path:
    twinfra.write(
        twinfra_toml=PROJECT,
        main_tf=CONFIG,
        more_tf=f"""
        resource "terraform_data" "awkward" {{
          input = {{ long = join("", [for n in range(99) : "word"]), odd = "${{var.env}} {AWKWARD.replace('"', chr(92) + '"')}" }}
        }}
        """,
    )
    assert twinfra("twins", "-html=page.html").code == 2
    path: Path = twinfra.path / "page.html"
    return path


class Tags(HTMLParser):
    """The names of all tags and attributes of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


def test_the_page_needs_nothing_from_elsewhere(twinfra: Any) -> None:
    page = made(twinfra).read_text("utf-8")
    found = Tags()
    found.feed(page)
    assert {"html", "style", "script", "table"} <= found.names
    assert not found.names & {"img", "link", "iframe", "object", "embed"}
    assert not found.attributes & {"src", "href", "srcset", "onerror"}
    assert not re.search(r"@import|url\(|fetch\(|https?:", page)


@pytest.mark.skipif(BROWSER is None, reason="no Chromium on the PATH")
@pytest.mark.parametrize("width", [1100, 500])
def test_a_browser_shows_and_filters_it_without_a_horizontal_scroll(
    twinfra: Any, tmp_path_factory: pytest.TempPathFactory, width: int
) -> None:
    path = made(twinfra)
    path.write_text(path.read_text("utf-8").replace("</body>", PROBE + "</body>"), "utf-8")
    shown = browse(path, tmp_path_factory.mktemp("browser"), width)
    assert "<title>staging and production</title>" in shown
    assert "staging and production are not twins: 1 finding." in shown
    probe = re.search(r'<p id="probe">(\d+) (\d+) (-?\d+) (\d+)</p>', shown)
    assert probe is not None, shown
    everything, filtered, too_wide, inner = map(int, probe.groups())
    assert everything > filtered == 1
    assert too_wide <= 0
    assert inner <= width


def browse(path: Path, profile: Path, width: int) -> str:
    """The document as the browser has it after its scripts ran."""
    assert BROWSER is not None
    ran = subprocess.run(
        [
            BROWSER,
            *FLAGS,
            f"--user-data-dir={profile}",
            f"--window-size={width},900",
            "--dump-dom",
            path.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    return ran.stdout
