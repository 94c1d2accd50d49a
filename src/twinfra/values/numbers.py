"""Numbers: parsing, arithmetic, comparison and printing, as the language defines them.

A number is an `int` where it is whole and below 2**precision in magnitude, and a `gmpy2.mpfr` otherwise (fractions,
greater magnitudes, infinities, negative zero). The precision is 512 bits, but for results of 64-bit floats.
`gmpy2` loads with the first number that needs it.
"""

from __future__ import annotations

import math
import re
from functools import cache
from typing import Any, TypeAlias

Number: TypeAlias = Any
"""An `int` or a `gmpy2.mpfr`, in the form that `normalise` gives it."""

PRECISION = 512
"""Bits of mantissa that a result has, unless both operands have fewer."""

LIMIT = 1 << PRECISION
"""Whole numbers of this magnitude and above are `mpfr`."""

MAX_TEXT_BITS = 1 << 22
"""Numbers with binary exponents beyond this are refused when printing: their text would have megabytes."""

_MAX_EXPONENT = 2**31 - 1
_LITERAL = re.compile(
    r"([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+)|[pP]([+-]?[0-9]+))?"
)
_INFINITY = re.compile(r"([+-]?)[iI]nf")


class NumberError(ValueError):
    """Why there is no such number, in words for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def is_number(value: object) -> bool:
    """Whether a Python value is a number of the language; a `bool` is not."""
    kind = type(value)
    return kind is int or kind.__name__ == "mpfr"


@cache
def _context(precision: int = PRECISION) -> Any:
    """The arithmetic of one precision: rounds half to even and traps nothing."""
    import gmpy2

    return gmpy2.context(precision=precision)


def _real(value: object, precision: int = PRECISION) -> Any:
    import gmpy2

    return gmpy2.mpfr(value, precision)


def infinity(negative: bool = False) -> Number:
    """Positive or negative infinity."""
    return _real("-inf" if negative else "inf")


def negative_zero() -> Number:
    """The zero that prints as `-0`; it equals the other one."""
    return _real("-0")


def normalise(number: Number) -> Number:
    """The one form of a number, from any `int` or `mpfr`.

    Raises `NumberError` for NaN, which is no number of the language.
    """
    if type(number) is int:
        return number if -LIMIT < number < LIMIT else _real(number)
    context = _context()
    if not context.is_integer(number):
        if context.is_nan(number):
            raise NumberError("the result is not a number")
        return number
    if not number and context.is_signed(number):
        return number
    limit = 1 << number.precision
    return int(number) if -limit < number < limit else number


def from_float(number: float) -> Number:
    """The number that a 64-bit float is exactly; it keeps a mantissa of 53 bits. Raises `NumberError` for NaN."""
    if math.isnan(number):
        raise NumberError("the result is not a number")
    return normalise(_real(number, 53))


def parse_number(text: str) -> Number:
    """The number that `text` writes in decimal, with an optional sign, fraction and exponent.

    Raises `NumberError` for any other text, also for one with spaces around it. A binary exponent (`1p3`) and
    `Inf` are numbers too, as stock Terraform has it.
    """
    if len(text) < 150 and text.isdigit() and text.isascii():
        return int(text)
    match = _LITERAL.fullmatch(text)
    if match is None:
        found = _INFINITY.fullmatch(text)
        if found is None:
            raise NumberError("a number is required")
        return infinity(found[1] == "-")
    sign, whole, fraction, bare_fraction, decimal, binary = match.groups()
    exponent = decimal or binary
    if exponent and (len(exponent) > 12 or abs(int(exponent)) > _MAX_EXPONENT):
        raise NumberError("the exponent is out of range")
    if binary is None:
        return normalise(_real(text))
    digits = f"{sign}{whole or '0'}.{fraction or bare_fraction or '0'}"
    shift = int(binary)
    context = _context()
    scale = context.mul_2exp if shift >= 0 else context.div_2exp
    return normalise(scale(_real(digits), abs(shift)))


def _precision(first: Number, second: Number) -> int:
    one: int = PRECISION if type(first) is int else first.precision
    two: int = PRECISION if type(second) is int else second.precision
    return one if one > two else two


def _mpfr(number: Number) -> Any:
    return _real(number) if type(number) is int else number


def add(first: Number, second: Number) -> Number:
    """The sum. Raises `NumberError` for opposite infinities."""
    if type(first) is int and type(second) is int:
        total = first + second
        return total if -LIMIT < total < LIMIT else _real(total)
    context = _context(_precision(first, second))
    result = context.add(_mpfr(first), _mpfr(second))
    if context.is_nan(result):
        raise NumberError("opposite infinities have no sum")
    return normalise(result)


def subtract(first: Number, second: Number) -> Number:
    """The difference. Raises `NumberError` for infinities of the same sign."""
    if type(first) is int and type(second) is int:
        difference = first - second
        return difference if -LIMIT < difference < LIMIT else _real(difference)
    context = _context(_precision(first, second))
    result = context.sub(_mpfr(first), _mpfr(second))
    if context.is_nan(result):
        raise NumberError("infinity cannot be subtracted from itself")
    return normalise(result)


def multiply(first: Number, second: Number) -> Number:
    """The product. Raises `NumberError` for zero times infinity."""
    if type(first) is int and type(second) is int:
        product = first * second
        if product:
            return product if -LIMIT < product < LIMIT else _real(product)
        return negative_zero() if first < 0 or second < 0 else 0
    context = _context()
    result = context.mul(_mpfr(first), _mpfr(second))
    if context.is_nan(result):
        raise NumberError("zero cannot be multiplied by infinity")
    precision = _precision(first, second)
    if precision < PRECISION and context.is_finite(result):
        # Short operands give a product just long enough to be exact, as stock Terraform has it.
        mantissa = abs(int(result.as_mantissa_exp()[0]))
        needed = mantissa.bit_length() - ((mantissa & -mantissa).bit_length() - 1 if mantissa else 0)
        result = _real(result, max(precision, min(needed, PRECISION), 2))
    return normalise(result)


def divide(first: Number, second: Number) -> Number:
    """The quotient; infinity when only the divisor is zero.

    Raises `NumberError` for zero by zero and infinity by infinity.
    """
    if type(first) is int and type(second) is int and second:
        quotient, rest = divmod(first, second)
        if not rest:
            return quotient if quotient or second > 0 else negative_zero()
    context = _context(_precision(first, second))
    result = context.div(_mpfr(first), _mpfr(second))
    if context.is_nan(result):
        raise NumberError("neither zero by zero nor infinity by infinity can be divided")
    return normalise(result)


def modulo(first: Number, second: Number) -> Number:
    """The remainder of a division that truncates; its sign is that of `first`. By zero it is `first` itself.

    Raises `NumberError` for infinities. Where the quotient has more than 512 bits, the remainder is off by the
    rounding of the quotient, as in stock Terraform.
    """
    if not second:
        return first
    if type(first) is int and type(second) is int and first.bit_length() < 500:
        rest = abs(first) % abs(second)
        return -rest if first < 0 else rest
    context = _context(_precision(first, second))
    if context.is_infinite(first) or context.is_infinite(second):
        raise NumberError("infinity has no remainder")
    truncated = context.rint_trunc(context.div(_mpfr(first), _mpfr(second)))
    if not truncated:
        return first
    own = _context(PRECISION if type(first) is int else first.precision)
    return normalise(own.sub(_mpfr(first), own.mul(_mpfr(second), truncated)))


def negate(number: Number) -> Number:
    """The number with the other sign; of zero the negative zero."""
    if type(number) is int:
        return -number if number else negative_zero()
    return normalise(_context(number.precision).minus(number))


def absolute(number: Number) -> Number:
    """The number without its sign."""
    return abs(number) if type(number) is int else normalise(_context(number.precision).abs(number))


def is_finite(number: Number) -> bool:
    """Whether it is not infinite."""
    return type(number) is int or bool(_context().is_finite(number))


def floor(number: Number) -> Number:
    """The greatest whole number that is not greater; infinity stays."""
    if type(number) is int or not is_finite(number):
        return number
    # A whole number is exactly zero only when the operand was: its sign is lost, as in stock Terraform.
    return normalise(_context(number.precision).rint_floor(number)) or 0


def ceiling(number: Number) -> Number:
    """The smallest whole number that is not smaller; infinity stays."""
    if type(number) is int or not is_finite(number):
        return number
    return normalise(_context(number.precision).rint_ceil(number)) or 0


def compare(first: Number, second: Number) -> int:
    """-1, 0 or 1: whether `first` is less than, equal to or greater than `second`."""
    return int(first > second) - int(first < second)


def to_float(number: Number) -> float:
    """The nearest 64-bit float. Raises `NumberError` for a finite number that none is near to."""
    try:
        result = float(number)
    except OverflowError:
        result = math.inf
    if math.isinf(result) and is_finite(number):
        raise NumberError("the number is too great: beyond 1.8e308")
    return result


def to_index(number: Number) -> int | None:
    """The `int` of a whole number, for counting and indexing; None where it is not whole or not finite."""
    if type(number) is int:
        return number
    return int(number) if -LIMIT < number < LIMIT and _context().is_integer(number) else None


def to_whole(number: Number) -> int | None:
    """The `int` of a whole number of any magnitude, for writing it out; None where it is not whole or not finite.

    Raises `NumberError` where the text would have millions of digits.
    """
    if type(number) is int:
        return number
    if not _context().is_integer(number):
        return None
    if abs(int(number.as_mantissa_exp()[1])) > MAX_TEXT_BITS:
        raise NumberError("the number has too many digits to write out")
    return int(number)


def format_number(number: Number) -> str:
    """The shortest decimal that reads back as the same number, never with an exponent.

    Infinities are `+Inf` and `-Inf`. Raises `NumberError` where the text would have millions of digits.

    >>> format_number(parse_number("1.50"))
    '1.5'
    """
    if type(number) is int and -LIMIT < number < LIMIT:
        return str(number)
    number = _mpfr(number)
    context = _context()
    negative = bool(context.is_signed(number))
    sign = "-" if negative else ""
    if not number:
        return sign + "0"
    if context.is_infinite(number):
        return "-Inf" if negative else "+Inf"
    mantissa, exponent = map(int, number.as_mantissa_exp())
    digits, power = _shortest(abs(mantissa), exponent, number.precision)
    if power >= 0:
        return sign + digits + "0" * power
    if len(digits) > -power:
        return f"{sign}{digits[:power]}.{digits[power:]}"
    return f"{sign}0.{'0' * (-power - len(digits))}{digits}"


def _shortest(mantissa: int, exponent: int, precision: int) -> tuple[str, int]:
    """The fewest digits and their power of ten within half a unit in the last place of `mantissa * 2**exponent`.

    Among texts of that length the nearest is taken; a bound itself counts where the mantissa is even, since
    reading rounds half to even.
    """
    if abs(exponent) > MAX_TEXT_BITS:
        raise NumberError("the number has too many digits to write out")
    shift = precision + 1 - mantissa.bit_length()
    # The least significant bit of `middle` is half a unit in the last place.
    middle = mantissa << shift if shift >= 0 else mantissa >> -shift
    exponent -= shift
    open_bounds = 1 if middle & 2 else 0
    # In whole units of a power of ten that is finer than the distance of the bounds:
    power = math.floor((exponent - 1) * 0.30102999566398114) - 2
    middle_units, finer = _units(middle, exponent, power)
    low, low_rest = _units(middle - 1, exponent, power)
    high, high_rest = _units(middle + 1, exponent, power)
    low += 1 if low_rest else open_bounds
    high -= 0 if high_rest else open_bounds
    # The coarsest step with a multiple between the bounds, found by halving: a finer step always has one too.
    least, most = 0, len(str(high))
    found, best = middle_units, 0
    while least <= most:
        digits = (least + most) // 2
        step = 10**digits
        below, rest = divmod(middle_units, step)
        above = below + 1 if rest or finer else below
        down, up = below > 0 and below * step >= low, above * step <= high
        if not down and not up:
            most = digits - 1
            continue
        if down and up:
            halfway = 2 * rest - step or finer
            found = below if halfway < 0 or (halfway == 0 and not below & 1) else above
        else:
            found = below if down else above
        best = digits
        least = digits + 1
    text = str(found)
    stripped = text.rstrip("0")
    return stripped, power + best + len(text) - len(stripped)


def _units(mantissa: int, exponent: int, power: int) -> tuple[int, int]:
    """How many whole `10**power` are in `mantissa * 2**exponent`, and 1 when something is left over, else 0."""
    above, below = mantissa, 1
    if exponent >= 0:
        above <<= exponent
    else:
        below <<= -exponent
    if power >= 0:
        below *= 10**power
    else:
        above *= 10**-power
    units, rest = divmod(above, below)
    return units, 1 if rest else 0
