"""Reading expressions: recursive descent, with the precedence of operators climbed in one loop.

The grammar is that of the HCL native syntax specification. Diagnostics stand where stock Terraform places
them.
"""

from __future__ import annotations

from collections.abc import Callable
from unicodedata import normalize

from twinfra.diagnostics import SourceRange
from twinfra.lang.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    GetAttr,
    Index,
    Literal,
    ObjectExpression,
    ObjectItem,
    Parentheses,
    Splat,
    SplatElement,
    TupleExpression,
    Unary,
    Variable,
)
from twinfra.lang.parsing.templates import TemplateReader
from twinfra.lang.tokens import END, IDENTIFIER, NEWLINE, NUMBER, OPEN_HEREDOC, OPEN_QUOTE, STRING
from twinfra.values.numbers import NumberError, parse_number
from twinfra.values.value import UNKNOWN, Value

PRECEDENCE = {
    "||": 1,
    "&&": 2,
    "==": 3,
    "!=": 3,
    ">": 4,
    ">=": 4,
    "<": 4,
    "<=": 4,
    "+": 5,
    "-": 5,
    "*": 6,
    "/": 6,
    "%": 6,
}
_KEYWORD_VALUES: dict[str, Value] = {"true": True, "false": False, "null": None}


def name_of(text: str) -> str:
    """A name as written, in the normal form that all strings of the language have."""
    return text if text.isascii() else normalize("NFC", text)


