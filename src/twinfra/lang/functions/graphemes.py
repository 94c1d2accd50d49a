"""Characters as people see them: extended grapheme clusters (UAX #29, Unicode 15).

Functions of the language count and cut text by these, not by code points. The Indic conjuncts of later
versions of the standard are not joined, since stock Terraform does not either.
"""

from __future__ import annotations

from bisect import bisect_right
from functools import cache, lru_cache

_CONTROL, _EXTEND, _JOINER, _PREPEND, _PICTOGRAPH = "C", "E", "Z", "P", "X"
_REGIONAL, _LEADING, _VOWEL, _TRAILING, _SYLLABLE, _CLOSED_SYLLABLE, _OTHER = (
    "R",
    "L",
    "V",
    "T",
    "S",
    "D",
    "-",
)

# Ranges of code points by class. Combining and spacing marks are one class: the rules treat them alike.
_RANGES = {
    _CONTROL: """
0-9 B-C E-1F 7F-9F AD 61C 180E 200B 200E-200F 2028-202E 2060-206F FEFF FFF0-FFFB FFFD 13430-1343F
1BCA0-1BCA3 1D173-1D17A E0000-E001F E0080-E00FF E01F0-E0FFF
""",
    _EXTEND: """
300-36F 483-489 591-5BD 5BF 5C1-5C2 5C4-5C5 5C7 610-61A 64B-65F 670 6D6-6DC 6DF-6E4 6E7-6E8 6EA-6ED 711
730-74A 7A6-7B0 7EB-7F3 7FD 816-819 81B-823 825-827 829-82D 859-85B 898-89F 8CA-8E1 8E3-903 93A-93C
93E-94F 951-957 962-963 981-983 9BC 9BE-9C4 9C7-9C8 9CB-9CD 9D7 9E2-9E3 9FE A01-A03 A3C A3E-A42 A47-A48
A4B-A4D A51 A70-A71 A75 A81-A83 ABC ABE-AC5 AC7-AC9 ACB-ACD AE2-AE3 AFA-AFF B01-B03 B3C B3E-B44 B47-B48
B4B-B4D B55-B57 B62-B63 B82 BBE-BC2 BC6-BC8 BCA-BCD BD7 C00-C04 C3C C3E-C44 C46-C48 C4A-C4D C55-C56
C62-C63 C81-C83 CBC CBE-CC4 CC6-CC8 CCA-CCD CD5-CD6 CE2-CE3 CF3 D00-D03 D3B-D3C D3E-D44 D46-D48 D4A-D4D
D57 D62-D63 D81-D83 DCA DCF-DD4 DD6 DD8-DDF DF2-DF3 E31 E33-E3A E47-E4E EB1 EB3-EBC EC8-ECE F18-F19 F35
F37 F39 F3E-F3F F71-F84 F86-F87 F8D-F97 F99-FBC FC6 102D-1037 1039-103E 1056-1059 105E-1060 1071-1074 1082
1084-1086 108D 109D 135D-135F 1712-1715 1732-1734 1752-1753 1772-1773 17B4-17D3 17DD 180B-180D 180F
1885-1886 18A9 1920-192B 1930-193B 1A17-1A1B 1A55-1A5E 1A60 1A62 1A65-1A7C 1A7F 1AB0-1ACE 1B00-1B04
1B34-1B44 1B6B-1B73 1B80-1B82 1BA1-1BAD 1BE6-1BF3 1C24-1C37 1CD0-1CD2 1CD4-1CE8 1CED 1CF4 1CF7-1CF9
1DC0-1DFF 200C 20D0-20F0 2CEF-2CF1 2D7F 2DE0-2DFF 302A-302F 3099-309A A66F-A672 A674-A67D A69E-A69F
A6F0-A6F1 A802 A806 A80B A823-A827 A82C A880-A881 A8B4-A8C5 A8E0-A8F1 A8FF A926-A92D A947-A953 A980-A983
A9B3-A9C0 A9E5 AA29-AA36 AA43 AA4C-AA4D AA7C AAB0 AAB2-AAB4 AAB7-AAB8 AABE-AABF AAC1 AAEB-AAEF AAF5-AAF6
ABE3-ABEA ABEC-ABED FB1E FE00-FE0F FE20-FE2F FF9E-FF9F 101FD 102E0 10376-1037A 10A01-10A03 10A05-10A06
10A0C-10A0F 10A38-10A3A 10A3F 10AE5-10AE6 10D24-10D27 10EAB-10EAC 10EFD-10EFF 10F46-10F50 10F82-10F85
11000-11002 11038-11046 11070 11073-11074 1107F-11082 110B0-110BA 110C2 11100-11102 11127-11134
11145-11146 11173 11180-11182 111B3-111C0 111C9-111CC 111CE-111CF 1122C-11237 1123E 11241 112DF-112EA
11300-11303 1133B-1133C 1133E-11344 11347-11348 1134B-1134D 11357 11362-11363 11366-1136C 11370-11374
11435-11446 1145E 114B0-114C3 115AF-115B5 115B8-115C0 115DC-115DD 11630-11640 116AB-116B7 1171D-1171F
11722-1172B 1182C-1183A 11930-11935 11937-11938 1193B-1193E 11940 11942-11943 119D1-119D7 119DA-119E0
119E4 11A01-11A0A 11A33-11A39 11A3B-11A3E 11A47 11A51-11A5B 11A8A-11A99 11C2F-11C36 11C38-11C3F
11C92-11CA7 11CA9-11CB6 11D31-11D36 11D3A 11D3C-11D3D 11D3F-11D45 11D47 11D8A-11D8E 11D90-11D91
11D93-11D97 11EF3-11EF6 11F00-11F01 11F03 11F34-11F3A 11F3E-11F42 13440 13447-13455 16AF0-16AF4
16B30-16B36 16F4F 16F51-16F87 16F8F-16F92 16FE4 16FF0-16FF1 1BC9D-1BC9E 1CF00-1CF2D 1CF30-1CF46
1D165-1D169 1D16D-1D172 1D17B-1D182 1D185-1D18B 1D1AA-1D1AD 1D242-1D244 1DA00-1DA36 1DA3B-1DA6C 1DA75
1DA84 1DA9B-1DA9F 1DAA1-1DAAF 1E000-1E006 1E008-1E018 1E01B-1E021 1E023-1E024 1E026-1E02A 1E08F
1E130-1E136 1E2AE 1E2EC-1E2EF 1E4EC-1E4EF 1E8D0-1E8D6 1E944-1E94A 1F3FB-1F3FF E0020-E007F E0100-E01EF
""",
    _JOINER: "200D",
    _PREPEND: """
600-605 6DD 70F 890-891 8E2 D4E 110BD 110CD 111C2-111C3 1193F 11941 11A3A 11A84-11A89 11D46 11F02
""",
    _PICTOGRAPH: """
A9 AE 203C 2049 2122 2139 2194-2199 21A9-21AA 231A-231B 2328 2388 23CF 23E9-23F3 23F8-23FA 24C2 25AA-25AB
25B6 25C0 25FB-25FE 2600-2605 2607-2612 2614-2685 2690-2705 2708-2712 2714 2716 271D 2721 2728 2733-2734
2744 2747 274C 274E 2753-2755 2757 2763-2767 2795-2797 27A1 27B0 27BF 2934-2935 2B05-2B07 2B1B-2B1C 2B50
2B55 3030 303D 3297 3299 1F000-1F0FF 1F10D-1F10F 1F12F 1F16C-1F171 1F17E-1F17F 1F18E 1F191-1F19A
1F1AD-1F1E5 1F201-1F20F 1F21A 1F22F 1F232-1F23A 1F23C-1F23F 1F249-1F3FA 1F400-1F53D 1F546-1F64F
1F680-1F6FF 1F774-1F77F 1F7D5-1F7FF 1F80C-1F80F 1F848-1F84F 1F85A-1F85F 1F888-1F88F 1F8AE-1F8FF
1F90C-1F93A 1F93C-1F945 1F947-1FAFF 1FC00-1FFFD
""",
    _REGIONAL: "1F1E6-1F1FF",
    _LEADING: "1100-115F A960-A97C",
    _VOWEL: "1160-11A7 D7B0-D7C6",
    _TRAILING: "11A8-11FF D7CB-D7FB",
}

