"""Where an operation works: one resource instance, its scope and its table."""

from __future__ import annotations

from typing import Any

from twinfra.addresses import Instance
from twinfra.engine.nodes import ResourceNode
from twinfra.engine.scope import UNSET, ModuleScope
from twinfra.engine.tables import Repetition, Table
from twinfra.values.value import Value


class Place:
    """Where an operation works: a resource instance, its scope with `count` or `each`, and its table."""

    __slots__ = ("address", "index", "node", "scope", "table", "value")

    def __init__(
        self,
        node: ResourceNode,
        scope: ModuleScope,
        table: Table,
        address: Instance,
        index: Value,
        value: Value,
    ) -> None:
        self.node = node
        self.scope = scope
        self.table = table
        self.address = address
        self.index = index
        self.value = value

    def enter(self, self_value: Any = UNSET) -> ModuleScope:
        """The scope, set for this instance; to be left again before anything waits."""
        self.scope.repeat(self.table.repetition, self.index, self.value)
        self.scope.self_value = self_value
        return self.scope

    def leave(self) -> None:
        """Set the scope back."""
        self.scope.repeat(Repetition.SINGLE, None, None)
        self.scope.self_value = UNSET
