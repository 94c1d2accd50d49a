"""Finding what an expression refers to, without evaluating it.

A reference is a chain of names from a root that no `for` binds: `var.x`, `module.m[0].out`,
`aws_vpc.main.id`. Which object a chain names, and which of its steps remain to be taken on that object's
value, follows the reference rules of the language
(https://developer.hashicorp.com/terraform/language/expressions/references).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange, error
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
    TemplateFor,
    TemplateIf,
    TemplatePart,
    TemplateWrap,
    TupleExpression,
    Unary,
    Variable,
)
from twinfra.lang.scope import Reference

Step: TypeAlias = GetAttr | Index

SINGLE_NAME = {
    "var": "an input variable",
    "local": "a local value",
    "each": "key or value",
    "count": "index",
    "path": "module, root or cwd",
    "terraform": "workspace",
    "module": "a module call",
}
_RESERVED = ("template", "lazy", "arg")


@dataclass(frozen=True, slots=True)
class Resolved:
    """What a chain of names stands for.

    `key` is the index by which one instance is read (None: the object as a whole), `output` the module output
    read directly; `rest` are the steps to take on the value that gives.
    """

    reference: Reference
    key: Index | None
    output: GetAttr | None
    rest: tuple[Step, ...]


class References:
    """All references of one expression, in order and by the node at the end of each chain.

    `problems` are about those that refer to nothing, whatever there is; `calls` are its function calls.
    `bound`: names that mean something else around the expression, such as the iterator of a `dynamic` block.
    """

    __slots__ = ("calls", "found", "problems", "resolved")

    def __init__(self, expression: Expression, bound: frozenset[str] = frozenset()) -> None:
        self.found: list[Reference] = []
        self.calls: list[Call] = []
        self.problems: list[Diagnostic] = []
        self.resolved: dict[int, Resolved] = {}
        self._walk(expression, bound)

    def _walk(self, root: TemplatePart, bound: frozenset[str]) -> None:
        """Visit all nodes in source order, without recursion."""
        pending: list[tuple[TemplatePart, frozenset[str]]] = [(root, bound)]
        while pending:
            node, bound = pending.pop()
            kind = node.__class__
            if kind is Literal:
                continue
            if kind is Variable or kind is GetAttr or kind is Index:
                pending.extend(self._chain(node, bound))
            else:
                if isinstance(node, Call):
                    self.calls.append(node)
                pending.extend(reversed([*children(node, bound)]))

    def _chain(self, node: TemplatePart, bound: frozenset[str]) -> list[tuple[TemplatePart, frozenset[str]]]:
        """Visit a chain of steps down to its root; what there is to visit inside, last first."""
        steps: list[Step] = []
        source = node
        while isinstance(source, GetAttr | Index):
            steps.append(source)
            source = source.source
        steps.reverse()
        inside: list[tuple[TemplatePart, frozenset[str]]] = [
            (step.key, bound) for step in reversed(steps) if isinstance(step, Index)
        ]
        if not isinstance(source, Variable):
            inside.append((source, bound))
        elif source.name not in bound:
            resolved = self._resolve(source, steps)
            if resolved is not None:
                self.resolved[id(node)] = resolved
                self.found.append(resolved.reference)
        return inside

    def _resolve(self, root: Variable, steps: list[Step]) -> Resolved | None:
        """What a chain names; None after noting what is wrong with it."""
        name = root.name
        whole = _static_range(root, steps)
        if name in SINGLE_NAME:
            first = self._attribute(
                root, steps, 0, f"{name} is no value itself; {SINGLE_NAME[name]} must follow it."
            )
            if first is None:
                return None
            if name == "module":
                return self._module(first, steps, whole)
            return Resolved(Reference(name, first.name, whole), None, None, tuple(steps[1:]))
        if name == "self":
            attribute, place = "", None
            if steps and isinstance(steps[0], GetAttr):
                attribute, place = steps[0].name, steps[0].name_range
            return Resolved(Reference("self", "", whole, "", attribute, place), None, None, tuple(steps))
        if name in _RESERVED:
            self._problem(
                "Reserved name",
                f"The name {name} is reserved and refers to nothing.",
                root.range,
                f"Write resource.{name} for a resource type of this name.",
            )
            return None
        return self._resource(root, steps, whole)

    def _module(self, call: GetAttr, steps: list[Step], whole: SourceRange) -> Resolved | None:
        at = 1
        key: Index | None = None
        if at < len(steps) and isinstance(steps[at], Index):
            step = steps[at]
            assert isinstance(step, Index)
            key = step
            at += 1
        output: GetAttr | None = None
        if at < len(steps):
            step = steps[at]
            if isinstance(step, GetAttr):
                output = step
                at += 1
        reference = Reference("module", call.name, whole, "", output.name if output is not None else "")
        return Resolved(reference, key, output, tuple(steps[at:]))

    def _resource(self, root: Variable, steps: list[Step], whole: SourceRange) -> Resolved | None:
        kind, type, at = "resource", root.name, 0
        if type in ("data", "ephemeral", "resource"):
            kind = type
            what = {"data": "a data source", "ephemeral": "an ephemeral resource", "resource": "a resource"}[
                kind
            ]
            wanted = f"After {kind}, the type and the name of {what} must follow."
            first = self._attribute(root, steps, 0, wanted)
            if first is None:
                return None
            type, at = first.name, 1
        else:
            wanted = (
                f"{type} alone refers to nothing: a reference to a resource has its type, a dot and its name."
            )
        named = self._attribute(root, steps, at, wanted)
        if named is None:
            return None
        at += 1
        key: Index | None = None
        if at < len(steps) and isinstance(steps[at], Index):
            step = steps[at]
            assert isinstance(step, Index)
            key = step
            at += 1
        fixed = key is None or isinstance(key.key, Literal)
        attribute, place = "", None
        if at < len(steps):
            step = steps[at]
            if isinstance(step, GetAttr):
                attribute, place = step.name, step.name_range
        reference = Reference(kind, named.name, whole, type, attribute, place, key is not None, fixed)
        return Resolved(reference, key, None, tuple(steps[at:]))

    def _attribute(self, root: Variable, steps: list[Step], at: int, wanted: str) -> GetAttr | None:
        """The step `at`, which must be a name."""
        if at < len(steps):
            step = steps[at]
            if isinstance(step, GetAttr):
                return step
            if isinstance(step.key, Literal):
                self._problem("Invalid reference", wanted, step.key_range, "Write a dot and the name.")
                return None
        mend = "Write the full reference; or quote it, if a string is meant."
        self._problem("Invalid reference", wanted, _static_range(root, steps[:at]), mend)
        return None

    def _problem(self, summary: str, detail: str, place: SourceRange, mend: str) -> None:
        self.problems.append(error(summary, detail, place, mend=mend))


def roots(expression: Expression) -> list[tuple[str, SourceRange]]:
    """The first name of each reference in an expression, with its place, in the order of the text."""
    found: list[tuple[str, SourceRange]] = []
    pending: list[tuple[TemplatePart, frozenset[str]]] = [(expression, frozenset())]
    while pending:
        node, bound = pending.pop()
        if isinstance(node, Variable):
            if node.name not in bound:
                found.append((node.name, node.range))
        elif isinstance(node, GetAttr):
            pending.append((node.source, bound))
        elif isinstance(node, Index):
            pending += [(node.key, bound), (node.source, bound)]
        elif not isinstance(node, Literal):
            pending.extend(reversed([*children(node, bound)]))
    return found


def _static_range(root: Variable, steps: list[Step]) -> SourceRange:
    """The range of a chain as far as its keys are literals."""
    last: Variable | Step = root
    for step in steps:
        if isinstance(step, Index) and not isinstance(step.key, Literal):
            break
        last = step
    return last.range


def children(node: TemplatePart, bound: frozenset[str]) -> Iterator[tuple[TemplatePart, frozenset[str]]]:
    """The parts of a node that is no chain of steps, in source order, each with the names bound in it."""
    if isinstance(node, Template):
        for part in node.parts:
            yield part, bound
    elif isinstance(node, TemplateWrap | Parentheses):
        yield node.inner, bound
    elif isinstance(node, Call):
        for argument in node.arguments:
            yield argument, bound
    elif isinstance(node, ObjectExpression):
        for item in node.items:
            yield item.key, bound
            yield item.value, bound
    elif isinstance(node, TupleExpression):
        for element in node.elements:
            yield element, bound
    elif isinstance(node, Binary):
        yield node.left, bound
        yield node.right, bound
    elif isinstance(node, Unary):
        yield node.operand, bound
    elif isinstance(node, Conditional):
        yield node.condition, bound
        yield node.then, bound
        yield node.otherwise, bound
    elif isinstance(node, For):
        inner = bound | {node.key_name, node.value_name}
        yield node.collection, bound
        if node.key is not None:
            yield node.key, inner
        yield node.value, inner
        if node.condition is not None:
            yield node.condition, inner
    elif isinstance(node, Splat):
        yield node.source, bound
        yield node.each, bound
    elif isinstance(node, TemplateIf):
        yield node.condition, bound
        for part in (*node.then, *node.otherwise):
            yield part, bound
    elif isinstance(node, TemplateFor):
        inner = bound | {node.key, node.value}
        yield node.collection, bound
        for part in node.body:
            yield part, inner
