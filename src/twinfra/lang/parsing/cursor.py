"""Moving over tokens: peeking, reading, skipping line ends where they do not count, recovering from errors.

After the first error that leaves the place in doubt, the cursor is `recovering`: what follows may be wrong
only because of that error, so that complaints about unexpected tokens are held back from then on.
"""

from __future__ import annotations

from typing import NoReturn

from twinfra.diagnostics import Diagnostic, Source, SourceRange, error
from twinfra.lang.nodes import Literal
from twinfra.lang.tokens import (
    CLOSE_HEREDOC,
    CLOSE_QUOTE,
    DIRECTIVE,
    END,
    INTERPOLATION,
    NEWLINE,
    OPEN_HEREDOC,
    OPEN_QUOTE,
    SEQUENCE_END,
    Tokens,
)
from twinfra.values.value import UNKNOWN

MAX_DEPTH = 128
"""How deep expressions and blocks may nest: far beyond what people write, and safe for recursion."""

_OPENER = {
    "}": "{",
    "]": "[",
    ")": "(",
    CLOSE_QUOTE: OPEN_QUOTE,
    CLOSE_HEREDOC: OPEN_HEREDOC,
    SEQUENCE_END: INTERPOLATION,
}
_OPENERS = frozenset({*_OPENER.values(), DIRECTIVE})


class TooDeepError(Exception):
    """The source nests deeper than `MAX_DEPTH`; parsing ends there."""


class Cursor:
    """A place in a list of tokens, and the diagnostics found on the way to it."""

    def __init__(self, source: Source, tokens: Tokens) -> None:
        self.source = source
        self.tokens = tokens
        self.kinds = tokens.kinds
        self.starts = tokens.starts
        self.ends = tokens.ends
        self.at = 0
        self.skipping = False
        """Whether line ends are passed over, as inside brackets."""
        self.recovering = False
        self.depth = 0
        self.diagnostics: list[Diagnostic] = []

    def peek(self) -> str:
        """The kind of the next token."""
        kind = self.kinds[self.at]
        if kind == NEWLINE and self.skipping:
            at = self.at + 1
            while self.kinds[at] == NEWLINE:
                at += 1
            self.at = at
            kind = self.kinds[at]
        return kind

    def read(self) -> int:
        """Take the next token; its index. At the end it is the `END` token, again and again."""
        if self.skipping:
            self.peek()
        at = self.at
        if self.kinds[at] != END:
            self.at = at + 1
        return at

    def word(self, index: int) -> str:
        """The text of a token."""
        tokens = self.tokens
        return tokens.text[tokens.starts[index] - tokens.base : tokens.ends[index] - tokens.base]

    def peek_word(self) -> str:
        """The text of the next token where it is a name, else nothing."""
        return self.word(self.at) if self.peek() == "identifier" else ""

    def range_of(self, index: int) -> SourceRange:
        """The range of one token."""
        return SourceRange(self.source, self.starts[index], self.ends[index])

    def range(self, start: int, end: int) -> SourceRange:
        """The range between two offsets."""
        return SourceRange(self.source, start, end)

    def next_range(self) -> SourceRange:
        """The range of the next token."""
        self.peek()
        return self.range_of(self.at)

    def previous(self) -> int:
        """The index of the token read last (of the next one when none was read yet)."""
        if self.at == 0:
            return 0
        # The end token is read without moving on.
        return self.at - 1

    def fail(
        self,
        summary: str,
        detail: str,
        subject: SourceRange,
        *,
        mend: str = "",
        context: SourceRange | None = None,
    ) -> None:
        """Add an error."""
        self.diagnostics.append(error(summary, detail, subject, mend=mend, context=context))

    def placeholder(self, start: int, end: int) -> Literal:
        """Stands for an expression that could not be read."""
        return Literal(UNKNOWN, SourceRange(self.source, start, end))

    def deeper(self) -> None:
        """Enter one more level of nesting."""
        self.depth += 1
        if self.depth > MAX_DEPTH:
            self.too_deep()

    def too_deep(self) -> NoReturn:
        """Complain about the nesting, once, and give up."""
        self.fail(
            "Nested too deeply",
            f"Expressions and blocks may be nested up to {MAX_DEPTH} levels deep.",
            self.next_range(),
            mend="Split it: name inner parts as local values.",
        )
        raise TooDeepError

    def recover(self, end: str) -> int:
        """Go to just after the token of kind `end` that closes the bracket at hand; that token."""
        start = _OPENER[end]
        self.recovering = True
        nested = 0
        while True:
            index = self.read()
            kind = self.kinds[index]
            if kind == start or (kind == DIRECTIVE and end == SEQUENCE_END):
                nested += 1
            elif kind == end:
                if not nested:
                    return index
                nested -= 1
            elif kind == END:
                return index

    def recover_after_item(self) -> None:
        """Go to the line after the body item at hand, as far as brackets tell where it ends."""
        self.recovering = True
        open_brackets: list[str] = []
        while True:
            kind = self.kinds[self.read()]
            if kind == END or (kind == NEWLINE and not open_brackets):
                return
            if kind in _OPENERS:
                open_brackets.append(INTERPOLATION if kind == DIRECTIVE else kind)
            elif kind in _OPENER:
                opener = _OPENER[kind]
                while open_brackets and open_brackets.pop() != opener:
                    pass
