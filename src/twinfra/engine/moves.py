"""Moved blocks: gives objects in the state their new addresses before anything is planned.

Explicit statements come first; where none speaks of a resource, its single instance and its instance 0 count
as
the same (adding or removing `count`).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field

from twinfra.addresses import AbsResource, Instance, Key, ModuleInstance, ModulePath, Resource
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error, warning
from twinfra.engine.nodes import ResourceNode
from twinfra.engine.program import Program
from twinfra.engine.scope import ModuleScope, table_key
from twinfra.engine.traversals import Target, target_of
from twinfra.state.model import InstanceState, ResourceState, State

Steps = tuple[tuple[str, Key], ...]


@dataclass(frozen=True, slots=True)
class Statement:
    """One move: within every instance of the module `path`, from `source` to `target`.

    `whole`: it moves a resource or module call with all its instances, so keys stay as they are.
    """

    path: ModulePath
    source: Target
    target: Target
    range: SourceRange
    whole: bool

    @property
    def source_path(self) -> ModulePath:
        """The configured module in which the source lies, or that it is."""
        return (*self.path, *self.source.module_path)

    @property
    def target_path(self) -> ModulePath:
        """The configured module in which the target lies, or that it is."""
        return (*self.path, *self.target.module_path)


@dataclass(slots=True)
class Moves:
    """What moving came to: where each object was before, and what is wrong or was left undone."""

    statements: list[Statement] = field(default_factory=list)
    previous: dict[Instance, Instance] = field(default_factory=dict)
    diagnostics: list[Diagnostic] = field(default_factory=list)
    blocked: list[Diagnostic] = field(default_factory=list)


def apply_moves(program: Program, state: State) -> Moves:
    """Give the objects of `state`, in place, the addresses that the configuration's moves say."""
    moves = Moves()
    for path, nodes in program.modules.items():
        for moved in nodes.module.moved:
            try:
                statement = _statement(path, target_of(moved.source), target_of(moved.target), moved.range)
            except DiagnosticError as refused:
                moves.diagnostics.extend(refused.at(moved.range).diagnostics)
                continue
            moves.statements.append(statement)
    _check(program, moves)
    if any(one.severity == "error" for one in moves.diagnostics):
        return moves
    index = _Index(state)
    blocked: list[tuple[Instance, Instance]] = []
    for statement in moves.statements:
        index.move(statement, moves.previous, blocked)
    _implied(program, index, moves)
    index.write(state)
    if blocked:
        lines = "".join(f"\n  - {old} could not move to {new}" for old, new in blocked)
        moves.blocked.append(
            warning(
                "Some moves could not be made",
                f"There is an object at the new address already:{lines}",
                mend="Remove one of each two objects, or move it out of the way (state mv).",
            )
        )
    return moves


def _statement(path: ModulePath, source: Target, target: Target, range: SourceRange) -> Statement:
    if (source.resource is None) != (target.resource is None):
        raise DiagnosticError(
            error(
                "Ends of a move do not match",
                f"{source} and {target} must both be modules or both be resources.",
                range,
            )
        )
    if source.resource is None:
        whole = source.steps[-1][1] is None and target.steps[-1][1] is None
    else:
        whole = source.key is None and target.key is None
    return Statement(path, source, target, range, whole)


def _check(program: Program, moves: Moves) -> None:
    """Find statements that contradict each other or the configuration, and put the rest in the order of
    chains.
    """
    found = moves.diagnostics
    by_source: dict[tuple[object, ...], Statement] = {}
    by_target: dict[tuple[object, ...], Statement] = {}
    kept: list[Statement] = []
    for one in moves.statements:
        source = (one.path, one.source)
        target = (one.path, one.target)
        if one.source == one.target:
            found.append(
                error(
                    "Move to the same place",
                    f"{one.source} is moved to itself.",
                    one.range,
                    mend="Remove the block.",
                )
            )
            continue
        other = by_source.setdefault(source, one)
        if other is not one:
            if other.target == one.target:
                continue
            found.append(
                error(
                    "Contradicting moves",
                    f"{one.source} cannot move to {one.target}: the block at {other.range} moves it "
                    f"to {other.target}.",
                    one.range,
                    mend="Keep one of the two blocks.",
                )
            )
            continue
        other = by_target.setdefault(target, one)
        if other is not one:
            found.append(
                error(
                    "Contradicting moves",
                    f"{one.source} cannot move to {one.target}: the block at {other.range} moves "
                    f"{other.source} there.",
                    one.range,
                    mend="Keep one of the two blocks.",
                )
            )
            continue
        if _still_declared(program, one):
            found.append(_exists(one))
            continue
        kept.append(one)
    moves.statements = _chained(kept, found)


