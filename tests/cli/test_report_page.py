"""The page of `twinfra report -html` in a real browser: at full width, on a phone, and in print."""

from __future__ import annotations

import json
import re
from html import escape
from pathlib import Path
from typing import Any

import pytest
from tests.browser import browse, needs_browser, probed, run_browser
from tests.cli.test_report import MAIN, PROJECT
from tests.environments.repositories import new_repository

pytestmark = needs_browser

PHONE = 390
PROBE = """
const frame = document.createElement("iframe");
frame.style.cssText = "border: 0; height: 900px; width: WIDTHpx";
frame.srcdoc = PAGE;
document.body.append(frame);
addEventListener("load", () => {
  const page = frame.contentDocument, view = frame.contentWindow, root = page.documentElement;
  const reach = (one) => one.getBoundingClientRect().right;
  const found = {
    width: view.innerWidth,
    scroll: root.scrollWidth - root.clientWidth,
    outside: [...page.body.querySelectorAll("*")].filter((one) => reach(one) > view.innerWidth + 1).length,
    tiles: page.querySelectorAll(".tile").length,
    cards: page.querySelectorAll(".card").length,
    columns: view.getComputedStyle(page.querySelector(".cards")).gridTemplateColumns.split(" ").filter((one) => parseFloat(one)).length,
    head: view.getComputedStyle(page.querySelector("thead")).display,
    links: [...page.querySelectorAll("nav a")].every((one) => page.getElementById(one.hash.slice(1))),
    open: page.querySelector("details").open,
  };
  document.body.innerHTML = '<p id="probe"></p>';
  document.getElementById("probe").textContent = JSON.stringify(found);
});
"""
"""A frame holds up the load of the page around it, so that what is in it is there by then."""


@pytest.fixture
def page(twinfra: Any) -> Path:
    long = "word " * 40 + "x" * 200
    twinfra.write(main_tf=MAIN, twinfra_toml=PROJECT, _gitignore="*.tfstate*\n.terraform/\n*.html\n*.jsonl\n")
    new_repository(twinfra.path).commit(long)
    twinfra.ok("apply", "-auto-approve", "-env=staging")
    twinfra.ok("apply", "-env=production", stdin="yes\n")
    twinfra.ok("release", "create", "first", "-env=staging", "-model=fraud-detector:3.1")
    look = {"environment": "staging", "checked": 2, "drifted": 1, "gone": 0, "violations": 2, "ignored": 0}
    looks = [json.dumps({**look, "time": f"2026-01-0{day}T02:00:00Z"}) for day in (1, 2)]
    (twinfra.path / "drift.jsonl").write_text("\n".join(looks))
    twinfra.ok("report", "-html=report.html")
    path: Path = twinfra.path / "report.html"
    return path


def seen(page: Path, profile: Path, width: int) -> dict[str, Any]:
    """What a browser makes of a page in a window of this width, which may be narrower than a browser's own can be."""
    text = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page.read_text("utf-8"))
    outer = page.with_name("outer.html")
    outer.write_text('<!doctype html><html><head><meta charset="utf-8"></head><body></body></html>', "utf-8")
    source = json.dumps(text).replace("<", "\\u003c")
    probed(outer, PROBE.replace("WIDTH", str(width)).replace("PAGE", source))
    shown = re.search(r'<p id="probe">({.*?})</p>', browse(outer, profile, 1300))
    assert shown is not None
    found: dict[str, Any] = json.loads(shown[1])
    return found


@pytest.mark.parametrize(("width", "columns", "head"), [(1200, 2, "table-header-group"), (PHONE, 1, "none")])
def test_it_fits_a_screen_and_a_phone(
    page: Path, tmp_path_factory: pytest.TempPathFactory, width: int, columns: int, head: str
) -> None:
    found = seen(page, tmp_path_factory.mktemp("browser"), width)
    assert found["width"] == width
    assert (found["scroll"], found["outside"]) == (0, 0)
    assert (found["tiles"], found["cards"], found["columns"]) == (5, 2, columns)
    assert found["head"] == head
    assert found["links"] is True
    assert found["open"] is False


def test_it_is_dark_where_people_want_that(page: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    light = picture(page, tmp_path_factory.mktemp("light"))
    dark = picture(page, tmp_path_factory.mktemp("dark"), "--blink-settings=preferredColorScheme=0")
    assert light != dark


def picture(page: Path, profile: Path, *flags: str) -> bytes:
    path = profile.with_suffix(".png")
    run_browser(page, profile, "--window-size=800,600", f"--screenshot={path}", *flags)
    return path.read_bytes()


def test_its_own_policy_lets_a_browser_run_nothing(
    page: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = page.read_text("utf-8")
    script = '<script>document.body.dataset.ran = "yes"</script><img src="x" onerror="document.title = 1">'
    page.write_text(text.replace("</body>", script + "</body>"), "utf-8")
    shown = browse(page, tmp_path_factory.mktemp("browser"), 800)
    assert "data-ran" not in shown
    assert f"<title>{escape('Fraud & more')}: estate report</title>" in shown


def test_in_print_what_was_opened_is_open(page: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    folded = page.read_text("utf-8")
    opened = folded.replace("<details>", "<details open>")
    sizes = []
    for number, text in enumerate((folded, opened)):
        page.write_text(text, "utf-8")
        path = page.with_name(f"{number}.pdf")
        profile = tmp_path_factory.mktemp("browser")
        run_browser(page, profile, f"--print-to-pdf={path}", "--no-pdf-header-footer")
        content = path.read_bytes()
        assert content.startswith(b"%PDF-")
        sizes.append(len(content))
    assert sizes[0] < sizes[1]
