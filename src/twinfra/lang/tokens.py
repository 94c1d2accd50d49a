"""The tokenizer of the native syntax: source text in, tokens with offsets out, in linear time for any input.

It follows the lexical part of the HCL native syntax specification
(https://github.com/hashicorp/hcl/blob/main/hclsyntax/spec.md). It never fails: what is no token becomes an
`invalid` one, about which `invalid_token_diagnostics` has the words.
"""

from __future__ import annotations

import re
from dataclasses import field

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, Source, SourceRange, error

IDENTIFIER = "identifier"
NUMBER = "number"
STRING = "string"
"""A whole quoted string without template sequences, quotes included."""
NEWLINE = "newline"
"""A line end, also the one that ends a comment."""
COMMENT = "comment"
OPEN_QUOTE = "open quote"
CLOSE_QUOTE = "close quote"
OPEN_HEREDOC = "open heredoc"
CLOSE_HEREDOC = "close heredoc"
TEXT = "text"
"""Literal text inside a template; in heredocs and bare templates at most one line."""
TEXT_NEWLINE = "newline in quotes"
INTERPOLATION = "${"
DIRECTIVE = "%{"
SEQUENCE_END = "end of sequence"
"""The brace that ends an interpolation or directive, with its trim marker."""
INVALID = "invalid"
END = "end"

BYTE_ORDER_MARK = "\ufeff"


@dataclass(slots=True)
class Tokens:
    """Tokens in order, as parallel lists; the last one is `END`. Punctuation is its own kind (`"=="`).

    Offsets count characters of the source; `text` holds the characters from offset `base` on.
    """

    text: str
    base: int = 0
    kinds: list[str] = field(default_factory=list)
    starts: list[int] = field(default_factory=list)
    ends: list[int] = field(default_factory=list)

    def word(self, index: int) -> str:
        """The text of one token."""
        return self.text[self.starts[index] - self.base : self.ends[index] - self.base]


# No group is repeated possessively: before 3.11.5, Python consumes what the last try of such a group began with. These
# can be taken in one way only, so that nothing is tried twice.
_QUOTED_TEXT = r'(?:[^"\\$%\r\n]++|\\[^\r\n]|\$\$\{|\$(?!\{|\Z)|%%\{|%(?!\{|\Z))'
_LINE_TEXT = r"(?:[^$%\n]++|\$\$\{|\$(?!\{)|%%\{|%(?!\{))"

