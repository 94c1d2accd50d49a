"""Compressing as stock Terraform's `base64gzip` does, to the same bytes.

Compressed text ends up in attributes such as `user_data_base64`, where other bytes would mean a change, or
even a new machine. So this makes the choices of Go's `compress/flate` at its default level, within the format
of RFC 1951: lazy matching over 32 KiB, blocks of 16,384 tokens, each of the kind that takes least room.
"""

from __future__ import annotations

from collections import Counter
from functools import cache

_WINDOW = 1 << 15
_LONGEST_MATCH = 258
_SHORTEST_MATCH = 4
_GOOD, _LAZY, _NICE, _CHAIN = 8, 16, 128, 128
"""When to look less far for a better match, when not at all, when to stop looking, and how far."""

_FAR = 4096
"""Matches of the shortest length are not worth it from further away."""

_BLOCK_TOKENS = 1 << 14
_LARGEST_STORED = 65535
_END = 256
_LENGTH_EXTRA = (*(0,) * 8, *(extra for extra in range(1, 6) for _ in range(4)), 0)
_LENGTH_BASES = (*range(8), *((4 + at % 4) << (at // 4 + 1) for at in range(20)), 255)
_OFFSET_EXTRA = tuple(max(0, code // 2 - 1) for code in range(30))
_CODE_LENGTH_ORDER = (16, 17, 18, 0, 8, 7, 9, 6, 10, 5, 11, 4, 12, 3, 13, 2, 14, 1, 15)

Token = int | tuple[int, int]
"""A literal byte, or a match as (length, distance)."""

Codes = dict[int, tuple[int, int]]
"""By symbol: its code, first bit lowest, and how many bits that has."""


def gzip(data: bytes) -> bytes:
    """The data as a gzip member (RFC 1952) with no name and no time, flushed before it is ended."""
    from zlib import crc32

    header = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 0xFF))
    trailer = crc32(data).to_bytes(4, "little") + (len(data) & 0xFFFFFFFF).to_bytes(4, "little")
    return header + _deflate(data) + trailer


class _BitWriter:
    """Bits, the first in the lowest place of each byte."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.bits = 0
        self.count = 0

    def write(self, value: int, count: int) -> None:
        self.bits |= value << self.count
        self.count += count
        while self.count >= 8:
            self.data.append(self.bits & 0xFF)
            self.bits >>= 8
            self.count -= 8

    def align(self) -> None:
        """Go on at the next whole byte."""
        if self.count:
            self.write(0, 8 - self.count)


def _deflate(data: bytes) -> bytes:
    out = _BitWriter()
    tokens: list[Token] = []
    start = 0
    position = 0
    for token, position in _tokens(data):
        tokens.append(token)
        if len(tokens) == _BLOCK_TOKENS:
            _write_block(out, tokens, data[start:position])
            start, tokens = position, []
    if tokens:
        _write_block(out, tokens, data[start:])
    _write_stored(out, b"", final=False)
    _write_stored(out, b"", final=True)
    return bytes(out.data)


def _tokens(data: bytes) -> list[tuple[Token, int]]:
    """The tokens that stand for the data, each with the position up to which the search has come."""
    found: list[tuple[Token, int]] = []
    heads: dict[int, int] = {}
    previous = [-1] * _WINDOW
    end = len(data)
    last_hashed = end - _SHORTEST_MATCH + 1
    index = 0
    length, offset = _SHORTEST_MATCH - 1, 0
    pending = False
    head = -1
    while index < end:
        if index < last_hashed:
            key = _hash(data, index)
            head = heads.get(key, -1)
            previous[index % _WINDOW] = head
            heads[key] = index
        before, before_offset = length, offset
        length, offset = _SHORTEST_MATCH - 1, 0
        if head >= max(index - _WINDOW, 0) and end - index > before and before < _LAZY:
            length, offset = _longest_match(data, index, head, previous)
        if before >= _SHORTEST_MATCH and length <= before:
            # The match that starts one byte earlier is as good: take that.
            found_end = index + before - 1
            for at in range(index + 1, min(found_end, last_hashed)):
                key = _hash(data, at)
                previous[at % _WINDOW] = heads.get(key, -1)
                heads[key] = at
            index = found_end
            found.append(((before, before_offset), index))
            pending = False
            length = _SHORTEST_MATCH - 1
        else:
            if pending:
                found.append((data[index - 1], index))
            index += 1
            pending = True
    if pending:
        found.append((data[end - 1], end))
    return found


def _hash(data: bytes, at: int) -> int:
    """The key under which a position is remembered; colliding ones share a chain, and so its bound."""
    return (int.from_bytes(data[at : at + _SHORTEST_MATCH]) * 0x1E35A7BD & 0xFFFFFFFF) >> 15


def _longest_match(data: bytes, at: int, head: int, previous: list[int]) -> tuple[int, int]:
    """The length and distance of the best match for the bytes at a position."""
    longest = min(_LONGEST_MATCH, len(data) - at)
    enough = min(_NICE, longest)
    length, offset = _SHORTEST_MATCH - 1, 0
    oldest = at - _WINDOW
    candidate = head
    for _ in range(_CHAIN):
        if data[candidate + length] == data[at + length]:
            matched = _common_length(data, candidate, at, longest)
            if matched > length and (matched > _SHORTEST_MATCH or at - candidate <= _FAR):
                length, offset = matched, at - candidate
                if matched >= enough:
                    break
        if candidate == oldest:
            break
        candidate = previous[candidate % _WINDOW]
        if candidate < max(oldest, 0):
            break
    return length, offset


def _common_length(data: bytes, one: int, two: int, most: int) -> int:
    """How many bytes at two positions are the same, `most` at most."""
    length = 0
    step = 16
    while length < most:
        size = min(step, most - length)
        if data[one + length : one + length + size] == data[two + length : two + length + size]:
            length += size
            step = size * 2
        elif size == 1:
            break
        else:
            step = size // 2
            most = length + size - 1 if size > 1 else most
    return length


@cache
def _length_code(length: int) -> int:
    wanted = length - 3
    return max(code for code, base in enumerate(_LENGTH_BASES) if base <= wanted)


def _offset_code(offset: int) -> int:
    wanted = offset - 1
    if wanted < 4:
        return wanted
    bits = wanted.bit_length() - 2
    return 2 * bits + (wanted >> bits)


def _offset_base(code: int) -> int:
    return code if code < 4 else (2 + code % 2) << (code // 2 - 1)


def _write_block(out: _BitWriter, tokens: list[Token], source: bytes) -> None:
    literals: Counter[int] = Counter({_END: 1})
    offsets: Counter[int] = Counter()
    for token in tokens:
        if isinstance(token, int):
            literals[token] += 1
        else:
            literals[257 + _length_code(token[0])] += 1
            offsets[_offset_code(token[1])] += 1
    if not offsets:
        offsets[0] = 1
    literal_codes, offset_codes = _huffman(literals, 15), _huffman(offsets, 15)
    lengths = _run_lengths(
        [literal_codes.get(symbol, (0, 0))[1] for symbol in range(max(literals) + 1)]
        + [offset_codes.get(symbol, (0, 0))[1] for symbol in range(max(offsets) + 1)]
    )
    length_codes = _huffman(Counter(symbol for symbol, _, _ in lengths), 7)
    used = max((at for at, symbol in enumerate(_CODE_LENGTH_ORDER) if symbol in length_codes), default=0) + 1
    used = max(used, 4)
    storable = len(source) <= _LARGEST_STORED
    # The extra bits cost the same with both kinds of code: they count only beside a stored block.
    extra = _extra_bits(literals, offsets) if storable else 0
    fixed_literals, fixed_offsets = _fixed_codes()
    fixed_size = 3 + _size(literals, fixed_literals) + _size(offsets, fixed_offsets) + extra
    header = 17 + 3 * used + sum(length_codes[symbol][1] + bits for symbol, _, bits in lengths)
    dynamic_size = header + _size(literals, literal_codes) + _size(offsets, offset_codes) + extra
    if storable and (len(source) + 5) * 8 < min(fixed_size, dynamic_size):
        _write_stored(out, source, final=False)
        return
    if dynamic_size < fixed_size:
        out.write(4, 3)
        out.write(max(literals) - 256, 5)
        out.write(max(offsets), 5)
        out.write(used - 4, 4)
        for symbol in _CODE_LENGTH_ORDER[:used]:
            out.write(length_codes.get(symbol, (0, 0))[1], 3)
        for symbol, value, bits in lengths:
            out.write(*length_codes[symbol])
            out.write(value, bits)
    else:
        out.write(2, 3)
        literal_codes, offset_codes = fixed_literals, fixed_offsets
    _write_tokens(out, tokens, literal_codes, offset_codes)


def _write_tokens(out: _BitWriter, tokens: list[Token], literals: Codes, offsets: Codes) -> None:
    for token in tokens:
        if isinstance(token, int):
            out.write(*literals[token])
            continue
        length, offset = token
        code = _length_code(length)
        out.write(*literals[257 + code])
        out.write(length - 3 - _LENGTH_BASES[code], _LENGTH_EXTRA[code])
        code = _offset_code(offset)
        out.write(*offsets[code])
        out.write(offset - 1 - _offset_base(code), _OFFSET_EXTRA[code])
    out.write(*literals[_END])


def _write_stored(out: _BitWriter, source: bytes, final: bool) -> None:
    out.write(int(final), 3)
    out.align()
    out.data += len(source).to_bytes(2, "little") + (len(source) ^ 0xFFFF).to_bytes(2, "little") + source


def _size(counts: Counter[int], codes: Codes) -> int:
    return sum(count * codes[symbol][1] for symbol, count in counts.items())


def _extra_bits(literals: Counter[int], offsets: Counter[int]) -> int:
    lengths = sum(count * _LENGTH_EXTRA[symbol - 257] for symbol, count in literals.items() if symbol > _END)
    return lengths + sum(count * _OFFSET_EXTRA[symbol] for symbol, count in offsets.items())


def _run_lengths(lengths: list[int]) -> list[tuple[int, int, int]]:
    """Code lengths with runs put together: (symbol, value of its extra bits, how many of those) in order."""
    found: list[tuple[int, int, int]] = []
    at = 0
    while at < len(lengths):
        length = lengths[at]
        run = 1
        while at + run < len(lengths) and lengths[at + run] == length:
            run += 1
        at += run
        if length:
            found.append((length, 0, 0))
            run -= 1
            while run >= 3:
                part = min(run, 6)
                found.append((16, part - 3, 2))
                run -= part
        else:
            while run >= 11:
                part = min(run, 138)
                found.append((18, part - 11, 7))
                run -= part
            if run >= 3:
                found.append((17, run - 3, 3))
                run = 0
        found += [(length, 0, 0)] * run
    return found


def _huffman(counts: Counter[int], longest: int) -> Codes:
    """The optimal prefix code of at most `longest` bits, in the canonical order of RFC 1951."""
    symbols = sorted(
        (symbol for symbol in counts if counts[symbol]), key=lambda symbol: (counts[symbol], symbol)
    )
    if len(symbols) <= 2:
        return {symbol: (at, 1) for at, symbol in enumerate(sorted(symbols))}
    per_length = _lengths([counts[symbol] for symbol in symbols], min(longest, len(symbols) - 1))
    codes: Codes = {}
    code = 0
    for bits in range(1, len(per_length)):
        code <<= 1
        if not per_length[bits]:
            continue
        for symbol in sorted(symbols[-per_length[bits] :]):
            codes[symbol] = (int(f"{code:0{bits}b}"[::-1], 2), bits)
            code += 1
        del symbols[-per_length[bits] :]
    return codes


def _lengths(weights: list[int], longest: int) -> list[int]:
    """How many symbols get each code length, from weights in rising order: the package-merge method.

    A level holds the symbols and the pairs of the level below, by weight; of equals, pairs come first.
    """
    levels: list[list[bool]] = []
    pairs: list[int] = []
    for _ in range(longest):
        merged: list[int] = []
        is_pair: list[bool] = []
        next_pair = 0
        for weight in weights:
            while next_pair < len(pairs) and pairs[next_pair] <= weight:
                merged.append(pairs[next_pair])
                is_pair.append(True)
                next_pair += 1
            merged.append(weight)
            is_pair.append(False)
        merged += pairs[next_pair:]
        is_pair += [True] * (len(pairs) - next_pair)
        levels.append(is_pair)
        pairs = [merged[at] + merged[at + 1] for at in range(0, len(merged) - 1, 2)]
    wanted = 2 * len(weights) - 2
    leaves: list[int] = []
    for is_pair in reversed(levels):
        inner = sum(is_pair[:wanted])
        leaves.append(wanted - inner)
        wanted = 2 * inner
    leaves.append(0)
    return [0] + [leaves[at] - leaves[at + 1] for at in range(longest)]


@cache
def _fixed_codes() -> tuple[Codes, Codes]:
    """The fixed codes of RFC 1951: of literals and lengths, and of offsets."""
    literals: Codes = {}
    for symbol in range(288):
        if symbol < 144:
            code, bits = 0x30 + symbol, 8
        elif symbol < 256:
            code, bits = 0x190 + symbol - 144, 9
        elif symbol < 280:
            code, bits = symbol - 256, 7
        else:
            code, bits = 0xC0 + symbol - 280, 8
        literals[symbol] = (int(f"{code:0{bits}b}"[::-1], 2), bits)
    return literals, {symbol: (int(f"{symbol:05b}"[::-1], 2), 5) for symbol in range(30)}
