"""Function calls: finding the function, evaluating its arguments, and telling which of them was wrong.

`try` and `can` see their arguments fail, so they are called from here and not like other functions.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from twinfra.diagnostics import SourceRange
from twinfra.lang.functions import PROVIDER, lookup, suggestion
from twinfra.lang.functions.call import ArgumentCountError, call, parameter_at
from twinfra.lang.functions.declaration import Function, FunctionError
from twinfra.lang.iteration import pairs
from twinfra.lang.nodes import (
    Binary,
    Call,
    Conditional,
    Expression,
    For,
    GetAttr,
    Index,
    Literal,
    ObjectExpression,
    Parentheses,
    Splat,
    Template,
    TemplatePart,
    TupleExpression,
    Variable,
)
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import mark, traces, unmark
from twinfra.values.types import DYNAMIC
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import EMPTY_MARKS, UNKNOWN, List, Set, Unknown, Value, is_null

if TYPE_CHECKING:
    from twinfra.lang.interpreter import Interpreter


def evaluate_call(run: Interpreter, node: Call) -> Value:
    """A call of any function."""
    function = _function(run, node.name)
    if function is None:
        return _unknown_function(run, node)
    before = len(run.diagnostics)
    expanded = _expanded(run, node)
    if expanded is None:
        return UNKNOWN
    # Arguments are expressions, but for the elements of an expanded one, which are values already.
    written = node.arguments[:-1] if node.expand else node.arguments
    given = len(written) + len(expanded)
    if given < len(function.parameters) or (given > len(function.parameters) and function.variadic is None):
        del run.diagnostics[before:]
        return _wrong_count(run, node, function, given)
    if function.name == "try":
        return _try(run, node, written, expanded)
    if function.name == "can":
        return _can(run, written, expanded)
    arguments = [run.value(argument) for argument in written]
    arguments += expanded
    if len(run.diagnostics) > before:
        _check_types(run, node, function, arguments)
        return UNKNOWN
    if function.name == "templatestring" and written and not _is_reference(written[0]):
        return run.fail(
            "Invalid argument",
            "templatestring takes its template from another object; what is written here is one already.",
            start_of(written[0]),
            "Refer to the object that holds the template, or write a template without the function.",
        )
    try:
        return call(function, arguments, run.scope.context)
    except FunctionError as failed:
        return mark(_failed(run, node, function, arguments, failed), _traces(arguments))


def _function(run: Interpreter, name: str) -> Function | None:
    if not name.startswith(PROVIDER):
        return lookup(name)
    local, _, rest = name.removeprefix(PROVIDER).partition("::")
    provider = run.scope.context.providers.get(local)
    return None if provider is None else lookup(f"{PROVIDER}{provider}::{rest}")


def _unknown_function(run: Interpreter, node: Call) -> Value:
    mend = suggestion(node.name) or "`twinfra functions` lists all functions."
    if node.name.startswith(PROVIDER):
        local = node.name.removeprefix(PROVIDER).partition("::")[0]
        if local not in run.scope.context.providers:
            mend = f"Declare the provider as {local} in the required_providers of this module, if it has this function."
    return run.fail("Unknown function", f"There is no function {node.name}.", node.name_range, mend)


def _expanded(run: Interpreter, node: Call) -> list[Value] | None:
    """The elements of the last argument, where it is followed by `...`; None where they cannot be had."""
    if not node.expand:
        return []
    last = node.arguments[-1]
    before = len(run.diagnostics)
    value, marks = unmark(run.value(last))
    if len(run.diagnostics) > before:
        return None
    if is_null(value):
        run.fail(
            "Null for several arguments", "What stands before ... is null.", last.range, "Give an empty list."
        )
        return None
    if type(value) is Unknown:
        from twinfra.values.types import ListType, SetType, TupleType

        if value.type == DYNAMIC or isinstance(value.type, ListType | SetType | TupleType):
            return None
    elif type(value) is tuple or isinstance(value, List | Set):
        return [mark(element, marks) for _, element in pairs(value)]
    run.fail(
        "No list for several arguments",
        "What stands before ... must be a list, a set or a tuple: its elements become the arguments.",
        last.range,
        "Remove the three dots, or put the value in brackets.",
    )
    return None


def _wrong_count(run: Interpreter, node: Call, function: Function, given: int) -> Value:
    wanted = len(function.parameters)
    place = SourceRange(node.range.source, node.range.end - 1, node.range.end)
    if given > wanted:
        place = start_of(node.arguments[min(wanted, len(node.arguments) - 1)])
    try:
        call(function, [UNKNOWN] * given, run.scope.context)
    except ArgumentCountError as failed:
        return run.fail(
            "Wrong number of arguments", f"{_sentence(failed.reason)}.", place, function=node.name
        )
    return UNKNOWN


def _try(run: Interpreter, node: Call, written: Sequence[Expression], expanded: Sequence[Value]) -> Value:
    reasons: list[str] = []
    passed: frozenset[str] = EMPTY_MARKS
    for argument in written:
        value, found = run.captured(lambda argument=argument: run.value(argument))  # type: ignore[misc]
        if not found:
            # What was tried in vain has a say in which value it is, too.
            return mark(mark(UNKNOWN, traces(value)) if contains_unknown(value) else value, passed)
        passed |= traces(value)
        reasons += [f"{one.subject}: {one.detail}" for one in found]
    for value in expanded:
        return mark(mark(UNKNOWN, traces(value)) if contains_unknown(value) else value, passed)
    place = node.name_range
    if not reasons:
        return run.fail("Call failed", "try needs at least one expression.", place)
    return run.fail(
        "Call failed",
        "None of the expressions of try has a value. " + " ".join(reasons),
        place,
        "Add a last argument that cannot fail, such as null.",
    )


def _can(run: Interpreter, written: Sequence[Expression], expanded: Sequence[Value]) -> Value:
    from twinfra.values.types import BOOL

    if written:
        value, found = run.captured(lambda: run.value(written[0]))
        if found:
            return mark(False, traces(value))
    else:
        value = expanded[0]
    return mark(Unknown(BOOL) if contains_unknown(value) else True, traces(value))


def _traces(arguments: Sequence[Value]) -> frozenset[str]:
    return EMPTY_MARKS.union(*map(traces, arguments))


def _argument_range(node: Call, argument: int) -> SourceRange:
    """Where diagnostics about an argument point: the expanded one stands for all its elements."""
    last = len(node.arguments) - 1
    if node.expand and argument >= last:
        return node.arguments[last].range
    return start_of(node.arguments[min(argument, last)])


def _check_types(run: Interpreter, node: Call, function: Function, arguments: Sequence[Value]) -> bool:
    """Complain about each argument that does not fit its parameter; whether there is any."""
    bad = False
    for at, argument in enumerate(arguments):
        parameter = parameter_at(function, at)
        if parameter.type == DYNAMIC:
            continue
        try:
            convert(argument, parameter.type)
        except ConversionError as failed:
            run.fail(
                "Invalid argument",
                f'"{parameter.name}" does not fit: {failed.reason}.',
                _argument_range(node, at),
                function=node.name,
            )
            bad = True
    return bad


def _failed(
    run: Interpreter, node: Call, function: Function, arguments: Sequence[Value], failed: FunctionError
) -> Value:
    if _check_types(run, node, function, arguments):
        return UNKNOWN
    if failed.argument is not None and node.arguments:
        return run.fail(
            "Invalid argument",
            f"{_sentence(failed.reason)}.",
            _argument_range(node, failed.argument),
            function=node.name,
        )
    if failed.argument is not None:
        return run.fail("Invalid argument", f"{_sentence(failed.reason)}.", node.range, function=node.name)
    return run.fail("Call failed", f"{node.name}: {failed.reason}.", opening_of(node), function=node.name)


def _sentence(reason: str) -> str:
    return reason[:1].upper() + reason[1:]


def _is_reference(node: Expression) -> bool:
    while isinstance(node, GetAttr | Index):
        node = node.source
    return isinstance(node, Variable)


def start_of(node: TemplatePart) -> SourceRange:
    """The place by which stock Terraform points at an argument: what gives the expression its character.

    That is the operator of a splat or index, the first operand of an operation, the text inside quotes.
    """
    while True:
        if isinstance(node, Binary):
            node = node.left
        elif isinstance(node, Conditional):
            node = node.condition
        elif isinstance(node, Parentheses):
            node = node.inner
        elif isinstance(node, Splat):
            return node.star_range
        elif isinstance(node, Index) and not _has_fixed_key(node):
            return node.key_range
        elif isinstance(node, Template):
            first = node.parts[0]
            if isinstance(first, Literal):
                return first.range
            node = first
        elif isinstance(node, Literal) and isinstance(node.value, str):
            return _text_range(node)
        elif isinstance(node, TupleExpression | ObjectExpression | For):
            return SourceRange(node.range.source, node.range.start, node.range.start + 1)
        elif isinstance(node, Call):
            return opening_of(node)
        else:
            return node.range


def opening_of(node: Call) -> SourceRange:
    """The name of the function that is called, and the parenthesis after it."""
    place = node.name_range
    return SourceRange(place.source, place.start, place.source.text.index("(", place.end) + 1)


def _has_fixed_key(node: Index) -> bool:
    return isinstance(node.key, Literal)


def _text_range(node: Literal) -> SourceRange:
    """The text of a string literal: just inside its quotes, or the first line of a heredoc."""
    place = node.range
    text = place.source.text
    if text.startswith('"', place.start):
        inside = place.start + (2 if place.end - place.start == 2 else 1)
        return SourceRange(place.source, inside, max(inside, place.end - 1))
    if text.startswith("<<", place.start):
        line = text.find("\n", place.start) + 1
        return SourceRange(place.source, line, max(line, place.end))
    return place
