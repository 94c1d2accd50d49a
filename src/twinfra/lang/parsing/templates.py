"""Reading templates: quoted strings, heredocs and bare templates, with interpolations and directives.

A template is first read as a flat list of pieces, on which trim markers and the indentation of heredocs act;
then the pieces between `%{ if }` or `%{ for }` and their ends are gathered into nodes.
"""

from __future__ import annotations

import re
from itertools import groupby
from typing import TypeAlias
from unicodedata import normalize

from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange, nearest
from twinfra.lang.nodes import (
    Expression,
    Literal,
    Template,
    TemplateFor,
    TemplateIf,
    TemplatePart,
    TemplateWrap,
)
from twinfra.lang.parsing.cursor import Cursor
from twinfra.lang.tokens import (
    CLOSE_HEREDOC,
    CLOSE_QUOTE,
    DIRECTIVE,
    END,
    IDENTIFIER,
    INTERPOLATION,
    OPEN_QUOTE,
    SEQUENCE_END,
    STRING,
    TEXT,
)


@dataclass(slots=True)
class _Text:
    """Literal text, escapes resolved."""

    text: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class _Interpolation:
    """`${ expression }`."""

    expression: Expression


@dataclass(frozen=True, slots=True)
class _Directive:
    """A directive: `if`, `else`, `endif`, `for` or `endfor`, with what belongs to it."""

    word: str
    start: int
    end: int
    expression: Expression | None = None
    key: str = ""
    value: str = ""


_Piece: TypeAlias = _Text | _Interpolation | _Directive

_ESCAPE = re.compile(
    r"\\(?:u([0-9A-Fa-f]{0,4})|U([0-9A-Fa-f]{0,8})|([^uU])?)|\$\$\{|%%\{",
    re.DOTALL,
)
_TEMPLATE_ESCAPE = re.compile(r"(?:\$\$|%%)\{")
_SIMPLE_ESCAPES = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\"}
_DIRECTIVES = ("if", "else", "endif", "for", "endfor")


