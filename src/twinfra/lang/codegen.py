"""Python code objects for expressions that are evaluated often.

Code is built as `ast` nodes, never as text, so that nothing in a configuration can become code. It takes the
short way that most values take, and raises for everything else (errors, marks in collections, ...): the
interpreter deals with that. What needs no reference is computed beforehand.
"""

from __future__ import annotations

import ast
from collections.abc import Callable
from types import CodeType, FunctionType
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.lang import shortcuts
from twinfra.lang.functions import PROVIDER, lookup
from twinfra.lang.interpreter import is_ambiguous_key
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
from twinfra.lang.scope import Scope
from twinfra.values.value import Value

Code = Callable[[Scope], Value]


class NotCompilableError(Exception):
    """The expression is one that the interpreter must evaluate."""


def generate(expression: Expression, resolved: dict[int, Resolved]) -> Code:
    """A function that gives the value of an expression in a scope, or raises anything at all.

    Raises `NotCompilableError` where there is none.
    """
    try:
        return _Generator(resolved).function(expression)
    except NotCompilableError:
        raise
    except Exception as failed:  # folding finds errors; nesting may be too deep for Python's own compiler
        raise NotCompilableError from failed


@dataclass(frozen=True, slots=True)
class _Piece:
    """Code for a value; `value` is the value itself where `fixed`."""

    code: ast.expr
    fixed: bool = False
    value: Value = None


