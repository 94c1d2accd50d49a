"""Copies of secrets that have no mark: texts, and numbers."""

from __future__ import annotations

import pytest

from twinfra.values.numbers import parse_number
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.value import SENSITIVE, Marked, Value


def secret(value: Value) -> Marked:
    return Marked(value, frozenset({SENSITIVE}))


@pytest.mark.parametrize("value", ["planted", 48261, -48261, parse_number("12.75")])
def test_a_copy_of_a_secret_is_hidden_wherever_it_stands(value: Value) -> None:
    found = secrets_in({"input": {"x": secret(value)}})
    assert hide({"output": {"x": value, "y": "open"}}, found) == {"output": {"x": secret(value), "y": "open"}}


@pytest.mark.parametrize("value", [443, True, "", None])
def test_what_is_found_by_chance_is_not_hidden(value: Value) -> None:
    assert hide({"y": value}, secrets_in({"x": secret(value)})) == {"y": value}


def test_a_number_in_a_longer_text_is_hidden() -> None:
    assert hide("port-123456", secrets_in(secret(123456))) == secret("port-123456")
