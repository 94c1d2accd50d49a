"""The operators of the language, and reading attributes and elements: for any values, unknown and marked ones too.

Known plain values take a short way in `lang.shortcuts`; what is here decides what the language means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinfra.diagnostics import nearest
from twinfra.values import numbers
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.equality import equal
from twinfra.values.marks import mark, unmark, unmark_deep
from twinfra.values.numbers import Number, NumberError
from twinfra.values.types import (
    BOOL,
    DYNAMIC,
    NUMBER,
    STRING,
    ListType,
    MapType,
    ObjectType,
    SetType,
    TupleType,
    Type,
    describe,
)
from twinfra.values.unknowns import UNKNOWN_BOOL, UNKNOWN_NUMBER
from twinfra.values.value import (
    UNKNOWN,
    List,
    Map,
    Marked,
    Unknown,
    Value,
    is_null,
    read_element,
)


class OperationError(ValueError):
    """An operation that has no result: a title, and a sentence or more for people."""

    def __init__(self, summary: str, detail: str) -> None:
        super().__init__(detail)
        self.summary = summary
        self.detail = detail


# -- operators

_ARITHMETIC: dict[str, Callable[[Number, Number], Number]] = {
    "+": numbers.add,
    "-": numbers.subtract,
    "*": numbers.multiply,
    "/": numbers.divide,
    "%": numbers.modulo,
}


def binary(operator: str, a: Value, b: Value) -> Value:
    """`a operator b`; marks of both are on the result. Raises `OperationError`."""
    if operator == "==" or operator == "!=":
        return _compare_equal(operator, a, b)
    if type(a) is Marked or type(b) is Marked:
        a, marks = unmark(a)
        b, more = unmark(b)
        return mark(binary(operator, a, b), marks | more)
    if operator == "&&" or operator == "||":
        first, second = _operand(operator, a, BOOL), _operand(operator, b, BOOL)
        if type(first) is Unknown or type(second) is Unknown:
            return UNKNOWN_BOOL
        return (first and second) if operator == "&&" else (first or second)
    first, second = _operand(operator, a, NUMBER), _operand(operator, b, NUMBER)
    arithmetic = _ARITHMETIC.get(operator)
    if arithmetic is None:
        return _COMPARISONS[operator](first, second)
    if type(first) is Unknown or type(second) is Unknown:
        return UNKNOWN_NUMBER
    try:
        return arithmetic(first, second)
    except NumberError as failed:
        raise OperationError("No such number", f"{_sentence(failed.reason)}.") from None


def unary(operator: str, a: Value) -> Value:
    """`-a` or `!a`; marks stay. Raises `OperationError`."""
    if type(a) is Marked:
        return mark(unary(operator, a.value), a.marks)
    if operator == "-":
        number = _operand(operator, a, NUMBER)
        return UNKNOWN_NUMBER if type(number) is Unknown else numbers.negate(number)
    truth = _operand(operator, a, BOOL)
    return UNKNOWN_BOOL if type(truth) is Unknown else not truth


def _operand(operator: str, value: Value, wanted: Type) -> Value:
    if is_null(value):
        raise OperationError(
            "Null as an operand",
            f"{operator} cannot take null: give a value for that case, as with coalesce.",
        )
    try:
        return convert(value, wanted)
    except ConversionError as failed:
        raise OperationError("Invalid operand", f"{operator} cannot take this: {failed.reason}.") from None


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _compare_equal(operator: str, a: Value, b: Value) -> Value:
    first, marks = unmark_deep(a)
    second, more = unmark_deep(b)
    found = equal(first, second)
    if found is None:
        return mark(UNKNOWN_BOOL, marks | more)
    return mark(found if operator == "==" else not found, marks | more)


def _bounds(value: Value) -> tuple[Number | None, Number | None]:
    """Between which numbers, those included, a number is or will be."""
    if type(value) is not Unknown:
        return value, value
    known = value.refinement
    if known is None:
        return None, None
    return (known.lower and known.lower[0], known.upper and known.upper[0])


def _less(a: Value, b: Value) -> Value:
    """`a < b`, also where the bounds of unknown numbers tell."""
    if type(a) is not Unknown and type(b) is not Unknown:
        return bool(a < b)
    least_a, most_a = _bounds(a)
    least_b, most_b = _bounds(b)
    if most_a is not None and least_b is not None and most_a < least_b:
        return True
    if least_a is not None and most_b is not None and least_a > most_b:
        return False
    return UNKNOWN_BOOL


def _less_or_equal(a: Value, b: Value) -> Value:
    less, same = _less(a, b), equal(a, b)
    if type(less) is Unknown or same is None:
        return UNKNOWN_BOOL
    return less or same


_COMPARISONS: dict[str, Callable[[Value, Value], Value]] = {
    "<": _less,
    "<=": _less_or_equal,
    ">": lambda a, b: _less(b, a),
    ">=": lambda a, b: _less_or_equal(b, a),
}


# -- attributes and elements


def get_attr(value: Value, name: str) -> Value:
    """`value.name`: an attribute of an object, or an element of a map. Raises `OperationError`."""
    kind = type(value)
    if kind is dict:
        try:
            return value[name]
        except KeyError:
            raise _no_attribute(value, name) from None
    if kind is Map:
        try:
            return read_element(value[name], value.element)
        except KeyError:
            raise _no_key(value, name) from None
    if kind is Marked:
        return mark(get_attr(value.value, name), value.marks)
    if is_null(value):
        raise OperationError("Attribute of null", f"There is no attribute {name}, since the value is null.")
    if kind is Unknown:
        return _attribute_of_unknown(value.type, name)
    raise _no_object(type_of(value), name)


def _attribute_of_unknown(type: Type, name: str) -> Value:
    if type == DYNAMIC:
        return UNKNOWN
    if isinstance(type, MapType):
        return Unknown(type.element)
    if isinstance(type, ObjectType):
        if name not in type.attributes:
            raise _no_attribute(type.attributes, name)
        return Unknown(type.attributes[name])
    raise _no_object(type, name)


def _no_attribute(attributes: dict[str, Any], name: str) -> OperationError:
    meant = nearest(name, attributes)
    return OperationError(
        "No such attribute", f"The object has no attribute {name}.{f' {meant}' if meant else ''}"
    )


def _no_key(map: Map, key: str) -> OperationError:
    meant = nearest(key, map)
    return OperationError("No such element", f'The map has no element "{key}".{f" {meant}" if meant else ""}')


def _no_object(type: Type, name: str) -> OperationError:
    if isinstance(type, ListType | SetType):
        mend = f"To take the attribute of each element, write [*].{name}."
    elif isinstance(type, TupleType):
        mend = "Its elements are read with [0], [1] and so on."
    else:
        mend = "Only objects and maps have attributes."
    return OperationError(
        "Not an object", f"There is no attribute {name}: this value is of type {describe(type)}. {mend}"
    )


def index(value: Value, key: Value) -> Value:
    """`value[key]`: an element of a list or tuple by number, of a map or object by name.

    Marks of both are on the result. Raises `OperationError`.
    """
    if type(value) is Marked or type(key) is Marked:
        value, marks = unmark(value)
        key, more = unmark(key)
        try:
            return mark(index(value, key), marks | more)
        except OperationError as failed:
            # What is wrong would tell the key, or keys of the value.
            hidden = "There is no such element. The value or the key is sensitive, so that neither is shown."
            raise OperationError(failed.summary, hidden) from None
    if is_null(value):
        raise OperationError("Element of null", "There are no elements, since the value is null.")
    if is_null(key):
        raise OperationError("Null as a key", "The key in the brackets is null; it must tell an element.")
    type_: Type = type_of(value) if type(value) is Unknown else DYNAMIC
    if (type(value) is Unknown and type_ == DYNAMIC) or (type(key) is Unknown and key.type == DYNAMIC):
        return UNKNOWN
    kind = type(value)
    if kind is tuple or kind is List or isinstance(type_, ListType | TupleType):
        return _element_at(value, _key(key, NUMBER))
    if kind is dict or kind is Map or isinstance(type_, MapType | ObjectType):
        return _element_under(value, _key(key, STRING))
    raise _not_indexable(type_of(value))


def _key(key: Value, wanted: Type) -> Value:
    try:
        return convert(key, wanted)
    except ConversionError as failed:
        raise OperationError("Invalid key", f"This cannot tell an element: {failed.reason}.") from None


def _not_indexable(type: Type) -> OperationError:
    if isinstance(type, SetType):
        return OperationError(
            "No element of a set",
            "The elements of a set have no keys and no order. For a list of them write tolist(x), or one(x) "
            "where there is just one.",
        )
    return OperationError(
        "No elements",
        f"This value, of type {describe(type)}, has no elements: only collections, tuples and objects have.",
    )


def _element_at(value: Value, key: Value) -> Value:
    kind = type_of(value) if type(value) is Unknown else None
    if type(key) is Unknown:
        if type(value) is tuple or isinstance(kind, TupleType):
            return UNKNOWN
        return Unknown(kind.element if isinstance(kind, ListType) else value.element)
    at = numbers.to_index(key)
    if at is None:
        raise OperationError(
            "Invalid key", f"Elements are counted in whole numbers, not {_number_text(key)}."
        )
    if at < 0:
        raise OperationError(
            "No such element",
            "Elements are counted from 0; for the last one write x[length(x) - 1], or element(x, -1).",
        )
    if isinstance(kind, ListType):
        return Unknown(kind.element)
    parts = kind.elements if isinstance(kind, TupleType) else value
    if at >= len(parts):
        raise _beyond(at, len(parts))
    if isinstance(kind, TupleType):
        return Unknown(kind.elements[at])
    return value[at] if type(value) is tuple else read_element(value[at], value.element)


def _number_text(number: Number) -> str:
    try:
        return numbers.format_number(number)
    except NumberError:
        return "one of so many digits"


def _beyond(at: int, length: int) -> OperationError:
    if not length:
        return OperationError("No such element", f"There is no element {at}: there are no elements at all.")
    has = "is just one, 0" if length == 1 else f"are {length}, 0 to {length - 1}"
    return OperationError("No such element", f"There is no element {at}: there {has}.")


def _element_under(value: Value, key: Value) -> Value:
    if type(value) is Unknown:
        if isinstance(value.type, MapType):
            return Unknown(value.type.element)
        return UNKNOWN if type(key) is Unknown else _attribute_of_unknown(value.type, key)
    if type(key) is Unknown:
        return Unknown(value.element) if type(value) is Map else UNKNOWN
    return get_attr(value, key)
