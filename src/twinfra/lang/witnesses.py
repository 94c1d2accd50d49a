"""The values that have a part in an error: what the expression at its place refers to, each in a few words.

Costs nothing until something fails. Sensitive values are never told, nor copies of them in the same object.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import TypeAlias

from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange
from twinfra.lang.interpreter import Interpreter
from twinfra.lang.nodes import Expression, GetAttr, Index, Literal, TemplatePart, Variable
from twinfra.lang.references import References, children
from twinfra.lang.scope import Scope
from twinfra.values.convert import type_of
from twinfra.values.marks import has_marks, unmark
from twinfra.values.numbers import format_number
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.sets import quoted
from twinfra.values.types import DYNAMIC, describe
from twinfra.values.value import EPHEMERAL, SENSITIVE, List, Map, Set, Unknown, Value, is_null

Told: TypeAlias = tuple[tuple[str, str], ...]

_MOST_SOUGHT = 50
"""For so many errors of one evaluation the values are looked for: each search goes through the expression."""

_MOST_STEPS = 20


def with_values(
    diagnostics: Iterable[Diagnostic],
    expression: Expression,
    scope: Scope,
    bound: frozenset[str] = frozenset(),
) -> list[Diagnostic]:
    """The diagnostics of an expression, each with the values that the part it points at refers to."""
    told: list[Diagnostic] = []
    for number, one in enumerate(diagnostics):
        if one.values or one.subject is None or number >= _MOST_SOUGHT:
            told.append(one)
        else:
            found = values_of(*_part_at(expression, one.subject, bound), scope)
            told.append(replace(one, values=found) if found else one)
    return told


def values_of(part: TemplatePart, bound: frozenset[str], scope: Scope) -> Told:
    """(reference, what it is) of all that a part refers to, by name; `bound` are names that are no references."""
    found: dict[str, str] = {}
    for chain in _chains(part, bound):
        told = _told(chain, scope)
        if told is not None:
            found.setdefault(*told)
    return tuple(sorted(found.items()))


def _part_at(
    root: Expression, place: SourceRange, bound: frozenset[str]
) -> tuple[TemplatePart, frozenset[str]]:
    """The smallest part around a place, and the names bound there."""
    part: TemplatePart = root
    while True:
        for inner, names in _inside(part, bound):
            if inner.range.covers(place):
                part, bound = inner, names
                break
        else:
            return part, bound


def _inside(part: TemplatePart, bound: frozenset[str]) -> Iterator[tuple[TemplatePart, frozenset[str]]]:
    if isinstance(part, GetAttr):
        yield part.source, bound
    elif isinstance(part, Index):
        yield part.source, bound
        yield part.key, bound
    elif not isinstance(part, Literal | Variable):
        yield from children(part, bound)


def _chains(root: TemplatePart, bound: frozenset[str]) -> Iterator[list[GetAttr | Index]]:
    """The references in a part, each as its steps from the first, as far as their keys are literals."""
    pending = [(root, bound)]
    while pending:
        part, bound = pending.pop()
        if not isinstance(part, GetAttr | Index):
            pending.extend(reversed([*_inside(part, bound)]))
            continue
        steps: list[GetAttr | Index] = []
        source: Expression = part
        while isinstance(source, GetAttr | Index):
            steps.append(source)
            source = source.source
        steps.reverse()
        pending.extend((step.key, bound) for step in steps if isinstance(step, Index))
        if not isinstance(source, Variable):
            pending.append((source, bound))
        elif source.name not in bound:
            fixed = len(steps)
            for number, step in enumerate(steps):
                if isinstance(step, Index) and not isinstance(step.key, Literal):
                    fixed = number
                    break
            yield steps[:fixed]


def _told(steps: list[GetAttr | Index], scope: Scope) -> tuple[str, str] | None:
    """A reference and what it is: without its last steps where those lead nowhere."""
    if len(steps) > _MOST_STEPS:
        return None
    for length in range(len(steps), 0, -1):
        node = steps[length - 1]
        try:
            value = _value(node, scope)
            statement = _statement(_without_secrets(value, steps[:length], scope))
        except DiagnosticError:
            continue
        except RecursionError:
            return None
        return None if statement is None else (_text(steps[:length]), statement)
    return None


def _value(node: GetAttr | Index, scope: Scope) -> Value:
    analysis = References(node)
    if analysis.problems:
        raise DiagnosticError(analysis.problems)
    return Interpreter(analysis.resolved, scope).run(node, telling=False)


def _without_secrets(value: Value, steps: list[GetAttr | Index], scope: Scope) -> Value:
    """Sensitive where an object of which it is a part has the same text among its sensitive parts."""
    for node in steps:
        try:
            around = _value(node, scope)
        except DiagnosticError:
            continue
        if has_marks(around, SENSITIVE):
            value = hide(value, secrets_in(around))
    return value


def _statement(value: Value) -> str | None:
    plain, marks = unmark(value)
    if SENSITIVE in marks or EPHEMERAL in marks:
        return None
    if type(plain) is Unknown:
        return None if plain.type == DYNAMIC else f"is a {describe(plain.type)}"
    return f"is {summary(plain)}"


def summary(value: Value) -> str:
    """A known value without marks in a few words: itself where it is no collection."""
    if is_null(value):
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, List | Set | Map):
        kind = describe(type_of(value))
        return f"{kind} with {_count(len(value), 'element')}" if value else f"empty {kind}"
    if isinstance(value, tuple):
        return f"tuple with {_count(len(value), 'element')}" if value else "empty tuple"
    if isinstance(value, dict):
        if not value:
            return "object with no attributes"
        only = f" {quoted(next(iter(value)))}" if len(value) == 1 else ""
        return f"object with {_count(len(value), 'attribute')}{only}"
    return format_number(value)


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _text(steps: list[GetAttr | Index]) -> str:
    root = steps[0].source
    assert isinstance(root, Variable)
    parts = [root.name]
    for step in steps:
        if isinstance(step, GetAttr):
            parts.append(f".{step.name}")
        else:
            assert isinstance(step.key, Literal)
            parts.append(f"[{summary(step.key.value)}]")
    return "".join(parts)
