"""Characters as people see them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfra.lang.functions.graphemes import grapheme_count, graphemes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("abc", ["a", "b", "c"]),
        ("a\r\nb", ["a", "\r\n", "b"]),
        ("\n\r", ["\n", "\r"]),
        ("e\u0301x", ["e\u0301", "x"]),
        ("\U0001f468\u200d\U0001f469\u200d\U0001f467!", ["\U0001f468\u200d\U0001f469\u200d\U0001f467", "!"]),
        ("\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", ["\U0001f1e9\U0001f1ea", "\U0001f1eb\U0001f1f7"]),
        ("\U0001f44b\U0001f3fd", ["\U0001f44b\U0001f3fd"]),
        ("\u1100\u1161\u11a8", ["\u1100\u1161\u11a8"]),
        ("가각", ["가", "각"]),
        ("\u0600a", ["\u0600a"]),
        ("a\u200db", ["a\u200d", "b"]),
        ("ก\u0e33", ["ก\u0e33"]),
        ("\u200b\u0301", ["\u200b", "\u0301"]),
        ("日本", ["日", "本"]),
        ("é", ["é"]),
    ],
)
def test_text_is_cut_where_one_character_ends(text: str, expected: list[str]) -> None:
    assert graphemes(text) == expected
    assert grapheme_count(text) == len(expected)


@given(st.text())
def test_the_characters_joined_are_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == text
