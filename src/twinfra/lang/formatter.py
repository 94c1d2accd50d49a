"""The canonical format of source text in native syntax, byte for byte that of `terraform fmt`.

Only the space between tokens changes, but for three old spellings: `"${x}"` becomes `x`, the type of a
variable loses its quotes or gets its element type, and labels of blocks are quoted.
"""

from __future__ import annotations

from dataclasses import field
from itertools import pairwise

from twinfra.dataclass import dataclass
from twinfra.lang.functions.graphemes import grapheme_count
from twinfra.lang.tokens import (
    CLOSE_HEREDOC,
    CLOSE_QUOTE,
    COMMENT,
    DIRECTIVE,
    END,
    IDENTIFIER,
    INTERPOLATION,
    NEWLINE,
    NUMBER,
    OPEN_HEREDOC,
    OPEN_QUOTE,
    SEQUENCE_END,
    STRING,
    TEXT,
    tokenize,
)


@dataclass(slots=True)
class _Token:
    """A token, and how many spaces stand before it."""

    kind: str
    text: str
    spaces: int = 0

    @property
    def change(self) -> int:
        """1 for an opening bracket, -1 for a closing one, else 0."""
        return _CHANGES.get(self.kind, 0)


@dataclass(slots=True)
class _Line:
    """The tokens of a line: up to the equals sign, from there on, and the comment at its end."""

    lead: list[_Token]
    assign: list[_Token] = field(default_factory=list)
    comment: _Token | None = None


_OPENERS = ("{", "[", "(", INTERPOLATION, DIRECTIVE)
_CLOSERS = ("}", "]", ")", SEQUENCE_END)
_CHANGES = {**dict.fromkeys(_OPENERS, 1), **dict.fromkeys(_CLOSERS, -1)}


def format_source(text: str) -> str:
    """The text in the canonical format; text with syntax errors in some format, with all its tokens."""
    tokens = _tokens(text)
    tokens = _Modernizer(tokens).run()
    lines = _lines(tokens)
    _indent(lines)
    for line in lines:
        _space(line.lead)
        if line.assign:
            line.assign[0].spaces = 1
            _space(line.assign)
    _align(lines)
    return "".join(" " * token.spaces + token.text for token in tokens)


def _tokens(text: str) -> list[_Token]:
    """The tokens of the text, comments included; the last one is the end, with the spaces before it."""
    scanned = tokenize(text, comments=True)
    tokens: list[_Token] = []
    end = 0
    for index, kind in enumerate(scanned.kinds):
        word = scanned.word(index)
        if kind == STRING:
            tokens.append(_Token(OPEN_QUOTE, '"'))
            if len(word) > 2:
                tokens.append(_Token(TEXT, word[1:-1]))
            tokens.append(_Token(CLOSE_QUOTE, '"'))
        else:
            tokens.append(_Token(kind, word))
        if kind == END:
            last = text[end:].removeprefix("\ufeff")
            tokens[-1].spaces = len(last.encode("utf-8", "surrogatepass"))
        end = scanned.ends[index]
    return tokens


