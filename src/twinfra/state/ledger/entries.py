"""Entries of a ledger and how they are written: one JSON object a line, each with the hash of the one before.

The hash is the SHA-256, in hex, of the entry's JSON without `hash`: keys sorted, no spaces, UTF-8. Specified in
docs/history.md, so that others can check it.
"""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Iterable, Mapping
from typing import Any

from twinfra.dataclass import dataclass

FORMAT = 1
FIRST = ""
"""What the first entry has as the hash of the one before."""

_FIELDS = ("n", "id", "kind", "time", "who", "host", "body", "previous", "hash")
_TEXTS = ("id", "kind", "time", "who", "host", "previous", "hash")


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened.

    `n` counts from 1; `id` is random and the entry's own; `kind` is such as `apply` or `release`; `time` is RFC
    3339 in UTC, by the clock of `host`; `who` did it. `body` is plain JSON. `previous` is the hash of entry n - 1.
    """

    n: int
    id: str
    kind: str
    time: str
    who: str
    host: str
    body: Mapping[str, Any]
    previous: str
    hash: str

    def document(self) -> dict[str, Any]:
        """The entry as JSON."""
        return {name: getattr(self, name) for name in _FIELDS}


class Malformed(ValueError):
    """It is no entry, or no segment."""


def chained(n: int, previous: str, about: Mapping[str, Any]) -> Entry:
    """Entry `n` after the one with the hash `previous`; `about` has the other fields but `hash`."""
    fields = {**about, "n": n, "previous": previous}
    return Entry(**fields, hash=hash_of(fields))


def hash_of(fields: Mapping[str, Any]) -> str:
    """The hash of an entry; `fields` may have a `hash`, which does not count."""
    rest = {name: value for name, value in fields.items() if name != "hash"}
    return hashlib.sha256(_canonical(rest)).hexdigest()


def write_segment(entries: Iterable[Entry]) -> bytes:
    """A segment: a line that says the format, and a line for each entry."""
    lines = [_canonical({"twinfra_ledger": FORMAT}), *(line_of(one) for one in entries)]
    return b"\n".join([*lines, b""])


def line_of(entry: Entry) -> bytes:
    """An entry as its line, without the end."""
    return _canonical(entry.document())


def lines_in(data: bytes) -> list[bytes]:
    """The lines of a segment that have an entry. Raises `Malformed` where the first line is not as it must be."""
    first, *lines = data.split(b"\n")
    try:
        head = json.loads(first)
    except (ValueError, RecursionError):
        head = None
    if type(head) is not dict or "twinfra_ledger" not in head:
        raise Malformed("it does not begin as a ledger does")
    if head["twinfra_ledger"] != FORMAT:
        raise Malformed(f"it has the format {head['twinfra_ledger']!r}, which only a newer Twinfra reads")
    if not lines or lines.pop():
        raise Malformed("its last line is cut off")
    return lines


def read_line(line: bytes) -> Entry:
    """The entry of a line, its hash not checked. Raises `Malformed`."""
    try:
        fields = json.loads(line, parse_float=_finite, parse_constant=_finite)
    except (ValueError, RecursionError):
        raise Malformed("it is no JSON") from None
    if type(fields) is not dict or sorted(fields) != _SORTED:
        raise Malformed("it does not have the fields of an entry")
    if type(fields["n"]) is not int or type(fields["body"]) is not dict:
        raise Malformed("its n is no number, or its body no object")
    if any(type(fields[name]) is not str for name in _TEXTS):
        raise Malformed("a field that is text is something else")
    return Entry(**fields)


def _finite(text: str) -> float:
    """A number that JSON can say: Python also reads NaN, and Infinity out of 1e999, which no hash can be made of."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError(text)
    return number


_SORTED = sorted(_FIELDS)
_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def _canonical(value: Any) -> bytes:
    # Half of a surrogate pair, as of a file name that is no text, is no UTF-8.
    return _encode(value).encode("utf-8", "backslashreplace")
