"""The page of `twinfra twins -html`, in a real browser."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from tests.browser import Tags, browse, needs_browser, probed
from tests.cli.test_twins import CONFIG, PROJECT

AWKWARD = '<img src="x" onerror="document.title = 1"> & "quoted"'

PROBE = """
addEventListener("load", () => {
  const field = document.querySelector(".search input");
  const seen = () => [...document.querySelectorAll("tbody.rows")].filter((one) => !one.hidden).length;
  const all = seen();
  field.value = "counted"; field.dispatchEvent(new Event("input"));
  const some = seen();
  const wide = document.documentElement.scrollWidth - document.documentElement.clientWidth;
  document.body.insertAdjacentHTML("beforeend", `<p id="probe">${all} ${some} ${wide} ${innerWidth}</p>`);
});
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


def test_the_page_needs_nothing_from_elsewhere(twinfra: Any) -> None:
    page = made(twinfra).read_text("utf-8")
    found = Tags()
    found.feed(page)
    assert {"html", "style", "script", "table"} <= found.names
    assert not found.names & {"img", "link", "iframe", "object", "embed"}
    assert not found.attributes & {"src", "href", "srcset", "onerror"}
    assert not re.search(r"@import|url\(|fetch\(|https?:", page)


@needs_browser
@pytest.mark.parametrize("width", [1100, 500])
def test_a_browser_shows_and_filters_it_without_a_horizontal_scroll(
    twinfra: Any, tmp_path_factory: pytest.TempPathFactory, width: int
) -> None:
    path = made(twinfra)
    probed(path, PROBE)
    shown = browse(path, tmp_path_factory.mktemp("browser"), width)
    assert "<title>staging and production</title>" in shown
    assert "staging and production are not twins: 1 finding." in shown
    probe = re.search(r'<p id="probe">(\d+) (\d+) (-?\d+) (\d+)</p>', shown)
    assert probe is not None, shown
    everything, filtered, too_wide, inner = map(int, probe.groups())
    assert everything > filtered == 1
    assert too_wide <= 0
    assert inner <= width