class _Modernizer:
    """Rewrites the old spellings, walking over the structure of bodies."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.tokens = tokens
        self.made: list[_Token] = []
        self.at = 0

    def run(self) -> list[_Token]:
        """The tokens with old spellings replaced."""
        blocks: list[str] = []
        tokens = self.tokens
        while self.at < len(tokens):
            kind = tokens[self.at].kind
            if kind == IDENTIFIER:
                self._item(blocks)
                continue
            if kind == "}" and blocks:
                blocks.pop()
            self._keep(1)
        return self.made

    def _keep(self, number: int) -> None:
        self.made.extend(self.tokens[self.at : self.at + number])
        self.at += number

    def _item(self, blocks: list[str]) -> None:
        """An argument or the header of a block."""
        at = self.at + 1
        while self.tokens[at].kind == COMMENT and not self.tokens[at].text.endswith("\n"):
            at += 1
        if self.tokens[at].kind == "=":
            is_type = blocks == ["variable"] and self.tokens[self.at].text == "type"
            self._keep(at + 1 - self.at)
            self._value(is_type)
        else:
            self._header(blocks)

    def _header(self, blocks: list[str]) -> None:
        type = self.tokens[self.at].text
        self._keep(1)
        start = self.at
        labels: list[_Token] = []
        while True:
            kind = self.tokens[self.at].kind
            if kind == IDENTIFIER:
                labels += _quoted(self.tokens[self.at].text)
                self.at += 1
            elif kind == OPEN_QUOTE:
                closing = self.at + 1
                while self.tokens[closing].kind == TEXT:
                    closing += 1
                if self.tokens[closing].kind != CLOSE_QUOTE:
                    break
                labels += self.tokens[self.at : closing + 1]
                self.at = closing + 1
            elif kind == COMMENT and not self.tokens[self.at].text.endswith("\n"):
                self.at += 1
            else:
                break
        if self.tokens[self.at].kind == "{":
            self.made += labels
            self._keep(1)
            blocks.append(type)
        else:
            self.made += self.tokens[start : self.at]

    def _value(self, is_type: bool) -> None:
        """The value of an argument: all up to the end of the line that ends it."""
        while self.tokens[self.at].kind == COMMENT:
            self._keep(1)
        start = self.at
        end = self._value_end()
        while end > start and self.tokens[end - 1].kind == COMMENT:
            end -= 1
        value = self.tokens[start:end]
        self.made += _modern_type(value) if is_type else _unwrapped(value)
        self.at = end

    def _value_end(self) -> int:
        depth = 0
        at = self.at
        while True:
            token = self.tokens[at]
            kind = token.kind
            if kind == END:
                return at
            if depth <= 0 and (
                kind == NEWLINE or kind == "}" or (kind == COMMENT and token.text.endswith("\n"))
            ):
                return at
            if kind in _OPENERS or kind in (OPEN_QUOTE, OPEN_HEREDOC):
                depth += 1
            elif kind in _CLOSERS or kind in (CLOSE_QUOTE, CLOSE_HEREDOC):
                depth -= 1
            at += 1


def _quoted(label: str) -> list[_Token]:
    return [_Token(OPEN_QUOTE, '"'), _Token(TEXT, label), _Token(CLOSE_QUOTE, '"')]


def _unwrapped(value: list[_Token]) -> list[_Token]:
    """What stands inside `"${ }"`, where a value is that and nothing else; else the value."""
    if len(value) < 5 or [value[0].kind, value[1].kind, value[-2].kind, value[-1].kind] != [
        OPEN_QUOTE,
        INTERPOLATION,
        SEQUENCE_END,
        CLOSE_QUOTE,
    ]:
        return value
    inside = value[2:-2]
    quotes = 0
    for token in inside:
        if token.kind == OPEN_QUOTE:
            quotes += 1
        elif token.kind == CLOSE_QUOTE:
            quotes -= 1
        elif quotes <= 0 and token.kind in (INTERPOLATION, SEQUENCE_END, TEXT):
            return value
    while inside and inside[0].kind == NEWLINE:
        inside = inside[1:]
    while inside and inside[-1].kind == NEWLINE:
        inside = inside[:-1]
    if any(token.kind == NEWLINE for token in inside) and not (
        inside[0].kind == "(" and inside[-1].kind == ")"
    ):
        return [_Token("(", "("), *inside, _Token(")", ")")]
    return inside


def _modern_type(value: list[_Token]) -> list[_Token]:
    """A variable's type without the quotes of old, and collections with their element type."""
    if len(value) == 1 and value[0].kind == IDENTIFIER and value[0].text in ("list", "map", "set"):
        return [value[0], _Token("(", "("), _Token(IDENTIFIER, "any"), _Token(")", ")")]
    if [token.kind for token in value] != [OPEN_QUOTE, TEXT, CLOSE_QUOTE]:
        return value
    name = value[1].text
    if name == "string":
        return [_Token(IDENTIFIER, "string")]
    if name in ("list", "map"):
        return [_Token(IDENTIFIER, name), _Token("(", "("), _Token(IDENTIFIER, "string"), _Token(")", ")")]
    return value


def _lines(tokens: list[_Token]) -> list[_Line]:
    lines: list[_Line] = []
    start = 0
    for at, token in enumerate(tokens):
        if token.kind == END:
            break
        if token.kind == NEWLINE or (token.kind == COMMENT and token.text.endswith("\n")):
            lines.append(_line(tokens[start : at + 1]))
            start = at + 1
    lines.append(_line(tokens[start:-1]))
    return lines


