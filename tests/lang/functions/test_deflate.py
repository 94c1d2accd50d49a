"""Compression: readable by everyone, and byte for byte what stock Terraform makes (see `test_stock_answers`)."""

from __future__ import annotations

import gzip as reference
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twinfra.lang.functions.deflate import gzip


@given(st.binary(max_size=5000))
def test_any_bytes_come_back(data: bytes) -> None:
    assert reference.decompress(gzip(data)) == data


@given(st.text(alphabet="ab \n", max_size=5000))
def test_repetitive_text_comes_back(text: str) -> None:
    assert reference.decompress(gzip(text.encode())).decode() == text


@pytest.mark.parametrize("words", [3, 300, 40_000])
def test_text_longer_than_the_window_and_than_a_block_comes_back(words: int) -> None:
    random.seed(words)
    data = b" ".join(b"word%d" % random.randrange(words) for _ in range(40_000))
    packed = gzip(data)
    assert reference.decompress(packed) == data
    assert len(packed) < len(data) / 2


def test_incompressible_bytes_are_stored() -> None:
    data = random.Random(1).randbytes(20_000)
    assert len(gzip(data)) < len(data) + 100
