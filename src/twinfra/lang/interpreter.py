"""Evaluating expressions by walking their syntax: the meaning of the language, and all that can go wrong.

Like stock Terraform, it goes on after an error with an unknown value, so that one evaluation finds several
errors, and so that a branch which is not taken may fail: only its type matters. `compiler` has the fast way
for expressions that are evaluated often; it leaves every error to this one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error
from twinfra.lang.calls import evaluate_call
from twinfra.lang.conditionals import BranchError, chosen, unify_branches, when_unknown
from twinfra.lang.iteration import evaluate_for, evaluate_splat
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
    ObjectItem,
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
from twinfra.lang.references import Resolved
from twinfra.lang.rendering import evaluate_parts, evaluate_template_for
from twinfra.lang.scope import Reference, Scope, UnresolvedReferenceError
from twinfra.values import operations
from twinfra.values.convert import ConversionError, convert
from twinfra.values.marks import mark, traces, unmark, without_traces
from twinfra.values.operations import OperationError
from twinfra.values.types import BOOL, DYNAMIC, NUMBER, STRING, Type
from twinfra.values.value import EMPTY_MARKS, UNKNOWN, Unknown, Value, is_null

OPERAND_TYPES: dict[str, Type] = {
    **dict.fromkeys(("+", "-", "*", "/", "%", "<", "<=", ">", ">="), NUMBER),
    **dict.fromkeys(("&&", "||"), BOOL),
    **dict.fromkeys(("==", "!="), DYNAMIC),
}
"""What the operands of each binary operator are converted to."""

_ARITHMETIC = ("+", "-", "*", "/", "%")


class ManyRoundsError(Exception):
    """Collections are so large that compiled code pays off; only where `rounds_left` was set."""


class Interpreter:
    """One evaluation of one expression in one scope."""

    __slots__ = ("diagnostics", "element", "names", "resolved", "rounds_left", "scope", "unresolved")

    def __init__(
        self, resolved: dict[int, Resolved], scope: Scope, names: dict[str, Value] | None = None
    ) -> None:
        self.resolved = resolved
        self.scope = scope
        self.names: dict[str, Value] = names if names is not None else {}
        self.element: Value = UNKNOWN
        self.rounds_left = -1
        self.diagnostics: list[Diagnostic] = []
        self.unresolved: list[Diagnostic] = []
        """Errors about references that refer to nothing: no `try` or conditional hides those."""

    def run(self, node: Expression, telling: bool = True) -> Value:
        """The value of an expression. Raises `DiagnosticError` with all that is wrong; `telling`: with the values
        that have a part in it.
        """
        try:
            value = self.value(node)
        except RecursionError:
            raise DiagnosticError(_too_deep(node.range)) from None
        if self.unresolved:
            raise DiagnosticError(self.unresolved)
        if self.diagnostics:
            if telling:
                from twinfra.lang.witnesses import with_values

                self.diagnostics = with_values(self.diagnostics, node, self.scope, frozenset(self.names))
            raise DiagnosticError(self.diagnostics)
        return value

    def value(self, node: TemplatePart) -> Value:
        """The value of a part; unknown after an error, which is noted."""
        return _HANDLERS[node.__class__](self, node)

    def count_rounds(self, rounds: int) -> None:
        """Note how many rounds a `for` is about to take."""
        if self.rounds_left >= 0:
            self.rounds_left -= rounds
            if self.rounds_left < 0:
                raise ManyRoundsError

    def fail(
        self, summary: str, detail: str, subject: SourceRange, mend: str = "", function: str = ""
    ) -> Value:
        """Note an error, of a call of `function` where it is about one; an unknown value to go on with."""
        found = error(summary, detail, subject, mend=mend)
        self.diagnostics.append(replace(found, function=function) if function else found)
        return UNKNOWN

    def captured(self, evaluate: Callable[[], Value]) -> tuple[Value, list[Diagnostic]]:
        """A value with the errors that finding it made, which are not noted."""
        before, self.diagnostics = self.diagnostics, []
        try:
            return evaluate(), self.diagnostics
        finally:
            self.diagnostics = before


def _literal(_: Interpreter, node: Literal) -> Value:
    return node.value


def _faulty(run: Interpreter, node: Faulty) -> Value:
    run.diagnostics.extend(node.problems)
    return UNKNOWN


def _inner(run: Interpreter, node: TemplateWrap | Parentheses) -> Value:
    return run.value(node.inner)


def _splat_element(run: Interpreter, _: SplatElement) -> Value:
    return run.element


def _chain(run: Interpreter, node: Variable | GetAttr | Index) -> Value:
    """A reference or another value, and the steps taken on it."""
    steps: list[GetAttr | Index] = []
    source: Expression = node
    resolved = run.resolved.get(id(source))
    while resolved is None and isinstance(source, GetAttr | Index):
        steps.append(source)
        source = source.source
        resolved = run.resolved.get(id(source))
    if resolved is not None:
        value = _reference(run, resolved)
        for step in resolved.rest:
            value = _step(run, value, step)
    elif isinstance(source, Variable):
        value = run.names[source.name]
    else:
        value = run.value(source)
    for step in reversed(steps):
        value = _step(run, value, step)
    return value


def _reference(run: Interpreter, resolved: Resolved) -> Value:
    """What a reference stands for; its key, if it has one, is evaluated first."""
    reference, key, output = resolved.reference, resolved.key, resolved.output
    place = reference.range
    index = None
    if key is not None:
        place = key.key_range
        index = run.value(key.key)
    try:
        if output is not None:
            place = output.name_range if key is None else place
            if key is None:
                return run.scope.output(reference, output.name)
            return run.scope.instance_output(reference, index, output.name)
        if key is None:
            return run.scope.value(reference)
        return run.scope.instance(reference, index)
    except DiagnosticError as failed:
        unresolved = isinstance(failed, UnresolvedReferenceError) or (key is None and output is None)
        noted = run.unresolved if unresolved else run.diagnostics
        if key is not None and output is not None and _is_there(run, reference, index):
            place = output.name_range
        noted.extend(failed.at(reference.range if unresolved else place).diagnostics)
        return UNKNOWN


def _is_there(run: Interpreter, reference: Reference, key: Value) -> bool:
    """Whether there is such an instance, so that what is wrong is about something inside it."""
    try:
        run.scope.instance(reference, key)
    except DiagnosticError:
        return False
    return True


def _step(run: Interpreter, value: Value, step: GetAttr | Index) -> Value:
    try:
        if isinstance(step, GetAttr):
            return operations.get_attr(value, step.name)
        return operations.index(value, run.value(step.key))
    except OperationError as failed:
        place = step.name_range if isinstance(step, GetAttr) else step.key_range
        return mark(run.fail(failed.summary, failed.detail, place), traces(value))


def _unary(run: Interpreter, node: Unary) -> Value:
    before = len(run.diagnostics)
    operand = run.value(node.operand)
    wanted = NUMBER if node.operator == "-" else BOOL
    if len(run.diagnostics) > before:
        _bad_operand(run, node.operator, operand, wanted, node.operand)
        return Unknown(wanted)
    try:
        return operations.unary(node.operator, operand)
    except OperationError as failed:
        if not _bad_operand(run, node.operator, operand, wanted, node.operand):
            run.fail(failed.summary, failed.detail, node.range)
        return Unknown(wanted)


def _binary(run: Interpreter, node: Binary) -> Value:
    """Operands from left to right; long chains of operators take no deep recursion."""
    chain = [node]
    leftmost = node.left
    while isinstance(leftmost, Binary):
        chain.append(leftmost)
        leftmost = leftmost.left
    before = len(run.diagnostics)
    value = run.value(leftmost)
    while chain:
        one = chain.pop()
        right = run.value(one.right)
        if len(run.diagnostics) == before:
            try:
                value = operations.binary(one.operator, value, right)
                continue
            except OperationError as failed:
                _operation_failed(run, one, value, right, failed)
        else:
            _check_operands(run, one, value, right)
        value = Unknown(NUMBER if one.operator in _ARITHMETIC else BOOL)
    return value


def _check_operands(run: Interpreter, node: Binary, left: Value, right: Value) -> bool:
    """Complain about operands that do not fit; whether there are any."""
    wanted = OPERAND_TYPES[node.operator]
    bad = _bad_operand(run, node.operator, left, wanted, node.left)
    return _bad_operand(run, node.operator, right, wanted, node.right) or bad


def _operation_failed(
    run: Interpreter, node: Binary, left: Value, right: Value, failed: OperationError
) -> None:
    if not _check_operands(run, node, left, right):
        run.fail(failed.summary, failed.detail, node.range)


def _bad_operand(run: Interpreter, operator: str, operand: Value, wanted: Type, node: Expression) -> bool:
    try:
        convert(operand, wanted)
    except ConversionError as failed:
        run.fail("Invalid operand", f"{operator} cannot take this: {failed.reason}.", node.range)
        return True
    return False


def _conditional(run: Interpreter, node: Conditional) -> Value:
    return _choose(
        run,
        node.condition,
        lambda: run.value(node.then),
        lambda: run.value(node.otherwise),
        (node.then.range, node.otherwise.range),
    )


def _template_if(run: Interpreter, node: TemplateIf) -> Value:
    places = (
        node.then[0].range if node.then else node.range,
        node.otherwise[0].range if node.otherwise else node.range,
    )
    return _choose(
        run,
        node.condition,
        lambda: evaluate_parts(run, node.then),
        lambda: evaluate_parts(run, node.otherwise),
        places,
    )


def _choose(
    run: Interpreter,
    condition: Expression,
    then: Callable[[], Value],
    otherwise: Callable[[], Value],
    places: tuple[SourceRange, SourceRange],
) -> Value:
    """One of two values. Both are evaluated, since the type of the result depends on both."""
    values, found = zip(run.captured(then), run.captured(otherwise), strict=True)
    try:
        type = unify_branches(*values)
    except BranchError as failed:
        return run.fail(failed.summary, failed.detail, places[0].to(places[1]))
    test, test_marks = unmark(run.value(condition))
    if is_null(test):
        run.fail("Null condition", "The condition is null; it must be true or false.", condition.range)
        return Unknown(type)
    own = [unmark(one)[1] for one in values]
    marks = test_marks.union(*own)
    if isinstance(test, Unknown):
        return mark(when_unknown(type, *(unmark(one)[0] for one in values)), marks)
    try:
        truth = convert(test, BOOL)
    except ConversionError as failed:
        run.fail(
            "Condition is no bool", f"The condition must be true or false: {failed.reason}.", condition.range
        )
        return Unknown(type)
    taken = 0 if truth else 1
    if own[1 - taken]:
        marks = test_marks | own[taken] | without_traces(own[1 - taken])
    run.diagnostics.extend(found[taken])
    try:
        value = chosen(values[taken], values[1 - taken], type)
    except ConversionError as failed:
        run.fail(
            "Unlike values in a conditional",
            f"This value does not fit the other: {failed.reason}.",
            places[taken],
        )
        value = Unknown(type)
    return mark(value, marks)


def _tuple(run: Interpreter, node: TupleExpression) -> Value:
    return tuple([run.value(element) for element in node.elements])


def _object(run: Interpreter, node: ObjectExpression) -> Value:
    values: dict[str, Value] = {}
    marks = EMPTY_MARKS
    known = True
    for item in node.items:
        if item.bare:
            assert isinstance(item.key, Literal)
            values[item.key.value] = run.value(item.value)
            continue
        before = len(run.diagnostics)
        key, found = unmark(_key(run, item))
        failed = len(run.diagnostics) > before
        value = run.value(item.value)
        if failed:
            known = False
            continue
        if is_null(key):
            run.fail("Null as a key", "The key of an item is null; it must be a string.", item.value.range)
            known = False
            continue
        marks |= found
        try:
            key = convert(key, STRING)
        except ConversionError as reason:
            run.fail("Invalid key", f"The key of an item must be a string: {reason.reason}.", item.key.range)
            known = False
            continue
        if isinstance(key, Unknown):
            known = False
        else:
            values[key] = value
    return mark(values if known else UNKNOWN, marks if known else EMPTY_MARKS)


def _key(run: Interpreter, item: ObjectItem) -> Value:
    if is_ambiguous_key(item.key):
        return run.fail(
            "Ambiguous key",
            "A name with dots as a key may be meant as a reference, or as a text.",
            item.key.range,
            "Write a reference in parentheses, and a text in quotes.",
        )
    return run.value(item.key)


def is_ambiguous_key(key: Expression) -> bool:
    """Whether the key of an item is written like a reference, without parentheses."""
    stepped = False
    while isinstance(key, GetAttr) or (isinstance(key, Index) and isinstance(key.key, Literal)):
        stepped = True
        key = key.source
    return stepped and isinstance(key, Variable)


def _template(run: Interpreter, node: Template) -> Value:
    return evaluate_parts(run, node.parts)


def _too_deep(place: SourceRange) -> Diagnostic:
    return error(
        "Nested too deeply",
        "The expression, or a value in it, is nested too deeply to be evaluated.",
        place,
        mend="Split it: name inner parts as local values.",
    )


_HANDLERS: dict[type, Callable[[Interpreter, Any], Value]] = {
    Literal: _literal,
    Faulty: _faulty,
    Template: _template,
    TemplateWrap: _inner,
    TemplateIf: _template_if,
    TemplateFor: evaluate_template_for,
    Variable: _chain,
    GetAttr: _chain,
    Index: _chain,
    Splat: evaluate_splat,
    SplatElement: _splat_element,
    Unary: _unary,
    Binary: _binary,
    Conditional: _conditional,
    Parentheses: _inner,
    TupleExpression: _tuple,
    ObjectExpression: _object,
    For: evaluate_for,
    Call: evaluate_call,
}