class ExpressionReader(TemplateReader):
    """Reads expressions; on errors it complains and returns what it has, or a placeholder."""

    def expression(self) -> Expression:
        """An expression of any kind."""
        start = self._start()
        before = len(self.diagnostics)
        condition = self._operation(1)
        if self.peek() != "?" or (self.recovering and len(self.diagnostics) > before):
            return condition
        self.deeper()
        self.read()
        before = len(self.diagnostics)
        then = self.expression()
        if self.recovering and len(self.diagnostics) > before:
            self.depth -= 1
            return condition
        if self.peek() != ":":
            self.fail(
                "Incomplete conditional",
                "A conditional needs a value for either case: condition ? value if true : value if false.",
                self.next_range(),
                mend="Write a colon and the value for the other case.",
            )
            self.depth -= 1
            return condition
        self.read()
        before = len(self.diagnostics)
        otherwise = self.expression()
        self.depth -= 1
        if self.recovering and len(self.diagnostics) > before:
            return condition
        return Conditional(condition, then, otherwise, self.range(start, otherwise.range.end))

    def _start(self) -> int:
        self.peek()
        return self.starts[self.at]

    def _operation(self, lowest: int) -> Expression:
        """Operands joined by binary operators of at least the precedence `lowest`."""
        before = len(self.diagnostics)
        left = self._operand()
        while True:
            operator = self.peek()
            precedence = PRECEDENCE.get(operator, 0)
            if precedence < lowest or (self.recovering and len(self.diagnostics) > before):
                return left
            self.read()
            if precedence == 6:
                right = self._operand()
            else:
                self.deeper()
                right = self._operation(precedence + 1)
                self.depth -= 1
            if self.recovering and len(self.diagnostics) > before:
                return left
            left = Binary(operator, left, right, self.range(left.range.start, right.range.end))

    def _operand(self) -> Expression:
        """A term with the steps that follow it (`.name`, `[key]`, splats), and prefix operators before it."""
        kind = self.peek()
        at = self.at
        if kind == IDENTIFIER:
            self.at = at + 1
            following = self.kinds[at + 1]
            if following == "." or following == "[":
                return self._steps(self._named(at))
            if following == "(" or following == "::" or following == NEWLINE:
                return self._steps(self._name(at))
            return self._named(at)
        if kind == STRING:
            self.at = at + 1
            return self._steps(self.plain_string(at))
        if kind == "-" or kind == "!":
            self.at = at + 1
            self.deeper()
            operand = self._operand()
            self.depth -= 1
            return Unary(kind, operand, self.range(self.starts[at], operand.range.end))
        return self._steps(self._term(kind))

    def _term(self, kind: str) -> Expression:
        at = self.at
        if kind == NUMBER:
            self.at = at + 1
            return Literal(self._number(at), self.range_of(at))
        if kind in (OPEN_QUOTE, OPEN_HEREDOC):
            self.deeper()
            found = self.template_literal()
            self.depth -= 1
            return found
        bracketed = _BRACKETED.get(kind)
        if bracketed is not None:
            self.deeper()
            found = bracketed(self)
            self.depth -= 1
            return found
        if not self.recovering:
            if kind == END:
                self.fail(
                    "Missing expression",
                    "An expression must stand here, but this is where the text ends.",
                    self.next_range(),
                    mend="Write a value.",
                )
            else:
                self.fail(
                    "Invalid expression",
                    "An expression must start here: a literal, a reference, a call, or a bracket.",
                    self.next_range(),
                    mend="Write a value.",
                )
        self.recovering = True
        return self.placeholder(self.starts[at], self.ends[at])

    def _number(self, index: int) -> Value:
        try:
            return parse_number(self.word(index))
        except NumberError as reason:
            self.fail(
                "Invalid number",
                f"This is not a number: {reason.reason}.",
                self.range_of(index),
                mend="Write digits, with one dot at most.",
            )
            return UNKNOWN

    def _named(self, index: int) -> Expression:
        """A term that starts with a name, which has been read."""
        name = self.word(index)
        if name in _KEYWORD_VALUES:
            return Literal(_KEYWORD_VALUES[name], self.range_of(index))
        return Variable(name_of(name), self.range_of(index))

    def _name(self, index: int) -> Expression:
        following = self.peek()
        if following == "(" or following == "::":
            return self._call(index)
        return self._named(index)

    def _steps(self, term: Expression) -> Expression:
        """The steps that follow a term."""
        taken = 0
        start = term.range.start
        while True:
            kind = self.peek()
            if kind == ".":
                dot = self.read()
                kind = self.peek()
                if kind == IDENTIFIER:
                    at = self.read()
                    end = self.ends[at]
                    term = GetAttr(
                        term,
                        name_of(self.word(at)),
                        SourceRange(self.source, start, end),
                        SourceRange(self.source, self.starts[dot], end),
                    )
                elif kind == NUMBER:
                    term = self._legacy_index(term, dot)
                elif kind == "*":
                    term = self._attribute_splat(term, dot)
                else:
                    self.fail(
                        "Missing name",
                        "After a dot, the name of an attribute must follow.",
                        self.next_range(),
                        mend="Write the name, or remove the dot.",
                    )
                    self.recovering = True
                    term = self.placeholder(start, self.ends[dot])
            elif kind == "[":
                term = self._bracket_step(term)
            else:
                return term
            taken += 1
            if taken > _MAX_STEPS:
                self.too_deep()

    def _legacy_index(self, term: Expression, dot: int) -> Expression:
        at = self.read()
        if "." in self.word(at):
            first, _, second = self.word(at).partition(".")
            self.fail(
                "Ambiguous index",
                "Two indexes in a row cannot be written with dots, since that reads as a fraction.",
                self.range_of(at),
                mend=f"Write [{first}][{second}].",
            )
            key: Value = UNKNOWN
        else:
            key = self._number(at)
        return Index(
            term,
            Literal(key, self.range_of(at)),
            self.range(term.range.start, self.ends[at]),
            self.range(self.starts[dot], self.ends[at]),
            True,
        )

    def _attribute_splat(self, term: Expression, dot: int) -> Expression:
        """`.*` and the names and legacy indexes that follow it."""
        star = self.read()
        place = self.range(self.starts[dot], self.ends[star])
        each: Expression = SplatElement(place)
        taken = 0
        while self.peek() == ".":
            dot = self.read()
            kind = self.peek()
            if kind == NUMBER:
                each = self._legacy_index(each, dot)
            elif kind == IDENTIFIER:
                at = self.read()
                each = GetAttr(
                    each,
                    name_of(self.word(at)),
                    self.range(each.range.start, self.ends[at]),
                    self.range(self.starts[dot], self.ends[at]),
                )
            else:
                self._bad_splat_step(star)
                return term
            taken += 1
            if taken > _MAX_STEPS:
                self.too_deep()
        return Splat(term, each, self.range(term.range.start, each.range.end), place, False)

    def _bad_splat_step(self, star: int) -> None:
        if not self.recovering:
            if self.peek() == "*":
                self.fail(
                    "Splat inside a splat",
                    "A .* cannot follow another .* in the same chain.",
                    self.next_range(),
                    mend="Use [*] instead, or a for expression.",
                )
            else:
                self.fail(
                    "Missing name",
                    "After a dot, the name of an attribute must follow.",
                    self.range_of(star),
                    mend="Write the name, or remove the dot.",
                )
        self.recovering = True

    def _bracket_step(self, term: Expression) -> Expression:
        """`[key]`, or `[*]` with all steps that follow it."""
        opening = self.read()
        if self.peek() == "*":
            return self._full_splat(term, opening)
        self.deeper()
        skipping, self.skipping = self.skipping, True
        before = len(self.diagnostics)
        key = self.expression()
        if self.recovering and len(self.diagnostics) > before:
            closing = self.recover("]")
        else:
            closing = self.read()
            if self.kinds[closing] != "]" and not self.recovering:
                closing = self._missing_bracket("An index must end with a closing bracket, ].")
        self.skipping = skipping
        self.depth -= 1
        end = self.ends[closing]
        return Index(term, key, self.range(term.range.start, end), self.range(self.starts[opening], end))

    def _full_splat(self, term: Expression, opening: int) -> Expression:
        self.read()
        closing = self.read()
        if self.kinds[closing] != "]" and not self.recovering:
            closing = self._missing_bracket("The star of a splat must be followed by a closing bracket: [*].")
        place = self.range(self.starts[opening], self.ends[closing])
        self.deeper()
        each = self._steps(SplatElement(place))
        self.depth -= 1
        return Splat(term, each, self.range(term.range.start, each.range.end), place, True)

    def _missing_bracket(self, detail: str) -> int:
        """Complain where reading can go on, as stock Terraform does; the token there."""
        closing = self.recover("]")
        self.fail("Missing closing bracket", detail, self.range_of(closing), mend="Write ] before this.")
        return closing

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

    def _call(self, first: int) -> Expression:
        """A function call of which the first name has been read."""
        name = self.word(first)
        last = first
        opening = self.read()
        while self.kinds[opening] == "::":
            last = self.read()
            if self.kinds[last] != IDENTIFIER:
                self.fail(
                    "Missing function name",
                    "After :: the name of a function must follow.",
                    self.range_of(last),
                    mend="Write the name of the function.",
                )
                self._recover_over_call()
                return self.placeholder(self.starts[first], self.ends[last])
            name = f"{name}::{self.word(last)}"
            opening = self.read()
        if self.kinds[opening] != "(":
            self.fail(
                "Missing arguments",
                "The name of a function must be followed by its arguments in parentheses.",
                self.range_of(opening),
                mend=f"Write {name}(...).",
            )
            self._recover_over_call()
            return self.placeholder(self.starts[first], self.ends[opening])
        self.deeper()
        skipping, self.skipping = self.skipping, True
        arguments, expand, closing = self._arguments(first, opening)
        self.skipping = skipping
        self.depth -= 1
        return Call(
            name,
            tuple(arguments),
            expand,
            self.range(self.starts[first], self.ends[closing]),
            self.range(self.starts[first], self.ends[last]),
        )

    def _recover_over_call(self) -> None:
        while self.kinds[self.at] not in ("(", END):
            self.at += 1
        self.read()
        self.recover(")")

    def _arguments(self, first: int, opening: int) -> tuple[list[Expression], bool, int]:
        """Arguments up to the closing parenthesis; whether the last is expanded; the closing token."""
        arguments: list[Expression] = []
        while True:
            if self.peek() == ")":
                return arguments, False, self.read()
            before = len(self.diagnostics)
            arguments.append(self.expression())
            if self.recovering and len(self.diagnostics) > before:
                return arguments, False, self.recover(")")
            separator = self.read()
            kind = self.kinds[separator]
            if kind == ")":
                return arguments, False, separator
            if kind == "...":
                if self.peek() == ")":
                    return arguments, True, self.read()
                if not self.recovering:
                    self.fail(
                        "Missing closing parenthesis",
                        "Three dots expand the last argument: the closing parenthesis must follow them.",
                        self.range_of(separator),
                        mend="Write ) after the three dots.",
                    )
                return arguments, True, self.recover(")")
            if kind != ",":
                if kind == END:
                    self.fail(
                        "Unclosed call",
                        "The parenthesis of this call is never closed.",
                        self.range(self.starts[first], self.ends[opening]),
                        mend="Write ) after the last argument.",
                    )
                else:
                    self.fail(
                        "Missing comma",
                        "Arguments must be separated by commas.",
                        self.range_of(separator),
                        mend="Write a comma between the arguments.",
                    )
                return arguments, False, self.recover(")")

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


_MAX_STEPS = 10_000

_BRACKETED: dict[str, Callable[[ExpressionReader], Expression]] = {
    "(": ExpressionReader._parentheses,
    "[": ExpressionReader._tuple,
    "{": ExpressionReader._object,
}


def _item(key: Expression, value: Expression) -> ObjectItem:
    """An item of an object; a bare name as key, also `true` or `null`, is a string."""
    if isinstance(key, Variable):
        return ObjectItem(Literal(key.name, key.range), value, True)
    if isinstance(key, Literal) and (key.value is None or isinstance(key.value, bool)):
        return ObjectItem(Literal(key.range.text, key.range), value, True)
    return ObjectItem(key, value)
