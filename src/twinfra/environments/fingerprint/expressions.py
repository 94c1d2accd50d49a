"""The canonical form of an expression as JSON: what it says, without how it is laid out (docs/fingerprint.md).

Parentheses, the kind of quotes, heredocs, `"${x}"` around a whole expression and the order of an object's keys
make no difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any, Protocol

from twinfra.environments.fingerprint.canonical import canonical
from twinfra.lang.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    Faulty,
    For,
    GetAttr,
    Index,
    Literal,
    ObjectExpression,
    Parentheses,
    Splat,
    SplatElement,
    Template,
    TemplateFor,
    TemplateIf,
    TemplatePart,
    TemplateWrap,
    TupleExpression,
    Unary,
    Variable,
)
from twinfra.values.value import Unknown, Value, is_null


class Observer(Protocol):
    """Is told what the expressions use while their forms are written."""

    def call(self, call: Call) -> None:
        """A function call."""

    def name(self, root: str, step: str) -> None:
        """A name with the first step after it, such as `terraform` and `workspace`."""


def expression_form(expression: Expression, observer: Observer) -> Any:
    """The form of an expression; `observer` is told of what it uses."""
    return _Writer(observer).form(expression)


class _Writer:
    """Writes forms, telling of what it meets on the way."""

    __slots__ = ("_observer",)

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def form(self, node: TemplatePart) -> Any:
        """The form of one node. The parser limits how deep nodes nest; chains, which may be long, are loops."""
        while isinstance(node, Parentheses | TemplateWrap):
            node = node.inner
        if isinstance(node, Literal):
            return literal_form(node.value)
        if isinstance(node, Variable | GetAttr | Index):
            return self._chain(node)
        if isinstance(node, Template):
            return self._template(node.parts)
        if isinstance(node, Call):
            self._observer.call(node)
            arguments = [self.form(one) for one in node.arguments]
            return ["call", node.name, arguments, "..."] if node.expand else ["call", node.name, arguments]
        if isinstance(node, TupleExpression):
            return ["tuple", *map(self.form, node.elements)]
        if isinstance(node, ObjectExpression):
            return self._object(node)
        if isinstance(node, Binary):
            return self._binary(node)
        return self._other(node)

    def _other(self, node: TemplatePart) -> Any:
        form = self.form
        if isinstance(node, Unary):
            return ["unary", node.operator, form(node.operand)]
        if isinstance(node, Conditional):
            return ["if", form(node.condition), form(node.then), form(node.otherwise)]
        if isinstance(node, Splat):
            return ["splat" if node.full else "attribute-splat", form(node.source), form(node.each)]
        if isinstance(node, SplatElement):
            return ["element"]
        if isinstance(node, For):
            condition = None if node.condition is None else form(node.condition)
            names = [node.key_name, node.value_name]
            if node.key is None:
                return ["for-tuple", names, form(node.collection), form(node.value), condition]
            key = form(node.key)
            grouping = ["..."] if node.grouping else []
            return ["for-object", names, form(node.collection), key, form(node.value), condition, *grouping]
        if isinstance(node, TemplateIf):
            then, otherwise = self._parts(node.then), self._parts(node.otherwise)
            return ["template-if", form(node.condition), then, otherwise]
        if isinstance(node, TemplateFor):
            return ["template-for", [node.key, node.value], form(node.collection), self._parts(node.body)]
        if isinstance(node, Faulty):
            return ["faulty", node.text]
        raise TypeError(f"no form for {type(node).__name__}")

    def _chain(self, node: TemplatePart) -> Any:
        steps: list[Any] = []
        while isinstance(node, GetAttr | Index | Parentheses | TemplateWrap):
            if isinstance(node, GetAttr):
                steps.append(node.name)
                node = node.source
            elif isinstance(node, Index):
                steps.append(["index", self.form(node.key)])
                node = node.source
            else:
                node = node.inner
        steps.reverse()
        if isinstance(node, Variable):
            if steps and isinstance(steps[0], str):
                self._observer.name(node.name, steps[0])
            return ["name", node.name, *steps]
        return ["value", self.form(node), *steps]

    def _binary(self, node: Expression) -> Any:
        """`a + b - c` is one row: what is joined from the left needs no nesting."""
        row: list[Any] = []
        while isinstance(node, Binary):
            row += [self.form(node.right), node.operator]
            node = node.left
            while isinstance(node, Parentheses | TemplateWrap):
                node = node.inner
        return ["binary", self.form(node), *reversed(row)]

    def _template(self, parts: Iterable[TemplatePart]) -> Any:
        found = self._parts(parts)
        if not found:
            return ""
        if len(found) == 1 and isinstance(found[0], str):
            return found[0]
        return ["template", *found]

    def _parts(self, parts: Iterable[TemplatePart]) -> list[Any]:
        """The parts of a template, texts that stand side by side as one."""
        found: list[Any] = []
        for part in parts:
            form = self.form(part)
            if form == "":
                continue
            if isinstance(form, str) and found and isinstance(found[-1], str):
                found[-1] += form
            else:
                found.append(form)
        return found

    def _object(self, node: ObjectExpression) -> Any:
        items = [[self.form(item.key), self.form(item.value)] for item in node.items]
        keys = {key for key, _ in items if isinstance(key, str)}
        if len(keys) == len(items):
            items.sort(key=_first)
        return ["object", *items]


def _first(item: list[Any]) -> str:
    key: str = item[0]
    return key


def literal_form(value: Value) -> Any:
    """A literal string, number, bool or null as JSON.

    What the parser could not read counts as null, and a number beyond all that can be written as its own text.
    """
    if is_null(value) or isinstance(value, Unknown):
        return None
    if isinstance(value, str | bool | int):
        return value
    from twinfra.values.numbers import NumberError, format_number, is_finite

    try:
        if is_finite(value):
            return Decimal(format_number(value))
    except NumberError:
        pass
    return ["number", str(value)]


def sorted_by_text(values: Iterable[Any]) -> list[Any]:
    """JSON values in the order of their canonical texts."""
    return sorted(values, key=canonical)
