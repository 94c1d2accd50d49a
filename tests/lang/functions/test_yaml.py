"""YAML: what is written can be read back, by us and by others."""

from __future__ import annotations

from contextlib import suppress
from typing import Any
from unicodedata import normalize

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from twinfra.lang.functions.yaml_reading import YAMLError, read_yaml
from twinfra.lang.functions.yaml_writing import write_yaml

texts = st.text(st.characters(codec="utf-8", exclude_categories=("Cs",)), max_size=40)
normal_texts = texts.map(lambda text: normalize("NFC", text))
values = st.recursive(
    st.none() | st.booleans() | st.integers() | normal_texts,
    lambda inner: (
        st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(normal_texts.filter(lambda key: key != "<<"), inner, max_size=4)
    ),
    max_leaves=12,
)


def as_yaml_means(value: Any) -> Any:
    """A value with line ends as YAML has them, which cannot tell one kind from another within a block."""
    if isinstance(value, tuple):
        return [as_yaml_means(inner) for inner in value]
    if isinstance(value, dict):
        return {key: as_yaml_means(inner) for key, inner in value.items()}
    return value


@given(values)
def test_what_is_written_reads_back_the_same(value: Any) -> None:
    assert read_yaml(write_yaml(value)) == value


@given(values)
def test_what_is_written_means_the_same_to_another_reader(value: Any) -> None:
    assert yaml.safe_load(write_yaml(value)) == as_yaml_means(value)


@given(st.text(alphabet="ab:-?{}[],&*!|>'\"%@ \n#<~01", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(YAMLError):
        read_yaml(text)


def test_a_refusal_tells_the_place() -> None:
    with pytest.raises(YAMLError, match="line 3"):
        read_yaml("a: 1\nb: [1\n")


def test_aliases_cannot_blow_a_document_up() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{at}: &a{at} [{', '.join([f'*a{at - 1}'] * 10)}]" for at in range(1, 10)]
    with pytest.raises(YAMLError, match="aliases"):
        read_yaml("\n".join(lines))


def test_long_lists_take_linear_time() -> None:
    assert read_yaml("- a\n" * 20_000) == ("a",) * 20_000
