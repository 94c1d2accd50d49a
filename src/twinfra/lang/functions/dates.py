"""Functions about points in time, all written as RFC 3339 timestamps such as `2018-01-02T23:12:01Z`."""

from __future__ import annotations

import re
from collections.abc import Callable

from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.moments import Moment, MomentError, parse_duration, parse_moment
from twinfra.lang.scope import EvaluationContext
from twinfra.values.types import NUMBER, STRING
from twinfra.values.unknowns import UNKNOWN_STRING
from twinfra.values.value import Value

_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_TOKEN = re.compile(r"''|'(?:[^']|'')*'(?!')|'(?:[^']|'')*\Z|([A-Za-z])\1*|[^A-Za-z']+")


def _zone(moment: Moment, colon: str) -> str:
    hours, minutes = divmod(abs(moment.offset) // 60, 60)
    return f"{'-' if moment.offset < 0 else '+'}{hours:02d}{colon}{minutes:02d}"


_VERBS: dict[str, Callable[[Moment], str]] = {
    "YYYY": lambda at: f"{at.year:04d}",
    "YY": lambda at: f"{at.year % 100:02d}",
    "MMMM": lambda at: _MONTHS[at.month - 1],
    "MMM": lambda at: _MONTHS[at.month - 1][:3],
    "MM": lambda at: f"{at.month:02d}",
    "M": lambda at: str(at.month),
    "DD": lambda at: f"{at.day:02d}",
    "D": lambda at: str(at.day),
    "EEEE": lambda at: _WEEKDAYS[at.weekday],
    "EEE": lambda at: _WEEKDAYS[at.weekday][:3],
    "hh": lambda at: f"{at.hour:02d}",
    "h": lambda at: str(at.hour),
    "HH": lambda at: f"{at.hour % 12 or 12:02d}",
    "H": lambda at: str(at.hour % 12 or 12),
    "AA": lambda at: "AM" if at.hour < 12 else "PM",
    "aa": lambda at: "am" if at.hour < 12 else "pm",
    "mm": lambda at: f"{at.minute:02d}",
    "m": lambda at: str(at.minute),
    "ss": lambda at: f"{at.second:02d}",
    "s": lambda at: str(at.second),
    "ZZZZZ": lambda at: _zone(at, ":"),
    "ZZZZ": lambda at: _zone(at, ""),
    "ZZZ": lambda at: _zone(at, "") if at.offset else "UTC",
    "Z": lambda at: _zone(at, ":") if at.offset else "Z",
}


def _parse(text: str, name: str, argument: int | None, lenient: bool = False) -> Moment:
    try:
        return parse_moment(text, lenient)
    except MomentError as failure:
        raise FunctionError(f'"{name}" is not an RFC 3339 timestamp: {failure.reason}', argument) from failure


@function(
    "formatdate",
    "Writes a timestamp in another form, such as `DD MMM YYYY hh:mm ZZZ`.",
    parameter("format", STRING, "the form: letters are replaced by parts of the date, but for quoted ones"),
    parameter("time", STRING, "an RFC 3339 timestamp"),
    returns=STRING,
)
def formatdate(pattern: str, time: str) -> str:
    """Runs of a letter are verbs; `'...'` is literal, with `''` for a quote; all else stands for itself."""
    moment = _parse(time, "time", 1)
    parts: list[str] = []
    for found in _TOKEN.finditer(pattern):
        token = found[0]
        if token == "''":
            parts.append("'")
        elif token.startswith("'"):
            if len(token) == 1 or not token.endswith("'"):
                raise FunctionError(f"the quote at {token} is never closed", 0)
            parts.append(token[1:-1].replace("''", "'"))
        elif found[1]:
            parts.append(_written(token, moment))
        else:
            parts.append(token)
    return "".join(parts)


def _written(verb: str, moment: Moment) -> str:
    write = _VERBS.get(verb)
    if write is None:
        alike = [f'"{known}"' for known in _VERBS if known[0] == verb[0]]
        mend = f"use {' or '.join(alike)}" if alike else f"to write it literally, quote it: '{verb}'"
        raise FunctionError(f'"{verb}" stands for no part of a date; {mend}', 0)
    return write(moment)


@function(
    "plantimestamp",
    "The time of this run's plan, as an RFC 3339 timestamp in UTC.",
    returns=STRING,
    needs_context=True,
)
def plantimestamp(context: EvaluationContext) -> Value:
    """The same for all calls in one run; unknown where nothing is planned, such as when validating."""
    return context.timestamp or UNKNOWN_STRING


@function(
    "timeadd",
    "Adds a duration to a timestamp.",
    parameter("timestamp", STRING, "an RFC 3339 timestamp"),
    parameter("duration", STRING, "such as `1.5h`, `-10m30s`; units are h, m, s, ms, us and ns"),
    returns=STRING,
)
def timeadd(timestamp: str, duration: str) -> str:
    """The offset from UTC stays; fractions of a second are dropped from the result."""
    moment = _parse(timestamp, "timestamp", None)
    try:
        return str(moment.plus(parse_duration(duration)))
    except MomentError as failure:
        raise FunctionError(f'"duration" is not a duration: {failure.reason}') from failure


@function(
    "timecmp",
    "Compares two timestamps: -1 when the first is earlier, 0 for the same instant, 1 when it is later.",
    parameter("timestamp_a", STRING, "an RFC 3339 timestamp"),
    parameter("timestamp_b", STRING, "another"),
    returns=NUMBER,
)
def timecmp(first: str, second: str) -> int:
    """Offsets are taken into account."""
    one = _parse(first, "timestamp_a", 0, lenient=True).instant
    two = _parse(second, "timestamp_b", 1, lenient=True).instant
    return (one > two) - (one < two)


@function(
    "timestamp",
    "The current time, as an RFC 3339 timestamp in UTC; known only when applying.",
    returns=STRING,
    needs_context=True,
)
def timestamp(context: EvaluationContext) -> Value:
    """Unknown while planning, since the apply will be later."""
    if context.planning:
        return UNKNOWN_STRING
    if context.now:
        return context.now
    from datetime import UTC, datetime

    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