def _line(lead: list[_Token]) -> _Line:
    comment = None
    if len(lead) > 1 and lead[-1].kind == COMMENT:
        comment = lead.pop()
    for at, token in enumerate(lead):
        if at and token.kind == "=":
            # Only a value that ends on its line is aligned.
            if not sum(one.change for one in lead[at:]):
                return _Line(lead[:at], lead[at:], comment)
            break
    return _Line(lead, [], comment)


def _indent(lines: list[_Line]) -> None:
    """Two spaces for each line with more brackets opened than closed that is still open."""
    opened: list[int] = []
    for line in lines:
        if not line.lead:
            continue
        first = line.lead[0]
        if first.kind == NEWLINE:
            first.spaces = 0
            continue
        change = 0
        for token in line.lead:
            change += token.change
            if token.kind == OPEN_HEREDOC:
                break
        change += sum(token.change for token in line.assign)
        if change > 0:
            first.spaces = 2 * len(opened)
            opened.append(change)
            continue
        closed = -change
        while closed > 0 and opened:
            if closed < opened[-1]:
                opened[-1] -= closed
                break
            closed -= opened.pop()
        first.spaces = 2 * len(opened)


def _space(cell: list[_Token]) -> None:
    before = ""
    for token, after in pairwise(cell):
        after.spaces = 1 if _has_space(token, before, after) else 0
        before = token.kind


_TIGHT = (TEXT, OPEN_QUOTE, OPEN_HEREDOC)
_TIGHT_AFTER = (TEXT, CLOSE_QUOTE, CLOSE_HEREDOC)
_BEFORE_NEGATION = frozenset(
    [
        "",
        "(",
        "{",
        "[",
        "=",
        ":",
        ",",
        "?",
        "+",
        "*",
        "/",
        "%",
        "-",
        "==",
        "!=",
        ">",
        ">=",
        "<",
        "<=",
        "&&",
        "||",
        "!",
    ]
)


def _has_space(token: _Token, before: str, following: _Token) -> bool:
    """Whether a space separates a token from the one after it; `before` is the kind of the one before."""
    kind, after = token.kind, following.kind
    if (
        after == NEWLINE
        or (kind == IDENTIFIER and after in ("(", "::"))
        or (kind == "::" and after == IDENTIFIER)
    ):
        return False
    if kind == "." or after in (".", ",", "..."):
        return False
    if kind == ",":
        return True
    if kind in _TIGHT or after in _TIGHT_AFTER:
        return False
    if kind == IDENTIFIER and token.text == "in" and before == IDENTIFIER:
        return True
    if after == "[" and (kind in (IDENTIFIER, NUMBER) or token.change < 0):
        return False
    if kind == "!":
        return False
    if kind == "-":
        return before not in _BEFORE_NEGATION
    if kind == "{" or after == "}":
        return not (kind == "{" and after == "}")
    if (kind in (INTERPOLATION, DIRECTIVE) and after == "{") or (kind == "}" and after == SEQUENCE_END):
        return True
    if kind == SEQUENCE_END and after in (INTERPOLATION, DIRECTIVE):
        return False
    return token.change <= 0 and following.change >= 0


def _align(lines: list[_Line]) -> None:
    """Bring the equals signs of neighbouring lines under one another, then their comments."""
    run: list[_Line] = []
    for line in [*lines, _Line([])]:
        if line.assign:
            run.append(line)
            continue
        widths = [_columns(one.lead) for one in run]
        widest = max(widths, default=0)
        for one, width in zip(run, widths, strict=True):
            one.assign[0].spaces = widest - width + 1
        run = []
    for line in [*lines, _Line([])]:
        if line.comment is not None:
            run.append(line)
            continue
        widths = [_columns(one.lead) + _columns(one.assign) for one in run]
        widest = max(widths, default=0)
        for one, width in zip(run, widths, strict=True):
            if one.comment is not None:
                one.comment.spaces = widest - width + 1
        run = []


def _columns(cell: list[_Token]) -> int:
    """How wide the cell is, in characters as people see them."""
    return sum(
        token.spaces + (len(token.text) if token.text.isascii() else grapheme_count(token.text))
        for token in cell
    )