_MAIN = re.compile(
    rf"""
    [ \t]*+(?:
      (?P<identifier>[A-Za-z_][A-Za-z0-9_-]*+(?![^\x00-\x7f]))
    | (?P<newline>\r?\n)
    | (?P<string>"{_QUOTED_TEXT}*")
    | (?P<number>[0-9](?:[0-9.]|[eE][+-]?[0-9])*(?<!\.))
    | (?P<comment>(?:\#|//)[^\n]*+\n?)
    | (?P<long_comment>/\*)
    | (?P<heredoc><<-?[A-Za-z0-9_\-\x80-\U0010ffff]++\r?\n)
    | (?P<mark>==|!=|>=|<=|&&|\|\||::|\.\.\.|=>|[\[\]().,*/%+\-=<>!?:&|^;`'])
    | (?P<open>\{{)
    | (?P<close>~?\}})
    | (?P<tilde>~)
    | (?P<quote>")
    | (?P<word>[A-Za-z_][A-Za-z0-9_-]*+|[^\x00-\x7f])
    | (?P<end>\Z)
    | (?P<invalid>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_QUOTED = re.compile(
    rf"""
      (?P<text>{_QUOTED_TEXT}+)
    | (?P<interpolation>\$\{{~?)
    | (?P<directive>%\{{~?)
    | (?P<close>")
    | (?P<newlines>[\r\n]++)
    | (?P<end>\Z)
    | (?P<invalid>.)
    """,
    re.VERBOSE | re.DOTALL,
)
_LINES = re.compile(
    rf"""
      (?P<line>{_LINE_TEXT}*\n)
    | (?P<text>{_LINE_TEXT}+)
    | (?P<interpolation>\$\{{~?)
    | (?P<directive>%\{{~?)
    | (?P<end>\Z)
    """,
    re.VERBOSE | re.DOTALL,
)


def tokenize(text: str, *, template: bool = False, comments: bool = False, base: int = 0) -> Tokens:
    """The tokens of a text: of a configuration or expression, or of a bare `template`.

    Without `comments`, comments are left out, except that one which runs to the end of its line stands as
    that line's `NEWLINE`. `base` is added to all offsets.
    """
    return _Tokenizer(text, comments, base).run(template)


class _Tokenizer:
    """The state of one run: where it is, and in what it is nested."""

    def __init__(self, text: str, comments: bool, base: int) -> None:
        self.text = text
        self.tokens = Tokens(text, base)
        self.comments = comments
        self.at = 1 if text.startswith(BYTE_ORDER_MARK) else 0
        # What to return to after a template sequence or a template ends.
        self.nesting: list[tuple[str, str]] = []
        self.braces = 0
        self.returns: list[int] = []
        self.heredocs: list[list[object]] = []
        self.no_long_comment_ends_after = len(text) + 1

    def run(self, template: bool) -> Tokens:
        """Tokenize all of the text."""
        mode = "lines" if template else "main"
        scan = {"main": self._main, "quoted": self._quoted, "heredoc": self._heredoc, "lines": self._bare}
        while mode:
            mode = scan[mode]()
        self._add(END, len(self.text), len(self.text))
        return self._rebased()

    def _rebased(self) -> Tokens:
        tokens = self.tokens
        if tokens.base:
            tokens.starts = [start + tokens.base for start in tokens.starts]
            tokens.ends = [end + tokens.base for end in tokens.ends]
        return tokens

    def _add(self, kind: str, start: int, end: int) -> None:
        self.tokens.kinds.append(kind)
        self.tokens.starts.append(start)
        self.tokens.ends.append(end)

    def _main(self) -> str:
        """Scan expressions and bodies until the text ends or the mode changes; the new mode, or nothing."""
        text = self.text
        add_kind = self.tokens.kinds.append
        add_start = self.tokens.starts.append
        add_end = self.tokens.ends.append
        for found in _MAIN.finditer(text, self.at):
            kind = found.lastgroup
            start, end = found.span(kind or 0)
            if kind == "mark":
                add_kind(text[start:end])
            elif kind == "identifier" or kind == "newline" or kind == "string" or kind == "number":
                add_kind(kind)
            elif kind == "open":
                self.braces += 1
                add_kind("{")
            elif kind == "close":
                if self._closes(start, end):
                    self.at = end
                    return self._pop()
                continue
            elif kind == "comment":
                if not self.comments:
                    if text[end - 1] != "\n":
                        continue
                    add_kind(NEWLINE)
                else:
                    add_kind(COMMENT)
            else:
                self.at = end
                return self._uncommon(kind or "", start, end)
            add_start(start)
            add_end(end)
        return ""

    def _closes(self, start: int, end: int) -> bool:
        """Add a closing brace; whether it ended a template sequence."""
        ended = bool(self.returns) and self.returns[-1] == self.braces
        self.braces -= 1
        self._add(SEQUENCE_END if ended or end - start == 2 else "}", start, end)
        if ended:
            self.returns.pop()
        return ended

    def _uncommon(self, kind: str, start: int, end: int) -> str:
        """Deal with what changes the mode, or needs more than one look; the mode to go on with."""
        if kind == "end":
            return ""
        if kind == "quote":
            self._add(OPEN_QUOTE, start, end)
            return self._push("quoted", "main")
        if kind == "heredoc":
            return self._open_heredoc(start, end)
        if kind == "long_comment":
            self._long_comment(start)
        elif kind == "word":
            self._word(start, end)
        else:
            self._add("~" if kind == "tilde" else INVALID, start, end)
        return "main"

    def _push(self, mode: str, back: str) -> str:
        self.nesting.append((mode, back))
        return mode

    def _pop(self) -> str:
        return self.nesting.pop()[1]

    def _open_heredoc(self, start: int, end: int) -> str:
        marker = self.text[start + 2 : end].removeprefix("-").rstrip("\r\n")
        if not is_identifier(marker):
            self._add("<", start, start + 1)
            self.at = start + 1
            return "main"
        self._add(OPEN_HEREDOC, start, end)
        self.heredocs.append([marker, True])
        return self._push("heredoc", "main")

    def _long_comment(self, start: int) -> None:
        end = -1
        if start < self.no_long_comment_ends_after:
            end = self.text.find("*/", start + 2)
        if end < 0:
            self.no_long_comment_ends_after = min(start, self.no_long_comment_ends_after)
            self._add("/", start, start + 1)
            self.at = start + 1
        else:
            self.at = end + 2
            if self.comments:
                self._add(COMMENT, start, self.at)

    def _word(self, start: int, end: int) -> None:
        """Add a name with characters that are not ASCII, or the first of them where it is none of a name."""
        text = self.text
        if not text[start].isidentifier():
            self._add(INVALID, start, end)
            return
        while end < len(text) and (text[end] == "-" or ("a" + text[end]).isidentifier()):
            end += 1
        self._add(IDENTIFIER, start, end)
        self.at = end

    def _sequence(self, kind: str, start: int, end: int, back: str) -> str:
        """Enter a template sequence, from the mode to come back to."""
        self._add(INTERPOLATION if kind == "interpolation" else DIRECTIVE, start, end)
        self.braces += 1
        self.returns.append(self.braces)
        if self.heredocs:
            self.heredocs[-1][1] = False
        self.at = end
        return self._push("main", back)

    def _quoted(self) -> str:
        for found in _QUOTED.finditer(self.text, self.at):
            kind = found.lastgroup or ""
            start, end = found.span()
            if kind == "text":
                self._add(TEXT, start, end)
            elif kind == "close":
                self._add(CLOSE_QUOTE, start, end)
                self.at = end
                return self._pop()
            elif kind == "newlines":
                self._add(TEXT_NEWLINE, start, end)
            elif kind == "invalid":
                self._add(INVALID, start, end)
            elif kind == "end":
                return ""
            else:
                return self._sequence(kind, start, end, "quoted")
        return ""

    def _heredoc(self) -> str:
        state = self.heredocs[-1]
        marker = state[0]
        for found in _LINES.finditer(self.text, self.at):
            kind = found.lastgroup or ""
            start, end = found.span()
            if kind == "line":
                if state[1] and self.text[start:end].strip() == marker:
                    newline = end - 2 if self.text.endswith("\r\n", start, end) else end - 1
                    self._add(CLOSE_HEREDOC, start, newline)
                    self._add(NEWLINE, newline, end)
                    self.heredocs.pop()
                    self.at = end
                    return self._pop()
                state[1] = True
                self._add(TEXT, start, end)
            elif kind == "text":
                state[1] = False
                if end == len(self.text) and self.text[end - 1] in "$%":
                    # The text ended before it could tell what the character introduces.
                    end -= 1
                    self._add(TEXT, start, end)
                    self._add(INVALID, end, end + 1)
                else:
                    self._add(TEXT, start, end)
            elif kind == "end":
                return ""
            else:
                return self._sequence(kind, start, end, "heredoc")
        return ""

    def _bare(self) -> str:
        for found in _LINES.finditer(self.text, self.at):
            kind = found.lastgroup or ""
            start, end = found.span()
            if kind in ("line", "text"):
                self._add(TEXT, start, end)
            elif kind == "end":
                return ""
            else:
                return self._sequence(kind, start, end, "lines")
        return ""


def is_identifier(text: str) -> bool:
    """Whether the text is a name of the language: letters, digits, underscores and dashes, no digit first."""
    return text.replace("-", "_").isidentifier() and text[0] != "-"


def bracket_depth(text: str) -> int:
    """How many brackets and templates that open in the text do not close in it; for an interactive prompt."""
    depth = 0
    for kind in tokenize(text).kinds:
        if kind in ("{", "[", "(", OPEN_QUOTE, OPEN_HEREDOC, INTERPOLATION, DIRECTIVE):
            depth += 1
        elif kind in ("}", "]", ")", CLOSE_QUOTE, CLOSE_HEREDOC, SEQUENCE_END):
            depth -= 1
    return depth


_BITWISE = {
    "&": "For a logical and, write &&.",
    "|": "For a logical or, write ||.",
    "~": "For a logical not, write !.",
    "^": "Remove it.",
}
_ONCE = 1
_MOST_BITWISE = 4


def invalid_token_diagnostics(source: Source, tokens: Tokens) -> list[Diagnostic]:
    """What is wrong with the tokens that the language does not have, with few repetitions."""
    kinds = tokens.kinds
    if not _SUSPECT.intersection(kinds):
        return []
    found: list[Diagnostic] = []
    told: dict[str, int] = {}
    for index, kind in enumerate(kinds):
        if kind not in _SUSPECT:
            continue
        place = SourceRange(source, tokens.starts[index], tokens.ends[index])
        alike = "&" if kind in _BITWISE else kind
        seen = told[alike] = told.get(alike, 0) + 1
        problem = _problem(kind, tokens.word(index), place, seen)
        if problem is not None:
            found.append(problem)
    return found


_SUSPECT = frozenset({*_BITWISE, "`", "'", ";", TEXT_NEWLINE, INVALID})


def _problem(kind: str, text: str, place: SourceRange, seen: int) -> Diagnostic | None:
    if kind in _BITWISE:
        if seen > _MOST_BITWISE:
            return None
        return error(
            "No such operator",
            f"The language has no bitwise operators such as {kind}.",
            place,
            mend=_BITWISE[kind],
        )
    if kind == "`" or kind == "'":
        # Quotes come in pairs, and one remark for a pair is enough.
        if not seen & 1 and seen < 3:
            return None
        mend = (
            "A text of several lines is written as a heredoc: <<EOT, the lines, EOT."
            if kind == "`"
            else 'Write strings in double quotes: "text".'
        )
        return error(
            "Unexpected character", f"The character {kind} has no meaning in the language.", place, mend=mend
        )
    if kind == ";":
        if seen > _ONCE:
            return None
        return error(
            "Unexpected character",
            "A semicolon has no meaning in the language.",
            place,
            mend="Separate arguments and blocks by line ends, and items of collections by commas.",
        )
    if kind == TEXT_NEWLINE:
        return error(
            "Line end inside quotes",
            "A quoted string must end on the line where it starts.",
            place,
            mend="Close the quotes, write \\n for a line end, or use a heredoc (<<EOT) for several lines.",
        )
    if "\udc80" <= text <= "\udcff":
        return error(
            "Not UTF-8",
            "The file has bytes that are not valid UTF-8.",
            place,
            mend="Save it in the UTF-8 encoding.",
        )
    if text in "“”„‟":
        mend = 'These are typographic quotes, as word processors make them; write straight ones: "text".'
        return error(
            "Unexpected character", f"The character {text} has no meaning in the language.", place, mend=mend
        )
    return error(
        "Unexpected character",
        f"The character {_shown(text)} has no meaning in the language.",
        place,
        mend="Remove it.",
    )


def _shown(text: str) -> str:
    return text if text.isprintable() and not text.isspace() else f"U+{ord(text[0]):04X}"
