"""Reading expressions: recursive descent, with the precedence of operators climbed in one loop.

The grammar is that of the HCL native syntax specification. Diagnostics stand where stock Terraform places
them.
"""

from __future__ import annotations

from collections.abc import Callable

from twinfra.lang.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    Literal,
    Unary,
    Variable,
)
from twinfra.lang.parsing.brackets import BracketReader
from twinfra.lang.parsing.steps import name_of
from twinfra.lang.tokens import END, IDENTIFIER, NEWLINE, NUMBER, OPEN_HEREDOC, OPEN_QUOTE, STRING
from twinfra.values.value import Value

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


class ExpressionReader(BracketReader):
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


_BRACKETED: dict[str, Callable[[ExpressionReader], Expression]] = {
    "(": ExpressionReader._parentheses,
    "[": ExpressionReader._tuple,
    "{": ExpressionReader._object,
}
