"""Canonical JSON."""

import json
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from twinfra.environments.fingerprint.canonical import canonical, digest, keyed

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
numbers = st.integers() | st.decimals(allow_nan=False, allow_infinity=False)
values = st.recursive(
    st.none() | st.booleans() | st.text() | numbers,
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@patient
@given(values)
def test_the_text_reads_back_as_the_same_value(value: object) -> None:
    assert json.loads(canonical(value), parse_float=Decimal) == value


@patient
@given(st.dictionaries(st.text(), st.integers()))
def test_the_order_of_keys_makes_no_difference(value: dict[str, int]) -> None:
    assert canonical(value) == canonical(dict(reversed(value.items())))


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (Decimal("1.0"), "1"),
        (Decimal("-0.0"), "0"),
        (Decimal("100"), "100"),
        (Decimal("1E+3"), "1000"),
        (Decimal("-2.50"), "-2.5"),
        (Decimal("0.001"), "0.001"),
        (Decimal("1E-500"), "1e-500"),
        (10**500, "1e500"),
    ],
)
def test_a_number_has_one_text_however_it_was_written(number: Decimal, text: str) -> None:
    assert canonical([number, Decimal("0.5")]) == f"[{text},0.5]"


def test_true_and_one_are_two_things() -> None:
    assert digest(True) != digest(1) != digest("1")


def test_a_keyed_hash_depends_on_key_and_value_and_shows_neither() -> None:
    found = keyed(b"key", "hunter2")
    assert found == keyed(b"key", "hunter2")
    assert found != keyed(b"other", "hunter2")
    assert found != keyed(b"key", "hunter3")
    assert "hunter2" not in str(found)