def _still_declared(program: Program, one: Statement) -> bool:
    if not one.whole:
        return False
    if one.source.resource is None:
        return one.source_path in program.modules
    resource = one.source.resource
    return (
        program.resource(one.source_path, table_key(resource.mode, resource.type, resource.name)) is not None
    )


def _chained(statements: list[Statement], found: list[Diagnostic]) -> list[Statement]:
    """Each statement before those that move on what it has moved."""
    resources: dict[tuple[ModulePath, Resource], list[Statement]] = {}
    modules = [one for one in statements if one.source.resource is None]
    for one in statements:
        if one.source.resource is not None:
            resources.setdefault((one.source_path, one.source.resource), []).append(one)
    after: dict[int, list[Statement]] = {}
    missing = {id(one): 0 for one in statements}
    for one in statements:
        path, resource = one.target_path, one.target.resource
        followers = [other for other in modules if _nested(path, other.source_path, resource is None)]
        if resource is not None:
            followers += [other for other in resources.get((path, resource), ()) if _meet(one, other)]
        else:
            for (place, _), others in resources.items():
                if place[: len(path)] == path:
                    followers += others
        after[id(one)] = [other for other in followers if other is not one]
        for other in after[id(one)]:
            missing[id(other)] += 1
    ready = [one for one in statements if not missing[id(one)]]
    for one in ready:
        for other in after[id(one)]:
            missing[id(other)] -= 1
            if not missing[id(other)]:
                ready.append(other)
    left = [one for one in statements if missing[id(one)]]
    if left:
        lines = "".join(f"\n  - {one.range}: {one.source} to {one.target}" for one in left)
        found.append(
            error("Moves in a circle", f"These moves lead nowhere:{lines}", mend="Remove one of the blocks.")
        )
    return ready


def _nested(path: ModulePath, around: ModulePath, both_ways: bool) -> bool:
    return path[: len(around)] == around or (both_ways and around[: len(path)] == path)


def _meet(one: Statement, other: Statement) -> bool:
    """Whether what `one` has moved may be what `other` moves; both are of the same configured resource."""
    if one.whole or other.whole:
        return True
    return one.target.key == other.source.key and (
        one.path != other.path or one.target.steps == other.source.steps
    )


def still_there(moves: Moves, scopes: Mapping[ModulePath, Sequence[ModuleScope]]) -> list[Diagnostic]:
    """Errors for moves of single instances that the configuration still makes; asked after planning."""
    found: list[Diagnostic] = []
    for one in moves.statements:
        if one.whole:
            continue
        for scope in scopes.get(one.source_path, ()):
            depth = len(one.path)
            if scope.instance_of.steps[depth:] != one.source.steps:
                continue
            resource = one.source.resource
            if resource is not None:
                table = scope.resources.get(table_key(resource.mode, resource.type, resource.name))
                if table is None or one.source.key not in table.rows:
                    continue
            found.append(_exists(one))
            break
    return found


def _exists(one: Statement) -> Diagnostic:
    return error(
        "Moved object still exists",
        f"{one.source} is said to have moved to {one.target}, but is still declared.",
        one.range,
        mend="Rename the declaration, or remove the moved block.",
    )