_NO_BREAK = {
    *((_LEADING, after) for after in (_LEADING, _VOWEL, _SYLLABLE, _CLOSED_SYLLABLE)),
    *((before, after) for before in (_SYLLABLE, _VOWEL) for after in (_VOWEL, _TRAILING)),
    *((before, _TRAILING) for before in (_CLOSED_SYLLABLE, _TRAILING)),
}
# A joiner glues a pictograph to what stands before it when that is one of these, as stock Terraform has it.
_JOINABLE = (_PICTOGRAPH, _REGIONAL, _LEADING, _VOWEL, _TRAILING, _SYLLABLE, _CLOSED_SYLLABLE)


@cache
def _table() -> tuple[list[int], list[int], list[str]]:
    """The ranges in order: where each begins, where it ends, its class."""
    ranges: list[tuple[int, int, str]] = []
    for name, text in _RANGES.items():
        for item in text.split():
            first, _, last = item.partition("-")
            ranges.append((int(first, 16), int(last or first, 16), name))
    ranges.sort()
    return [one[0] for one in ranges], [one[1] for one in ranges], [one[2] for one in ranges]


@lru_cache(maxsize=4096)
def _class(character: str) -> str:
    code = ord(character)
    if 0xAC00 <= code <= 0xD7A3:
        return _CLOSED_SYLLABLE if (code - 0xAC00) % 28 else _SYLLABLE
    starts, ends, names = _table()
    at = bisect_right(starts, code) - 1
    return names[at] if at >= 0 and code <= ends[at] else _OTHER


