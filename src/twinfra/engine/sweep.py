"""The end of a plan: objects of the state that no block or module instance stands for (any more)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from twinfra.addresses import AbsResource, Instance, ProviderConfig
from twinfra.config.model import Module
from twinfra.engine.changes import Action, Reason, ResourceChange
from twinfra.engine.nodes import Kind, Node
from twinfra.engine.objects import stored_marks
from twinfra.engine.orphans import forget_or_delete
from twinfra.engine.refresh import Existing
from twinfra.engine.scheduler import Operation
from twinfra.engine.scope import table_key
from twinfra.state.model import InstanceState
from twinfra.state.v4_writing import compact_json
from twinfra.values.encoding import decode_json
from twinfra.values.marks import mark_paths

if TYPE_CHECKING:
    from twinfra.engine.planner import Planner


class SweepNode(Node):
    """Stands for the sweep in a walk: after all module calls and providers."""

    __slots__ = ()

    def __init__(self, root: Module) -> None:
        super().__init__(Kind.MODULE, root, "(sweep)")


def sweep(run: Planner) -> Operation:
    """Plan the end of objects without a place; an operation of the walk."""
    places = {scope.instance_of for scopes in run.scopes.values() for scope in scopes}
    failed = {(*node.path, node.name) for node in run.failed if node.kind is Kind.CALL}
    homeless: list[tuple[AbsResource, bool]] = []
    for base in run.state.resources:
        resource = base.resource
        configured = run.program.resource(
            base.module.path, table_key(resource.mode, resource.type, resource.name)
        )
        if configured is not None and base.module in places:
            continue
        if any(base.module.path[: len(path)] == path for path in failed):
            continue
        homeless.append((base, configured is not None))
    objects = [
        (base, known, address, one) for base, known in homeless for address, one in _objects(run, base)
    ]
    waits = list(dict.fromkeys(one.call for *_, one in objects if one.call is not None))
    if waits:
        yield waits
    for _, _, address, one in objects:
        if one.call is not None:
            run.refresher.collect(address, one)
    if run.mode == "refresh-only":
        return
    for base, known, address, one in objects:
        if not one.gone:
            _end(run, base, known, address, one)


def _objects(run: Planner, base: AbsResource) -> Iterator[tuple[Instance, Existing]]:
    for key in run.state.resources[base].instances:
        address = base.instance(key)
        if not run.targeting.everything and not run.targeting.named(address):
            continue
        existing = run.refresher.existing.get(address)
        if existing is not None:
            yield address, existing
        yield from ((address, deposed) for deposed in tuple(run.refresher.deposed.get(address, {}).values()))


def forget_unread(run: Planner, address: Instance, provider: ProviderConfig, instance: InstanceState) -> None:
    """Plan that an object is forgotten whose type no provider of this version knows: it is shown as recorded."""
    for key, stored in (("", instance.current), *instance.deposed.items()):
        if stored is None:
            continue
        change = ResourceChange(
            address,
            provider,
            Action.FORGET,
            mark_paths(decode_json(compact_json(stored.attributes)), stored_marks(stored)),
            None,
            Reason.DELETE_BECAUSE_NO_RESOURCE_CONFIG,
            deposed=key,
            private=stored.private,
        )
        run.orphaned.append(change)
        run.listener.planned(change)
    run.forgotten.append(address)


def _end(run: Planner, base: AbsResource, configured: bool, address: Instance, one: Existing) -> None:
    if one.problems:
        run.diagnostics.extend(one.problems)
        return
    provider = run.state.resources[base].provider
    if run.mode == "destroy" or one.deposed:
        run.delete(run.orphaned, address, provider, one, Reason.NONE)
        return
    previous = run.moves.previous.get(address)
    if configured:
        reason = Reason.DELETE_BECAUSE_NO_MODULE
    elif previous is not None:
        reason = Reason.DELETE_BECAUSE_NO_MOVE_TARGET
    else:
        reason = Reason.DELETE_BECAUSE_NO_RESOURCE_CONFIG
    action, _ = forget_or_delete(run.removed, address)
    if action is Action.FORGET:
        change = ResourceChange(
            address,
            provider,
            Action.FORGET,
            one.shown,
            None,
            reason,
            previous=previous,
            private=one.stored.private,
        )
        run.orphaned.append(change)
        run.forgotten.append(address)
        run.listener.planned(change)
        return
    run.delete(run.orphaned, address, provider, one, reason)
