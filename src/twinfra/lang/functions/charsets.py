"""Character encodings by their IANA names, as far as stock Terraform knows them.

Python's codecs do the work; where Go's `golang.org/x/text` differs, this follows that.
"""

from __future__ import annotations

from dataclasses import field
from functools import cache

from twinfra.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Charset:
    """An encoding: its name, Python's codec, and how it departs from that.

    `replaced`: bytes that stand for other characters. `no_c1`: the bytes 0x80 to 0x9F stand for none.
    """

    name: str
    codec: str
    no_c1: bool = False
    replaced: dict[int, str] = field(default_factory=dict)

    def encode(self, text: str) -> bytes:
        """The text in this encoding. Raises `UnicodeError` for a character that it does not have."""
        if self.codec == "utf-16":
            return b"\xfe\xff" + text.encode("utf-16-be")
        if self.codec == "hz":
            return _hz(text)
        if self.codec == "gbk":
            return b"".join(map(_gbk, text))
        if self.codec == "big5hkscs":
            return b"".join(map(_big5, text))
        if not (self.no_c1 or self.replaced):
            return text.encode(self.codec)
        table = self._encoding()
        try:
            return bytes(table[character] for character in text)
        except KeyError as failure:
            raise UnicodeError(f"{failure.args[0]!r} is not in {self.name}") from None

    def decode(self, data: bytes) -> str:
        """The text of bytes in this encoding. Raises `UnicodeError` for bytes that stand for nothing."""
        if self.codec == "utf-16":
            little = data.startswith(b"\xff\xfe")
            start = 2 if little or data.startswith(b"\xfe\xff") else 0
            return data[start:].decode("utf-16-le" if little else "utf-16-be")
        if self.codec == "gbk":
            return data.decode("gb18030")
        if not (self.no_c1 or self.replaced):
            return data.decode(self.codec)
        characters = self._decoding()
        found = [characters.get(byte, "") for byte in data]
        if not all(found):
            raise UnicodeError(f"a byte stands for nothing in {self.name}")
        return "".join(found)

    def _decoding(self) -> dict[int, str]:
        known = {byte: bytes((byte,)).decode(self.codec, "ignore") for byte in range(256)}
        known.update(self.replaced)
        return {
            byte: character
            for byte, character in known.items()
            if character and not (self.no_c1 and 0x80 <= byte <= 0x9F)
        }

    def _encoding(self) -> dict[str, int]:
        return {character: byte for byte, character in self._decoding().items()}


def _gbk(character: str) -> bytes:
    if character == "€":
        return b"\x80"
    encoded = character.encode("gb18030")
    if len(encoded) > 2:
        raise UnicodeError(f"{character!r} is not in GBK")
    return encoded


def _big5(character: str) -> bytes:
    try:
        return character.encode("big5hkscs")
    except UnicodeEncodeError:
        return character.encode("cp950")


def _hz(text: str) -> bytes:
    """Chinese characters are between `~{` and `~}`; after the last ones there is no `~}`."""
    parts: list[bytes] = []
    shifted = False
    for character in text:
        if shifted == character.isascii():
            parts.append(b"~}" if shifted else b"~{")
            shifted = not shifted
        if not shifted:
            parts.append(b"~~" if character == "~" else character.encode("ascii"))
            continue
        encoded = character.encode("gb18030")
        if len(encoded) != 2 or min(encoded) < 0xA1:
            raise UnicodeError(f"{character!r} is not in HZ-GB-2312")
        parts.append(bytes(byte & 0x7F for byte in encoded))
    return b"".join(parts)


_IBM1047 = {0x5F: "^", 0xAD: "[", 0xB0: "¬", 0xBA: "Ý", 0xBB: "¨", 0xBD: "]"}
_KOI8_U = {0xAE: "ў", 0xBE: "Ў"}

