"""Reading bodies: the attributes and blocks of a file or of a block."""

from __future__ import annotations

from twinfra.diagnostics import SourceRange
from twinfra.lang.body import NativeBody
from twinfra.lang.nodes import Attribute, Block
from twinfra.lang.parsing.expressions import ExpressionReader
from twinfra.lang.parsing.steps import name_of
from twinfra.lang.tokens import (
    CLOSE_QUOTE,
    DIRECTIVE,
    END,
    IDENTIFIER,
    INTERPOLATION,
    NEWLINE,
    OPEN_QUOTE,
    SEQUENCE_END,
    STRING,
    TEXT,
)

_HOW = 'An argument is written name = value, a block type "label" { } with its content in the braces.'


class BodyReader(ExpressionReader):
    """Reads bodies; items that cannot be read are left out, with a complaint."""

    def body(self, closer: str) -> NativeBody:
        """The items up to the token `closer` (`}` or the end), which is read too."""
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        before = self.previous()
        while True:
            kind = self.peek()
            if kind == NEWLINE:
                self.at += 1
            elif kind == IDENTIFIER:
                self._item(attributes, blocks)
            elif kind == closer:
                closing = self.read()
                break
            else:
                self._bad_item(kind, before)
                closing = self.recover("}") if closer == "}" else len(self.kinds) - 1
                break
        start, end = (
            (0, len(self.source.text)) if closer == END else (self.starts[before], self.ends[closing])
        )
        return NativeBody(
            attributes, tuple(blocks), SourceRange(self.source, start, end), self.range_of(before)
        )

    def _bad_item(self, kind: str, before: int) -> None:
        """Complain about what is no item, after reading it."""
        bad = self.read()
        if self.recovering:
            return
        place = self.range_of(bad)
        if kind == END:
            self.fail(
                "Unclosed block",
                "This brace is never closed.",
                self.range_of(before),
                mend="Write } after the content.",
            )
        elif kind in (OPEN_QUOTE, STRING):
            self.fail(
                "Quoted name",
                "The name of an argument is written without quotes.",
                place,
                mend="Remove the quotes.",
            )
        else:
            self.fail(
                "Argument or block expected", "Here an argument or a block must start.", place, mend=_HOW
            )

    def _item(self, attributes: dict[str, Attribute], blocks: list[Block]) -> None:
        name = self.at
        self.at += 1
        kind = self.peek()
        if kind == "=":
            attribute = self._attribute(name, False)
            existing = attributes.get(attribute.name)
            if existing is None:
                attributes[attribute.name] = attribute
            else:
                self.fail(
                    "Argument set twice",
                    f"{attribute.name} is already set in line {existing.range.first.line}.",
                    attribute.name_range,
                    mend="Keep one of the two.",
                )
        elif kind in ("{", STRING, IDENTIFIER, OPEN_QUOTE):
            blocks.append(self._block(name))
        else:
            self._no_item(name)

    def _no_item(self, name: int) -> None:
        self.recover_after_item()
        self.fail(
            "Argument or block expected",
            f"After {self.word(name)}, an equals sign or the content of a block must follow.",
            self.range_of(name),
            mend=_HOW,
        )

    def _attribute(self, name: int, single_line: bool) -> Attribute:
        """An argument, after its name; the line end after it is read too, unless `single_line`."""
        self.at += 1
        before = len(self.diagnostics)
        expression = self.expression()
        end = self.ends[self.previous()]
        if self.recovering and len(self.diagnostics) > before:
            self.recover_after_item()
        elif not single_line:
            kind = self.peek()
            if kind == NEWLINE:
                self.at += 1
            elif kind != END:
                if not self.recovering:
                    self._no_line_end(name, kind)
                self.recover_after_item()
        start = self.starts[name]
        place = self.range_of(name)
        return Attribute(name_of(self.word(name)), expression, SourceRange(self.source, start, end), place)

    def _no_line_end(self, name: int, kind: str) -> None:
        detail = "An argument must end with its line."
        mend = "Start a new line after the value."
        if kind == ",":
            detail = "Arguments are separated by line ends, not by commas."
            mend = "Remove the comma, and start a new line after the value."
        place = self.next_range()
        self.fail("Line end expected", detail, place, mend=mend, context=self.range_of(name).to(place))

    def _block(self, name: int) -> Block:
        """A block of which the type has been read."""
        labels: list[str] = []
        places: list[SourceRange] = []
        type_range = self.range_of(name)
        while True:
            kind = self.peek()
            at = self.at
            if kind == STRING:
                self.at += 1
                labels.append(self.plain_string(at).value)
                places.append(self.range_of(at))
            elif kind == "{":
                self.at += 1
                break
            elif kind == IDENTIFIER:
                self.at += 1
                labels.append(name_of(self.word(at)))
                places.append(self.range_of(at))
            elif kind == OPEN_QUOTE:
                label, place = self._label_with_template()
                labels.append(label)
                places.append(place)
            else:
                self._bad_header(kind, name)
                self.recover_after_item()
                return self._made(
                    name, labels, places, NativeBody({}, (), type_range, type_range), type_range
                )
        opening = at
        self.deeper()
        kind = self.peek()
        body = self.body("}") if kind in (NEWLINE, "}", END) else self._single_line_body(opening)
        self.depth -= 1
        kind = self.peek()
        if kind == NEWLINE:
            self.at += 1
        elif kind != END:
            if not self.recovering:
                place = self.next_range()
                self.fail(
                    "Line end expected",
                    "A block must end with its line.",
                    place,
                    mend="Start a new line after the closing brace.",
                    context=type_range.to(place),
                )
            self.recover_after_item()
        return self._made(name, labels, places, body, type_range)

    def _made(
        self,
        name: int,
        labels: list[str],
        places: list[SourceRange],
        body: NativeBody,
        type_range: SourceRange,
    ) -> Block:
        header = SourceRange(self.source, type_range.start, places[-1].end) if places else type_range
        return Block(name_of(self.word(name)), tuple(labels), body, header, type_range, tuple(places))

    def _bad_header(self, kind: str, name: int) -> None:
        place = self.next_range()
        context = self.range_of(name).to(place)
        if kind == "=":
            detail = "A block is written without an equals sign."
        elif kind == NEWLINE:
            detail = "The opening brace of a block must stand on the line of its type and labels."
        else:
            if self.recovering:
                return
            detail = "After the type of a block, its labels in quotes or its opening brace must follow."
        self.fail("Invalid block header", detail, place, mend=_HOW, context=context)

    def _label_with_template(self) -> tuple[str, SourceRange]:
        """A label that is more than plain text, which is an error; what can be made of it."""
        opening = self.read()
        parts: list[str] = []
        while True:
            index = self.read()
            kind = self.kinds[index]
            if kind == CLOSE_QUOTE:
                break
            if kind == TEXT:
                parts.append(self._unescaped(self.word(index), self.starts[index]))
                continue
            if kind in (INTERPOLATION, DIRECTIVE):
                self.fail(
                    "Template in a label",
                    "The labels of a block must be plain text.",
                    self.range_of(index),
                    mend=f"Write the text itself; for {kind} as such, double its first character.",
                )
                parts.append(kind + " }")
                self.recover(SEQUENCE_END)
                continue
            if kind == END:
                self.fail(
                    "Unclosed label",
                    "The quotes of this label are never closed.",
                    self.range_of(index),
                    mend='Write the closing quote, ".',
                )
                break
            self.fail(
                "Invalid label",
                "This cannot stand in the label of a block.",
                self.range_of(index),
                mend="Write plain text in quotes.",
            )
            self.recover(CLOSE_QUOTE)
            break
        return "".join(parts), self.range(self.starts[opening], self.ends[index])

    def _single_line_body(self, opening: int) -> NativeBody:
        """The body of a block on one line, `{ name = value }`, after its opening brace."""
        attributes: dict[str, Attribute] = {}
        missing = self.range_of(opening)
        if self.peek() != IDENTIFIER:
            place = self.next_range()
            self.recover_after_item()
            self.fail("Argument or block expected", "Here an argument must start.", place, mend=_HOW)
        else:
            name = self.read()
            kind = self.peek()
            if kind == "=":
                attribute = self._attribute(name, True)
                attributes[attribute.name] = attribute
                missing = attribute.range
            elif kind in (STRING, OPEN_QUOTE, "{", IDENTIFIER):
                place = self.range(self.starts[name], self.next_range().end)
                self.recover_after_item()
                self.fail(
                    "Block inside a block on one line",
                    f"A block on one line can hold one argument, and no block such as {self.word(name)}.",
                    place,
                    mend="Put the content on lines of its own.",
                )
            else:
                self._no_item(name)
        self._close_single_line(opening)
        # As in stock Terraform, the content of a block on one line begins with its argument, not its brace.
        place = self.range(missing.start, self.ends[self.previous()])
        return NativeBody(attributes, (), place, missing)

    def _close_single_line(self, opening: int) -> None:
        kind = self.peek()
        if kind == "}":
            self.at += 1
            return
        place = self.next_range()
        mend = "Put each argument on a line of its own, and the closing brace on the line after."
        if kind == ",":
            self.fail(
                "Several arguments on one line",
                "A block on one line can hold one argument only.",
                place,
                mend=mend,
            )
        elif kind == NEWLINE:
            self.fail(
                "Unclosed block on one line",
                "A block with an argument on the line of its brace must be closed on that line.",
                place,
                mend=mend,
            )
        elif not self.recovering:
            if kind == END:
                self.fail(
                    "Unclosed block",
                    "This brace is never closed.",
                    self.range_of(opening),
                    mend="Write } after the content.",
                )
            else:
                self.fail(
                    "Several arguments on one line",
                    "A block on one line can hold one argument only: here its closing brace must stand.",
                    place,
                    mend=mend,
                )
        self.recover("}")