class _Generator:
    """Builds the code of one expression."""

    def __init__(self, resolved: dict[int, Resolved]) -> None:
        self.resolved = resolved
        self.namespace: dict[str, Any] = {}
        self.prelude: list[ast.stmt] = []
        self.known_references: dict[tuple[str, str, str], str] = {}
        self.names: dict[str, str] = {}
        self.elements: list[str] = []
        self.made = 0

    def function(self, expression: Expression) -> Code:
        """The function for the whole expression."""
        result = ast.Return(self.build(expression).code)
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg("scope")], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        body: list[ast.stmt] = [*self.prelude, result]
        module = ast.Module([ast.FunctionDef("evaluate", arguments, body, [])], [])
        ast.fix_missing_locations(module)
        code = compile(module, "<expression>", "exec", optimize=0)
        for constant in code.co_consts:
            if isinstance(constant, CodeType):
                return FunctionType(constant, {"__builtins__": {}, **self.namespace})
        raise NotCompilableError

    def build(self, node: TemplatePart) -> _Piece:
        """The code for a node."""
        return _BUILDERS[node.__class__](self, node)

    def fresh(self, kind: str, value: Any) -> ast.expr:
        """A new global name for something that code needs."""
        name = self.local(kind)
        self.namespace[name] = value
        return _name(name)

    def local(self, kind: str) -> str:
        """A new name."""
        self.made += 1
        return f"{kind}{self.made}"

    def fixed(self, value: Value) -> _Piece:
        """The code for a value that is known already."""
        if value is None or type(value) in (str, int, bool):
            return _Piece(ast.Constant(value), True, value)
        return _Piece(self.fresh("constant", value), True, value)

    def helper(self, function: Callable[..., Any]) -> ast.expr:
        """The name of one of the functions in `shortcuts`."""
        name = function.__name__
        self.namespace[name] = function
        return _name(name)

    def apply(self, function: Callable[..., Any], *pieces: _Piece) -> _Piece:
        """A call of a shortcut; made at once where all its arguments are known."""
        if all(piece.fixed for piece in pieces):
            return self.fixed(function(*(piece.value for piece in pieces)))
        return _Piece(_call(self.helper(function), *(piece.code for piece in pieces)))

    # One method for each kind of node.

    def literal(self, node: Literal) -> _Piece:
        return self.fixed(node.value)

    def inner(self, node: TemplateWrap | Parentheses) -> _Piece:
        return self.build(node.inner)

    def splat_element(self, _: SplatElement) -> _Piece:
        return _Piece(_name(self.elements[-1]))

    def chain(self, node: Variable | GetAttr | Index) -> _Piece:
        resolved = self.resolved.get(id(node))
        if resolved is not None:
            piece = self.reference(resolved)
            for step in resolved.rest:
                piece = self.step(piece, step)
            return piece
        if isinstance(node, Variable):
            return _Piece(_name(self.names[node.name]))
        return self.step(self.build(node.source), node)

    def step(self, source: _Piece, step: GetAttr | Index) -> _Piece:
        if isinstance(step, GetAttr):
            return self.apply(shortcuts.attribute, source, self.fixed(step.name))
        return self.apply(shortcuts.element, source, self.build(step.key))

    def reference(self, resolved: Resolved) -> _Piece:
        """A reference; one without a key is read once, before everything else."""
        reference, key, output = resolved.reference, resolved.key, resolved.output
        if key is None and output is None:
            known = (reference.kind, reference.type, reference.name)
            local = self.known_references.get(known)
            if local is None:
                local = self.known_references[known] = self.local("value")
                read = _call(_attribute("scope", "value"), self.fresh("reference", reference))
                self.prelude.append(ast.Assign([ast.Name(local, ast.Store())], read))
            return _Piece(_name(local))
        arguments = [self.fresh("reference", reference)]
        if key is not None:
            arguments.append(self.build(key.key).code)
        if output is not None:
            arguments.append(ast.Constant(output.name))
        method = "instance" if output is None else "output" if key is None else "instance_output"
        return _Piece(_call(_attribute("scope", method), *arguments))

    def unary(self, node: Unary) -> _Piece:
        return self.apply(shortcuts.UNARY[node.operator], self.build(node.operand))

    def binary(self, node: Binary) -> _Piece:
        return self.apply(shortcuts.BINARY[node.operator], self.build(node.left), self.build(node.right))

    def conditional(self, node: Conditional) -> _Piece:
        pieces = (self.build(node.condition), self.build(node.then), self.build(node.otherwise))
        return self.apply(shortcuts.choose, *pieces)

    def template(self, node: Template) -> _Piece:
        return self.apply(shortcuts.text, *map(self.build, node.parts))

    def template_if(self, node: TemplateIf) -> _Piece:
        then = self.apply(shortcuts.text, *map(self.build, node.then))
        otherwise = self.apply(shortcuts.text, *map(self.build, node.otherwise))
        return self.apply(shortcuts.choose, self.build(node.condition), then, otherwise)

    def template_for(self, node: TemplateFor) -> _Piece:
        rounds = self.rounds(node.collection, False)
        with _Bound(self, {node.key: rounds[1], node.value: rounds[2]}):
            text = self.apply(shortcuts.text, *map(self.build, node.body))
        return _Piece(_call(self.helper(shortcuts.joined), self.comprehension(text.code, rounds, None)))

    def tuple_expression(self, node: TupleExpression) -> _Piece:
        pieces = [self.build(element) for element in node.elements]
        if all(piece.fixed for piece in pieces):
            return self.fixed(tuple([piece.value for piece in pieces]))
        return _Piece(ast.Tuple([piece.code for piece in pieces], ast.Load()))

    def object_expression(self, node: ObjectExpression) -> _Piece:
        keys: list[_Piece] = []
        values: list[_Piece] = []
        for item in node.items:
            if is_ambiguous_key(item.key):
                raise NotCompilableError
            keys.append(self.apply(shortcuts.key, self.build(item.key)))
            values.append(self.build(item.value))
        if all(piece.fixed for piece in (*keys, *values)):
            return self.fixed({key.value: value.value for key, value in zip(keys, values, strict=True)})
        return _Piece(ast.Dict([key.code for key in keys], [value.code for value in values]))

    def rounds(self, collection: Expression, conditional: bool) -> tuple[ast.expr, str, str]:
        """What a comprehension iterates over, and the local names for its key and value."""
        source = self.build(collection).code
        iterate = shortcuts.pairs_for_condition if conditional else shortcuts.known_pairs
        return _call(self.helper(iterate), source), self.local("key"), self.local("item")

    def comprehension(
        self, element: ast.expr, rounds: tuple[ast.expr, str, str], condition: ast.expr | None
    ) -> ast.expr:
        source, key, value = rounds
        target = ast.Tuple([ast.Name(key, ast.Store()), ast.Name(value, ast.Store())], ast.Store())
        conditions = [] if condition is None else [condition]
        return ast.ListComp(element, [ast.comprehension(target, source, conditions, 0)])

    def for_expression(self, node: For) -> _Piece:
        rounds = self.rounds(node.collection, node.condition is not None)
        with _Bound(self, {node.key_name: rounds[1], node.value_name: rounds[2]}):
            condition = None
            if node.condition is not None:
                condition = _call(self.helper(shortcuts.truth), self.build(node.condition).code)
            value = self.build(node.value).code
            if node.key is None:
                return _Piece(
                    _call(self.helper(shortcuts.as_tuple), self.comprehension(value, rounds, condition))
                )
            key = _call(self.helper(shortcuts.key), self.build(node.key).code)
        items = self.comprehension(ast.Tuple([key, value], ast.Load()), rounds, condition)
        make = shortcuts.grouped if node.grouping else shortcuts.as_object
        return _Piece(_call(self.helper(make), items))

    def splat(self, node: Splat) -> _Piece:
        source = self.build(node.source).code
        name = self.local("element")
        self.elements.append(name)
        each = self.build(node.each).code
        self.elements.pop()
        arguments = ast.arguments(
            posonlyargs=[], args=[ast.arg(name)], kwonlyargs=[], kw_defaults=[], defaults=[]
        )
        return _Piece(_call(self.helper(shortcuts.splat), source, ast.Lambda(arguments, each)))

    def call(self, node: Call) -> _Piece:
        # What a function of a provider is called, depends on the module.
        function = None if node.name.startswith(PROVIDER) else lookup(node.name)
        if function is None or function.name == "templatestring":
            raise NotCompilableError
        given = len(node.arguments)
        if not node.expand and not (
            len(function.parameters) <= given
            and (function.variadic is not None or given == len(function.parameters))
        ):
            raise NotCompilableError
        pieces = [self.build(argument).code for argument in node.arguments]
        if function.name in ("try", "can"):
            if node.expand:
                raise NotCompilableError
            return _Piece(_call(self.helper(shortcuts.ATTEMPTS[function.name]), pieces[0]))
        if node.expand:
            pieces[-1] = ast.Starred(_call(self.helper(shortcuts.arguments_of), pieces[-1]), ast.Load())
        arguments = ast.Tuple(pieces, ast.Load())
        context = _attribute("scope", "context")
        return _Piece(
            _call(self.helper(shortcuts.call), self.fresh("function", function), arguments, context)
        )


