"""Format strings: finding their verbs, and writing one value as a verb asks.

The verbs are those of the language's `format` (https://developer.hashicorp.com/terraform/language/functions/format);
numbers come out as Go's `fmt` package writes big integers and floats.
"""

from __future__ import annotations

import re
from functools import lru_cache

from twinfra.dataclass import dataclass
from twinfra.lang.functions.declaration import FunctionError
from twinfra.lang.functions.graphemes import grapheme_count, graphemes
from twinfra.values import numbers
from twinfra.values.convert import ConversionError, convert
from twinfra.values.encoding import encode_json
from twinfra.values.numbers import Number
from twinfra.values.types import BOOL, NUMBER, STRING
from twinfra.values.value import Value, is_null

_VERB = re.compile(r"%(?:(%)|([ #+0-]*)([0-9]+)?(?:\.([0-9]*))?(?:\[([1-9][0-9]*)\])?([A-Za-z]))")
_MOST_WIDTH = 1_000_000


@dataclass(frozen=True, slots=True)
class Verb:
    """One verb of a format string. `argument` counts from 0; `width` and `precision` may be None."""

    text: str
    letter: str
    flags: str
    width: int | None
    precision: int | None
    argument: int

    @property
    def simple(self) -> bool:
        """Whether it asks for nothing but the value."""
        return not self.flags and self.width is None and self.precision is None


@lru_cache(maxsize=512)
def parse_format(source: str) -> tuple[str | Verb, ...]:
    """The literal texts and verbs of a format string. Raises `FunctionError` for a malformed one."""
    parts: list[str | Verb] = []
    at = 0
    following = 0
    while (percent := source.find("%", at)) >= 0:
        if percent > at:
            parts.append(source[at:percent])
        found = _VERB.match(source, percent)
        if found is None:
            raise FunctionError(_malformed(source, percent))
        at = found.end()
        if found[1]:
            parts.append("%")
            continue
        _, flags, width, precision, argument, letter = found.groups()
        following = int(argument) if argument else following + 1
        places = _size("0" if precision == "" else precision)
        parts.append(Verb(found[0], letter, flags, _size(width), places, following - 1))
    if at < len(source):
        parts.append(source[at:])
    return tuple(parts)


def _malformed(source: str, percent: int) -> str:
    sight = source[percent : percent + 8]
    return f'the format string has no valid verb at "{sight}" (a percent sign itself is written %%)'


def _size(text: str | None) -> int | None:
    if text is None:
        return None
    if len(text) > 9 or int(text) > _MOST_WIDTH:
        raise FunctionError(f"a width or precision of {text} is too great; the most is {_MOST_WIDTH}")
    return int(text)


def write(verb: Verb, value: Value) -> str:
    """The value as the verb asks. Raises `FunctionError` where the verb cannot take it."""
    letter = verb.letter
    kind = type(value)
    if verb.simple and ((kind is str and letter in "sv") or (kind is int and letter in "sd")):
        return str(value)
    if letter not in "vtbdoxXeEfgGsq":
        raise FunctionError(f'the format string has an unknown verb, "{verb.text}"')
    if letter == "v":
        return _padded(verb, _natural(verb, value))
    if is_null(value):
        raise FunctionError(f'"{verb.text}" cannot format null')
    try:
        if letter == "s":
            return _padded(verb, _cut(verb, convert(value, STRING)))
        if letter == "q":
            return _padded(verb, encode_json(_cut(verb, convert(value, STRING))))
        if letter == "t":
            return "true" if convert(value, BOOL) else "false"
        number = convert(value, NUMBER)
    except ConversionError as failure:
        raise FunctionError(f'"{verb.text}" cannot format this value: {failure.reason}') from failure
    if letter in "eEfgG":
        return _write_real(verb, number)
    whole = numbers.to_whole(number)
    if whole is None:
        raise FunctionError(f'"{verb.text}" needs a whole number, not {numbers.format_number(number)}')
    return _write_whole(verb, whole)


def _natural(verb: Verb, value: Value) -> str:
    """What `%v` writes, and `%#v`: JSON."""
    if is_null(value):
        return "null"
    kind = type(value)
    if "#" not in verb.flags:
        if kind is str:
            return str(value)
        if numbers.is_number(value):
            return _real_text(value, "g", None)
    return encode_json(value)


def _cut(verb: Verb, text: str) -> str:
    # A precision of zero cuts nothing, as stock Terraform has it.
    return "".join(graphemes(text)[: verb.precision]) if verb.precision else text


def _padded(verb: Verb, text: str) -> str:
    if verb.width is None:
        return text
    padding = ("0" if "0" in verb.flags else " ") * (verb.width - grapheme_count(text))
    return text + padding if "-" in verb.flags else padding + text


def _sign(verb: Verb, negative: bool) -> str:
    return "-" if negative else "+" if "+" in verb.flags else " " if " " in verb.flags else ""