class TemplateReader(Cursor):
    """Reads templates; expressions inside are read by `expression`, which a subclass brings."""

    def expression(self) -> Expression:
        """An expression of any kind."""
        raise TypeError("TemplateReader is abstract: use ExpressionReader")

    def plain_string(self, index: int) -> Literal:
        """A quoted string without template sequences, which is one token."""
        start, end = self.starts[index], self.ends[index]
        base = self.tokens.base
        text = self.tokens.text[start + 1 - base : end - 1 - base]
        if "\\" in text or "$${" in text or "%%{" in text:
            text = self._unescaped(text, start + 1)
        if not text.isascii():
            text = normalize("NFC", text)
        return Literal(text, SourceRange(self.source, start, end))

    def _unescaped(self, text: str, start: int) -> str:
        """The text of a quoted string with its escapes resolved; `start` is its offset in the source."""

        def resolve(found: re.Match[str]) -> str:
            whole = found.group()
            if whole[0] != "\\":
                return whole[1:]
            short, long, symbol = found.groups()
            if symbol is not None:
                known = _SIMPLE_ESCAPES.get(symbol)
                if known is not None:
                    return known
                self._bad_escape(found, start, f"There is no escape sequence \\{symbol}.")
                return symbol
            digits, wanted = (short, 4) if long is None else (long, 8)
            if digits is None:
                self._bad_escape(found, start, "A backslash must be followed by what it escapes.")
                return whole
            if len(digits) < wanted:
                letter = "u" if wanted == 4 else "U"
                self._bad_escape(found, start, f"\\{letter} must be followed by {wanted} hexadecimal digits.")
                return whole
            code = int(digits, 16)
            if code > 0x10FFFF or 0xD800 <= code < 0xE000:
                self._bad_escape(found, start, f"There is no character U+{code:04X}.")
                return whole
            return chr(code)

        return _ESCAPE.sub(resolve, text)

    def _bad_escape(self, found: re.Match[str], start: int, detail: str) -> None:
        self.fail(
            "Invalid escape sequence",
            detail,
            self.range(start + found.start(), start + found.end()),
            mend='There are \\n, \\r, \\t, \\", \\uNNNN, \\UNNNNNNNN, and \\\\ for a backslash.',
        )

    def template_literal(self) -> Expression:
        """A quoted template or heredoc, from its opening token on."""
        opening = self.read()
        if self.kinds[opening] == OPEN_QUOTE:
            return self._template(CLOSE_QUOTE, self.starts[opening], False)
        flush = self.word(opening).startswith("<<-")
        return self._template(CLOSE_HEREDOC, self.starts[opening], flush)

    def bare_template(self) -> Expression:
        """All of the text as a template."""
        return self._template(END, self.starts[0], False)

    def _template(self, closer: str, start: int, flush: bool) -> Expression:
        pieces, closing = self._pieces(closer)
        end = self.ends[closing]
        if flush:
            _strip_indentation(pieces)
        pieces = _melded(pieces)
        place = self.range(start, end)
        if not pieces:
            return Literal("", place)
        if len(pieces) == 1:
            only = pieces[0]
            if isinstance(only, _Text):
                return Literal(_normal(only.text), place)
            if isinstance(only, _Interpolation):
                return TemplateWrap(only.expression, place)
        return Template(_Gatherer(self, pieces, self.range_of(closing)).gather(), place)

    def _pieces(self, closer: str) -> tuple[list[_Piece], int]:
        """The pieces up to the closing token, trimmed where markers ask for it; the closing token."""
        pieces: list[_Piece] = []
        first = self.at
        trim_next = trimmable = False
        while True:
            index = self.read()
            kind = self.kinds[index]
            if kind == closer:
                return pieces, index
            trim, trim_next = trim_next, False
            before, trimmable = trimmable, False
            if kind in (TEXT, STRING):
                text = self.word(index)
                if closer == CLOSE_QUOTE and ("\\" in text or "{" in text):
                    text = self._unescaped(text, self.starts[index])
                elif closer != CLOSE_QUOTE and "{" in text:
                    text = _TEMPLATE_ESCAPE.sub(lambda found: found.group()[1:], text)
                pieces.append(_Text(text.lstrip() if trim else text, self.starts[index], self.ends[index]))
                trimmable = True
            elif kind in (INTERPOLATION, DIRECTIVE):
                if before and self.ends[index] - self.starts[index] == 3:
                    last = pieces[-1]
                    assert isinstance(last, _Text)
                    last.text = last.text.rstrip()
                skipping, self.skipping = self.skipping, True
                self.deeper()
                if kind == INTERPOLATION:
                    pieces.append(_Interpolation(self.expression()))
                    closed = self._close_interpolation(first, closer)
                else:
                    directive, closed = self._directive(index)
                    if directive is not None:
                        pieces.append(directive)
                self.depth -= 1
                self.skipping = skipping
                trim_next = closed
            else:
                if not self.recovering:
                    self.fail(
                        "Unclosed string",
                        "The string that begins before this is never closed.",
                        self.range_of(index),
                        mend="Close it." if closer == CLOSE_HEREDOC else 'Write the closing quote, ".',
                        context=self.range(self.starts[first], self.ends[index]),
                    )
                return pieces, self.recover(closer) if closer != END else index

    def _close_interpolation(self, first: int, closer: str) -> bool:
        """Read the end of an interpolation; whether it has a trim marker."""
        kind = self.peek()
        if kind == SEQUENCE_END:
            index = self.read()
            return self.ends[index] - self.starts[index] == 2
        if not self.recovering:
            mend = "For a dollar sign and a brace as such, as other languages need them, write $${."
            if kind == END or (closer == CLOSE_QUOTE and kind in (OPEN_QUOTE, CLOSE_QUOTE, STRING)):
                self.fail(
                    "Unclosed interpolation",
                    "The interpolation that begins with ${ in this template is never closed.",
                    self.range_of(first),
                    mend="Write } after the expression.",
                )
            else:
                self.fail(
                    "Invalid interpolation",
                    "The expression of the interpolation has ended: here its closing brace must stand.",
                    self.next_range(),
                    mend=mend,
                )
        self.recover(SEQUENCE_END)
        return False

    def _directive(self, opening: int) -> tuple[_Directive | None, bool]:
        """A directive after its `%{`: the piece, if it is any good, and whether a trim marker ends it."""
        if self.peek() != IDENTIFIER:
            return self._bad_directive("After %{ a directive must follow.")
        at = self.read()
        word = self.word(at)
        start = self.starts[opening]
        if word == "if":
            condition = self.expression()
            piece = _Directive(word, start, self._next_end(), condition)
        elif word == "for":
            names = self._directive_names()
            if names is None:
                return None, False
            collection = self.expression()
            piece = _Directive(word, start, self._next_end(), collection, *names)
        elif word in _DIRECTIVES:
            piece = _Directive(word, start, self._next_end())
        else:
            if not self.recovering:
                self.fail(
                    "Unknown directive",
                    f"There is no template directive {word}.",
                    self.range_of(at),
                    mend=nearest(word, _DIRECTIVES)
                    or "The directives are if, else, endif, for and endfor; for %{ as such, write %%{.",
                )
            self.recover(SEQUENCE_END)
            return None, False
        if self.peek() == SEQUENCE_END:
            index = self.read()
            return piece, self.ends[index] - self.starts[index] == 2
        if not self.recovering:
            self.fail(
                "Invalid directive",
                f"The {word} directive has ended: here its closing brace must stand.",
                self.next_range(),
                mend="Write } here.",
            )
        self.recover(SEQUENCE_END)
        return piece, False

    def _next_end(self) -> int:
        self.peek()
        return self.ends[self.at]

    def _bad_directive(self, detail: str) -> tuple[None, bool]:
        if not self.recovering:
            self.fail(
                "Invalid directive",
                detail,
                self.next_range(),
                mend="Write %{ if condition } or %{ for k, v in collection }, or %%{ for %{ as such.",
            )
        self.recover(SEQUENCE_END)
        return None, False

    def _directive_names(self) -> tuple[str, str] | None:
        """The names a `for` directive binds, and its `in`; None after complaining."""
        key = ""
        if self.peek() != IDENTIFIER:
            self._bad_directive("After for, a name for the elements must follow.")
            return None
        value = self.word(self.read())
        if self.peek() == ",":
            key = value
            self.read()
            if self.peek() != IDENTIFIER:
                self._bad_directive("After the comma, a name for the values must follow.")
                return None
            value = self.word(self.read())
        if self.peek_word() != "in":
            self._bad_directive('After the names of a for, the word "in" must follow.')
            return None
        self.read()
        return _normal(key), _normal(value)


