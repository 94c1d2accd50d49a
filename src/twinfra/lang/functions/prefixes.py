"""IP addresses and prefixes as whole numbers: reading and writing their notation.

Numbers with leading zeros are read as decimal, which the language keeps for the sake of old configurations.
"""

from __future__ import annotations

import re

from twinfra.dataclass import dataclass

_MAPPED = 0xFFFF << 32
_DIGITS = re.compile(r"[0-9]+")
_GROUP = re.compile(r"0*[0-9A-Fa-f]{1,4}")


@dataclass(frozen=True, slots=True)
class Prefix:
    """A network: its address as a number, how many `bits` addresses have (32 or 128), how many the prefix."""

    address: int
    bits: int
    length: int

    @property
    def mapped(self) -> bool:
        """Whether it is written in IPv6, but its address stands for one of IPv4 (`::ffff:...`)."""
        return self.bits == 128 and self.address >> 32 << 32 == _MAPPED

    @property
    def mask(self) -> int:
        """The number with a one for each bit of the prefix."""
        return (1 << self.bits) - (1 << (self.bits - self.length))

    @property
    def last(self) -> int:
        """The last address in the network."""
        return self.address | ((1 << (self.bits - self.length)) - 1)

    def __str__(self) -> str:
        length = max(self.length - 96, 0) if self.mapped else self.length
        return f"{write_address(self.address, self.bits)}/{length}"


def parse_prefix(text: str) -> Prefix:
    """The network that CIDR notation such as `10.0.0.0/16` writes. Raises `ValueError`."""
    written, slash, length_text = text.partition("/")
    if not slash:
        raise ValueError(f'"{text}" has no prefix length, such as 10.0.0.0/16 has')
    address, bits = (_parse_v6(written), 128) if ":" in written else (_parse_v4(written), 32)
    if address is None:
        raise ValueError(f'"{text}" is not an IP network in CIDR notation, such as 10.0.0.0/16')
    length = _number(length_text, bits)
    if length is None:
        raise ValueError(f'"{text}" has a prefix length that is not between 0 and {bits}')
    host_bits = bits - length
    return Prefix(address >> host_bits << host_bits, bits, length)


def _number(text: str, most: int) -> int | None:
    digits = text.lstrip("0")
    if not _DIGITS.fullmatch(text) or len(digits) > 3 or int(digits or "0") > most:
        return None
    return int(digits or "0")


def _parse_v4(text: str) -> int | None:
    parts = text.split(".")
    if len(parts) != 4:
        return None
    address = 0
    for part in parts:
        number = _number(part, 255)
        if number is None:
            return None
        address = address << 8 | number
    return address


def _parse_v6(text: str) -> int | None:
    before, gap, after = text.partition("::")
    if gap and "::" in after:
        return None
    first = _groups(before, last=not gap)
    second = _groups(after, last=True) if gap else []
    if first is None or second is None:
        return None
    missing = 8 - len(first) - len(second)
    if (missing < 1) if gap else missing:
        return None
    address = 0
    for group in [*first, *[0] * missing, *second]:
        address = address << 16 | group
    return address


def _groups(text: str, last: bool) -> list[int] | None:
    """The groups of sixteen bits that a part of an address writes; the `last` may end in an IPv4 address."""
    if not text:
        return []
    found: list[int] = []
    parts = text.split(":")
    for at, part in enumerate(parts):
        if last and at == len(parts) - 1 and "." in part:
            embedded = _parse_v4(part)
            if embedded is None:
                return None
            found += (embedded >> 16, embedded & 0xFFFF)
        elif _GROUP.fullmatch(part):
            found.append(int(part, 16))
        else:
            return None
    return found


def write_address(address: int, bits: int) -> str:
    """An address in the usual notation (RFC 5952); one of IPv4 within IPv6 in that of IPv4."""
    if bits == 128 and address >> 32 << 32 == _MAPPED:
        address, bits = address & 0xFFFFFFFF, 32
    if bits == 32:
        return ".".join(str(address >> shift & 0xFF) for shift in (24, 16, 8, 0))
    groups = [address >> shift & 0xFFFF for shift in range(112, -1, -16)]
    start, length = _longest_zeros(groups)
    if length < 2:
        return ":".join(f"{group:x}" for group in groups)
    before = ":".join(f"{group:x}" for group in groups[:start])
    after = ":".join(f"{group:x}" for group in groups[start + length :])
    return f"{before}::{after}"


def _longest_zeros(groups: list[int]) -> tuple[int, int]:
    """Where the first of the longest runs of zeros starts, and how long it is."""
    best = (0, 0)
    start = length = 0
    for at, group in enumerate(groups):
        if group:
            length = 0
            continue
        start, length = (start, length + 1) if length else (at, 1)
        if length > best[1]:
            best = (start, length)
    return best
