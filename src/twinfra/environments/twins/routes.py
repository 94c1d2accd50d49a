"""The way from a difference back to an input, expression by expression: for people to read, not to judge by."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from twinfra.addresses import ModuleInstance
from twinfra.dataclass import dataclass
from twinfra.diagnostics import SourceRange
from twinfra.engine.nodes import (
    CallNode,
    LocalNode,
    Node,
    OutputNode,
    ProviderNode,
    ResourceNode,
    VariableNode,
)
from twinfra.engine.program import ModuleNodes, Program
from twinfra.environments.twins.comparison import Place
from twinfra.environments.twins.inputs import WORKSPACE, Cause, Input
from twinfra.environments.twins.outlook import Outlook
from twinfra.environments.twins.report import Hop
from twinfra.environments.twins.variations import rows_of, scope_of
from twinfra.lang.scope import Reference
from twinfra.values.marks import deep_marks

_MOST_HOPS = 32


@dataclass(frozen=True, slots=True)
class _Stop:
    """A node in one module instance."""

    node: Node
    module: ModuleInstance


class Routes:
    """Finds routes in two evaluated sides."""

    def __init__(self, program: Program, sides: tuple[Outlook, Outlook], inputs: Sequence[Input]) -> None:
        self._program = program
        self._sides = sides
        self._inputs = inputs
        self._carried: dict[_Stop, frozenset[int]] = {}
        self._known: dict[object, tuple[Hop, ...]] = {}
        self._routes: dict[tuple[_Stop, int], tuple[Hop, ...] | None] = {}

    def route(self, place: Place, number: int) -> tuple[Hop, ...]:
        """The expressions between a place and an input, the nearest to the place first; the input itself last."""
        known = (place.node, place.module, place.path, number)
        found = self._known.get(known)
        if found is None:
            found = self._known[known] = self._found(place, number)
        return found

    def _found(self, place: Place, number: int) -> tuple[Hop, ...]:
        stop = _Stop(place.node, place.module)
        for references in self._first(place):
            found = self._through(stop, references, number)
            if found is not None:
                return found
        return ()

    def _first(self, place: Place) -> Iterable[Iterable[Reference]]:
        """The references to begin with: those of the argument, then those of all that makes the object."""
        node = place.node
        if isinstance(node, ResourceNode):
            if place.path:
                argument = node.decoder.range_of(place.path)
                if argument is not None:
                    yield [one for one in node.decoder.references if argument.covers(one.range)]
                    outer = node.decoder.range_of(place.path[:1])
                    if outer is not None:
                        yield [one for one in node.decoder.references if outer.covers(one.range)]
            if place.path is not None:
                yield node.decoder.references
        yield _references(node, place.path is None)

    def _through(self, stop: _Stop, references: Iterable[Reference], number: int) -> tuple[Hop, ...] | None:
        """The first way by one of the references."""
        wanted = self._inputs[number]
        nexts: list[_Stop] = []
        for one in references:
            if one.kind == "terraform" and wanted.parameter == WORKSPACE:
                return (Hop(WORKSPACE, _place(one.range)),)
            if one.kind == "var" and not stop.module.steps and one.name == wanted.parameter:
                variable = self._program.modules[()].variables[one.name]
                return (Hop(wanted.name, _place(variable.config.range)),)
            if one.kind in ("each", "count"):
                nexts.append(stop)
                continue
            found = self._target(stop, one)
            if found is not None:
                nexts.append(found)
        for one_stop in nexts:
            if one_stop == stop:
                route = self._through(stop, list(_references(stop.node, True)), number)
                if route is not None:
                    return route
            elif number in self._numbers(one_stop):
                rest = self._route(one_stop, number)
                if rest is not None:
                    return (_hop(one_stop), *rest)
        if isinstance(stop.node, ResourceNode):
            settings = _Stop(stop.node.provider, ModuleInstance())
            if number in self._numbers(settings):
                rest = self._route(settings, number)
                if rest is not None:
                    return (_hop(settings), *rest)
        return None

    def _route(self, stop: _Stop, number: int) -> tuple[Hop, ...] | None:
        known = self._routes.get((stop, number), ())
        if known or known is None:
            return known
        self._routes[stop, number] = None
        node = stop.node
        found: tuple[Hop, ...] | None
        if isinstance(node, VariableNode):
            if not stop.module.steps:
                found = ()
            else:
                parent = ModuleInstance(stop.module.steps[:-1])
                call = self._program.modules[parent.path].calls[stop.module.steps[-1][0]]
                outside = _Stop(call, parent)
                references = node.argument.references if node.argument is not None else ()
                found = self._through(outside, references, number)
        else:
            found = self._through(stop, _references(node, False), number)
            if found is None:
                found = self._through(stop, _references(node, True), number)
        if found is not None and len(found) < _MOST_HOPS:
            self._routes[stop, number] = found
        return found

    def _target(self, stop: _Stop, reference: Reference) -> _Stop | None:
        nodes: ModuleNodes = self._program.modules[stop.module.path]
        kind = reference.kind
        found: Node | None = None
        if kind == "var":
            found = nodes.variables.get(reference.name)
        elif kind == "local":
            found = nodes.locals.get(reference.name)
        elif kind in ("resource", "data"):
            found = nodes.resources.get((kind, reference.type, reference.name))
        elif kind == "module":
            return self._output(stop.module, reference)
        return None if found is None else _Stop(found, stop.module)

    def _output(self, module: ModuleInstance, reference: Reference) -> _Stop | None:
        """The output that a reference reads, of whichever instance there is."""
        inner = self._program.modules.get((*module.path, reference.name))
        output = inner.outputs.get(reference.attribute) if inner is not None else None
        if output is None:
            return None
        for side in self._sides:
            scope = scope_of(side, module)
            table = scope.calls.get(reference.name) if scope is not None else None
            for key in table.rows if table is not None else ():
                return _Stop(output, module.child(reference.name, key))
        return None

    def _numbers(self, stop: _Stop) -> frozenset[int]:
        """The inputs whose traces the values of a node carry."""
        found = self._carried.get(stop)
        if found is None:
            marks: set[str] = set()
            for side in self._sides:
                for value in _values(side, stop):
                    marks |= deep_marks(value)
            found = frozenset(one.number for one in marks if isinstance(one, Cause))
            self._carried[stop] = found
        return found


def _values(side: Outlook, stop: _Stop) -> Iterable[Any]:
    node = stop.node
    if isinstance(node, ProviderNode):
        return [side.settings.get(node)]
    scope = scope_of(side, stop.module)
    if scope is None:
        return ()
    if isinstance(node, LocalNode):
        return [scope.locals.get(node.name)]
    if isinstance(node, VariableNode):
        return [scope.variables.get(node.name)]
    if isinstance(node, OutputNode):
        return [scope.outputs.get(node.name)]
    return rows_of(scope, node).values() if isinstance(node, ResourceNode) else ()


def _references(node: Node, repetition: bool) -> Iterable[Reference]:
    """What the expressions of a node refer to; with `repetition`, those of how often it is there."""
    if isinstance(node, ResourceNode | CallNode) and repetition:
        for compiled in (node.count, node.for_each):
            if compiled is not None:
                yield from compiled.references
    elif isinstance(node, LocalNode | OutputNode):
        yield from node.compiled.references
    elif isinstance(node, ResourceNode):
        yield from node.decoder.references
    elif isinstance(node, ProviderNode):
        yield from _of_provider(node)


def _of_provider(node: ProviderNode) -> Iterable[Reference]:
    return node.decoder.references if node.decoder is not None else ()


def _hop(stop: _Stop) -> Hop:
    node = stop.node
    prefix = f"{stop.module}." if stop.module.steps and not isinstance(node, ProviderNode) else ""
    place: SourceRange | None = None
    if isinstance(node, LocalNode):
        place = node.config.expression.range
    elif isinstance(node, VariableNode | OutputNode | ResourceNode):
        place = node.config.range
        if isinstance(node, VariableNode) and node.argument_range is not None:
            place = node.argument_range
    elif isinstance(node, ProviderNode) and node.block is not None:
        place = node.block.range
    return Hop(f"{prefix}{node.label}", _place(place))


def _place(place: SourceRange | None) -> str:
    return "" if place is None else f"{place.filename}:{place.first.line}"