def _normal(text: str) -> str:
    return text if text.isascii() else normalize("NFC", text)


def _strip_indentation(pieces: list[_Piece]) -> None:
    """Take from each line of a `<<-` heredoc the indentation that all lines but blank ones share."""
    shared: int | None = None
    firsts: list[_Text] = []
    at_line_start = True
    for piece in pieces:
        if at_line_start:
            at_line_start = False
            indentation: int | None = 0
            if isinstance(piece, _Text):
                bare = piece.text.lstrip()
                if not bare and piece.text.endswith("\n"):
                    indentation = None
                else:
                    indentation = len(piece.text) - len(bare)
                    firsts.append(piece)
            if indentation is not None and (shared is None or indentation < shared):
                shared = indentation
        if isinstance(piece, _Text) and piece.text.endswith("\n"):
            at_line_start = True
    for first in firsts:
        first.text = first.text[shared or 0 :]
        first.start += shared or 0


def _melded(pieces: list[_Piece]) -> list[_Piece]:
    """The pieces with texts that stand side by side made one."""
    melded: list[_Piece] = []
    for is_text, run in groupby(pieces, lambda piece: isinstance(piece, _Text)):
        if is_text:
            texts = [piece for piece in run if isinstance(piece, _Text)]
            melded.append(_Text("".join(piece.text for piece in texts), texts[0].start, texts[-1].end))
        else:
            melded.extend(run)
    return melded


class _Gatherer:
    """Gathers the pieces between directives into nodes."""

    def __init__(self, reader: TemplateReader, pieces: list[_Piece], end: SourceRange) -> None:
        self.reader = reader
        self.pieces = pieces
        self.end = end
        self.at = 0

    def gather(self) -> tuple[TemplatePart, ...]:
        """All pieces as parts of the template."""
        parts: list[TemplatePart] = []
        while self.at < len(self.pieces):
            parts.append(self._part())
        return tuple(parts)

    def _part(self) -> TemplatePart:
        piece = self.pieces[self.at]
        self.at += 1
        if isinstance(piece, _Text):
            return Literal(_normal(piece.text), self.reader.range(piece.start, piece.end))
        if isinstance(piece, _Interpolation):
            return piece.expression
        if piece.word == "if" or piece.word == "for":
            self.reader.deeper()
            part = self._if(piece) if piece.word == "if" else self._for(piece)
            self.reader.depth -= 1
            return part
        return self._unexpected(piece, f"No directive is open that {piece.word} could belong to.")

    def _unexpected(self, piece: _Directive, detail: str) -> Expression:
        place = self.reader.range(piece.start, piece.end)
        self.reader.fail(
            "Misplaced directive", detail, place, mend="Remove it, or write the directive that opens it."
        )
        return self.reader.placeholder(piece.start, piece.end)

    def _body(
        self, opening: _Directive, ends: tuple[str, ...]
    ) -> tuple[list[TemplatePart], _Directive | None]:
        """The parts up to one of the directives `ends`, and that directive; None after complaining."""
        parts: list[TemplatePart] = []
        while self.at < len(self.pieces):
            piece = self.pieces[self.at]
            if isinstance(piece, _Directive) and piece.word not in ("if", "for"):
                self.at += 1
                if piece.word in ends:
                    return parts, piece
                line = self.reader.range(opening.start, opening.end).first.line
                self._unexpected(
                    piece, f"The {opening.word} directive of line {line} cannot have {piece.word} here."
                )
                return parts, None
            parts.append(self._part())
        self.reader.fail(
            "Unclosed directive",
            f"The {opening.word} directive is never ended.",
            self.end,
            mend=f"Write %{{ end{opening.word} }} where it ends.",
            context=self.reader.range(opening.start, self.end.end),
        )
        return parts, None

    def _if(self, opening: _Directive) -> TemplatePart:
        assert opening.expression is not None
        then, end = self._body(opening, ("else", "endif"))
        otherwise: list[TemplatePart] = []
        if end is not None and end.word == "else":
            otherwise, end = self._body(opening, ("endif",))
        if end is None:
            return self.reader.placeholder(opening.start, opening.end)
        place = self.reader.range(opening.start, end.end)
        return TemplateIf(opening.expression, tuple(then), tuple(otherwise), place)

    def _for(self, opening: _Directive) -> TemplatePart:
        assert opening.expression is not None
        body, end = self._body(opening, ("endfor",))
        if end is None:
            return self.reader.placeholder(opening.start, opening.end)
        place = self.reader.range(opening.start, end.end)
        return TemplateFor(opening.key, opening.value, opening.expression, tuple(body), place)
