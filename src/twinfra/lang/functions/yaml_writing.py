"""Writing values as YAML, byte for byte as stock Terraform does.

The layout is that of libyaml's emitter with lines of 80 columns: strings and keys in double quotes, or as
literal blocks where they have several lines; all else plain. Two spaces indent, lists in mappings none.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.values.numbers import format_number, is_number
from twinfra.values.value import Value, is_null

_WIDTH = 80
_INDENT = 2
_LONGEST_SIMPLE_KEY = 128
_BREAKS = "\r\n\x85\u2028\u2029"
_ESCAPES = {
    "\0": "\\0",
    "\a": "\\a",
    "\b": "\\b",
    "\t": "\\t",
    "\n": "\\n",
    "\v": "\\v",
    "\f": "\\f",
    "\r": "\\r",
    "\x1b": "\\e",
    '"': '\\"',
    "\\": "\\\\",
    "\x85": "\\N",
    "\u2028": "\\L",
    "\u2029": "\\P",
}


def write_yaml(value: Value) -> str:
    """The YAML document of a known value without marks, with a line end."""
    writer = _Writer()
    writer.node(value, indent=-1)
    writer.start_line(0)
    text = "".join(writer.parts)
    # A plain scalar could go on in the next line, unless the document is ended expressly.
    return f"{text}...\n" if _plain(value) is not None else text


def _plain(value: Value) -> str | None:
    """The text of a scalar that is written plain; None for all else."""
    if is_null(value):
        return "null"
    if type(value) is bool:
        return "true" if value else "false"
    if is_number(value):
        return format_number(value)
    return None


class _Writer:
    """The text so far, and what the rules for white space must know of its end."""

    def __init__(self) -> None:
        self.parts: list[str] = []
        self.column = 0
        self.after_space = True
        self.at_indent = True

    def put(self, text: str) -> None:
        """Append text without line breaks."""
        self.parts.append(text)
        self.column += len(text)

    def start_line(self, indent: int) -> None:
        """Go to a column at the start of a line: this one, if nothing but indentation is on it yet."""
        if not self.at_indent or self.column > indent or (self.column == indent and not self.after_space):
            self.parts.append("\n")
            self.column = 0
        self.put(" " * (indent - self.column))
        self.after_space = self.at_indent = True

    def indicator(self, text: str, *, spaced: bool = True, indents: bool = False) -> None:
        """Append punctuation, after a space unless there is one or none is `spaced`.

        `indents`: what follows may start a nested block on the same line.
        """
        if spaced and not self.after_space:
            self.put(" ")
        self.put(text)
        self.after_space = False
        self.at_indent = self.at_indent and indents

    def node(self, value: Value, indent: int, *, in_mapping: bool = False) -> None:
        """Append any value, as a part of a block with this indentation."""
        plain = _plain(value)
        if plain is not None:
            self.scalar(plain)
        elif isinstance(value, str):
            self.string(value, indent + _INDENT if indent >= 0 else _INDENT)
        elif isinstance(value, dict):
            self.mapping(value, indent)
        else:
            self.sequence(value, indent, in_mapping)

    def scalar(self, text: str) -> None:
        """Append a plain scalar."""
        if not self.after_space:
            self.put(" ")
        self.put(text)
        self.after_space = self.at_indent = False

    def sequence(self, items: Sequence[Value], indent: int, in_mapping: bool) -> None:
        """Append a list, set or tuple."""
        if not items:
            self.indicator("[")
            self.indicator("]", spaced=False)
            return
        if indent < 0:
            indent = 0
        elif not (in_mapping and not self.at_indent):
            indent += _INDENT
        for item in items:
            self.start_line(indent)
            self.indicator("-", indents=True)
            self.node(item, indent)

    def mapping(self, items: dict[str, Value], indent: int) -> None:
        """Append a map or object, by its keys in order."""
        if not items:
            self.indicator("{")
            self.indicator("}", spaced=False)
            return
        indent = indent + _INDENT if indent >= 0 else 0
        for key in sorted(items):
            self.start_line(indent)
            if len(key.encode("utf-8", "surrogatepass")) <= _LONGEST_SIMPLE_KEY and not _has_break(key):
                self.quoted(key, indent, folded=False)
                self.indicator(":", spaced=False)
            else:
                self.indicator("?", indents=True)
                self.string(key, indent + _INDENT)
                self.start_line(indent)
                self.indicator(":", indents=True)
            self.node(items[key], indent, in_mapping=True)

    def string(self, text: str, indent: int) -> None:
        """Append a string: as a literal block where it has lines that this can show, else in quotes."""
        if "\n" in text and _can_be_literal(text):
            self.literal(text, indent)
        else:
            self.quoted(text, indent, folded=True)

    def quoted(self, text: str, indent: int, *, folded: bool) -> None:
        """Append a string in double quotes; `folded` at spaces beyond the width of a line."""
        self.indicator('"')
        after_space = False
        for at, character in enumerate(text):
            if character != " ":
                self.put(character if _shown(character) else _escaped(character))
                after_space = False
                continue
            if folded and not after_space and self.column > _WIDTH and 0 < at < len(text) - 1:
                self.start_line(indent)
                if text[at + 1] == " ":
                    self.put("\\")
            else:
                self.put(" ")
            after_space = True
        self.indicator('"', spaced=False)

    def literal(self, text: str, indent: int) -> None:
        """Append a string as a block that keeps its lines."""
        self.indicator("|")
        if text[0] == " " or text[0] in _BREAKS:
            self.put(str(_INDENT))
        if text[-1] not in _BREAKS:
            self.put("-")
        elif len(text) == 1 or text[-2] in _BREAKS:
            self.put("+")
        self.parts.append("\n")
        at_start = True
        for character in text:
            if character in _BREAKS:
                self.parts.append(character)
                at_start = True
                continue
            if at_start:
                self.parts.append(" " * indent)
            self.parts.append(character)
            at_start = False
        # The block may end with a line end already: the next line then starts without another.
        self.column = 0 if at_start else 1
        self.after_space = True
        self.at_indent = at_start


def _has_break(text: str) -> bool:
    return any(character in text for character in _BREAKS)


def _printable(character: str) -> bool:
    code = ord(character)
    return (
        0x20 <= code <= 0x7E
        or code == 0x0A
        or 0xA0 <= code <= 0xD7FF
        or (0xE000 <= code <= 0xFFFD and code != 0xFEFF)
    )


def _shown(character: str) -> bool:
    """Whether a character stands for itself within quotes."""
    return _printable(character) and character not in _BREAKS and character not in '"\\'


def _escaped(character: str) -> str:
    known = _ESCAPES.get(character)
    if known:
        return known
    code = ord(character)
    return f"\\x{code:02X}" if code < 0x100 else f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"


def _can_be_literal(text: str) -> bool:
    if text.endswith(" ") or not all(map(_printable, text)):
        return False
    return not any(f" {character}" in text for character in _BREAKS)
