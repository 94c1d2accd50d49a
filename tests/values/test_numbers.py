"""Numbers: exact where whole, 512 bits otherwise, and never with an exponent when written."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.values.strategies import NUMBERS

from twinfra.values import numbers
from twinfra.values.numbers import NumberError, format_number, parse_number


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("0", "0"),
        ("-0", "-0"),
        ("1.50", "1.5"),
        ("007", "7"),
        ("1e3", "1000"),
        ("1E-3", "0.001"),
        (".5", "0.5"),
        ("-1.25e2", "-125"),
        ("1p3", "8"),
        ("Inf", "+Inf"),
        ("-inf", "-Inf"),
        ("9007199254740993", "9007199254740993"),
        ("123456789012345678901234567890.5", "123456789012345678901234567890.5"),
    ],
)
def test_what_is_read_is_written_in_the_shortest_way(text: str, written: str) -> None:
    assert format_number(parse_number(text)) == written


@pytest.mark.parametrize(
    "text", ["", " 1", "1 ", "0x10", "1_000", "1,5", "--1", "1e", "abc", "NaN", "1e99999999999"]
)
def test_other_texts_are_no_numbers(text: str) -> None:
    with pytest.raises(NumberError):
        parse_number(text)


def test_thirds_have_512_bits() -> None:
    third = numbers.divide(1, 3)
    assert format_number(third).startswith("0." + "3" * 150)
    assert numbers.multiply(third, 3) == 1


def test_floats_are_written_as_floats_even_where_they_are_whole() -> None:
    assert format_number(numbers.from_float(2.0**64)) == "18446744073709550000"
    assert format_number(numbers.from_float(1e3)) == "1000"
    assert type(numbers.from_float(1e3)) is int
    assert numbers.to_index(numbers.from_float(2.0**64)) == 2**64


def test_infinities_follow_their_rules() -> None:
    infinite = numbers.divide(1, 0)
    assert format_number(infinite) == "+Inf"
    assert numbers.add(infinite, 1) == infinite
    for operation in (numbers.subtract, numbers.divide):
        with pytest.raises(NumberError):
            operation(infinite, infinite)
    with pytest.raises(NumberError):
        numbers.multiply(infinite, 0)


def test_the_remainder_has_the_sign_of_what_is_divided() -> None:
    assert numbers.modulo(-7, 3) == -1
    assert numbers.modulo(7, -3) == 1
    assert numbers.modulo(7, 0) == 7


def test_text_of_millions_of_digits_is_refused() -> None:
    with pytest.raises(NumberError):
        format_number(parse_number("1e100000000"))


@given(NUMBERS)
def test_a_number_is_read_back_as_it_was(number: numbers.Number) -> None:
    again = parse_number(format_number(number))
    assert again == number
    assert type(again) is type(number)


@given(st.integers(), st.integers())
def test_whole_numbers_calculate_exactly(first: int, second: int) -> None:
    assert numbers.add(first, second) == first + second
    assert numbers.subtract(first, second) == first - second
    assert numbers.multiply(first, second) == first * second
    assert numbers.compare(first, second) == (first > second) - (first < second)


@given(st.integers(-(10**20), 10**20), st.integers(-(10**20), 10**20).filter(bool))
def test_quotients_are_as_near_as_512_bits_can_be(first: int, second: int) -> None:
    quotient = numbers.divide(first, second)
    exact = Fraction(first, second)
    error = (
        abs(Fraction(int(quotient)) - exact)
        if type(quotient) is int
        else abs(Fraction(*quotient.as_integer_ratio()) - exact)
    )
    assert error <= abs(exact) / 2**511


@given(NUMBERS)
def test_floor_and_ceiling_are_the_neighbouring_whole_numbers(number: numbers.Number) -> None:
    below, above = numbers.floor(number), numbers.ceiling(number)
    assert below <= number <= above
    assert above - below in (0, 1)
