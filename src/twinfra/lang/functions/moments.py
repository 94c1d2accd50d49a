"""Points in time and durations, for years beyond those that Python's `datetime` knows too.

Dates are of the Gregorian calendar, extended to all years.
"""

from __future__ import annotations

import re
from functools import cached_property

from twinfra.dataclass import dataclass

_DATE, _CLOCK, _ZONE = (
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})T",
    r":([0-9]{2}):([0-9]{2})",
    r"(Z|[+-][0-9]{2}:[0-9]{2})",
)
_RFC3339 = re.compile(rf"{_DATE}([0-9]{{2}}){_CLOCK}(\.[0-9]+)?{_ZONE}")
_LENIENT = re.compile(rf"{_DATE}([0-9]{{1,2}}){_CLOCK}([.,][0-9]+)?{_ZONE}")
_DURATION_PART = re.compile(r"([0-9]*)(?:(\.)([0-9]*))?([^0-9.]*)")
_UNITS = {
    "ns": 1,
    "us": 1_000,
    "µs": 1_000,
    "μs": 1_000,
    "ms": 1_000_000,
    "s": 1_000_000_000,
    "m": 60_000_000_000,
    "h": 3_600_000_000_000,
}
_LONGEST = 2**63
_DAYS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_SECOND = 1_000_000_000


class MomentError(Exception):
    """Why a text is no timestamp or duration, in words for people."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True)
class Moment:
    """A point in time: `local` is nanoseconds since 1970 on a clock that is `offset` seconds ahead of UTC."""

    local: int
    offset: int

    @property
    def instant(self) -> int:
        """Nanoseconds since 1970 in UTC."""
        return self.local - self.offset * _SECOND

    def plus(self, nanoseconds: int) -> Moment:
        """The moment so much later, by the same clock."""
        return Moment(self.local + nanoseconds, self.offset)

    @cached_property
    def _date(self) -> tuple[int, int, int]:
        return _civil(self.local // (86_400 * _SECOND))

    @property
    def year(self) -> int:
        """The year; 0 is the one before 1."""
        return self._date[0]

    @property
    def month(self) -> int:
        """The month, from 1."""
        return self._date[1]

    @property
    def day(self) -> int:
        """The day of the month, from 1."""
        return self._date[2]

    @property
    def weekday(self) -> int:
        """The day of the week, Monday being 0."""
        return (self.local // (86_400 * _SECOND) + 3) % 7

    @property
    def hour(self) -> int:
        """The hour, 0 to 23."""
        return self.local // (3600 * _SECOND) % 24

    @property
    def minute(self) -> int:
        """The minute, 0 to 59."""
        return self.local // (60 * _SECOND) % 60

    @property
    def second(self) -> int:
        """The second, 0 to 59."""
        return self.local // _SECOND % 60

    def __str__(self) -> str:
        hours, minutes = divmod(abs(self.offset) // 60, 60)
        zone = f"{'-' if self.offset < 0 else '+'}{hours:02d}:{minutes:02d}" if self.offset else "Z"
        year = f"{'-' if self.year < 0 else ''}{abs(self.year):04d}"
        date = f"{year}-{self.month:02d}-{self.day:02d}"
        return f"{date}T{self.hour:02d}:{self.minute:02d}:{self.second:02d}{zone}"


def _days(year: int, month: int, day: int) -> int:
    """Days from 1970-01-01 to a date. Years are counted from March, so that the leap day is their last."""
    year -= month <= 2
    era, of_era = divmod(year, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return era * 146_097 + of_era * 365 + of_era // 4 - of_era // 100 + of_year - 719_468


def _civil(days: int) -> tuple[int, int, int]:
    """The year, month and day that are so many days after 1970-01-01."""
    era, of_era = divmod(days + 719_468, 146_097)
    year = (of_era - of_era // 1_460 + of_era // 36_524 - of_era // 146_096) // 365
    of_year = of_era - (365 * year + year // 4 - year // 100)
    shifted = (5 * of_year + 2) // 153
    month = shifted + 3 if shifted < 10 else shifted - 9
    return era * 400 + year + (month <= 2), month, of_year - (153 * shifted + 2) // 5 + 1


def parse_moment(text: str, lenient: bool = False) -> Moment:
    """The moment that an RFC 3339 timestamp writes. Raises `MomentError`.

    `lenient`: the hour may have one digit, the fraction a comma, and the offset may be up to 24:60, as Go's
    `time.Parse` has it.
    """
    found = (_LENIENT if lenient else _RFC3339).fullmatch(text)
    if found is None:
        raise MomentError(f'"{text}" is not of the form 2018-01-02T23:12:01Z')
    year, month, day, hour, minute, second = map(int, found.groups()[:6])
    if not 1 <= month <= 12:
        raise MomentError(f"there is no month {month}")
    leap = month == 2 and year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    if not 1 <= day <= _DAYS[month - 1] + leap:
        raise MomentError(f"there is no day {day} in that month")
    if hour > 23 or minute > 59 or second > 59:
        raise MomentError(f"there is no time of day {hour:02d}:{minute:02d}:{second:02d}")
    zone = found[8]
    offset = 0
    if zone != "Z":
        hours, minutes = int(zone[1:3]), int(zone[4:])
        if hours > 23 + lenient or minutes > 59 + lenient:
            raise MomentError(f"{zone} is not an offset from UTC")
        offset = (hours * 3600 + minutes * 60) * (-1 if zone[0] == "-" else 1)
    fraction = int((found[7] or ".")[1:10].ljust(9, "0"))
    seconds = _days(year, month, day) * 86_400 + hour * 3600 + minute * 60 + second
    return Moment(seconds * _SECOND + fraction, offset)


def parse_duration(text: str) -> int:
    """The nanoseconds of a duration such as `-1h30m`, as Go's `time.ParseDuration` reads it.

    Raises `MomentError`.
    """
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    if not rest:
        raise MomentError("it is empty")
    total = at = 0
    while at < len(rest):
        found = _DURATION_PART.match(rest, at)
        assert found is not None
        whole, point, fraction, unit = found.groups()
        if not whole and not fraction:
            raise MomentError(f'"{text}" is not a number with a unit, such as 1h30m')
        size = _UNITS.get(unit)
        if size is None:
            what = f'"{unit}" is not a unit' if unit else "a unit is missing"
            raise MomentError(f"{what}; units are h, m, s, ms, us and ns")
        total += _whole(whole) * size
        if point and fraction:
            total += _fraction(fraction, size)
        at = found.end()
    negative = text[0] == "-"
    if total > _LONGEST - (not negative):
        raise MomentError("it is longer than 2562047h47m16s")
    return -total if negative else total


def _fraction(digits: str, size: int) -> int:
    """The nanoseconds of a fraction of a unit: in floating point, from as many digits as fit 63 bits."""
    value, scale = 0, 1.0
    for digit in digits:
        more = value * 10 + int(digit)
        if value > (_LONGEST - 1) // 10 or more > _LONGEST:
            break
        value, scale = more, scale * 10
    return int(float(value) * (size / scale))


def _whole(digits: str) -> int:
    return int(digits or "0") if len(digits) < 20 else _LONGEST
