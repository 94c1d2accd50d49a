"""What a state holds, in memory: the serial and lineage, outputs, and resource instances by address.

Attributes stay in the JSON form of the file until the engine decodes them with the provider's schema, so that
reading a large state costs one JSON parse.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import field, replace
from typing import Any, TypeAlias

from twinfra.addresses import AbsResource, Instance, ProviderConfig
from twinfra.dataclass import dataclass

Extra: TypeAlias = tuple[tuple[str, Any], ...]
"""Fields of a state file by name that this version does not know."""


@dataclass(frozen=True, slots=True)
class InstanceObject:
    """One object that exists: the current one of an instance, or a deposed one.

    `attributes` is plain JSON (numbers as `int` or as `decimal.Decimal`, never rounded). `sensitive` has the
    paths of the file's `sensitive_attributes`, in that JSON form. `private` is the provider's note; one of
    another engine's provider that is no JSON object is kept verbatim (see `v4.VERBATIM`).
    `dependencies` are the configured resources (`module.net.aws_vpc.main`) it was made from, in order.
    `extra` are fields of the file that this version does not know, kept as they were.
    """

    attributes: dict[str, Any]
    schema_version: int = 0
    tainted: bool = False
    sensitive: tuple[Any, ...] = ()
    private: dict[str, Any] = field(default_factory=dict)
    dependencies: tuple[str, ...] = ()
    create_before_destroy: bool = False
    extra: Extra = ()


@dataclass(slots=True)
class InstanceState:
    """All objects of one instance: the current one (or None), and deposed ones by their 8-hex-digit key."""

    current: InstanceObject | None = None
    deposed: dict[str, InstanceObject] = field(default_factory=dict)

    def mapped(self, change: Callable[[InstanceObject], InstanceObject]) -> InstanceState:
        """The instance with what `change` makes of each of its objects."""
        current = None if self.current is None else change(self.current)
        return InstanceState(current, {key: change(value) for key, value in self.deposed.items()})


@dataclass(slots=True)
class ResourceState:
    """A resource in a module instance: its provider configuration and its instances by key, in file order.

    `extra`: see `InstanceObject`.
    """

    provider: ProviderConfig
    instances: dict[int | str | None, InstanceState] = field(default_factory=dict)
    extra: Extra = ()


@dataclass(frozen=True, slots=True)
class OutputState:
    """A root module output: `value` and `type` in their JSON forms; `extra`: see `InstanceObject`."""

    value: Any
    type: Any
    sensitive: bool = False
    extra: Extra = ()


@dataclass(slots=True)
class State:
    """A whole state. Owned by one thread; readers on other threads get copies of what they need.

    `check_results` is kept as read. `identities` remembers which cloud each provider configuration acts on
    (`str(ProviderConfig)` to account, region or sandbox), so that state of one is never applied to another;
    it travels inside instances' private notes, since the file format has no other place that stock readers
    keep. `extra`: see `InstanceObject`.
    """

    serial: int = 0
    lineage: str = ""
    terraform_version: str = ""
    outputs: dict[str, OutputState] = field(default_factory=dict)
    resources: dict[AbsResource, ResourceState] = field(default_factory=dict)
    check_results: Any = None
    identities: dict[str, dict[str, str]] = field(default_factory=dict)
    extra: Extra = ()

    @staticmethod
    def fresh() -> State:
        """An empty state with a lineage of its own."""
        return State(lineage=str(uuid.uuid4()))

    def get(self, address: Instance) -> InstanceState | None:
        """The objects of an instance, or None."""
        resource = self.resources.get(address.of)
        return None if resource is None else resource.instances.get(address.key)

    def current(self, address: Instance) -> InstanceObject | None:
        """The current object of an instance, or None."""
        found = self.get(address)
        return None if found is None else found.current

    def put(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None:
        """Record an object (None removes it), current or under a deposed key; drops what becomes empty."""
        resource = self.resources.get(address.of)
        if resource is None:
            if value is None:
                return
            resource = self.resources[address.of] = ResourceState(provider)
        resource.provider = provider
        instance = resource.instances.setdefault(address.key, InstanceState())
        if not deposed:
            instance.current = value
        elif value is None:
            instance.deposed.pop(deposed, None)
        else:
            instance.deposed[deposed] = value
        if instance.current is None and not instance.deposed:
            del resource.instances[address.key]
            if not resource.instances:
                del self.resources[address.of]

    def copy(self) -> State:
        """A copy that shares only immutable parts."""
        resources = {
            address: ResourceState(
                resource.provider,
                {
                    key: InstanceState(one.current, dict(one.deposed))
                    for key, one in resource.instances.items()
                },
                resource.extra,
            )
            for address, resource in self.resources.items()
        }
        return replace(
            self, outputs=dict(self.outputs), resources=resources, identities=dict(self.identities)
        )
