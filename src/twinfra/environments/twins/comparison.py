"""Both sides evaluated in step, node by node: each pair of values is settled before anything reads it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import zip_longest
from typing import Any

from twinfra.addresses import Key, ModuleInstance, key_order
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError
from twinfra.engine.nodes import CallNode, Kind, Node, OutputNode, ResourceNode
from twinfra.engine.program import Program
from twinfra.engine.scope import ModuleScope, table_key
from twinfra.engine.tables import Table
from twinfra.environments.twins.outlook import Outlook
from twinfra.environments.twins.settling import ABSENT, ignore, settle
from twinfra.values.value import EMPTY_MARKS, Path, Value


@dataclass(frozen=True, slots=True)
class Place:
    """Where two sides differ.

    `node` is a resource, an output of the root module, a provider configuration, or a module call. `key` is
    that of the instance. `path` leads to the value inside; None: the instance as such.
    """

    node: Node
    module: ModuleInstance
    key: Key = None
    path: Path | None = ()


@dataclass(slots=True)
class Difference:
    """Something that differs: where, both values with their traces, and the traces of all that has a say."""

    place: Place
    values: tuple[Value, Value]
    traces: frozenset[str] = EMPTY_MARKS


@dataclass(slots=True)
class Counts:
    """How much was compared: instances that both sides have, and how many of these differ."""

    instances: int = 0
    differing: int = 0


class Comparison:
    """One run over both sides; used once."""

    def __init__(self, program: Program, first: Outlook, second: Outlook, names: tuple[str, str]) -> None:
        self.program = program
        self.sides = (first, second)
        self.names = names
        self.differences: list[Difference] = []
        self.counts = Counts()

    def run(self) -> None:
        """Evaluate and compare everything. Raises `DiagnosticError` where a side cannot be evaluated."""
        first, second = self.sides
        for node in self.program.nodes:
            first.visit(node)
            second.visit(node)
            self._settle(node)
        own, others = (side.diagnostics.errors for side in self.sides)
        if own or others:
            # What is wrong with both is wrong with the code.
            problems = [one if one in others else _told(one, self.names[0]) for one in own]
            problems += [_told(one, self.names[1]) for one in others if one not in own]
            raise DiagnosticError(problems)

    def _settle(self, node: Node) -> None:
        kind = node.kind
        if kind is Kind.PROVIDER:
            first, second = (one.settings.get(node) for one in self.sides)  # type: ignore[call-overload]
            settle(first, second, self._finder(Place(node, ModuleInstance())))
            return
        for one, two in self._scopes(node):
            if kind is Kind.RESOURCE:
                self._resource(node, one, two)  # type: ignore[arg-type]
            elif kind is Kind.LOCAL:
                _settle_names(one.locals, two.locals, node.name)
            elif kind is Kind.VARIABLE:
                _settle_names(one.variables, two.variables, node.name)
            elif kind is Kind.CALL:
                self._call(node, one, two)  # type: ignore[arg-type]
            elif isinstance(node, OutputNode):
                self._output(node, one, two)

    def _scopes(self, node: Node) -> list[tuple[ModuleScope, ModuleScope]]:
        """The module instances that both sides have."""
        own = self.sides[0].scopes.get(node.path, ())
        others = self.sides[1].scopes.get(node.path, ())
        if len(own) == len(others) and all(
            one.instance_of == two.instance_of for one, two in zip_longest(own, others)
        ):
            return list(zip(own, others, strict=True))
        by_address = {one.instance_of: one for one in others}
        return [(one, by_address[one.instance_of]) for one in own if one.instance_of in by_address]

    def _output(self, node: OutputNode, one: ModuleScope, two: ModuleScope) -> None:
        if node.name not in one.outputs or node.name not in two.outputs:
            return
        found = self._finder(Place(node, one.instance_of)) if not node.path else ignore
        left, right, _ = settle(one.outputs[node.name], two.outputs[node.name], found)
        one.outputs[node.name], two.outputs[node.name] = left, right

    def _call(self, node: CallNode, one: ModuleScope, two: ModuleScope) -> None:
        tables = one.calls.get(node.name), two.calls.get(node.name)
        if tables[0] is not None and tables[1] is not None:
            self._keys(node, one.instance_of, tables[0], tables[1])

    def _resource(self, node: ResourceNode, one: ModuleScope, two: ModuleScope) -> None:
        resource = node.resource
        name = table_key(resource.mode, resource.type, resource.name)
        first, second = one.resources.get(name), two.resources.get(name)
        if first is None or second is None:
            return
        for key in first.rows.keys() & second.rows.keys():
            mine, theirs = first.rows[key], second.rows[key]
            before = len(self.differences)
            left, right, _ = settle(mine, theirs, self._finder(Place(node, one.instance_of, key)))
            first.rows[key], second.rows[key] = left, right
            self.counts.instances += 1
            self.counts.differing += len(self.differences) > before
        self._keys(node, one.instance_of, first, second)

    def _keys(self, node: Node, module: ModuleInstance, first: Table, second: Table) -> None:
        """Find the instances that only one side has."""
        if first.rows.keys() == second.rows.keys():
            first.traces = _without_causes(first.traces)
            second.traces = _without_causes(second.traces)
            return
        traces = first.traces | second.traces
        for key in sorted(first.rows.keys() ^ second.rows.keys(), key=key_order):
            place = Place(node, module, key, None)
            values = (first.rows.get(key, ABSENT), second.rows.get(key, ABSENT))
            self.differences.append(Difference(place, values, traces))

    def _finder(self, place: Place) -> Any:
        def found(path: Path, first: Value, second: Value) -> None:
            where = Place(place.node, place.module, place.key, path)
            self.differences.append(Difference(where, (first, second)))

        return found


def _settle_names(own: dict[str, Value], other: dict[str, Value], name: str) -> None:
    if name in own and name in other:
        own[name], other[name], _ = settle(own[name], other[name], ignore)


def _without_causes(traces: frozenset[str]) -> frozenset[str]:
    from twinfra.environments.twins.inputs import Cause

    return frozenset(one for one in traces if not isinstance(one, Cause))


@contextmanager
def in_environment(name: str) -> Iterator[None]:
    """Errors raised inside say which environment they are about."""
    try:
        yield
    except DiagnosticError as failed:
        raise DiagnosticError(_told(one, name) for one in failed.diagnostics) from None


def _told(one: Diagnostic, name: str) -> Diagnostic:
    return replace(one, detail=f"In environment {name}: {one.detail}")
