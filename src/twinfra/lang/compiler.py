"""Expressions made ready to be evaluated: references are known, what is evaluated often runs as Python code.

Literals and plain references need no code at all. Any other expression is interpreted at first; one that is
evaluated again and again, or that goes through collections, is compiled (see `codegen`). Compiled code only
knows how to succeed: when anything fails in it, the interpreter starts anew and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error
from twinfra.lang.interpreter import Interpreter, ManyRoundsError
from twinfra.lang.nodes import Expression, Literal
from twinfra.lang.references import References
from twinfra.lang.scope import EvaluationContext, Reference, Scope, UnresolvedReferenceError
from twinfra.values.value import Value

_WARM = 32
"""After how many evaluations code is made of an expression: making it takes as long as dozens of them."""

_MANY_ROUNDS = 500
"""After how many rounds of `for` expressions code is made at once."""

_MOST_MISSES = 8


class Compiled:
    """An expression ready to be evaluated. `names` are those that `evaluate_with` gives it values for."""

    __slots__ = ("_code", "_misses", "_references", "_uses", "expression", "names", "range")

    def __init__(self, expression: Expression, names: frozenset[str] = frozenset()) -> None:
        self.expression = expression
        self.names = names
        self.range: SourceRange = expression.range
        self._references: References | None = None
        self._uses = 0
        self._misses = 0
        self._code: Callable[[Scope], Value] | None = None

    @property
    def references(self) -> tuple[Reference, ...]:
        """What it refers to, in the order of the text; found without evaluating anything."""
        return tuple(self._analysis().found)

    @property
    def problems(self) -> list[Diagnostic]:
        """What is wrong with its references whatever the values, such as a lone name."""
        return self._analysis().problems

    @property
    def is_constant(self) -> bool:
        """Whether nothing around it, and no function, has a say in its value."""
        analysis = self._analysis()
        return not (analysis.found or analysis.calls or analysis.problems or self.names)

    @property
    def has_calls(self) -> bool:
        """Whether it calls functions."""
        return bool(self._analysis().calls)

    def _analysis(self) -> References:
        if self._references is None:
            self._references = References(self.expression, self.names)
        return self._references

    def evaluate(self, scope: Scope) -> Value:
        """Its value. Raises `DiagnosticError` with all that is wrong, each diagnostic with its range."""
        code = self._code
        if code is not None:
            try:
                return code(scope)
            except Exception:  # whatever it is, the interpreter will meet it too
                self._missed()
            return self._interpreter(scope).run(self.expression)
        if isinstance(self.expression, Literal):
            return self.expression.value
        if self._analysis().problems:
            raise DiagnosticError(self.problems)
        self._uses += 1
        if self._uses == _WARM:
            self._generate()
        interpreter = self._interpreter(scope)
        if self._uses < _WARM:
            interpreter.rounds_left = _MANY_ROUNDS
        try:
            return interpreter.run(self.expression)
        except ManyRoundsError:
            # Going through a large collection is worth some code.
            self._uses = _WARM
            self._generate()
            return self.evaluate(scope)

    def evaluate_with(self, scope: Scope, names: dict[str, Value]) -> Value:
        """Its value where the names bound around it stand for these values; else like `evaluate`."""
        if not self.names:
            return self.evaluate(scope)
        analysis = self._analysis()
        if analysis.problems:
            raise DiagnosticError(analysis.problems)
        return Interpreter(analysis.resolved, scope, names).run(self.expression)

    def _interpreter(self, scope: Scope) -> Interpreter:
        return Interpreter(self._analysis().resolved, scope)

    def _generate(self) -> None:
        from twinfra.lang.codegen import NotCompilableError, generate

        try:
            self._code = generate(self.expression, self._analysis().resolved)
        except NotCompilableError:
            self._code = None

    def _missed(self) -> None:
        """Give up on code that hardly ever succeeds."""
        self._misses += 1
        if self._misses == _MOST_MISSES:
            self._code = None


def compile_expression(expression: Expression, names: frozenset[str] = frozenset()) -> Compiled:
    """An expression, ready to be evaluated; costs nearly nothing until that happens.

    `names` are bound around it: references that begin with them are not references; see `evaluate_with`.
    """
    return Compiled(expression, names)


def constant(expression: Expression) -> Value:
    """The value of an expression without references and function calls. Raises `DiagnosticError`."""
    analysis = References(expression)
    found = list(analysis.problems)
    found += [_not_constant(f"{one} is not", one.range) for one in analysis.found]
    found += [_not_constant(f"{one.name} would have to be called", one.range) for one in analysis.calls]
    if found:
        raise DiagnosticError(found)
    return Interpreter(analysis.resolved, _NOTHING).run(expression)


def _not_constant(what: str, place: SourceRange) -> Diagnostic:
    return error(
        "Not a constant",
        f"The value must be known without evaluating anything, and {what}.",
        place,
        mend="Write the value itself.",
    )


class _Nothing:
    """A scope in which there is nothing."""

    context = EvaluationContext(Path(), "")

    def value(self, reference: Reference) -> Value:
        raise self._nothing(reference)

    def instance(self, reference: Reference, key: Value) -> Value:
        raise self._nothing(reference)

    def output(self, reference: Reference, name: str) -> Value:
        raise self._nothing(reference)

    def instance_output(self, reference: Reference, key: Value, name: str) -> Value:
        raise self._nothing(reference)

    def _nothing(self, reference: Reference) -> UnresolvedReferenceError:
        return UnresolvedReferenceError(_not_constant(f"{reference} is not", reference.range))


_NOTHING = _Nothing()
