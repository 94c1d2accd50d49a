"""Calling a function: all that its declaration asks for, done before and after the implementation runs.

Arguments are converted to the parameter types, nulls are refused, unknown arguments make the result unknown,
and marks move from the arguments to the result. Plain known values of the right type take a short way.
"""

from __future__ import annotations

from collections.abc import Sequence

from twinfra.dataclass import dataclass
from twinfra.lang.functions.declaration import Function, FunctionError, Parameter
from twinfra.lang.scope import EvaluationContext
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import has_marks, mark, unmark_deep
from twinfra.values.numbers import NumberError
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, Type
from twinfra.values.unknowns import not_null
from twinfra.values.value import (
    EMPTY_MARKS,
    SENSITIVE,
    TYPE,
    UNKNOWN,
    List,
    Map,
    Marked,
    Null,
    Set,
    Unknown,
    Value,
)


class ArgumentCountError(FunctionError):
    """A call with too few or too many arguments; `missing` tells which."""

    def __init__(self, reason: str, argument: int | None, missing: bool) -> None:
        super().__init__(reason, argument)
        self.missing = missing


@dataclass(frozen=True, slots=True)
class _PlainCalls:
    """The short way to a function: the classes of arguments, as seen in calls, that need no preparation."""

    function: Function
    classes: set[tuple[type, ...]]


_HIDDEN = "the reason is not shown, since it could tell a sensitive argument"
_NOTHING: frozenset[type] = frozenset()
_SCALARS: frozenset[type] = frozenset((str, bool, int))
_PLAIN: dict[Type, frozenset[type]] = {
    STRING: frozenset((str,)),
    BOOL: frozenset((bool,)),
    NUMBER: frozenset((int,)),
    DYNAMIC: _SCALARS,
}

_MOST_PLAIN_CALLS = 100

# By identity, since the hash of a declaration costs more than most calls; the entry keeps the function alive.
_PLAIN_CALLS: dict[int, _PlainCalls] = {}


def call(function: Function, arguments: Sequence[Value], context: EvaluationContext) -> Value:
    """The result of calling `function` with these argument values, in order.

    Raises `FunctionError`, whose `argument` is the index of the argument to blame if one is, and
    `ArgumentCountError` when there are too few arguments or too many.
    """
    plain = _PLAIN_CALLS.get(id(function)) or _register(function)
    classes = tuple(map(type, arguments))
    try:
        if classes in plain.classes or _is_plain_call(plain, classes):
            if function.needs_context:
                return function.implementation(context, *arguments)
            return function.implementation(*arguments)
        return _call_carefully(function, arguments, context)
    except (NumberError, ConversionError) as failure:
        raise FunctionError(failure.reason) from failure
    except RecursionError as failure:
        raise FunctionError("the value is nested too deeply") from failure


def _register(function: Function) -> _PlainCalls:
    plain = _PLAIN_CALLS[id(function)] = _PlainCalls(function, set())
    return plain


def _is_plain_call(plain: _PlainCalls, classes: tuple[type, ...]) -> bool:
    """Whether arguments of these classes go straight to the implementation; checks how many there are."""
    function = plain.function
    wanted = len(function.parameters)
    if len(classes) < wanted or (len(classes) > wanted and function.variadic is None):
        raise _wrong_count(function, len(classes))
    for at, one in enumerate(classes):
        if one not in _PLAIN.get(parameter_at(function, at).type, _NOTHING):
            return False
    if len(plain.classes) < _MOST_PLAIN_CALLS:
        plain.classes.add(classes)
    return True


def _wrong_count(function: Function, given: int) -> ArgumentCountError:
    wanted = len(function.parameters)
    plural = "" if wanted == 1 else "s"
    if given > wanted:
        takes = f"takes {wanted} argument{plural}" if wanted else "takes no arguments"
        return ArgumentCountError(f'"{function.name}" {takes}, but {given} were given', wanted, False)
    missing = function.parameters[given]
    at_least = "at least " if function.variadic else ""
    what = f" ({missing.description})" if missing.description else ""
    return ArgumentCountError(
        f'"{function.name}" takes {at_least}{wanted} argument{plural}: "{missing.name}"{what} is missing',
        None,
        True,
    )


def parameter_at(function: Function, argument: int) -> Parameter:
    """The parameter that takes the argument with this index."""
    if argument < len(function.parameters) or function.variadic is None:
        return function.parameters[argument]
    return function.variadic


def _call_carefully(function: Function, arguments: Sequence[Value], context: EvaluationContext) -> Value:
    """The long way: any value, of any type, with marks and unknowns."""
    marks = EMPTY_MARKS
    ready: list[Value] = []
    known = typed = True
    for at, argument in enumerate(arguments):
        parameter = parameter_at(function, at)
        value = _converted(argument, parameter, at)
        if not parameter.allow_marked and not is_plain(value):
            value, found = unmark_deep(value)
            marks |= found
        bare = value.value if type(value) is Marked else value
        if bare is None or type(bare) is Null:
            # Once the result is of any type, stock Terraform looks no further.
            if not parameter.allow_null and typed:
                raise FunctionError(f'"{parameter.name}" must not be null', at)
        elif type(bare) is Unknown and not parameter.allow_unknown:
            known = False
            # What its type function would make of a type not known yet is anybody's guess.
            typed = typed and (bare.type != DYNAMIC or parameter.type != DYNAMIC)
        ready.append(value)
    if TYPE in marks:
        raise FunctionError("the answer of the function type can only be shown, not be used")
    if not typed:
        return mark(UNKNOWN, marks)
    try:
        if not known:
            result: Value = Unknown(return_type(function, ready))
        elif function.needs_context:
            result = function.implementation(context, *ready)
        else:
            result = function.implementation(*ready)
    except (FunctionError, NumberError, ConversionError) as failure:
        if SENSITIVE not in marks:
            raise
        raise FunctionError(_HIDDEN, getattr(failure, "argument", None)) from None
    if function.refine_not_null:
        result = not_null(result)
    return mark(result, marks)


def return_type(function: Function, arguments: Sequence[Value]) -> Type:
    """The type of the result for arguments that are converted already, as far as it can be told.

    Raises `FunctionError` where no result can come of them.
    """
    if isinstance(function.returns, Type):
        return function.returns
    return function.returns([unmark_deep(one)[0] for one in arguments])


def _converted(argument: Value, parameter: Parameter, at: int) -> Value:
    wanted = parameter.type
    if wanted == DYNAMIC:
        return argument
    kind = type(argument)
    if kind in _PLAIN.get(wanted, _NOTHING):
        return argument
    try:
        return convert(argument, wanted)
    except ConversionError as failure:
        reason = _HIDDEN if has_marks(argument, SENSITIVE) else failure.reason
        raise FunctionError(f'"{parameter.name}": {reason}', at) from None


def is_plain(value: Value) -> bool:
    """Whether neither the value nor anything inside is unknown, marked or a typed null."""
    kind = type(value)
    if kind in _SCALARS or value is None:
        return True
    if kind is tuple or kind is List or kind is Set:
        return _SCALARS.issuperset(set(map(type, value))) or all(map(is_plain, value))
    if kind is dict or kind is Map:
        inner = value.values()
        return _SCALARS.issuperset(set(map(type, inner))) or all(map(is_plain, inner))
    return kind is not Unknown and kind is not Marked and kind is not Null