class _Bound:
    """Binds names of the language to local names while code for the inside of a `for` is built."""

    def __init__(self, generator: _Generator, names: dict[str, str]) -> None:
        self.generator = generator
        self.names = names

    def __enter__(self) -> None:
        self.outer = self.generator.names
        self.generator.names = {**self.outer, **self.names}

    def __exit__(self, *_: object) -> None:
        self.generator.names = self.outer


def _name(name: str) -> ast.expr:
    return ast.Name(name, ast.Load())


def _attribute(name: str, attribute: str) -> ast.expr:
    return ast.Attribute(_name(name), attribute, ast.Load())


def _call(function: ast.expr, *arguments: ast.expr) -> ast.expr:
    return ast.Call(function, list(arguments), [])


_BUILDERS: dict[type, Callable[[_Generator, Any], _Piece]] = {
    Literal: _Generator.literal,
    Template: _Generator.template,
    TemplateWrap: _Generator.inner,
    TemplateIf: _Generator.template_if,
    TemplateFor: _Generator.template_for,
    Variable: _Generator.chain,
    GetAttr: _Generator.chain,
    Index: _Generator.chain,
    Splat: _Generator.splat,
    SplatElement: _Generator.splat_element,
    Unary: _Generator.unary,
    Binary: _Generator.binary,
    Conditional: _Generator.conditional,
    Parentheses: _Generator.inner,
    TupleExpression: _Generator.tuple_expression,
    ObjectExpression: _Generator.object_expression,
    For: _Generator.for_expression,
    Call: _Generator.call,
}
