"""Reading the steps that follow a term: attributes, indexes and splats."""

from __future__ import annotations

from unicodedata import normalize

from twinfra.diagnostics import SourceRange
from twinfra.lang.nodes import Expression, GetAttr, Index, Literal, Splat, SplatElement
from twinfra.lang.parsing.templates import TemplateReader
from twinfra.lang.tokens import IDENTIFIER, NUMBER
from twinfra.values.numbers import NumberError, parse_number
from twinfra.values.value import UNKNOWN, Value

_MAX_STEPS = 10_000


def name_of(text: str) -> str:
    """A name as written, in the normal form that all strings of the language have."""
    return text if text.isascii() else normalize("NFC", text)


class StepReader(TemplateReader):
    """Reads what follows a term; which terms there are, and whole expressions, is for its subclasses."""

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
