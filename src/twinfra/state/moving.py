"""Changes to a state that no cloud takes part in: objects moved to another address, or forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from twinfra.addresses import AbsResource, ConfigResource, Instance, ModuleInstance
from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.model import InstanceObject, InstanceState, ResourceState, State

Address = ModuleInstance | AbsResource | Instance


def move(
    state: State, source: Address, destination: Address
) -> tuple[State, list[tuple[Instance, Instance]]]:
    """A state in which what is at `source` is at `destination`, and which instance went where, in order.

    A module moves with all in it, a resource with all its instances; a resource or an instance may also move
    into a module, under its own name. An address without a key that has an instance without one may become
    one with a key, and the other way round. What others of the state depend on is renamed with it. Raises
    `DiagnosticError` where nothing is at `source`, something is at `destination`, or they do not match.
    """
    pairs = pairs_of(state, source, destination)
    moving = {old for old, _ in pairs}
    for old, new in pairs:
        require_one_type(old, new)
        if new not in moving and state.get(new) is not None:
            raise DiagnosticError(
                error(
                    "Address is taken",
                    f"The state already holds something at {new}.",
                    mend="Move that elsewhere first, or take it out of the state (state rm).",
                )
            )
    result = state.copy()
    taken = [(new, *_take(result, old)) for old, new in pairs]
    for new, record, instance in taken:
        there = result.resources.get(new.of)
        if there is None:
            there = result.resources[new.of] = ResourceState(record.provider, {}, record.extra)
        elif there.provider != record.provider:
            raise DiagnosticError(
                error(
                    "Different providers",
                    f"What is at {new.of} belongs to {there.provider}, but what is moved to {record.provider}.",
                    mend="Move it to a name of its own.",
                )
            )
        there.instances[new.key] = instance
    _rename_dependencies(result, _renamed(state, pairs))
    return result, pairs


def pairs_of(state: State, source: Address, destination: Address) -> list[tuple[Instance, Instance]]:
    """Which instance of a state would go where. Raises `DiagnosticError` where none would, or they do not match."""
    pairs = _pairs(state, source, destination)
    if not pairs:
        raise DiagnosticError(
            error(
                "Nothing to move",
                f"The state holds nothing at {source}.",
                mend="See what it holds with: twinfra state list",
            )
        )
    return pairs


def require_one_type(old: Instance, new: Instance) -> None:
    """Raise `DiagnosticError` unless both addresses are of one mode and type."""
    if old.resource.mode != new.resource.mode or old.resource.type != new.resource.type:
        raise DiagnosticError(
            error(
                "Different types",
                f"{old} cannot become {new}: an object stays of its type.",
                mend=f"Name a destination of type {old.resource.type}.",
            )
        )


def forget(state: State, instances: Iterable[Instance]) -> State:
    """A state without these instances, deposed objects included. The objects in the cloud stay as they are."""
    result = state.copy()
    for address in instances:
        _take(result, address)
    return result


def set_tainted(state: State, address: Instance, tainted: bool) -> State:
    """A state in which the current object of an instance is tainted, or not any more."""
    result = state.copy()
    record = result.resources[address.of]
    there = record.instances[address.key]
    if there.current is None:
        raise DiagnosticError(
            error(
                "No current object",
                f"{address} has deposed objects only, which the next apply destroys anyway.",
                mend="Name an instance that has a current object.",
            )
        )
    record.instances[address.key] = InstanceState(replace(there.current, tainted=tainted), there.deposed)
    return result


def _take(state: State, address: Instance) -> tuple[ResourceState, InstanceState]:
    record = state.resources[address.of]
    instance = record.instances.pop(address.key)
    if not record.instances:
        del state.resources[address.of]
    return record, instance


def _pairs(state: State, source: Address, destination: Address) -> list[tuple[Instance, Instance]]:
    """Which instance goes where; nothing where the source is not there."""
    if isinstance(source, ModuleInstance):
        if not isinstance(destination, ModuleInstance):
            raise _mismatch(source, destination, "a module can only become a module")
        if destination.steps[: len(source.steps)] == source.steps:
            raise _mismatch(source, destination, "a module cannot move into itself")
        return [
            (resource.instance(key), _below(resource, source, destination).instance(key))
            for resource, record in state.resources.items()
            if resource.module.steps[: len(source.steps)] == source.steps
            for key in record.instances
        ]
    if isinstance(destination, ModuleInstance):
        inside = AbsResource(destination, source.resource)
        destination = inside if isinstance(source, AbsResource) else inside.instance(source.key)
    if isinstance(source, Instance):
        old = source
        found = [old] if state.get(old) is not None else []
    else:
        record = state.resources.get(source)
        found = [] if record is None else [source.instance(key) for key in record.instances]
    if isinstance(destination, AbsResource):
        if isinstance(source, Instance):
            return [(one, destination.instance()) for one in found]
        return [(one, destination.instance(one.key)) for one in found]
    if len(found) > 1:
        raise _mismatch(source, destination, "it has several instances, which cannot all become one")
    return [(one, destination) for one in found]


def _below(resource: AbsResource, source: ModuleInstance, destination: ModuleInstance) -> AbsResource:
    steps = resource.module.steps[len(source.steps) :]
    return AbsResource(ModuleInstance((*destination.steps, *steps)), resource.resource)


def _mismatch(source: Address, destination: Address, reason: str) -> DiagnosticError:
    return DiagnosticError(
        error(
            "Cannot be moved there",
            f"{source} cannot become {destination}: {reason}.",
            mend="Name a source and a destination of one kind.",
        )
    )


def _renamed(state: State, pairs: list[tuple[Instance, Instance]]) -> dict[str, str]:
    """Configured resources of which everything has gone to one other, in the notation of `dependencies`."""
    left: dict[ConfigResource, int] = {}
    for resource, record in state.resources.items():
        block = ConfigResource(resource.module.path, resource.resource)
        left[block] = left.get(block, 0) + len(record.instances)
    to: dict[ConfigResource, set[ConfigResource]] = {}
    for old, new in pairs:
        left[old.config] -= 1
        to.setdefault(old.config, set()).add(new.config)
    return {
        str(old): str(next(iter(new)))
        for old, new in to.items()
        if not left[old] and len(new) == 1 and old not in new
    }


def _rename_dependencies(state: State, renamed: dict[str, str]) -> None:
    if not renamed:
        return

    def changed(value: InstanceObject) -> InstanceObject:
        if renamed.keys().isdisjoint(value.dependencies):
            return value
        names = sorted({renamed.get(name, name) for name in value.dependencies})
        return replace(value, dependencies=tuple(names))

    for record in state.resources.values():
        for key, there in record.instances.items():
            record.instances[key] = there.mapped(changed)
