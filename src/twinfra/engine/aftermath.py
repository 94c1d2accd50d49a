"""What an apply changed by the way: objects that others were made from are read again at its end.

A route changes its table, an address that is attached learns to what. Recorded as they were when they were made, such
objects would look changed from outside ever after. So the state of a finished apply says what there is, and the next
plan has nothing to tell.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from twinfra.addresses import MANAGED, ConfigResource, Instance
from twinfra.engine.events import Silent
from twinfra.engine.nodes import ProviderNode, ResourceNode
from twinfra.engine.objects import Facts
from twinfra.engine.refresh import Existing, Refresher
from twinfra.engine.scheduler import Call, Operation, Walk
from twinfra.engine.scope import table_key
from twinfra.engine.stop import RUN
from twinfra.providers.protocol import Provider, Stored
from twinfra.state.model import InstanceObject

if TYPE_CHECKING:
    from twinfra.engine.applier import Applier

_Found = tuple[Instance, str, InstanceObject, Facts]


class Aftermath:
    """Remembers what was changed, and reads what that may have changed besides. One for an apply."""

    def __init__(self, run: Applier) -> None:
        self._run = run
        self._nodes: set[ResourceNode] = set()
        self._ended: set[str] = set()

    def touched(self, address: Instance, before: InstanceObject | None, after: InstanceObject | None) -> None:
        """An object was made or changed, or destroyed (`after` is None; then `before` tells what it was made from)."""
        if address.resource.mode != MANAGED:
            return
        node = self._run.node_of(address)
        if node is not None:
            self._nodes.add(node)
        elif after is None and before is not None:
            self._ended.update(before.dependencies)

    def settle(self) -> None:
        """Read them, and correct the state by what is found. What cannot be read stays as it is."""
        run = self._run
        objects = self._objects()
        if objects and run.stop.level == RUN:
            walk = Walk({self: {}}, _Reading(run, objects), run.stop, run.options.parallelism)
            for provider in objects:
                walk.widen(getattr(run.provider(provider), "parallelism", 0))
            walk.run()

    def _objects(self) -> dict[ProviderNode, list[_Found]]:
        """The objects to be read, by the provider that serves them."""
        run = self._run
        wanted: dict[ResourceNode, None] = {}
        for changed in sorted(self._nodes, key=lambda one: one.position):
            wanted.update(dict.fromkeys(run.closures.nearest(changed)))
        names = self._ended - set(map(str, wanted))
        found: dict[ProviderNode, list[_Found]] = {}
        for address, resource in run.state.resources.items():
            own = address.resource
            if own.mode != MANAGED:
                continue
            node = run.program.resource(address.module.path, table_key(own.mode, own.type, own.name))
            if node is None or node.provider.local or not run.has_started(node.provider):
                continue
            if node in wanted or str(ConfigResource(address.module.path, own)) in names:
                found.setdefault(node.provider, []).extend(
                    (address.instance(key), "", instance.current, node.facts)
                    for key, instance in resource.instances.items()
                    if instance.current is not None and not instance.current.tainted
                )
        return found


class _Reading:
    """The walk of one node whose operation reads everything."""

    def __init__(self, run: Applier, objects: dict[ProviderNode, list[_Found]]) -> None:
        self._run = run
        self._objects = objects

    def visit(self, _: object) -> Iterable[Operation]:
        return [self._read(self._run.provider(node), found) for node, found in self._objects.items()]

    def settle(self) -> None:
        self._run.settle()

    def _read(self, provider: Provider, objects: list[_Found]) -> Operation:
        run = self._run
        refresher = Refresher(run.state, Silent(), enabled=True)
        calls: list[Call] = refresher.load(provider, objects, inline=False)
        yield calls
        for address, one in list(refresher.existing.items()):
            self._take(refresher, address, one)
        for change in refresher.drift:
            run.recorder.record(change.address, change.provider, run.state.current(change.address))
            run.dirty = True

    @staticmethod
    def _take(refresher: Refresher, address: Instance, one: Existing) -> None:
        """Correct the state. What is not found is no news here: so soon, a cloud may not know yet what it made."""
        found = refresher.outcome(one)
        if isinstance(found, Stored):
            refresher.settle(address, one, found)
