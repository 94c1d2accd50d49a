"""Whether two states say the same: what decides if saving raises the serial."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from twinfra.addresses import MANAGED
from twinfra.state.model import InstanceObject, State


def same_content(first: State, second: State) -> bool:
    """Whether both hold the same outputs, objects and check results, whatever their serial and lineage.

    Linear in what differs as objects: those that both share are passed over.
    """
    if first.resources.keys() != second.resources.keys() or first.outputs.keys() != second.outputs.keys():
        return False
    for name, output in first.outputs.items():
        other = second.outputs[name]
        if output is not other and not (
            output.sensitive == other.sensitive
            and same_json(output.value, other.value)
            and same_json(output.type, other.type)
            and same_json(output.extra, other.extra)
        ):
            return False
    for address, resource in first.resources.items():
        there = second.resources[address]
        if resource.provider != there.provider or resource.instances.keys() != there.instances.keys():
            return False
        if not same_json(resource.extra, there.extra):
            return False
        for key, instance in resource.instances.items():
            twin = there.instances[key]
            if not same_object(instance.current, twin.current):
                return False
            if (instance.deposed or twin.deposed) and (
                instance.deposed.keys() != twin.deposed.keys()
                or not all(same_object(one, twin.deposed[name]) for name, one in instance.deposed.items())
            ):
                return False
    return (
        same_json(first.check_results, second.check_results)
        and same_json(first.extra, second.extra)
        and _identities(first) == _identities(second)
    )


def same_object(first: InstanceObject | None, second: InstanceObject | None) -> bool:
    """Whether two objects would be written alike."""
    if first is second:
        return True
    if first is None or second is None or first != second:
        return False
    # Equal in Python; but 1, 1.0 and true are three things in JSON.
    return (
        same_json(first.attributes, second.attributes)
        and same_json(first.private, second.private)
        and same_json(first.sensitive, second.sensitive)
        and same_json(first.extra, second.extra)
    )


def same_thing(first: InstanceObject, second: InstanceObject) -> bool:
    """Whether two records are of one object in the cloud, whatever each says of it."""
    if "id" in first.attributes or "id" in second.attributes:
        return bool(first.attributes.get("id") == second.attributes.get("id"))
    return first.attributes == second.attributes


def same_json(first: Any, second: Any) -> bool:
    """Whether two JSON values are the same; lists and tuples are one, and so are numbers that are equal."""
    if first is second:
        return True
    if isinstance(first, bool) or isinstance(second, bool):
        return False
    if isinstance(first, dict):
        return (
            isinstance(second, dict)
            and first.keys() == second.keys()
            and all(same_json(one, second[name]) for name, one in first.items())
        )
    if isinstance(first, list | tuple):
        return (
            isinstance(second, list | tuple)
            and len(first) == len(second)
            and all(map(same_json, first, second))
        )
    if isinstance(first, int | Decimal):
        return isinstance(second, int | Decimal) and first == second
    return type(first) is type(second) and bool(first == second)


def _identities(state: State) -> dict[str, dict[str, str]]:
    """Those that are written: of configurations that something managed belongs to."""
    if not state.identities:
        return {}
    used = {
        resource.provider for address, resource in state.resources.items() if address.resource.mode == MANAGED
    }
    texts = {str(provider) for provider in used}
    return {provider: found for provider, found in state.identities.items() if provider in texts and found}
