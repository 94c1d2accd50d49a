"""The parts of a prepared body: expressions with the types they must have, and blocks with their number.

Evaluating copies a dict of what is known beforehand, and fills in what the scope decides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.decode.collecting import Kind, Row, collect
from twinfra.decode.dynamic import elements_of, label_of
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error
from twinfra.lang.compiler import Compiled
from twinfra.lang.nodes import Attribute
from twinfra.lang.scope import Reference, Scope
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import mark, unmark
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, Type
from twinfra.values.value import EMPTY_MARKS, Marked, Null, Unknown, Value

Object = dict[str, Any]
Names = dict[str, Value]

_PLAIN: dict[Type, type] = {STRING: str, BOOL: bool, NUMBER: int}


class Argument:
    """An argument that has an expression. `required` ones may not be null."""

    __slots__ = ("attribute", "compiled", "name", "plain", "required", "type")

    def __init__(self, attribute: Attribute, compiled: Compiled, type: Type, required: bool) -> None:
        self.attribute = attribute
        self.compiled = compiled
        self.name = attribute.name
        self.type = type
        self.plain = _PLAIN.get(type)
        self.required = required

    def fit(self, value: Value) -> Value:
        """The value as one of the argument's type, null as None; raises `DiagnosticError` where it does not fit."""
        place = self.attribute.expression.range
        if self.type != DYNAMIC:
            try:
                value = convert(value, self.type)
            except ConversionError as refused:
                raise DiagnosticError(
                    error(
                        "Unsuitable value",
                        f"The value does not fit the argument {self.name}: {refused.reason}.",
                        place,
                    )
                ) from None
            if type(value) is Null:
                value = None
            elif type(value) is Marked and type(value.value) is Null:
                value = Marked(None, value.marks)
        if self.required and (value is None or (type(value) is Marked and value.value is None)):
            raise DiagnosticError(
                error(
                    "Missing required argument",
                    f"The argument {self.name} is required, and its value is null.",
                    place,
                    mend=f"Give {self.name} a value.",
                )
            )
        return value


class Part:
    """A prepared body: of the whole block, of a block inside it, or of the `content` of a `dynamic` block.

    `base` is the value as far as it is known beforehand, `arguments` what has yet to be evaluated. `attributes`
    are all that are written, and `nested` are the kinds of blocks that occur, by name.
    """

    __slots__ = ("arguments", "attributes", "base", "blocks", "nested", "range")

    def __init__(self, range: SourceRange) -> None:
        self.range = range
        self.base: Object = {}
        self.arguments: list[Argument] = []
        self.attributes: dict[str, Attribute] = {}
        self.nested: dict[str, Nested] = {}
        self.blocks: list[Nested] = []

    def references(self, made: bool = True) -> Iterator[Reference]:
        """What all expressions in it refer to; `made`: also those in blocks that a `dynamic` block may make."""
        for argument in self.arguments:
            yield from argument.compiled.references
        for nested in self.blocks:
            for one in nested.occurrences:
                if one.dynamic is not None:
                    yield from one.dynamic.for_each.references
                    for label in one.dynamic.labels:
                        yield from label.references
                if made or one.dynamic is None:
                    yield from one.part.references(made)

    def evaluate(self, scope: Scope, names: Names | None, found: list[Diagnostic]) -> Object:
        """Its value. Errors are added to `found`; then what the value has in their place means nothing."""
        result = self.base.copy()
        for argument in self.arguments:
            try:
                if names is None:
                    value = argument.compiled.evaluate(scope)
                else:
                    value = argument.compiled.evaluate_with(scope, names)
                if value.__class__ is not argument.plain:
                    value = argument.fit(value)
            except DiagnosticError as failed:
                found.extend(failed.at(argument.compiled.range).diagnostics)
                value = Unknown(argument.type)
            result[argument.name] = value
        for nested in self.blocks:
            result[nested.name] = nested.evaluate(scope, names, found)
        return result


@dataclass(frozen=True, slots=True)
class Dynamic:
    """The head of a `dynamic` block: `iterator` is the name under which its content finds the element."""

    iterator: str
    for_each: Compiled
    labels: tuple[Compiled, ...]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A block of some kind, or a `dynamic` one that makes any number of them.

    `label` is that of a block whose kind has one. `range` is the header. `problems`: what is wrong with the content
    of a `dynamic` block whatever the values, which matters once it makes blocks.
    """

    part: Part
    range: SourceRange
    label: str = ""
    label_range: SourceRange | None = None
    dynamic: Dynamic | None = None
    problems: tuple[Diagnostic, ...] = ()


class Nested:
    """All blocks of one kind in a body."""

    __slots__ = ("kind", "name", "occurrences")

    def __init__(self, kind: Kind) -> None:
        self.kind = kind
        self.name = kind.name
        self.occurrences: list[Occurrence] = []

    def evaluate(self, scope: Scope, names: Names | None, found: list[Diagnostic]) -> Value:
        """The blocks' values, collected as the schema says."""
        rows: list[Row] = []
        known = True
        marks = EMPTY_MARKS
        for one in self.occurrences:
            if one.dynamic is None:
                value = one.part.evaluate(scope, names, found)
                rows.append(Row(value, one.range, one.label, one.label_range))
                continue
            made, own = rows_of(self.name, one, one.dynamic, scope, names, found)
            marks |= own
            if made is None:
                known = False
            else:
                rows.extend(made)
        return mark(collect(self.kind, rows, known, found), marks)


_NO_NAMES: Names = {}


def rows_of(
    name: str, block: Occurrence, dynamic: Dynamic, scope: Scope, names: Names | None, found: list[Diagnostic]
) -> tuple[list[Row] | None, frozenset[str]]:
    """The blocks that a `dynamic` block makes, and the marks of how many there are.

    None in place of the blocks where their number is not known yet.
    """
    outer = names if names is not None else _NO_NAMES
    place = dynamic.for_each.range
    try:
        value, marks = unmark(dynamic.for_each.evaluate_with(scope, outer))
        elements = elements_of(name, value, place)
    except DiagnosticError as failed:
        found.extend(failed.at(place).diagnostics)
        return None, EMPTY_MARKS
    if elements is None:
        # Whether there will be any block in which its content means something is not known.
        found.extend(block.problems)
        return None, marks
    rows: list[Row] = []
    known = True
    if block.problems and any(True for _ in elements):
        found.extend(block.problems)
        return None, marks
    for key, value in elements:
        inner = {**outer, dynamic.iterator: {"key": key, "value": value}}
        label = ""
        for compiled in dynamic.labels:
            try:
                made = label_of(name, compiled.evaluate_with(scope, inner), compiled.range)
            except DiagnosticError as failed:
                found.extend(failed.at(compiled.range).diagnostics)
                continue
            if made is None:
                known = False
            else:
                label = made
        label_range = dynamic.labels[0].range if dynamic.labels else None
        rows.append(Row(block.part.evaluate(scope, inner, found), block.range, label, label_range))
    return (rows if known else None), marks
