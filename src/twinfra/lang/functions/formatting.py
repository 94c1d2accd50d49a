"""`format` and `formatlist`: strings made after a pattern."""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.lang.functions.arguments import normal_text
from twinfra.lang.functions.declaration import FunctionError, function, parameter
from twinfra.lang.functions.verbs import parse_format, write
from twinfra.values.types import DYNAMIC, STRING, ListType, Type
from twinfra.values.unknowns import UNKNOWN_STRING, contains_unknown, not_null, unknown_text
from twinfra.values.value import UNKNOWN, List, Set, Unknown, Value

_SCALARS = frozenset((str, int, bool))


def _has_untyped(arguments: Sequence[Value]) -> bool:
    """Whether an argument has no type yet: then neither has the result, as stock Terraform has it."""
    return any(one is None or (type(one) is Unknown and one.type == DYNAMIC) for one in arguments)


def _format_type(arguments: Sequence[Value]) -> Type:
    return DYNAMIC if _has_untyped(arguments[1:]) else STRING


def _formatlist_type(arguments: Sequence[Value]) -> Type:
    return DYNAMIC if _has_untyped(arguments[1:]) else ListType(STRING)


def _formatted(pattern: str, arguments: Sequence[Value]) -> str:
    parts: list[str] = []
    used = 0
    for part in parse_format(pattern):
        if isinstance(part, str):
            parts.append(part)
            continue
        if part.argument >= len(arguments):
            given = f"{len(arguments)} argument{'s' if len(arguments) != 1 else ''}"
            raise FunctionError(f'"{part.text}" wants argument {part.argument + 1}, but only {given}')
        parts.append(write(part, arguments[part.argument]))
        used = max(used, part.argument + 1)
    if used < len(arguments):
        what = f"uses only {used}" if used else "has no verbs, and so uses none"
        raise FunctionError(f"too many arguments: the format string {what} of them", used + 1)
    return normal_text("".join(parts))


@function(
    "format",
    "Makes a string after a pattern, in which verbs such as %s and %d stand for the other arguments.",
    parameter("format", STRING, "the pattern"),
    variadic=parameter("args", DYNAMIC, "what the verbs stand for", allow_null=True, allow_unknown=True),
    returns=_format_type,
)
def format_(pattern: str, *arguments: Value) -> Value:
    """Every argument must be used. While one is unknown, only what stands before the first verb is known."""
    if not _SCALARS.issuperset(map(type, arguments)):
        if _has_untyped(arguments):
            return UNKNOWN
        if any(map(contains_unknown, arguments)):
            return unknown_text(pattern.partition("%")[0])
    return _formatted(pattern, arguments)


@function(
    "formatlist",
    "Makes a list of strings after one pattern, from lists of arguments.",
    parameter("format", STRING, "the pattern"),
    variadic=parameter(
        "args",
        DYNAMIC,
        "lists of equal length, or single values used for all",
        allow_null=True,
        allow_unknown=True,
    ),
    returns=_formatlist_type,
)
def formatlist(pattern: str, *arguments: Value) -> Value:
    """As many strings as the lists have elements; one where no argument is a list."""
    if _has_untyped(arguments):
        return UNKNOWN
    count, deciding = 1, -1
    for at, argument in enumerate(arguments):
        if type(argument) is Unknown and _is_sequence_type(argument.type):
            return not_null(Unknown(ListType(STRING)))
        if not _is_sequence(argument):
            continue
        if deciding < 0:
            count, deciding = len(argument), at
        elif len(argument) != count:
            raise FunctionError(
                f"argument {at + 1} has {len(argument)} elements, but argument {deciding + 1} has {count}",
                at + 1,
            )
    return List([_item(pattern, arguments, at) for at in range(count)], STRING)


def _item(pattern: str, arguments: Sequence[Value], at: int) -> Value:
    row = [argument[at] if _is_sequence(argument) else argument for argument in arguments]
    if any(map(contains_unknown, row)):
        return UNKNOWN_STRING
    try:
        return _formatted(pattern, row)
    except FunctionError as failure:
        raise FunctionError(f"element {at}: {failure.reason}") from failure


def _is_sequence(value: Value) -> bool:
    kind = type(value)
    return kind is tuple or kind is List or kind is Set


def _is_sequence_type(kind: Type) -> bool:
    from twinfra.values.types import SetType, TupleType

    return isinstance(kind, ListType | SetType | TupleType)
