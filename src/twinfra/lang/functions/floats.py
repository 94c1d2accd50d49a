"""Logarithms and powers of 64-bit floats, rounded in the last place as stock Terraform rounds them.

The platform's own `log`, `exp` and `pow` differ from those of Go's `math` package on amd64 in the last digit now and
then. The logarithm follows Sun's fdlibm (https://www.netlib.org/fdlibm/e_log.c), the exponential Shibata's method for
vector units (https://sleef.org, with fused multiplication and addition), and the power multiplies repeatedly.
"""

from __future__ import annotations

import math

_LN2_HIGH = 6.93147180369123816490e-01
_LN2_LOW = 1.90821492927058770002e-10
_SERIES = (
    6.666666666666735130e-01,
    3.999999999940941908e-01,
    2.857142874366239149e-01,
    2.222219843214978396e-01,
    1.818357216161805012e-01,
    1.531383769920937332e-01,
    1.479819860511658591e-01,
)
"""The coefficients of a polynomial near the series of `log(1 + f)` in powers of `f / (2 + f)`."""

_LOG2_E = 1.4426950408889634074
_SPLIT_LN2 = (0.69314718055966295651160180568695068359375, 0.28235290563031577122588448175013436e-12)
_FACTORIALS = tuple(1 / math.factorial(number) for number in range(8, 0, -1))
_HALVINGS = 4
"""How often the argument of the exponential is halved for its series, and the result squared."""

_LEAST_NORMAL = 2.0**-1022
_MOST_EXPONENT = 1 << 12


def logarithm(number: float) -> float:
    """The natural logarithm of a number that is not negative; of zero, minus infinity."""
    if number == 0:
        return -math.inf
    if math.isinf(number):
        return number
    mantissa, exponent = math.frexp(number)
    if number < _LEAST_NORMAL:
        # Of the smallest floats stock Terraform takes the bits as those of a mantissa that begins with 1.
        mantissa, exponent = (1 + number / _LEAST_NORMAL) / 2, -1022
    if mantissa < math.sqrt(2) / 2:
        mantissa *= 2
        exponent -= 1
    rest = mantissa - 1
    ratio = rest / (2 + rest)
    square = ratio * ratio
    fourth = square * square
    c1, c2, c3, c4, c5, c6, c7 = _SERIES
    odd = square * (c1 + fourth * (c3 + fourth * (c5 + fourth * c7)))
    even = fourth * (c2 + fourth * (c4 + fourth * c6))
    half = 0.5 * rest * rest
    return exponent * _LN2_HIGH - ((half - (ratio * (half + (odd + even)) + exponent * _LN2_LOW)) - rest)


def exponential(number: float) -> float:
    """The number e raised to a finite number of moderate size: its result is neither infinite nor subnormal."""
    from gmpy2 import context

    arithmetic = context(precision=53)
    fused = arithmetic.fma
    scale = round(number * _LOG2_E)
    rest = number
    for part in _SPLIT_LN2:
        rest = fused(-scale, part, rest)
    rest = float(rest) / 2**_HALVINGS
    series = _FACTORIALS[0]
    for factor in _FACTORIALS[1:]:
        series = fused(series, rest, factor)
    # The result less 1 keeps more digits: (1 + x)**2 - 1 is x * (x + 2).
    less_one = rest * float(series)
    for _ in range(_HALVINGS - 1):
        less_one *= less_one + 2
    return math.ldexp(float(fused(less_one, less_one + 2, 1)), scale)


def power(base: float, exponent: float) -> float:
    """The base raised to the exponent; NaN where there is no such number, infinity beyond the greatest."""
    odd = math.isfinite(exponent) and math.fmod(exponent, 2) in (1.0, -1.0)
    if exponent == 0 or base == 1:
        return 1.0
    if not base:
        result = 0.0 if exponent > 0 else math.inf
        return math.copysign(result, base) if odd else result
    if not math.isfinite(base) or not math.isfinite(exponent):
        return math.pow(base, exponent)
    if abs(exponent) == 0.5:
        if base < 0:
            return math.nan
        return math.sqrt(base) if exponent > 0 else 1 / math.sqrt(base)
    fraction, whole = math.modf(abs(exponent))
    if fraction and base < 0:
        return math.nan
    if whole >= 1 << 63:
        return _huge_power(base, exponent)
    result, shift = 1.0, 0
    if fraction:
        if fraction > 0.5:
            fraction -= 1
            whole += 1
        result = exponential(fraction * logarithm(base))
    mantissa, scale = math.frexp(base)
    count = int(whole)
    while count:
        if abs(scale) > _MOST_EXPONENT:
            # Beyond all floats already; what is left only makes it more so.
            shift += scale
            break
        if count & 1:
            result *= mantissa
            shift += scale
        mantissa *= mantissa
        scale <<= 1
        if mantissa < 0.5:
            mantissa += mantissa
            scale -= 1
        count >>= 1
    if exponent < 0:
        result = 1 / result
        shift = -shift
    try:
        return math.ldexp(result, shift)
    except OverflowError:
        return math.copysign(math.inf, result)


def _huge_power(base: float, exponent: float) -> float:
    if base == -1:
        return 1.0
    return 0.0 if (abs(base) < 1) == (exponent > 0) else math.inf
