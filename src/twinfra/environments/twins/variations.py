"""One side evaluated again with some inputs taken from the other: does a value change?

Only what is asked for is evaluated, and only where something that it is made from has really changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import closing
from typing import Any

from twinfra.addresses import Key, ModuleInstance
from twinfra.dataclass import dataclass
from twinfra.engine.nodes import (
    CallNode,
    Kind,
    LocalNode,
    Node,
    OutputNode,
    ProviderNode,
    ResourceNode,
    VariableNode,
)
from twinfra.engine.program import Program
from twinfra.engine.scope import ModuleScope, table_key
from twinfra.engine.tables import Table
from twinfra.environments.twins.comparison import Place
from twinfra.environments.twins.inputs import REGION, WORKSPACE, Cause, Input, Inputs, traced
from twinfra.environments.twins.outlook import Outlook
from twinfra.environments.twins.settling import ABSENT, origins
from twinfra.lang.compiler import Compiled
from twinfra.values.equality import identical
from twinfra.values.marks import deep_marks, unmark, unmark_deep
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import GetAttr, Path, Value


@dataclass(frozen=True, slots=True)
class Swap:
    """Side `side` with these inputs as the other side has them."""

    side: int
    inputs: frozenset[int]


@dataclass(frozen=True, slots=True)
class Answer:
    """What becomes of a place under a swap.

    `changed`: it is not what it was, or cannot be evaluated. `equal`: it is what the other side has. `parts`: those
    of the swapped inputs that are in it.
    """

    changed: bool
    equal: bool
    parts: frozenset[int] = frozenset()


_UNCHANGED = Answer(False, False)


class Variations:
    """Answers for two evaluated sides what becomes of places under a swap."""

    def __init__(
        self,
        program: Program,
        sides: tuple[Outlook, Outlook],
        inputs: Sequence[Input],
        accepted: tuple[Inputs, Inputs],
    ) -> None:
        self._program = program
        self._sides = sides
        self._inputs = inputs
        self._accepted = accepted
        names = {one.parameter for one in inputs}
        self._readers = set(workspace_readers(program)) if WORKSPACE in names else set()

    def answers(self, swap: Swap, places: Iterable[Place]) -> dict[Place, Answer]:
        """What becomes of the places under the swap."""
        places = list(places)
        base, other = self._sides[swap.side], self._sides[1 - swap.side]
        inputs = traced(self._accepted[swap.side], self._inputs, swap.side, swap.inputs)
        fork = _Fork(base, inputs, swap.side)
        fork.wanted = self._wanted(places)
        with closing(fork.providers):
            fork.run(self._demanded(places), self._given(swap.inputs))
            return {one: fork.answer(one, base, other) for one in places}

    def _given(self, swapped: frozenset[int]) -> set[Node]:
        """The nodes that the swapped inputs themselves are."""
        names = {self._inputs[one].parameter for one in swapped}
        root = self._program.modules[()].variables
        given: set[Node] = {root[name] for name in names if name in root}
        if REGION in names:
            given.update(self._program.providers.values())
        return given | self._readers if WORKSPACE in names else given

    def _wanted(self, places: Iterable[Place]) -> dict[Node, set[tuple[ModuleInstance, Key]]]:
        """The instances asked about, of resources that nothing else which is asked about is made from."""
        found: dict[Node, set[tuple[ModuleInstance, Key]]] = {}
        for one in places:
            found.setdefault(one.node, set()).add((one.module, one.key))
        needed = self._demanded_by(need for node in found for need in node.needs)
        return {node: keys for node, keys in found.items() if node not in needed}

    def _demanded(self, places: Iterable[Place]) -> set[Node]:
        """The nodes of the places and all that they need."""
        return self._demanded_by(one.node for one in places)

    def _demanded_by(self, nodes: Iterable[Node]) -> set[Node]:
        found: set[Node] = set()
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if node not in found:
                found.add(node)
                waiting.extend(node.needs)
        return found


class _Fork(Outlook):
    """A side that goes its own way: scopes are copied, values that stay are shared."""

    def __init__(self, base: Outlook, inputs: Inputs, side: int) -> None:
        super().__init__(base.program, inputs, base.providers.another())
        self._side = side
        self.wanted: Mapping[Node, set[tuple[ModuleInstance, Key]]] = {}
        self.settings = dict(base.settings)
        self.started = dict(base.started)
        self._setting_marks = dict(base._setting_marks)
        self.failed = set(base.failed)
        self._copies: dict[int, ModuleScope] = {}
        self.scopes = {path: [self._copy(one) for one in scopes] for path, scopes in base.scopes.items()}
        self.root = self.scopes[()][0]
        self._changed: set[Node] = set()

    def _copy(self, scope: ModuleScope) -> ModuleScope:
        parent = self._copies[id(scope.parent)] if scope.parent is not None else None
        made = ModuleScope(
            scope.module, scope.instance_of, self.context, scope.root_directory, self.workspace, parent
        )
        made.call_repetition, made.call_key, made.call_value = (
            scope.call_repetition,
            scope.call_key,
            scope.call_value,
        )
        made.variables = dict(scope.variables)
        made.locals = dict(scope.locals)
        made.outputs = dict(scope.outputs)
        made.resources = dict(scope.resources)
        if parent is not None:
            name, key = scope.instance_of.steps[-1]
            table = parent.calls.get(name)
            if table is None:
                table = parent.calls[name] = _like(scope.parent.calls[name])  # type: ignore[union-attr]
            table.rows[key] = made
        for name, calls in scope.calls.items():
            if not calls.rows:
                made.calls[name] = _like(calls)
        self._copies[id(scope)] = made
        return made

    def is_settled(self, node: ResourceNode, scope: ModuleScope, key: Key) -> bool:
        """An instance that nobody asks about, and nothing is made from, stays as it is."""
        wanted = self.wanted.get(node)
        return wanted is not None and (scope.instance_of, key) not in wanted

    def call(self, node: CallNode) -> None:
        """Make the instances of a module anew: all that was in the former ones goes."""
        inner = (*node.path, node.name)
        for path in self.scopes:
            if path[: len(inner)] == inner:
                self.scopes[path] = []
        super().call(node)

    def run(self, demanded: set[Node], given: set[Node]) -> None:
        """Evaluate what is demanded and may have changed, in order."""
        changed = self._changed
        for node in self.program.nodes:
            if node not in demanded or not (node in given or not changed.isdisjoint(node.needs)):
                continue
            before = self._values(node)
            self.visit(node)
            if (
                node in self.failed
                or node.kind is Kind.CALL
                or not _alike_values(before, self._values(node), self._side)
            ):
                changed.add(node)

    def _values(self, node: Node) -> list[Any]:
        """What stands for a node in the scopes now."""
        if isinstance(node, ProviderNode):
            return [self.settings.get(node)]
        found: list[Any] = []
        for scope in self.scopes.get(node.path, ()):
            if isinstance(node, LocalNode):
                found.append(scope.locals.get(node.name))
            elif isinstance(node, VariableNode):
                found.append(scope.variables.get(node.name))
            elif isinstance(node, OutputNode):
                found.append(scope.outputs.get(node.name))
            elif isinstance(node, ResourceNode):
                found.append(_table(scope, node))
        return found

    def answer(self, place: Place, base: Outlook, other: Outlook) -> Answer:
        """What has become of a place, compared with what it was, and with the other side."""
        if place.node in self.failed:
            return Answer(True, False)
        if place.node not in self._changed:
            return _UNCHANGED
        value = value_at(self, place)
        if _alike(value_at(base, place), value, self._side):
            return _UNCHANGED
        parts = frozenset(
            one.number for one in deep_marks(value) if isinstance(one, Cause) and one.side != self._side
        )
        return Answer(True, _alike(value_at(other, place), value, 1 - self._side), parts)


def value_at(side: Outlook, place: Place) -> Value:
    """The value of a place on a side; `ABSENT` where there is none. Of an instance as such, whether it is there."""
    node = place.node
    if isinstance(node, ProviderNode):
        return _step_into(side.settings.get(node, ABSENT), place.path or ())
    scope = scope_of(side, place.module)
    if scope is None:
        return ABSENT
    if isinstance(node, OutputNode):
        return _step_into(scope.outputs.get(node.name, ABSENT), place.path or ())
    table = scope.calls.get(node.name) if isinstance(node, CallNode) else None
    if isinstance(node, ResourceNode):
        table = _table(scope, node)
    if table is None or place.key not in table.rows:
        return ABSENT
    if place.path is None:
        return True
    return _step_into(table.rows[place.key], place.path)


def scope_of(side: Outlook, module: ModuleInstance) -> ModuleScope | None:
    """The scope of a module instance; None where the side has none."""
    scope = side.root
    for name, key in module.steps:
        table = scope.calls.get(name)
        found = None if table is None else table.rows.get(key)
        if found is None:
            return None
        scope = found
    return scope


def rows_of(scope: ModuleScope, node: ResourceNode) -> Mapping[Any, Value]:
    """The instances of a resource in a module instance, by key."""
    table = _table(scope, node)
    return {} if table is None else table.rows


def _table(scope: ModuleScope, node: ResourceNode) -> Table | None:
    resource = node.resource
    return scope.resources.get(table_key(resource.mode, resource.type, resource.name))


def _like(table: Table) -> Table:
    made = Table(table.repetition, table.filler)
    made.open, made.traces = table.open, table.traces
    return made


def _step_into(value: Value, path: Path) -> Value:
    """What is at a path, with the traces of all that is around it."""
    from twinfra.values.marks import mark

    around: frozenset[str] = frozenset()
    for step in path:
        value, marks = unmark(value)
        around |= marks
        key = step.name if isinstance(step, GetAttr) else step.key
        try:
            value = value[key]
        except (KeyError, IndexError, TypeError):
            return ABSENT
    return mark(value, around) if value is not ABSENT else value


def _alike_values(before: Sequence[Any], after: Sequence[Any], side: int) -> bool:
    if len(before) != len(after):
        return False
    for one, two in zip(before, after, strict=True):
        if isinstance(one, Table) and isinstance(two, Table):
            if one.open != two.open or one.rows.keys() != two.rows.keys():
                return False
            if not all(_alike(row, two.rows[key], side) for key, row in one.rows.items()):
                return False
        elif not _alike(one, two, side):
            return False
    return True


def _alike(one: Value, two: Value, side: int) -> bool:
    """Whether a value of a side is what it was.

    An unknown is another one when it comes from other places, or has something of the other side in it.
    """
    if one is two:
        return True
    if one is ABSENT or two is ABSENT:
        return False
    bare, other = unmark_deep(one)[0], unmark_deep(two)[0]
    if not identical(bare, other):
        return False
    if not contains_unknown(bare):
        return True
    return _unknown_parts(one, side) == _unknown_parts(two, side)


def _unknown_parts(value: Value, side: int) -> tuple[frozenset[str], frozenset[str]]:
    marks = deep_marks(value)
    return origins(marks), frozenset(one for one in marks if isinstance(one, Cause) and one.side != side)


def workspace_readers(program: Program) -> list[Node]:
    """The nodes whose expressions ask for the workspace's name."""
    return [
        node
        for node in program.nodes
        if any(one.kind == "terraform" for each in _expressions(node) for one in each)
    ]


def _expressions(node: Node) -> Iterable[Iterable[Any]]:
    """The references of all expressions of a node."""
    compiled: list[Compiled | None] = []
    if isinstance(node, LocalNode | OutputNode):
        compiled.append(node.compiled)
    elif isinstance(node, VariableNode):
        compiled.append(node.argument)
    elif isinstance(node, CallNode):
        compiled += [node.count, node.for_each]
    elif isinstance(node, ResourceNode):
        compiled += [node.count, node.for_each]
        yield node.decoder.references
    elif isinstance(node, ProviderNode) and node.decoder is not None:
        yield node.decoder.references
    for one in compiled:
        if one is not None:
            yield one.references
