"""The order of an apply: what waits for what, when objects are created, changed and destroyed.

Destroying is the reverse of creating, by the dependencies that the state recorded. There are three kinds of
ends:

- `REPLACED`: the old object goes before the new one comes. Its dependents that go too go before it.
- `GONE`: nothing takes its place. It goes after its dependents that go, and after those that are updated to
do
  without it - unless the end of something it depends on waits for it, which would close a circle.
- `AFTER`: the new object is there already (`create_before_destroy`), and all that uses it has been switched.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from twinfra.addresses import AbsResource, ConfigResource, Key
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.nodes import Kind, Node, ProviderNode, ResourceNode
from twinfra.engine.program import Program
from twinfra.engine.scope import table_key
from twinfra.state.model import State


class End(StrEnum):
    """When an object is destroyed; see the module's docstring."""

    REPLACED = "replaced"
    GONE = "gone"
    AFTER = "after"


class DestroyNode(Node):
    """The objects of one configured resource that are destroyed at one stage."""

    __slots__ = ("changes", "end", "provider", "resource")

    def __init__(self, program: Program, resource: ConfigResource, end: End, provider: ProviderNode) -> None:
        super().__init__(Kind.RESOURCE, program.configuration.root, f"{resource} ({end})")
        self.resource = resource
        self.end = end
        self.provider = provider
        self.changes: list[ResourceChange] = []


def end_of(change: ResourceChange) -> End | None:
    """At which stage a change destroys something; None where it destroys nothing."""
    if change.action is Action.DELETE_THEN_CREATE:
        return End.REPLACED
    if change.action is Action.CREATE_THEN_DELETE:
        return End.AFTER
    return End.GONE if change.action is Action.DELETE else None


class Ends:
    """All ends of a plan, and what each waits for.

    `gone`: the keys of the current objects that go without a successor, by resource.
    """

    def __init__(self, program: Program, state: State, changes: Iterable[ResourceChange]) -> None:
        self._program = program
        self.nodes: dict[tuple[str, End], DestroyNode] = {}
        self.without_provider: list[ResourceChange] = []
        self.gone: dict[AbsResource, set[Key]] = {}
        self._dependencies: dict[str, dict[str, None]] = {}
        self._updated: dict[str, dict[str, None]] = {}
        for change in changes:
            end = end_of(change)
            if end is not None:
                self._add(change, end)
            stored = state.get(change.address)
            if stored is None or (end is None and change.action is not Action.UPDATE):
                continue
            found = self._dependencies if end is not None else self._updated
            known = found.setdefault(str(change.address.config), {})
            for one in (stored.current, *stored.deposed.values()):
                if one is not None:
                    known.update(dict.fromkeys(one.dependencies))

    def _add(self, change: ResourceChange, end: End) -> None:
        config = change.address.config
        name = str(config)
        node = self.nodes.get((name, end))
        if node is None:
            resource = config.resource
            configured = self._program.resource(
                config.module, table_key(resource.mode, resource.type, resource.name)
            )
            provider = (
                configured.provider if configured is not None else self._program.provider(change.provider)
            )
            if provider is None:
                self.without_provider.append(change)
                return
            node = self.nodes[name, end] = DestroyNode(self._program, config, end, provider)
        node.changes.append(change)
        if end is End.GONE and not change.deposed:
            self.gone.setdefault(change.address.of, set()).add(change.address.key)

    def join(self, waits_for: dict[Node, dict[Node, None]]) -> None:
        """Add the ends and their order to a graph that has the resource nodes already."""
        dependents: dict[str, list[str]] = {}
        for name, needs in self._dependencies.items():
            for need in needs:
                dependents.setdefault(need, []).append(name)
        updaters: dict[str, list[str]] = {}
        for name, needs in self._updated.items():
            for need in needs:
                updaters.setdefault(need, []).append(name)
        stages: dict[str, list[DestroyNode]] = {}
        for (name, _), node in self.nodes.items():
            stages.setdefault(name, []).append(node)
        replaced = {name for name, end in self.nodes if end is End.REPLACED}
        by_name = {str(node): node for node in waits_for if isinstance(node, ResourceNode)}
        users = self._users(waits_for, by_name)
        for (name, end), node in self.nodes.items():
            waits: dict[Node, None] = {}
            if node.provider in waits_for:
                waits[node.provider] = None
            # Something this depends on is replaced in place, which waits for this: then this may wait for
            # nothing new.
            bound = not replaced.isdisjoint(self._dependencies.get(name, ()))
            for dependent in dependents.get(name, ()):
                for other in stages.get(dependent, ()):
                    if other.end is not End.AFTER or end is End.AFTER or (end is End.GONE and not bound):
                        waits[other] = None
            own = by_name.get(name)
            if end is End.REPLACED and own is not None:
                waits_for[own][node] = None
            elif end is End.AFTER and own is not None:
                waits[own] = None
                waits.update(dict.fromkeys(users.get(own, ())))
            if end is not End.REPLACED and not bound:
                for updater in updaters.get(name, ()):
                    if updater in by_name:
                        waits[by_name[updater]] = None
            waits.pop(node, None)
            waits_for[node] = waits

    def _users(
        self, waits_for: dict[Node, dict[Node, None]], by_name: dict[str, ResourceNode]
    ) -> dict[ResourceNode, list[ResourceNode]]:
        """The resources that use each resource whose old object goes after the switch, directly or not."""
        wanted = {by_name[name] for name, end in self.nodes if end is End.AFTER and name in by_name}
        if not wanted:
            return {}
        dependents: dict[Node, list[Node]] = {}
        for node, needs in waits_for.items():
            for need in needs:
                dependents.setdefault(need, []).append(node)
        users: dict[ResourceNode, list[ResourceNode]] = {}
        for start in wanted:
            found: list[ResourceNode] = []
            seen: set[Node] = {start}
            waiting: list[Node] = [start]
            while waiting:
                for dependent in dependents.get(waiting.pop(), ()):
                    if dependent in seen:
                        continue
                    seen.add(dependent)
                    if isinstance(dependent, ResourceNode):
                        # What uses that one has waited for it.
                        found.append(dependent)
                    else:
                        waiting.append(dependent)
            users[start] = found
        return users