# Name, codec, then the other names.
_KNOWN = """
US-ASCII ascii ansi_x3.4-1968 ansi_x3.4-1986 ibm367 iso646-us iso_646.irv:1991 cp367 csascii iso-ir-6 us
UTF-8 utf-8 csutf8
UTF-16 utf-16 csutf16
UTF-16BE utf-16-be csutf16be
UTF-16LE utf-16-le csutf16le
ISO-8859-1 latin-1 ibm819 iso_8859-1 iso_8859-1:1987 cp819 csisolatin1 iso-ir-100 l1 latin1
ISO-8859-2 iso8859-2 iso_8859-2 iso_8859-2:1987 csisolatin2 iso-ir-101 l2 latin2
ISO-8859-3 iso8859-3 iso_8859-3 iso_8859-3:1988 csisolatin3 iso-ir-109 l3 latin3
ISO-8859-4 iso8859-4 iso_8859-4 iso_8859-4:1988 csisolatin4 iso-ir-110 l4 latin4
ISO-8859-5 iso8859-5 iso_8859-5 iso_8859-5:1988 csisolatincyrillic cyrillic iso-ir-144
ISO-8859-6 iso8859-6 iso_8859-6 iso_8859-6:1987 asmo-708 ecma-114 arabic csisolatinarabic iso-ir-127 \
iso-8859-6-e iso-8859-6-i iso_8859-6-e iso_8859-6-i csiso88596e csiso88596i
ISO-8859-7 iso8859-7 iso_8859-7 iso_8859-7:1987 ecma-118 elot_928 csisolatingreek greek greek8 iso-ir-126
ISO-8859-8 iso8859-8 iso_8859-8 iso_8859-8:1988 csisolatinhebrew hebrew iso-ir-138 iso-8859-8-e iso-8859-8-i \
iso_8859-8-e iso_8859-8-i csiso88598e csiso88598i
ISO-8859-9 iso8859-9 iso_8859-9 iso_8859-9:1989 csisolatin5 iso-ir-148 l5 latin5
ISO-8859-10 iso8859-10 iso_8859-10:1992 csisolatin6 iso-ir-157 l6 latin6
ISO-8859-13 iso8859-13 csiso885913
ISO-8859-14 iso8859-14 iso_8859-14 iso_8859-14:1998 csiso885914 iso-celtic iso-ir-199 l8 latin8
ISO-8859-15 iso8859-15 iso_8859-15 latin-9 csiso885915
ISO-8859-16 iso8859-16 iso_8859-16 iso_8859-16:2001 csiso885916 iso-ir-226 l10 latin10
IBM037 cp037 csibm037 ebcdic-cp-ca ebcdic-cp-nl ebcdic-cp-us ebcdic-cp-wt
IBM437 cp437 437 cspc8codepage437
IBM850 cp850 850 cspc850multilingual
IBM852 cp852 852 cspcp852
IBM855 cp855 855 csibm855
IBM860 cp860 860 csibm860
IBM862 cp862 862 cspc862latinhebrew
IBM863 cp863 863 csibm863
IBM865 cp865 865 csibm865
IBM866 cp866 866 csibm866
IBM00858 cp858 ccsid00858 cp00858 pc-multilingual-850+euro csibm00858
IBM01140 cp1140 ccsid01140 cp01140 csibm01140 ebcdic-us-37+euro
IBM1047 cp037 csibm1047
KOI8-R koi8-r cskoi8r
KOI8-U koi8-u cskoi8u
macintosh mac-roman mac csmacintosh
windows-874 cp874 cswindows874
windows-1250 cp1250 cswindows1250
windows-1251 cp1251 cswindows1251
windows-1252 cp1252 cswindows1252
windows-1253 cp1253 cswindows1253
windows-1254 cp1254 cswindows1254
windows-1255 cp1255 cswindows1255
windows-1256 cp1256 cswindows1256
windows-1257 cp1257 cswindows1257
windows-1258 cp1258 cswindows1258
Big5 big5hkscs csbig5
EUC-JP euc-jp cseucpkdfmtjapanese extended_unix_code_packed_format_for_japanese
EUC-KR cp949 cseuckr
GBK gbk cp936 ms936 windows-936 csgbk
GB18030 gb18030 csgb18030
HZ-GB-2312 hz
ISO-2022-JP iso2022-jp csiso2022jp
Shift_JIS cp932 ms_kanji csshiftjis
"""


@cache
def _charsets() -> dict[str, Charset]:
    known: dict[str, Charset] = {}
    for line in _KNOWN.split("\n"):
        if not line:
            continue
        name, codec, *others = line.split()
        replaced = {"IBM1047": _IBM1047, "KOI8-U": _KOI8_U, "windows-1255": {0xCA: "\u05ba"}}.get(name, {})
        no_c1 = name.startswith("ISO-8859-") and name not in ("ISO-8859-1", "ISO-8859-9")
        charset = Charset(name, codec, no_c1, replaced)
        aliases = [codec] if codec.startswith("cp") and codec[2:] == name.removeprefix("IBM") else []
        known.update(dict.fromkeys((name.lower(), *aliases, *others), charset))
    return known


def find_charset(name: str) -> Charset | None:
    """The encoding of this name, in any case and with spaces around it; None when there is none."""
    return _charsets().get(name.strip().lower())
