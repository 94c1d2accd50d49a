"""Reading what stands in brackets: parentheses, tuples, objects and `for` expressions."""

from __future__ import annotations

from twinfra.diagnostics import SourceRange
from twinfra.lang.nodes import (
    Expression,
    For,
    Literal,
    ObjectExpression,
    ObjectItem,
    Parentheses,
    TupleExpression,
    Variable,
)
from twinfra.lang.parsing.steps import StepReader, name_of
from twinfra.lang.tokens import END, IDENTIFIER, NEWLINE


class BracketReader(StepReader):
    """Reads bracketed expressions; what is inside is for its subclass."""

    def _parentheses(self) -> Expression:
        opening = self.read()
        skipping, self.skipping = self.skipping, True
        before = len(self.diagnostics)
        inner = self.expression()
        if len(self.diagnostics) > before:
            self.recover(")")
            self.skipping = skipping
            return inner
        if self.peek() != ")":
            self.fail(
                "Missing closing parenthesis",
                "The expression in parentheses has ended: here the closing parenthesis must stand.",
                self.next_range(),
                mend="Write ) after the expression.",
            )
            self.recovering = True
        closing = self.read()
        self.skipping = skipping
        return Parentheses(inner, self.range(self.starts[opening], self.ends[closing]))

    def _tuple(self) -> Expression:
        opening = self.read()
        skipping, self.skipping = self.skipping, True
        if self.peek_word() == "for":
            found = self._for(opening, "]")
        else:
            elements, closing = self._elements(opening)
            found = TupleExpression(tuple(elements), self.range(self.starts[opening], self.ends[closing]))
        self.skipping = skipping
        return found

    def _elements(self, opening: int) -> tuple[list[Expression], int]:
        elements: list[Expression] = []
        while True:
            if self.peek() == "]":
                return elements, self.read()
            before = len(self.diagnostics)
            elements.append(self.expression())
            if self.recovering and len(self.diagnostics) > before:
                return elements, self.recover("]")
            kind = self.peek()
            if kind == "]":
                return elements, self.read()
            if kind != ",":
                if not self.recovering:
                    self._unclosed_or_unseparated(kind, opening, "]", "a comma", "items")
                return elements, self.recover("]")
            self.read()

    def _unclosed_or_unseparated(
        self, kind: str, opening: int, closer: str, separator: str, parts: str
    ) -> None:
        if kind == END:
            self.fail(
                "Unclosed bracket",
                f"This {self.word(opening)} is never closed.",
                self.range_of(opening),
                mend=f"Write {closer} after the last of the {parts}.",
            )
        else:
            self.fail(
                "Missing separator",
                f"Here {separator} or {closer} must stand: the {parts} are to be separated.",
                self.next_range(),
                mend=f"Write {separator} before this.",
            )

    def _object(self) -> Expression:
        opening = self.read()
        skipping, self.skipping = self.skipping, True
        at = self.at
        is_for = self.peek_word() == "for"
        if is_for:
            found: Expression = self._for(opening, "}")
        else:
            self.at = at
            self.skipping = False
            items, closing = self._items(opening)
            found = ObjectExpression(tuple(items), self.range(self.starts[opening], self.ends[closing]))
        self.skipping = skipping
        return found

    def _items(self, opening: int) -> tuple[list[ObjectItem], int]:
        items: list[ObjectItem] = []
        while True:
            kind = self.peek()
            if kind == NEWLINE:
                self.read()
                continue
            if kind == "}":
                return items, self.read()
            before = len(self.diagnostics)
            key = self.expression()
            if self.recovering and len(self.diagnostics) > before:
                return items, self.recover("}")
            kind = self.peek()
            if kind != "=" and kind != ":":
                if not self.recovering:
                    self._missing_value(kind, opening)
                return items, self.recover("}")
            self.read()
            before = len(self.diagnostics)
            value = self.expression()
            if self.recovering and len(self.diagnostics) > before:
                return items, self.recover("}")
            items.append(_item(key, value))
            kind = self.peek()
            if kind == "}":
                return items, self.read()
            if kind != "," and kind != NEWLINE:
                if not self.recovering:
                    self._unclosed_or_unseparated(kind, opening, "}", "a comma or a line end", "items")
                return items, self.recover("}")
            self.read()

    def _missing_value(self, kind: str, opening: int) -> None:
        if kind == END:
            self._unclosed_or_unseparated(kind, opening, "}", "", "items")
            return
        detail = "After the key of an item, an equals sign and the value must follow."
        mend = "Write = and the value."
        if kind == IDENTIFIER:
            mend = "Write = before the value; put a key that has spaces or dots in quotes."
        self.fail("Missing value", detail, self.next_range(), mend=mend)

    def _for(self, opening: int, closer: str) -> Expression:
        """A for expression, whose opening bracket has been read; line ends are being skipped."""
        self.read()
        key_name, value_name = "", ""
        if self.peek() != IDENTIFIER:
            return self._bad_for("After for, a name for the elements must follow.", opening, closer)
        value_name = name_of(self.word(self.read()))
        if self.peek() == ",":
            key_name = value_name
            self.read()
            if self.peek() != IDENTIFIER:
                return self._bad_for("After the comma, a name for the values must follow.", opening, closer)
            value_name = name_of(self.word(self.read()))
        if self.peek_word() != "in":
            return self._bad_for('After the names of a for, the word "in" must follow.', opening, closer)
        self.read()
        before = len(self.diagnostics)
        collection = self.expression()
        if self.recovering and len(self.diagnostics) > before:
            return self._give_up_for(opening, closer)
        if self.peek() != ":":
            return self._bad_for("After the collection of a for, a colon must follow.", opening, closer)
        self.read()
        key: Expression | None = None
        value = self.expression()
        if self.peek() == "=>":
            self.read()
            key, value = value, self.expression()
        if self.recovering and len(self.diagnostics) > before:
            return self._give_up_for(opening, closer)
        dots = -1
        if self.peek() == "...":
            dots = self.read()
        condition: Expression | None = None
        if self.peek_word() == "if":
            self.read()
            condition = self.expression()
            if self.recovering and len(self.diagnostics) > before:
                return self._give_up_for(opening, closer)
        if self.peek() == closer:
            closing = self.read()
        else:
            if not self.recovering:
                self._for_error(f"The for expression must end here, with {closer}.", self.next_range())
            closing = self.recover(closer)
        place = self.range(self.starts[opening], self.ends[closing])
        if closer == "]":
            if key is not None:
                self._for_error("A for in brackets makes a list, which has no keys.", key.range)
            if dots >= 0:
                self._for_error(
                    "Three dots group by key, which only a for in braces can do.", self.range_of(dots)
                )
        elif key is None:
            self._for_error("A for in braces needs a key: key => value.", value.range)
        return For(key_name, value_name, collection, key, value, condition, dots >= 0, place)

    def _for_error(self, detail: str, place: SourceRange) -> None:
        self.fail(
            "Invalid for expression",
            detail,
            place,
            mend="The forms are [for v in list : value if condition] and {for k, v in map : key => value}.",
        )

    def _bad_for(self, detail: str, opening: int, closer: str) -> Expression:
        if not self.recovering:
            self._for_error(detail, self.next_range())
        return self._give_up_for(opening, closer)

    def _give_up_for(self, opening: int, closer: str) -> Expression:
        return self.placeholder(self.starts[opening], self.ends[self.recover(closer)])


def _item(key: Expression, value: Expression) -> ObjectItem:
    """An item of an object; a bare name as key, also `true` or `null`, is a string."""
    if isinstance(key, Variable):
        return ObjectItem(Literal(key.name, key.range), value, True)
    if isinstance(key, Literal) and (key.value is None or isinstance(key.value, bool)):
        return ObjectItem(Literal(key.range.text, key.range), value, True)
    return ObjectItem(key, value)
