"""Reading source text in native syntax: configurations, expressions, templates and addresses.

All functions return what they could read and the diagnostics; with errors among those, what was read is
partial. They take time in proportion to the length of the text, and raise nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from twinfra.diagnostics import Diagnostic, Source, SourceRange, error
from twinfra.lang.body import NativeBody
from twinfra.lang.nodes import Expression, GetAttr, Index, Literal, Variable
from twinfra.lang.parsing.bodies import BodyReader
from twinfra.lang.parsing.cursor import TooDeepError
from twinfra.lang.tokens import END, invalid_token_diagnostics, tokenize
from twinfra.values.value import UNKNOWN

_Read = TypeVar("_Read")


def parse_config(source: Source) -> tuple[NativeBody, list[Diagnostic]]:
    """The body of a configuration file or file of variables."""
    empty = SourceRange(source, 0, 0)
    return _read(source, lambda reader: reader.body(END), lambda: NativeBody({}, (), empty, empty))


def parse_expression(source: Source) -> tuple[Expression, list[Diagnostic]]:
    """One expression, as people type it in the console or give it with -var."""
    return expression_in(source, source.text, 0)


def expression_in(source: Source, text: str, base: int) -> tuple[Expression, list[Diagnostic]]:
    """The expression `text`, which begins at the offset `base` of a source."""

    def read(reader: BodyReader) -> Expression:
        reader.skipping = True
        found = reader.expression()
        if reader.peek() != END and not reader.recovering:
            reader.fail(
                "Text after the expression",
                "The expression ends before this.",
                reader.next_range(),
                mend="Remove what follows, or join it with an operator.",
            )
        return found

    whole = SourceRange(source, base, base + len(text))
    return _read(source, read, lambda: Literal(UNKNOWN, whole), text=text, base=base)


def parse_template(source: Source) -> tuple[Expression, list[Diagnostic]]:
    """The whole text as a template, as `templatefile` reads files and JSON files write strings."""
    return template_in(source, source.text, 0)


def template_in(source: Source, text: str, base: int) -> tuple[Expression, list[Diagnostic]]:
    """The template `text`, which begins at the offset `base` of a source."""
    whole = SourceRange(source, base, base + len(text))
    if "${" not in text and "%{" not in text:
        from twinfra.lang.parsing.steps import name_of

        return Literal(name_of(text), whole), []
    return _read(
        source,
        lambda reader: reader.bare_template(),
        lambda: Literal(UNKNOWN, whole),
        text=text,
        base=base,
        template=True,
    )


def parse_traversal(source: Source) -> tuple[Expression, list[Diagnostic]]:
    """An address such as `module.m["a"].aws_vpc.main[0]`: names joined by dots, literal keys in brackets."""
    found, problems = parse_expression(source)
    node = found
    while not problems:
        if isinstance(node, GetAttr) or (isinstance(node, Index) and isinstance(node.key, Literal)):
            node = node.source
        elif isinstance(node, Variable):
            break
        else:
            problems = [
                error(
                    "Not an address",
                    "An address is made of names joined by dots, and keys in brackets.",
                    node.range,
                    mend='Write it like module.network["a"].aws_vpc.main[0].',
                )
            ]
    return found, problems


def _read(
    source: Source,
    read: Callable[[BodyReader], _Read],
    empty: Callable[[], _Read],
    *,
    text: str | None = None,
    base: int = 0,
    template: bool = False,
) -> tuple[_Read, list[Diagnostic]]:
    tokens = tokenize(source.text if text is None else text, template=template, base=base)
    problems = invalid_token_diagnostics(source, tokens)
    reader = BodyReader(source, tokens)
    try:
        found = read(reader)
    except TooDeepError:
        found = empty()
    except RecursionError:
        # Little of the stack was left to begin with.
        reader.diagnostics.append(
            error(
                "Nested too deeply",
                "The expressions and blocks here are nested too deeply.",
                reader.range_of(reader.at),
                mend="Split it: name inner parts as local values.",
            )
        )
        found = empty()
    return found, problems + reader.diagnostics
