"""Putting strings together: the parts of templates as text, and `%{ for }`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from unicodedata import normalize

from twinfra.lang.iteration import iterate
from twinfra.lang.nodes import TemplateFor, TemplatePart
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import mark
from twinfra.values.types import STRING
from twinfra.values.unknowns import UNKNOWN_STRING, unknown_text
from twinfra.values.value import EMPTY_MARKS, Marked, Unknown, Value, is_null

if TYPE_CHECKING:
    from twinfra.lang.interpreter import Interpreter


def evaluate_parts(run: Interpreter, parts: tuple[TemplatePart, ...]) -> Value:
    """The string that the parts of a template make together."""
    before = len(run.diagnostics)
    texts: list[str] = []
    marks = EMPTY_MARKS
    known = True
    for part in parts:
        value = run.value(part)
        if type(value) is Marked:
            marks |= value.marks
            value = value.value
        if type(value) is not str:
            if is_null(value):
                run.fail(
                    "Null in a template",
                    "This is null, which has no text.",
                    part.range,
                    'Give a value for that case, such as coalesce(x, "").',
                )
                continue
            if type(value) is Unknown:
                known = False
                continue
            try:
                value = convert(value, STRING)
            except ConversionError as failed:
                run.fail(
                    "No text in a template",
                    f"This has no text to put into a string: {failed.reason}.",
                    part.range,
                    "Use an element of it, or a function such as join or jsonencode.",
                )
                continue
        if known:
            texts.append(value)
    text = "".join(texts)
    if known:
        return mark(_normal(text), marks)
    return mark(UNKNOWN_STRING if len(run.diagnostics) > before else unknown_text(text), marks)


def evaluate_template_for(run: Interpreter, node: TemplateFor) -> Value:
    """The texts of all rounds of a `%{ for }` in one."""
    rounds = iterate(run, node.collection, node.key, node.value)
    if rounds is None or type(rounds.collection) is Unknown:
        return Unknown(STRING)
    texts: list[str] = []
    marks = rounds.marks
    for _ in rounds:
        text = evaluate_parts(run, node.body)
        if type(text) is Marked:
            marks |= text.marks
            text = text.value
        if type(text) is Unknown:
            return mark(Unknown(STRING), rounds.marks)
        texts.append(text)
    return mark(_normal("".join(texts)), marks)


def _normal(text: str) -> str:
    return text if text.isascii() else normalize("NFC", text)
