"""Doing something for each element of a collection: `for` expressions and splats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange
from twinfra.lang.nodes import Expression, For, Splat
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import mark, unmark
from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    STRING,
    ListType,
    ObjectType,
    SetType,
    TupleType,
    Type,
    describe,
    is_collection,
)
from twinfra.values.unknowns import refine
from twinfra.values.value import (
    UNKNOWN,
    List,
    Map,
    Set,
    Unknown,
    Value,
    is_null,
    read_element,
    stored_element,
)

if TYPE_CHECKING:
    from twinfra.lang.interpreter import Interpreter


def pairs(collection: Value) -> Iterable[tuple[Value, Value]]:
    """Keys and elements of a known collection, tuple or object, in the order of the language."""
    kind = type(collection)
    if kind is tuple:
        return enumerate(collection)
    if kind is dict:
        return [(key, collection[key]) for key in sorted(collection)]
    element = collection.element
    if kind is Map:
        return [(key, read_element(collection[key], element)) for key in sorted(collection)]
    if kind is Set:
        return [(value, value) for value in (read_element(one, element) for one in collection)]
    return enumerate([read_element(one, element) for one in collection])


@dataclass(slots=True)
class Rounds:
    """The rounds of a `for`: iterating binds its names to each key and element in turn."""

    run: Interpreter
    collection: Value
    marks: frozenset[str]
    key_name: str
    value_name: str

    def __iter__(self) -> Iterator[None]:
        run = self.run
        run.count_rounds(len(self.collection))
        outer = run.names
        inner = dict(outer)
        run.names = inner
        try:
            for key, value in pairs(self.collection):
                if self.key_name:
                    inner[self.key_name] = key
                inner[self.value_name] = value
                yield
        finally:
            run.names = outer

    def dry(self, expression: Expression) -> Value:
        """The value of an expression in a round of which nothing is known."""
        outer = self.run.names
        self.run.names = {**outer, self.key_name: UNKNOWN, self.value_name: UNKNOWN}
        try:
            return self.run.value(expression)
        finally:
            self.run.names = outer


def iterate(run: Interpreter, collection: Expression, key_name: str, value_name: str) -> Rounds | None:
    """The rounds over a collection; None where there are none since it is not known, or after an error."""
    value, marks = unmark(run.value(collection))
    if is_null(value):
        run.fail(
            "Null as a collection",
            "There is nothing to go through: this is null.",
            collection.range,
            "Give an empty collection for that case, such as coalesce(x, []).",
        )
        return None
    if type(value) is Unknown and value.type == DYNAMIC:
        return None
    if type(value) in _ITERABLE or (type(value) is Unknown and _is_iterable(value.type)):
        return Rounds(run, value, marks, key_name, value_name)
    run.fail(
        "Not a collection",
        f"Only collections, tuples and objects can be gone through; this is a {describe(type_of(value))}.",
        collection.range,
        "Put a single value in brackets: [x].",
    )
    return None


_ITERABLE: frozenset[type] = frozenset((tuple, dict, List, Map, Set))


def _is_iterable(type: Type) -> bool:
    return is_collection(type) or isinstance(type, TupleType | ObjectType)


def evaluate_for(run: Interpreter, node: For) -> Value:
    """A `for` expression: a tuple, or with keys an object."""
    rounds = iterate(run, node.collection, node.key_name, node.value_name)
    if rounds is None:
        return UNKNOWN
    marks = rounds.marks
    if node.condition is not None:
        before = len(run.diagnostics)
        found = _check_condition(run, rounds, node.condition)
        if len(run.diagnostics) > before:
            return UNKNOWN
        marks = marks | found
    if type(rounds.collection) is Unknown:
        return mark(UNKNOWN, marks)
    return (_build_tuple if node.key is None else _build_object)(run, node, rounds)


def _check_condition(run: Interpreter, rounds: Rounds, condition: Expression) -> frozenset[str]:
    """Try a condition with nothing known: what is wrong with it then is wrong in every round. Its marks."""
    before = len(run.diagnostics)
    test, marks = unmark(rounds.dry(condition))
    if len(run.diagnostics) == before:
        problem = condition_problem(test)
        if problem:
            run.fail(*problem, condition.range)
    return marks


def condition_problem(test: Value) -> tuple[str, str] | None:
    """What is wrong with the (unmarked) value of a condition: summary and detail."""
    if is_null(test):
        return "Null condition", "The condition is null; it must be true or false."
    try:
        convert(test, BOOL)
    except ConversionError as failed:
        return "Condition is no bool", f"The condition must be true or false: {failed.reason}."
    return None


class _Building:
    """What the rounds of one `for` expression have in common."""

    def __init__(self, run: Interpreter, node: For, marks: frozenset[str]) -> None:
        self.run = run
        self.node = node
        self.marks = marks
        self.known = True

    def complain(self, summary: str, detail: str, place: SourceRange) -> None:
        """Note an error, unless there was one before: it would be the same in every round."""
        if self.known:
            self.run.fail(summary, detail, place)
        self.known = False

    def wanted(self) -> bool:
        """Whether the condition holds in this round."""
        condition = self.node.condition
        if condition is None:
            return True
        test, found = unmark(self.run.value(condition))
        if not is_null(test):
            self.marks |= found
        if type(test) is Unknown:
            self.known = False
            return False
        if test is True or test is False:
            return bool(test)
        problem = condition_problem(test)
        if problem:
            self.complain(*problem, condition.range)
            return False
        return bool(convert(test, BOOL))

    def key(self, expression: Expression) -> str | None:
        """The key of this round; None where it is not known, or after an error."""
        raw, found = unmark(self.run.value(expression))
        if is_null(raw):
            self.complain("Null as a key", "The key is null; it must be a string.", expression.range)
            return None
        self.marks |= found
        if type(raw) is Unknown:
            self.known = False
            return None
        try:
            key: str = convert(raw, STRING)
        except ConversionError as failed:
            self.complain("Invalid key", f"The key must be a string: {failed.reason}.", expression.range)
            return None
        return key


def _build_tuple(run: Interpreter, node: For, rounds: Rounds) -> Value:
    building = _Building(run, node, rounds.marks)
    values = [run.value(node.value) for _ in rounds if building.wanted()]
    return mark(tuple(values) if building.known else UNKNOWN, building.marks)


def _build_object(run: Interpreter, node: For, rounds: Rounds) -> Value:
    assert node.key is not None
    building = _Building(run, node, rounds.marks)
    values: dict[str, Value] = {}
    groups: dict[str, list[Value]] = {}
    for _ in rounds:
        if not building.wanted():
            continue
        key = building.key(node.key)
        if key is None:
            continue
        value = run.value(node.value)
        if node.grouping:
            groups.setdefault(key, []).append(value)
        elif key in values:
            run.fail(
                "Key made twice",
                f'Two elements make the same key, "{key}".',
                node.key.range,
                "To gather the values of equal keys, write three dots after the value: key => value...",
            )
        else:
            values[key] = value
    if not building.known:
        return mark(UNKNOWN, building.marks)
    if node.grouping:
        values = {key: tuple(group) for key, group in groups.items()}
    return mark(values, building.marks)


def evaluate_splat(run: Interpreter, node: Splat) -> Value:
    """`source[*]` and `source.*` with what follows, for each element."""
    before = len(run.diagnostics)
    source, marks = unmark(run.value(node.source))
    if len(run.diagnostics) > before:
        return UNKNOWN
    kind = type_of(source)
    sequence = isinstance(kind, TupleType | ListType | SetType)
    if is_null(source):
        if not sequence:
            return mark((), marks)
        return run.fail("Null in a splat", "There is nothing to go through: this is null.", node.source.range)
    if kind == DYNAMIC:
        return mark(UNKNOWN, marks)
    outer = run.element
    try:
        if not sequence:
            return _splat_single(run, node, mark(source, marks), marks)
        if type(source) is Unknown:
            return mark(_splat_unknown(run, node, source), marks)
        return mark(_splat_sequence(run, node, source), marks)
    finally:
        run.element = outer


def splat_list(values: list[Value]) -> List | None:
    """The values as a list; None where they are of different types."""
    kinds = {type_of(unmark(value)[0]) for value in values} - {DYNAMIC}
    if len(kinds) > 1:
        return None
    element = kinds.pop() if kinds else DYNAMIC
    return List(
        (Unknown(element) if value == UNKNOWN else stored_element(value) for value in values), element
    )


def _each(run: Interpreter, node: Splat, element: Value) -> Value:
    run.element = element
    return run.value(node.each)


def _splat_single(run: Interpreter, node: Splat, source: Value, marks: frozenset[str]) -> Value:
    """A value that is no sequence, taken for a sequence of one element."""
    bare, _ = unmark(source)
    before = len(run.diagnostics)
    value = _each(run, node, source)
    if type(bare) is Unknown and not (bare.refinement is not None and bare.refinement.not_null):
        # It may turn out to be null, and then there is no element.
        return mark(UNKNOWN, marks)
    if len(run.diagnostics) > before:
        return mark(_after_errors(run, node, TupleType((type_of(bare),))), marks)
    return mark((value,), marks)


def _result_type(run: Interpreter, node: Splat, kind: Type) -> Type:
    """The type of the result for a sequence of this type."""
    if isinstance(kind, TupleType):
        return TupleType(tuple(type_of(unmark(_each(run, node, Unknown(one)))[0]) for one in kind.elements))
    assert isinstance(kind, ListType | SetType)
    return ListType(type_of(unmark(_each(run, node, Unknown(kind.element)))[0]))


def _after_errors(run: Interpreter, node: Splat, kind: Type) -> Value:
    """What a splat of which some element failed goes on with: only its type is known."""
    result, _ = run.captured(lambda: Unknown(_result_type(run, node, kind)))
    return result


def _splat_unknown(run: Interpreter, node: Splat, source: Unknown) -> Value:
    kind = _result_type(run, node, source.type)
    known = source.refinement
    result = refine(Unknown(kind), not_null=True)
    if isinstance(kind, ListType) and known is not None:
        result = refine(result, min_length=known.min_length, max_length=known.max_length)
    return result


def _splat_sequence(run: Interpreter, node: Splat, source: Value) -> Value:
    before = len(run.diagnostics)
    run.count_rounds(len(source))
    values = [_each(run, node, element) for _, element in pairs(source)]
    if len(run.diagnostics) > before:
        return _after_errors(run, node, type_of(source))
    if type(source) is tuple:
        return tuple(values)
    if not values:
        kind = _result_type(run, node, type_of(source))
        assert isinstance(kind, ListType)
        return List((), kind.element)
    return splat_list(values) or run.fail(
        "Unlike elements in a splat",
        "The inner splat gives elements of different types, which no list can have.",
        node.each.range,
        "Use a for expression: its result may have elements of different types.",
    )
