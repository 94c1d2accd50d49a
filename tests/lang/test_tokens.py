"""The tokenizer: which tokens a text has, for any text."""

import re
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfra.diagnostics import Source
from twinfra.lang import json_syntax, tokens
from twinfra.lang.tokens import bracket_depth, invalid_token_diagnostics, is_identifier, tokenize


def kinds(text: str, **options: bool) -> list[str]:
    return tokenize(text, **options).kinds[:-1]


def words(text: str, **options: bool) -> list[str]:
    tokens = tokenize(text, **options)
    return [tokens.word(index) for index in range(len(tokens.kinds) - 1)]


def test_punctuation_is_its_own_kind():
    assert kinds("== => >= :: ... ~") == ["==", "=>", ">=", "::", "...", "~"]


def test_a_name_may_have_dashes_and_letters_of_any_script():
    assert words("foo-bar été_2 列") == ["foo-bar", "été_2", "列"]
    assert set(kinds("foo-bar été_2 列")) == {"identifier"}


def test_a_number_never_ends_with_a_dot():
    assert words("1.5e3 1... 0x1") == ["1.5e3", "1", "...", "0", "x1"]


def test_a_string_without_template_sequences_is_one_token():
    assert kinds(r'"a \" $${b} 100%"') == ["string"]


def test_template_sequences_nest():
    assert words('"a${ f("b${c}") ~}d"') == [
        '"',
        "a",
        "${",
        "f",
        "(",
        '"',
        "b",
        "${",
        "c",
        "}",
        '"',
        ")",
        "~}",
        "d",
        '"',
    ]


def test_braces_inside_an_interpolation_do_not_end_it():
    assert kinds('"${ { a = 1 } }"') == [
        "open quote", "${", "{", "identifier", "=", "number", "}", "end of sequence", "close quote"
    ]  # fmt: skip


def test_a_heredoc_ends_with_its_marker_alone_on_a_line():
    assert words("<<EOT\nnot EOT\n  EOT\n") == ["<<EOT\n", "not EOT\n", "  EOT", "\n"]


def test_a_heredoc_marker_after_an_interpolation_is_text():
    assert kinds("<<E\n${a}E\nE\n")[-3:] == ["text", "close heredoc", "newline"]


def test_a_comment_to_the_end_of_the_line_stands_for_the_line_end():
    assert kinds("a # b\nc // d\n/* e\n */ f") == [
        "identifier",
        "newline",
        "identifier",
        "newline",
        "identifier",
    ]


def test_comments_are_kept_on_demand():
    assert kinds("a # b\n", comments=True) == ["identifier", "comment"]


def test_a_comment_that_never_ends_is_operators():
    assert kinds("/* a") == ["/", "*", "identifier"]


def test_a_byte_order_mark_is_no_token():
    assert words("\ufeffa") == ["a"]


def test_line_ends_of_windows_are_line_ends():
    assert kinds("a\r\nb") == ["identifier", "newline", "identifier"]


def test_a_bare_template_is_text_line_by_line():
    assert words("a\n$${b}\n${c}$", template=True) == ["a\n", "$${b}\n", "${", "c", "}", "$"]


def test_an_offset_can_be_added_to_all_places():
    tokens = tokenize("a b", base=10)
    assert (tokens.starts, tokens.ends) == ([10, 12, 13], [11, 13, 13])
    assert tokens.word(1) == "b"


def test_names_are_recognized():
    assert [is_identifier(one) for one in ("a-b", "é", "_", "1a", "-a", "", "a b")] == [
        True, True, True, False, False, False, False
    ]  # fmt: skip


def test_open_brackets_are_counted():
    assert bracket_depth("f(a, [") == 2
    assert bracket_depth('"a ${') == 2
    assert bracket_depth("{}") == 0


def test_what_the_language_does_not_have_is_told_with_few_repetitions():
    text = "a & b & c & d & e & f; g; 'h' \u201ci\u201d ` \udc80"
    source = Source("x", text)
    found = invalid_token_diagnostics(source, tokenize(text))
    assert [one.subject.text for one in found if one.subject] == [
        "&", "&", "&", "&", ";", "'", "\u201c", "\u201d", "`", "\udc80"
    ]  # fmt: skip
    assert all(one.mend for one in found)


TEXTS = st.text(st.sampled_from('ab1 .,:;="${}%~[]()<>-\\\n\r\t#/*éE²\ud800'), max_size=200)


@given(TEXTS | st.text(), st.booleans(), st.booleans())
def test_tokens_lie_in_order_and_cover_all_but_space(text: str, template: bool, comments: bool):
    tokens = tokenize(text, template=template, comments=comments)
    end = 1 if text.startswith("\ufeff") else 0
    for start, stop in zip(tokens.starts, tokens.ends, strict=True):
        gap = text[end:start]
        assert stop >= start >= end
        assert not comments or not gap.strip(" \t")
        end = stop
    assert tokens.kinds[-1] == "end"
    assert tokens.ends[-1] == len(text)


@given(TEXTS)
def test_the_number_of_tokens_is_bounded_by_the_length(text: str):
    assert len(tokenize(text).kinds) <= len(text) + 2


@pytest.mark.parametrize("module", [tokens, json_syntax], ids=lambda module: str(module.__name__))
def test_no_group_is_repeated_possessively(module: ModuleType) -> None:
    """Before 3.11.5, Python takes what the last try of such a group began with for a part of it."""
    patterns = [one.pattern for one in vars(module).values() if isinstance(one, re.Pattern)]
    assert len(patterns) > 2
    assert not [one for one in patterns if re.search(r"\)(?:[*+?]|\{[0-9,]+\})\+|\(\?>", one)]
