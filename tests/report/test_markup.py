"""HTML made of elements: what is escaped, and what is not."""

from __future__ import annotations

import pytest

from twinfra.report.frame import document
from twinfra.report.markup import element, escaped, joined


def test_text_is_escaped_and_elements_are_not() -> None:
    inner = element("code", "a < b & c")
    assert element("p", "x > ", inner) == "<p>x &gt; <code>a &lt; b &amp; c</code></p>"


def test_attributes_are_escaped_and_false_or_empty_ones_left_out() -> None:
    made = element("td", cls='x" onclick="y', data_side="<", hidden=False, open=True, title="")
    assert made == '<td class="x&quot; onclick=&quot;y" data-side="&lt;" open></td>'


def test_content_may_be_nested_and_hold_nothing() -> None:
    assert joined(["a", None, ("b", [element("br")])], "&") == "ab<br>&amp;"


@pytest.mark.parametrize(
    ("text", "shown"), [("a\0b", "a\u2400b"), ("\x1b[31m", "\u241b[31m"), ("a\tb\n", "a\tb\n")]
)
def test_what_no_page_may_have_is_shown_by_its_picture(text: str, shown: str) -> None:
    assert escaped(text) == shown


def test_a_page_without_a_script_allows_none() -> None:
    assert "script-src" not in document("a", [])
    assert "script-src 'sha256-" in document("a", [], script="1").replace("&#x27;", "'")