def _simple(text: str) -> bool:
    """Whether each code point surely stands for itself: nothing below U+0300 joins but a line end."""
    return (text.isascii() or max(text) < "\u0300") and "\r\n" not in text


def graphemes(text: str) -> list[str]:
    """The characters of the text, in order; joined they give the text.

    >>> graphemes("e\u0301a")
    ['e\u0301', 'a']
    """
    if not text or _simple(text):
        return list(text)
    found: list[str] = []
    start = 0
    before = ""
    previous = ""
    flags = 0
    joinable = False
    for at, character in enumerate(text):
        after = _class(character)
        if at and _breaks(before, after, previous, character, joinable, flags):
            found.append(text[start:at])
            start = at
            flags = 0
        flags = flags + 1 if after == _REGIONAL else 0
        # Whether the text so far ends in one of these with nothing but marks after it.
        joinable = after in _JOINABLE or (joinable and after in (_EXTEND, _JOINER))
        before, previous = after, character
    found.append(text[start:])
    return found


def _breaks(before: str, after: str, previous: str, character: str, joinable: bool, flags: int) -> bool:
    """Whether a character ends between two code points of these classes."""
    if previous == "\r" and character == "\n":
        return False
    if before == _CONTROL or after == _CONTROL or previous in "\r\n" or character in "\r\n":
        return True
    if after in (_EXTEND, _JOINER) or before == _PREPEND or (before, after) in _NO_BREAK:
        return False
    if after == _PICTOGRAPH and before == _JOINER:
        return not joinable
    return not (after == _REGIONAL and flags % 2)


def grapheme_count(text: str) -> int:
    """How many characters the text has."""
    return len(text) if not text or _simple(text) else len(graphemes(text))
