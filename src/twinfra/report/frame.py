"""The frame of every page: one file that needs nothing from elsewhere, light and dark, on a phone and in print."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable

from twinfra.report.markup import Markup, element, joined

STYLE = """
:root { --ground: #f6f7f9; --card: #fff; --ink: #16202a; --soft: #5a6773; --line: #dfe4e9; --band: #f1f4f7;
  --good: #14713d; --good-band: #e3f4ea; --bad: #b3261e; --bad-band: #fdeceb; --warn: #8a5300; --warn-band: #fdf1dc;
  --calm: #44525f; --calm-band: #e9edf1; --side-0: #0b6e99; --side-1: #a05a00; --side-2: #7a3fa8; --side-3: #0f766e;
  --side-4: #b0356d; --side-5: #4a5fc1; --mono: ui-monospace, "SF Mono", Menlo, Consolas, "Liberation Mono", monospace;
  color-scheme: light; }
@media screen and (prefers-color-scheme: dark) { :root { --ground: #0e1318; --card: #161d24; --ink: #e6ebf0;
  --soft: #98a5b1; --line: #2a343e; --band: #1c252d; --good: #62d394; --good-band: #14321f; --bad: #ff8f86;
  --bad-band: #3d1a18; --warn: #f0b95b; --warn-band: #3a2a10; --calm: #b4c0cb; --calm-band: #24303a; --side-0: #63c3ec;
  --side-1: #f0ae59; --side-2: #c79cf0; --side-3: #4fd1c1; --side-4: #f58ab8; --side-5: #95a6ff; color-scheme: dark; } }
*, *::before, *::after { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 76rem; padding: 1.75rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
  font: 1rem/1.5 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", "Liberation Sans", sans-serif; }
h1 { font-size: 1.625rem; line-height: 1.2; letter-spacing: -.015em; margin: 0 0 .25rem; }
h2 { font-size: 1.1875rem; letter-spacing: -.01em; margin: 2.5rem 0 .25rem; }
h3 { font-size: 1rem; margin: 0; }
p { margin: .25rem 0 .75rem; }
.soft { color: var(--soft); font-size: .875rem; }
.good { color: var(--good); } .bad { color: var(--bad); } .warn { color: var(--warn); }
.verdict { font-weight: 600; }
code, .mono, td.value { font: .8125rem/1.5 var(--mono); overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; table-layout: fixed; }
th { text-align: left; font-size: .8125rem; font-weight: 600; }
th, td { padding: .4375rem .625rem; border-top: 1px solid var(--line); vertical-align: top; overflow-wrap: anywhere;
  unicode-bidi: isolate; }
thead th { border-top: 0; }
td.side-0, th.side-0 { color: var(--side-0); } td.side-1, th.side-1 { color: var(--side-1); }
td.side-2, th.side-2 { color: var(--side-2); } td.side-3, th.side-3 { color: var(--side-3); }
td.side-4, th.side-4 { color: var(--side-4); } td.side-5, th.side-5 { color: var(--side-5); }
td code { line-height: 1.5rem; }
tr.object td { background: var(--band); font-weight: 600; }
tr.why td { border-top: 0; padding-top: 0; }
tr.finding td:first-child { box-shadow: inset 3px 0 var(--bad); }
td .bad { font-size: .875rem; }
.panel { background: var(--card); border: 1px solid var(--line); border-radius: .625rem; margin: .75rem 0;
  overflow: hidden; }
.search input { width: 100%; padding: .5rem .75rem; font: inherit; color: inherit; background: var(--card);
  border: 1px solid var(--line); border-radius: .375rem; }
@media (max-width: 40rem) { body { padding: 1.25rem .875rem 3rem; }
  table, tbody, tr, td { display: block; } thead { display: none; }
  td { border-top: 0; padding: .125rem .75rem; } tr { border-top: 1px solid var(--line); padding: .4375rem 0; }
  .panel > table > tbody:first-of-type > tr:first-child { border-top: 0; }
  tr.why { border-top: 0; padding-top: 0; } tr.object { padding: 0; } tr.object td { padding: .375rem .75rem; }
  td[data-side]::before { content: attr(data-side) ": "; color: var(--soft); font-weight: 400; } }
@media print { :root { --ground: #fff; --band: #f4f6f8; } html { font-size: 72%; }
  body { max-width: none; padding: 0; }
  .search { display: none; } tr, li, .panel.whole { break-inside: avoid; } h2, h3, h2 + p { break-after: avoid; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; } }
""".strip()


def document(title: str, body: Iterable[Markup], style: str = "", script: str = "") -> str:
    """A whole page. `style` and `script` are what it has beside those of the frame; a browser runs and loads nothing
    else, whatever the page says.
    """
    allowed = "default-src 'none'; style-src 'unsafe-inline'"
    code = f"\n{script}\n"
    if script:
        digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
        allowed += f"; script-src 'sha256-{digest}'"
    head = joined(
        element("meta", charset="utf-8"),
        element("meta", http_equiv="Content-Security-Policy", content=allowed),
        element("meta", name="viewport", content="width=device-width, initial-scale=1"),
        "\n",
        element("title", title),
        "\n",
        element("style", Markup(f"\n{STYLE}\n{style}\n" if style else f"\n{STYLE}\n")),
    )
    end = joined(element("script", Markup(code)), "\n") if script else Markup("")
    lines = "\n".join(body)
    return f'<!doctype html>\n<html lang="en"><head>{head}</head><body>\n{lines}\n{end}</body></html>\n'
