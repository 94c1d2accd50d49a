"""What compiled code calls: operations on plain known values; `HardError` for what needs the interpreter."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from unicodedata import normalize

from twinfra.lang.conditionals import chosen, unify_branches
from twinfra.lang.functions.call import call
from twinfra.lang.iteration import pairs, splat_list
from twinfra.values import operations
from twinfra.values.convert import convert
from twinfra.values.numbers import LIMIT
from twinfra.values.types import BOOL, STRING
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import UNKNOWN, List, Map, Marked, Set, Unknown, Value

__all__ = ["ATTEMPTS", "BINARY", "UNARY", "HardError", "call"]


class HardError(Exception):
    """This is for the interpreter."""


def add(first: Value, second: Value) -> Value:
    """`first + second`."""
    if first.__class__ is int and second.__class__ is int:
        total = first + second
        if -LIMIT < total < LIMIT:
            return total
    return operations.binary("+", first, second)


def subtract(first: Value, second: Value) -> Value:
    """`first - second`."""
    if first.__class__ is int and second.__class__ is int:
        difference = first - second
        if -LIMIT < difference < LIMIT:
            return difference
    return operations.binary("-", first, second)


def multiply(first: Value, second: Value) -> Value:
    """`first * second`."""
    if first.__class__ is int and second.__class__ is int:
        product = first * second
        # Zero may have to become the negative one.
        if product and -LIMIT < product < LIMIT:
            return product
    return operations.binary("*", first, second)


def divide(first: Value, second: Value) -> Value:
    """`first / second`."""
    return operations.binary("/", first, second)


def modulo(first: Value, second: Value) -> Value:
    """`first % second`."""
    return operations.binary("%", first, second)


def equal(first: Value, second: Value) -> Value:
    """`first == second`."""
    kind = first.__class__
    if kind is second.__class__ and (kind is str or kind is int or kind is bool):
        return first == second
    return operations.binary("==", first, second)


def unequal(first: Value, second: Value) -> Value:
    """`first != second`."""
    kind = first.__class__
    if kind is second.__class__ and (kind is str or kind is int or kind is bool):
        return first != second
    return operations.binary("!=", first, second)


def less(first: Value, second: Value) -> Value:
    """`first < second`."""
    if first.__class__ is int and second.__class__ is int:
        return first < second
    return operations.binary("<", first, second)


def less_or_equal(first: Value, second: Value) -> Value:
    """`first <= second`."""
    if first.__class__ is int and second.__class__ is int:
        return first <= second
    return operations.binary("<=", first, second)


def greater(first: Value, second: Value) -> Value:
    """`first > second`."""
    if first.__class__ is int and second.__class__ is int:
        return first > second
    return operations.binary(">", first, second)


def greater_or_equal(first: Value, second: Value) -> Value:
    """`first >= second`."""
    if first.__class__ is int and second.__class__ is int:
        return first >= second
    return operations.binary(">=", first, second)


def both(first: Value, second: Value) -> Value:
    """`first && second`."""
    if first.__class__ is bool and second.__class__ is bool:
        return first and second
    return operations.binary("&&", first, second)


def either(first: Value, second: Value) -> Value:
    """`first || second`."""
    if first.__class__ is bool and second.__class__ is bool:
        return first or second
    return operations.binary("||", first, second)


def negate(operand: Value) -> Value:
    """`-operand`."""
    return operations.unary("-", operand)


def invert(operand: Value) -> Value:
    """`!operand`."""
    if operand.__class__ is bool:
        return not operand
    return operations.unary("!", operand)


BINARY: dict[str, Callable[[Value, Value], Value]] = {
    "+": add,
    "-": subtract,
    "*": multiply,
    "/": divide,
    "%": modulo,
    "==": equal,
    "!=": unequal,
    "<": less,
    "<=": less_or_equal,
    ">": greater,
    ">=": greater_or_equal,
    "&&": both,
    "||": either,
}
UNARY: dict[str, Callable[[Value], Value]] = {"-": negate, "!": invert}


def attribute(source: Value, name: str) -> Value:
    """`source.name`."""
    if source.__class__ is dict:
        return source[name]
    return operations.get_attr(source, name)


def element(source: Value, key: Value) -> Value:
    """`source[key]`."""
    kind = source.__class__
    if (kind is tuple and key.__class__ is int and key >= 0) or (kind is dict and key.__class__ is str):
        return source[key]
    return operations.index(source, key)


def key(value: Value) -> str:
    """The key of an item of an object."""
    kind = value.__class__
    if kind is str:
        return value  # type: ignore[no-any-return]
    if kind is int or kind is bool:
        return convert(value, STRING)  # type: ignore[no-any-return]
    raise HardError


def truth(value: Value) -> Value:
    """The condition of a `for`."""
    if value.__class__ is bool:
        return value
    raise HardError


def choose(condition: Value, then: Value, otherwise: Value) -> Value:
    """`condition ? then : otherwise`."""
    if condition is True or condition is False:
        kind = then.__class__
        if kind is otherwise.__class__ and (kind is str or kind is int or kind is bool):
            return then if condition else otherwise
        if kind is not Marked and otherwise.__class__ is not Marked:
            type = unify_branches(then, otherwise)
            return chosen(then, otherwise, type) if condition else chosen(otherwise, then, type)
    raise HardError


def text(*parts: Value) -> Value:
    """The parts of a template as one string."""
    texts: list[str] = []
    for part in parts:
        kind = part.__class__
        if kind is str:
            texts.append(part)
        elif kind is int or kind is bool or kind.__name__ == "mpfr":
            texts.append(convert(part, STRING))
        else:
            raise HardError
    whole = "".join(texts)
    return whole if whole.isascii() else normalize("NFC", whole)


def joined(texts: list[str]) -> str:
    """The rounds of a `%{ for }`."""
    return text(*texts)  # type: ignore[no-any-return]


_ITERABLE: frozenset[type] = frozenset((tuple, dict, List, Map, Set))


def known_pairs(collection: Value) -> Iterable[tuple[Value, Value]]:
    """Keys and elements of a plain collection."""
    if collection.__class__ in _ITERABLE:
        return pairs(collection)
    raise HardError


def pairs_for_condition(collection: Value) -> Iterable[tuple[Value, Value]]:
    """Keys and elements where there is a condition, which no round would check if there were no elements."""
    if collection.__class__ in _ITERABLE and collection:
        return pairs(collection)
    raise HardError


def as_tuple(values: list[Value]) -> Value:
    """The result of a `for` without keys."""
    return tuple(values)


def as_object(items: list[tuple[str, Value]]) -> Value:
    """The result of a `for` with keys."""
    made = dict(items)
    if len(made) < len(items):
        raise HardError
    return made


def grouped(items: list[tuple[str, Value]]) -> Value:
    """The result of a `for` with keys that groups."""
    groups: dict[str, list[Value]] = {}
    for key, value in items:
        groups.setdefault(key, []).append(value)
    return {key: tuple(values) for key, values in groups.items()}


def splat(source: Value, each: Callable[[Value], Value]) -> Value:
    """`source[*]` with what follows."""
    kind = source.__class__
    if kind is tuple:
        return tuple([each(element) for element in source])
    if kind is dict or kind is str:
        return (each(source),)
    if source is None:
        return ()
    if (kind is List or kind is Set) and source:
        made = splat_list([each(element) for _, element in pairs(source)])
        if made is not None:
            return made
    raise HardError


def arguments_of(value: Value) -> Iterable[Value]:
    """The elements of an argument followed by `...`."""
    kind = value.__class__
    if kind is tuple or kind is List or kind is Set:
        return [element for _, element in pairs(value)]
    raise HardError


def attempt(value: Value) -> Value:
    """`try` whose first argument has a value."""
    return UNKNOWN if contains_unknown(value) else value


def possible(value: Value) -> Value:
    """`can` whose argument has a value."""
    return Unknown(BOOL) if contains_unknown(value) else True


ATTEMPTS: dict[str, Callable[[Value], Value]] = {"try": attempt, "can": possible}
