"""What must change in a written-out value, entry by entry, for it to say another value. Nothing is written here.

An entry that keeps its value is never touched, so that comments, layout and expressions beside it stay.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from difflib import SequenceMatcher
from typing import TypeAlias

from twinfra.dataclass import dataclass
from twinfra.lang.functions.hcl_writing import is_identifier, write_expression
from twinfra.lang.nodes import (
    Expression,
    Literal,
    ObjectExpression,
    Parentheses,
    TupleExpression,
    Unary,
)
from twinfra.values.numbers import is_number
from twinfra.values.value import Set, Value, is_null

Collection: TypeAlias = ObjectExpression | TupleExpression
Identity: TypeAlias = tuple[str, int, int, str]


@dataclass(frozen=True, slots=True)
class Replaced:
    """An expression that becomes another value."""

    expression: Expression
    text: str

    @property
    def identity(self) -> Identity:
        """What tells it from other changes of the source."""
        return (*_place(self.expression), "")


@dataclass(frozen=True, slots=True)
class Added:
    """An entry that comes into a collection before the entry at `at` (their number: at the end)."""

    holder: Collection
    at: int
    text: str
    ordinal: int = 0

    @property
    def identity(self) -> Identity:
        """What tells it from other changes of the source."""
        return (*_place(self.holder), f"+{self.at} {self.ordinal} {self.text}")


@dataclass(frozen=True, slots=True)
class Removed:
    """The entry at `at`, which goes."""

    holder: Collection
    at: int
    text: str = ""

    @property
    def identity(self) -> Identity:
        """What tells it from other changes of the source."""
        return (*_place(self.holder), f"-{self.at}")


Wish: TypeAlias = Replaced | Added | Removed


def _place(expression: Expression) -> tuple[str, int, int]:
    return (expression.range.filename, expression.range.start, expression.range.end)


def bare(expression: Expression) -> Expression:
    """An expression without the parentheses around it."""
    while isinstance(expression, Parentheses):
        expression = expression.inner
    return expression


def is_literal(expression: Expression) -> bool:
    """Whether it is written out, with nothing in it that is worked out, and no heredoc."""
    expression = bare(expression)
    if isinstance(expression, Literal):
        return not is_heredoc(expression)
    if isinstance(expression, Unary):
        return isinstance(expression.operand, Literal)
    if isinstance(expression, TupleExpression):
        return all(map(is_literal, expression.elements))
    if isinstance(expression, ObjectExpression):
        return all(isinstance(one.key, Literal) and is_literal(one.value) for one in expression.items)
    return False


def is_heredoc(expression: Expression) -> bool:
    """Whether it is a text that begins with `<<`."""
    return bare(expression).range.text.startswith("<<")


def added(holder: ObjectExpression, name: str, value: Value) -> Added:
    """The wish for one more entry of an object."""
    key = name if is_identifier(name) else write_expression(name)
    return Added(holder, len(holder.items), f"{key} = {write_expression(value)}")


def removed(holder: ObjectExpression, name: str) -> Removed | None:
    """The wish for an entry to go; None where it is not one that is written out, once."""
    found = [at for at, one in enumerate(holder.items) if _key(one.key) == name]
    if len(found) != 1 or not is_literal(holder.items[found[0]].value):
        return None
    return Removed(holder, found[0])


def reconcile(expression: Expression, value: Value) -> list[Wish] | None:
    """What makes a written-out expression say a known value; None where that is not to be written."""
    expression = bare(expression)
    if not is_literal(expression):
        return None
    if isinstance(expression, ObjectExpression) and (isinstance(value, dict) or is_null(value)):
        return list(_object(expression, value if isinstance(value, dict) else {}))
    if isinstance(expression, TupleExpression) and (isinstance(value, tuple) or is_null(value)):
        return list(_elements(expression, value if isinstance(value, tuple) else ()))
    if _same(_value(expression)) == _same(value):
        return []
    return [Replaced(expression, write_expression(value))]


def _object(holder: ObjectExpression, target: dict[str, Value]) -> Iterator[Wish]:
    names = [_key(one.key) for one in holder.items]
    for at, (name, item) in enumerate(zip(names, holder.items, strict=True)):
        if is_null(target.get(name)):
            # One that is null on both sides stays.
            if not is_null(_value(item.value)):
                yield Removed(holder, at)
        else:
            yield from reconcile(item.value, target[name]) or ()
    for name in sorted(target.keys() - set(names)):
        if not is_null(target[name]):
            yield added(holder, name, target[name])


def _elements(holder: TupleExpression, target: tuple[Value, ...]) -> Iterator[Wish]:
    old = [_same(_value(one)) for one in holder.elements]
    new = [_same(one) for one in target]
    if isinstance(target, Set):
        wanted, there = set(new), set(old)
        yield from (Removed(holder, at) for at, text in enumerate(old) if text not in wanted)
        for value, text in zip(target, new, strict=True):
            if text not in there:
                yield Added(holder, len(old), write_expression(value))
        return
    ordinals: Counter[tuple[int, str]] = Counter()
    for kind, start, stop, first, last in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if kind == "equal":
            continue
        common = min(stop - start, last - first)
        for at in range(common):
            yield from reconcile(holder.elements[start + at], target[first + at]) or ()
        yield from (Removed(holder, at) for at in range(start + common, stop))
        for value in target[first + common : last]:
            text = write_expression(value)
            ordinals[stop, text] += 1
            yield Added(holder, stop, text, ordinals[stop, text])


def _key(expression: Expression) -> str:
    return str(expression.value) if isinstance(expression, Literal) else ""


def _value(expression: Expression) -> Value:
    """The value of a literal."""
    expression = bare(expression)
    if isinstance(expression, Literal):
        return expression.value
    if isinstance(expression, TupleExpression):
        return tuple(map(_value, expression.elements))
    if isinstance(expression, ObjectExpression):
        return {_key(one.key): _value(one.value) for one in expression.items}
    assert isinstance(expression, Unary)
    operand = _value(expression.operand)
    if expression.operator == "!":
        return not operand
    return -operand


def _same(value: Value) -> str:
    """A text that two values share which mean the same after conversion: `7` and `"7"`, null and left out."""
    if is_null(value):
        return "null"
    if type(value) is bool:
        return '"true"' if value else '"false"'
    if is_number(value):
        return f'"{write_expression(value)}"'
    if isinstance(value, str):
        return write_expression(value)
    if isinstance(value, dict):
        filled = (f"{name!r}: {_same(value[name])}" for name in sorted(value) if not is_null(value[name]))
        return f"{{{', '.join(filled)}}}"
    return f"[{', '.join(map(_same, value))}]"
