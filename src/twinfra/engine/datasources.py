"""Data sources: read while planning where all is known, else put off to the apply, with the reason."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from twinfra.addresses import MANAGED, AbsResource, Instance
from twinfra.diagnostics import Diagnostic, DiagnosticError, Severity, as_warnings
from twinfra.engine.bodies import decode_config, locate, secrets_in
from twinfra.engine.changes import Action, Reason, ResourceChange
from twinfra.engine.conditions import told_shortly
from twinfra.engine.evaluation import Evaluation
from twinfra.engine.events import Listener
from twinfra.engine.expand import expand
from twinfra.engine.instance import addressed
from twinfra.engine.nodes import CallNode, EndNode, Node, ResourceNode
from twinfra.engine.objects import Facts, encode_object, marked
from twinfra.engine.refresh import id_of
from twinfra.engine.scheduler import Call, Operation
from twinfra.engine.scope import UNSET, ModuleScope, table_key
from twinfra.engine.tables import Repetition, Table
from twinfra.providers.protocol import Provider, ProviderError, Stored
from twinfra.state.model import State
from twinfra.values.marks import PathMarks, unmark_deep_with_paths
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import Unknown, Value, is_null

Object = dict[str, Any]


class Reading:
    """One instance of a data source that is to be read now."""

    __slots__ = ("address", "call", "config", "index", "key", "marks", "scope", "table", "value")

    def __init__(
        self, address: Instance, scope: ModuleScope, table: Table, config: Object, marks: PathMarks
    ) -> None:
        self.address = address
        self.scope = scope
        self.table = table
        self.config = config
        self.marks = marks
        self.call: Call
        self.index: Value = None
        self.value: Value = None


class DataReads:
    """Plans and reads the data sources of one run."""

    def __init__(
        self,
        walk: Evaluation,
        state: State,
        listener: Listener,
        pending: Callable[[Node], bool],
        included: Callable[[ResourceNode, Instance], bool],
    ) -> None:
        self._walk = walk
        self._state = state
        self._listener = listener
        self._pending = pending
        self._included = included
        self.changes: list[ResourceChange] = []

    def plan(self, node: ResourceNode, provider: Provider, inline: bool) -> Operation:
        """Read the instances of a data source, or put them off; an operation of the walk."""
        readings: list[Reading] = []
        waiting = any(self._pending(one) for one in _waited_for(node))
        for scope in self._walk.scopes.get(node.path, ()):
            try:
                expansion = expand(node.count, node.for_each, scope)
            except DiagnosticError as failed:
                self._walk.fail(node, failed.at(node.config.range).diagnostics)
                continue
            table = scope.resources[table_key(node.resource.mode, node.resource.type, node.resource.name)] = (
                Table(expansion.repetition, Unknown(node.facts.type))
            )
            for key, index, value in self._walk.rows_of(expansion):
                address = AbsResource(scope.instance_of, node.resource).instance(key)
                if not self._included(node, address):
                    continue
                scope.repeat(expansion.repetition, index, value)
                try:
                    reading = self._prepare(node, provider, scope, table, address, waiting)
                except DiagnosticError as failed:
                    self._walk.fail(node, addressed(failed, node, address))
                    continue
                finally:
                    scope.repeat(Repetition.SINGLE, None, None)
                if reading is not None:
                    reading.index, reading.value = index, value
                    reading.call = self._call(provider, node.resource.type, reading, inline)
                    readings.append(reading)
        if readings:
            yield [one.call for one in readings]
        for one in readings:
            self._finish(node, one)

    def _prepare(
        self,
        node: ResourceNode,
        provider: Provider,
        scope: ModuleScope,
        table: Table,
        address: Instance,
        waiting: bool,
    ) -> Reading | None:
        """Evaluate one instance; None when it was put off or its preconditions do not hold."""
        if node.preconditions and not self._walk.conditions(
            node,
            node.preconditions,
            scope,
            "resource",
            _inside(address),
            "Precondition of a data source failed",
        ):
            return None
        config, marks = decode_config(node.decoder, scope, ())
        hidden = secrets_in(config, marks, node.facts)
        told = [
            locate(one, node.decoder, node.place, str(address), hidden)
            for one in _validated(provider, node, config)
        ]
        if any(one.severity is Severity.ERROR for one in told):
            raise DiagnosticError(told)
        self._walk.diagnostics.extend(told)
        if contains_unknown(config) or waiting:
            reason = (
                Reason.READ_BECAUSE_CONFIG_UNKNOWN
                if contains_unknown(config)
                else Reason.READ_BECAUSE_DEPENDENCY_PENDING
            )
            self._put_off(node, table, address, planned_data(node.facts, config), marks, reason)
            return None
        return Reading(address, scope, table, config, marks)

    def _put_off(
        self,
        node: ResourceNode,
        table: Table,
        address: Instance,
        after: Object,
        marks: PathMarks,
        reason: Reason,
    ) -> None:
        shown = marked(after, node.facts, marks)
        table.rows[address.key] = shown
        change = ResourceChange(address, node.provider.config, Action.READ, None, shown, reason)
        self.changes.append(change)
        self._listener.planned(change)

    def _call(self, provider: Provider, kind: str, one: Reading, inline: bool) -> Call:
        call = Call(lambda: provider.read_data(kind, one.config), inline=inline)
        if inline:
            self._listener.data_started(one.address)
            call.started = time.monotonic()
        else:
            call.begun = lambda: self._listener.data_started(one.address)
        return call

    def _finish(self, node: ResourceNode, one: Reading) -> None:
        call = one.call
        problem = call.error
        if problem is not None:
            if not isinstance(problem, ProviderError):
                raise problem
            hidden = secrets_in(one.config, one.marks, node.facts)
            told = [
                locate(item, node.decoder, node.place, str(one.address), hidden)
                for item in problem.diagnostics
            ]
            if not node.nested:
                self._walk.fail(node, told)
                return
            # What a check cannot read is a warning, and the check fails.
            self._walk.diagnostics.extend(replace(item, transient=True) for item in as_warnings(told))
            self._walk.unread[node] = told_shortly(told)
            self._put_off(
                node,
                one.table,
                one.address,
                planned_data(node.facts, one.config),
                one.marks,
                Reason.READ_BECAUSE_CHECK_NESTED,
            )
            return
        value: Object
        value, marks = unmark_deep_with_paths(call.result)
        one.marks = [*one.marks, *marks]
        self._listener.data_finished(one.address, id_of(value), time.monotonic() - call.started)
        shown = marked(value, node.facts, one.marks)
        if node.nested:
            self._put_off(node, one.table, one.address, value, one.marks, Reason.READ_BECAUSE_CHECK_NESTED)
        else:
            one.table.rows[one.address.key] = shown
        self._state.put(
            one.address, node.provider.config, encode_object(Stored(value), node.facts, one.marks)
        )
        if node.postconditions:
            scope = one.scope
            scope.repeat(one.table.repetition, one.index, one.value)
            scope.self_value = shown
            try:
                self._walk.conditions(
                    node,
                    node.postconditions,
                    scope,
                    "resource",
                    _inside(one.address),
                    "Postcondition of a data source failed",
                )
            finally:
                scope.self_value = UNSET
                scope.repeat(Repetition.SINGLE, None, None)


def planned_data(facts: Facts, config: Object) -> Object:
    """What is known of a data source before it is read: what is written, and unknowns for what it
    computes.
    """
    block = facts.block
    types = facts.type.attributes
    return {
        name: Unknown(types[name])
        if name in block.attributes and block.attributes[name].computed and is_null(value)
        else value
        for name, value in config.items()
    }


def _validated(provider: Provider, node: ResourceNode, config: Object) -> list[Diagnostic]:
    try:
        return list(provider.validate_data(node.resource.type, config))
    except ProviderError as refused:
        return list(refused.diagnostics)


def _waited_for(node: ResourceNode) -> Iterator[Node]:
    """The nodes whose pending changes put a data source off: its `depends_on`, the managed resources that it
    reads itself, and the `depends_on` of the modules around it.
    """
    yield from node.depends
    for need in node.needs:
        if isinstance(need, CallNode):
            yield from _call_depends(need)
        elif isinstance(need, ResourceNode) and need.resource.mode == MANAGED:
            yield need


def _call_depends(call: CallNode) -> Iterator[Node]:
    yield from call.depends
    for need in call.needs:
        if isinstance(need, CallNode):
            yield from _call_depends(need)


def resources_of(node: Node) -> Iterator[ResourceNode]:
    """The resources that a dependency stands for: itself, or all in a module."""
    if isinstance(node, ResourceNode):
        yield node
    elif isinstance(node, EndNode):
        for need in node.needs:
            yield from resources_of(need)


def _inside(address: Instance) -> str:
    """The address of an instance without its module."""
    from twinfra.addresses import ROOT

    return str(Instance(ROOT, address.resource, address.key))
