"""Functions on numbers."""

from __future__ import annotations

import re
from collections.abc import Sequence

from twinfra.lang.functions import floats
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.values import numbers
from twinfra.values.numbers import Number, NumberError
from twinfra.values.types import DYNAMIC, NUMBER, STRING, Type
from twinfra.values.value import Value

_NUMBER = parameter("num", NUMBER, "the number")
_NUMBERS = parameter("numbers", NUMBER, "numbers to compare")


@function("abs", "The magnitude of a number: the number without its sign.", _NUMBER, returns=NUMBER)
def absolute(number: Number) -> Number:
    """`abs(-1)` is 1."""
    return numbers.absolute(number)


@function("ceil", "The smallest whole number that is not less than the number.", _NUMBER, returns=NUMBER)
def ceil(number: Number) -> Number:
    """`ceil(1.2)` is 2."""
    return numbers.ceiling(number)


@function("floor", "The greatest whole number that is not greater than the number.", _NUMBER, returns=NUMBER)
def floor(number: Number) -> Number:
    """`floor(1.8)` is 1."""
    return numbers.floor(number)


@function(
    "log",
    "The logarithm of a number in a given base.",
    _NUMBER,
    parameter("base", NUMBER, "the base"),
    returns=NUMBER,
)
def log(number: Number, base: Number) -> Number:
    """Computed with 64-bit floats."""
    above, below = _logarithm(numbers.to_float(number)), _logarithm(numbers.to_float(base))
    if not below:
        if not above:
            raise FunctionError("the logarithm of 1 in base 1 is not a number")
        return numbers.infinity(above < 0)
    return _from_float(above / below)


def _logarithm(number: float) -> float:
    if number < 0:
        raise FunctionError("negative numbers have no logarithm")
    return floats.logarithm(number)


def _from_float(result: float) -> Number:
    try:
        return numbers.from_float(result)
    except NumberError:
        raise FunctionError("the result is not a number") from None


@function(
    "pow",
    "A number raised to a power.",
    _NUMBER,
    parameter("power", NUMBER, "the power"),
    returns=NUMBER,
)
def power(number: Number, exponent: Number) -> Number:
    """Computed with 64-bit floats, as stock Terraform does: from 2**53 on, results are rounded."""
    return _from_float(floats.power(numbers.to_float(number), numbers.to_float(exponent)))


@function("max", "The greatest of the numbers given.", variadic=_NUMBERS, returns=NUMBER)
def maximum(*given: Number) -> Number:
    """Of equal ones the first."""
    if not given:
        raise FunctionError("at least one number is required")
    return max(given)


@function("min", "The smallest of the numbers given.", variadic=_NUMBERS, returns=NUMBER)
def minimum(*given: Number) -> Number:
    """Of equal ones the first."""
    if not given:
        raise FunctionError("at least one number is required")
    return min(given)


@function("signum", "The sign of a whole number: -1, 0 or 1.", _NUMBER, returns=NUMBER)
def signum(number: Number) -> int:
    """A number with a fraction is an error, as in stock Terraform."""
    whole = numbers.to_index(number)
    if whole is None or not -(2**63) <= whole < 2**63:
        raise FunctionError(f'"num" must be a whole number of 64 bits, not {numbers.format_number(number)}')
    return (whole > 0) - (whole < 0)


def _parseint_type(arguments: Sequence[Value]) -> Type:
    from twinfra.values.convert import type_of

    if type_of(arguments[0]) != STRING:
        raise FunctionError('"number" must be a string', 0)
    return NUMBER


_DIGITS = re.compile(r"[+-]?[0-9A-Za-z]+")


@function(
    "parseint",
    "Reads a whole number that is written in a given base.",
    parameter("number", DYNAMIC, "the digits, as a string"),
    parameter("base", NUMBER, "the base, from 2 to 62"),
    returns=_parseint_type,
)
def parseint(text: Value, base: Number) -> Number:
    """Up to base 36 upper and lower case are the same; beyond, upper case follows lower case."""
    if type(text) is not str:
        raise FunctionError('"number" must be a string: for a number no base is needed', 0)
    radix = numbers.to_index(base)
    if radix is None or not 2 <= radix <= 62:
        raise FunctionError('"base" must be a whole number from 2 to 62', 1)
    if not _DIGITS.fullmatch(text):
        raise _unreadable(text, radix)
    import gmpy2

    # In bases beyond 36 gmpy2 has the upper case first;
    # and takes a prefix such as 0x, which leading zeros are stripped to refuse.
    digits = text.lstrip("+-").lstrip("0") or "0"
    try:
        whole = int(gmpy2.mpz(digits.swapcase() if radix > 36 else digits, radix))
    except ValueError:
        raise _unreadable(text, radix) from None
    return numbers.normalise(-whole if text.startswith("-") else whole)


def _unreadable(text: str, base: int) -> FunctionError:
    return FunctionError(f'"{text}" is not a whole number in base {base}', 0)