_BASES = {"d": (10, ""), "b": (2, "0b"), "o": (8, "0"), "x": (16, "0x"), "X": (16, "0X")}


def _write_whole(verb: Verb, number: Number) -> str:
    import gmpy2

    base, prefix = _BASES[verb.letter]
    whole = gmpy2.mpz(number)
    digits: str = abs(whole).digits(base)
    if verb.letter == "X":
        digits = digits.upper()
    if verb.precision is not None:
        if verb.precision == 0 and not whole:
            return ""
        digits = digits.rjust(verb.precision, "0")
    start = _sign(verb, whole < 0) + (prefix if "#" in verb.flags else "")
    width = verb.width or 0
    if "-" in verb.flags:
        return (start + digits).ljust(width)
    if "0" in verb.flags and verb.precision is None:
        return start + digits.rjust(width - len(start), "0")
    return (start + digits).rjust(width)


def _write_real(verb: Verb, number: Number) -> str:
    text = _real_text(number, verb.letter, verb.precision)
    negative = text.startswith("-")
    text = text.lstrip("+-")
    finite = numbers.is_finite(number)
    sign = _sign(verb, negative)
    if not finite and not sign:
        sign = "+"
    width = verb.width or 0
    if "0" in verb.flags and finite:
        return sign + text.rjust(width - len(sign), "0")
    return (sign + text).ljust(width) if "-" in verb.flags else (sign + text).rjust(width)


def _real_text(number: Number, letter: str, precision: int | None) -> str:
    """A number by one of the verbs e, E, f, g and G, without padding; finite ones have no plus sign."""
    plain = numbers.format_number(number)
    if not numbers.is_finite(number):
        return plain
    sign = "-" if plain.startswith("-") else ""
    if letter == "f":
        return sign + _fixed(number, 6 if precision is None else precision)
    upper = letter in "EG"
    if letter in "eE":
        digits, exponent = _significant(number, (6 if precision is None else precision) + 1)
        return sign + _scientific(digits, exponent, upper)
    if precision is None:
        digits, exponent = _shortest(plain.lstrip("-"))
        longest = 6
    else:
        digits, exponent = _significant(number, precision or 1)
        longest = precision or 1
        digits = digits.rstrip("0") or "0"
    if precision is not None and longest > len(digits) > exponent:
        longest = len(digits)
    if exponent < -4 or exponent >= longest:
        return sign + _scientific(digits, exponent, upper)
    if exponent < 0:
        return f"{sign}0.{'0' * (-exponent - 1)}{digits}"
    whole, fraction = digits[: exponent + 1].ljust(exponent + 1, "0"), digits[exponent + 1 :]
    return f"{sign}{whole}.{fraction}" if fraction else sign + whole


def _scientific(digits: str, exponent: int, upper: bool) -> str:
    fraction = f".{digits[1:]}" if len(digits) > 1 else ""
    return f"{digits[0]}{fraction}{'E' if upper else 'e'}{'-' if exponent < 0 else '+'}{abs(exponent):02d}"


def _shortest(plain: str) -> tuple[str, int]:
    """The significant digits of an unsigned decimal text, and the power of ten of the first of them."""
    whole, _, fraction = plain.partition(".")
    digits = (whole + fraction).lstrip("0")
    if not digits:
        return "0", 0
    exponent = len(whole) - 1 if whole != "0" else len(digits) - len(fraction) - 1
    return digits.rstrip("0"), exponent


def _ratio(number: Number) -> tuple[int, int]:
    """The magnitude of a finite number as numerator and denominator."""
    if type(number) is int:
        return abs(number), 1
    numerator, denominator = number.as_integer_ratio()
    return abs(int(numerator)), int(denominator)


def _fixed(number: Number, places: int) -> str:
    """The magnitude with exactly so many decimal places, rounded half to even."""
    import gmpy2

    above, below = _ratio(number)
    quotient, rest = divmod(above * 10**places, below)
    if 2 * rest > below or (2 * rest == below and quotient & 1):
        quotient += 1
    digits = gmpy2.mpz(quotient).digits().rjust(places + 1, "0")
    return f"{digits[:-places]}.{digits[-places:]}" if places else digits


def _significant(number: Number, count: int) -> tuple[str, int]:
    """So many significant digits of the magnitude, rounded half to even, and the exponent of the first."""
    from decimal import ROUND_HALF_EVEN, Context, Decimal

    above, below = _ratio(number)
    if not above:
        return "0" * count, 0
    context = Context(prec=count, rounding=ROUND_HALF_EVEN, Emax=10**9, Emin=-(10**9), traps=[])
    rounded = context.divide(Decimal(above), Decimal(below))
    _, digits, power = rounded.as_tuple()
    text = "".join(map(str, digits))
    return text.ljust(count, "0"), int(power) + len(text) - 1