class _Index:
    """The instances of a state by where they are configured, while they move."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._providers = {address: resource.provider for address, resource in state.resources.items()}
        self.places: dict[tuple[ModulePath, Resource], dict[AbsResource, dict[Key, InstanceState]]] = {}
        for address, resource in state.resources.items():
            place = self.places.setdefault((address.module.path, address.resource), {})
            place[address] = dict(resource.instances)
        self.changed = False

    def _candidates(self, statement: Statement) -> Iterator[AbsResource]:
        path = statement.source_path
        resource = statement.source.resource
        if resource is not None:
            yield from tuple(self.places.get((path, resource), ()))
            return
        for place, found in tuple(self.places.items()):
            if place[0][: len(path)] == path:
                yield from tuple(found)

    def move(
        self,
        statement: Statement,
        previous: dict[Instance, Instance],
        blocked: list[tuple[Instance, Instance]],
    ) -> None:
        """Move all that a statement speaks of."""
        for address in self._candidates(statement):
            for key in tuple(self.places[address.module.path, address.resource].get(address, ())):
                old = address.instance(key)
                new = _moved(statement, old)
                if new is not None and new != old:
                    self.put(old, new, previous, blocked)

    def put(
        self,
        old: Instance,
        new: Instance,
        previous: dict[Instance, Instance],
        blocked: list[tuple[Instance, Instance]],
    ) -> None:
        """Move one instance, unless there is one at the new address."""
        target = self.places.setdefault((new.module.path, new.resource), {}).setdefault(new.of, {})
        if new.key in target:
            blocked.append((old, new))
            return
        source = self.places[old.module.path, old.resource]
        target[new.key] = source[old.of].pop(old.key)
        if not source[old.of]:
            del source[old.of]
        self._providers.setdefault(new.of, self._providers[old.of])
        previous[new] = previous.pop(old, old)
        if previous[new] == new:
            del previous[new]
        self.changed = True

    def write(self, state: State) -> None:
        """Put the instances back into the state under their new addresses."""
        if not self.changed:
            return
        state.resources = {
            address: ResourceState(self._providers[address], instances)
            for place in self.places.values()
            for address, instances in place.items()
            if instances
        }


def _moved(statement: Statement, old: Instance) -> Instance | None:
    """Where a statement moves an instance to; None when it does not speak of it."""
    depth = len(statement.path)
    base = old.module.steps[:depth]
    if tuple(name for name, _ in base) != statement.path:
        return None
    source, target = statement.source, statement.target
    rest = old.module.steps[depth:]
    if source.resource is None:
        size = len(source.steps)
        moved = rest[:size]
        if len(moved) < size or not _match(source.steps, moved, statement.whole):
            return None
        steps = _carried(target.steps, moved, statement.whole)
        return Instance(ModuleInstance((*base, *steps, *rest[size:])), old.resource, old.key)
    if source.resource != old.resource or len(rest) != len(source.steps):
        return None
    if not _match(source.steps, rest, False) or not (statement.whole or source.key == old.key):
        return None
    assert target.resource is not None
    key = old.key if statement.whole else target.key
    return Instance(ModuleInstance((*base, *target.steps)), target.resource, key)


def _match(written: Steps, actual: Steps, any_last: bool) -> bool:
    for at, ((name, key), (own_name, own_key)) in enumerate(zip(written, actual, strict=True)):
        if name != own_name or (key != own_key and not (any_last and at == len(written) - 1)):
            return False
    return True


def _carried(target: Steps, moved: Steps, whole: bool) -> Steps:
    if not whole:
        return target
    return (*target[:-1], (target[-1][0], moved[-1][1]))


def _implied(program: Program, index: _Index, moves: Moves) -> None:
    """The moves that adding or removing `count` implies."""
    spoken = {(one.source_path, one.source.resource) for one in moves.statements}
    spoken |= {(one.target_path, one.target.resource) for one in moves.statements}
    for (path, resource), places in tuple(index.places.items()):
        if (path, resource) in spoken:
            continue
        node = program.resource(path, table_key(resource.mode, resource.type, resource.name))
        if not isinstance(node, ResourceNode) or node.for_each is not None:
            continue
        old_key, new_key = (None, 0) if node.count is not None else (0, None)
        for address in tuple(places):
            instances = places.get(address, {})
            if old_key in instances and new_key not in instances:
                index.put(address.instance(old_key), address.instance(new_key), moves.previous, [])
