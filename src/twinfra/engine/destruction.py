"""The operations that destroy: which object each is about, and which provisioners run before its end."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfra.addresses import Instance
from twinfra.diagnostics import Diagnostic
from twinfra.engine.changes import ResourceChange
from twinfra.engine.nodes import ProvisionerPart, ResourceNode
from twinfra.engine.ordering import DestroyNode, End
from twinfra.engine.orphans import RemovedPart, removed_parts
from twinfra.engine.places import Place
from twinfra.engine.provisioners import bind_parts
from twinfra.engine.scheduler import Operation
from twinfra.engine.tables import Table, repetition_of
from twinfra.providers.protocol import Provider
from twinfra.values.value import Unknown

if TYPE_CHECKING:
    from twinfra.engine.applier import Applier


class Destruction:
    """Begins the ends of one apply."""

    def __init__(self, run: Applier) -> None:
        self._run = run
        problems: list[Diagnostic] = []
        self._removed: list[RemovedPart] = removed_parts(run.program, problems)

    def begin(self, node: DestroyNode) -> list[Operation]:
        """The operations that destroy the objects of one node."""
        provider = self._run.provider(node.provider)
        operations: list[Operation] = []
        for change in node.changes:
            deposed = change.deposed
            if node.end is End.AFTER:
                deposed = self._run.deposed.get(change.address, "")
                if not deposed:
                    continue
            operations.append(self._ending_operation(node, change, deposed, provider))
        return operations

    def _ending_operation(
        self, node: DestroyNode, change: ResourceChange, deposed: str, provider: Provider
    ) -> Operation:
        configured = self._run.node_of(change.address)
        place = None
        parts: list[ProvisionerPart] = []
        if configured is not None:
            parts = [part for part in configured.provisioners if part.config.when == "destroy"]
            if parts:
                place = self._ended_place(configured, change.address)
        else:
            parts = self._removed_provisioners(change.address)
        return self._run.operations.destroy(
            change,
            deposed,
            provider,
            node.provider.local,
            parts,
            place,
            lambda found: self._run.fail(node, found),
        )

    def _ended_place(self, node: ResourceNode, address: Instance) -> Place | None:
        """Where the destroy-time provisioners of an instance are evaluated; None when its module is gone
        too.
        """
        for scope in self._run.scopes.get(node.path, ()):
            if scope.instance_of == address.module:
                table = Table(repetition_of(node))
                return Place(node, scope, table, address, address.key, Unknown())
        return None

    def _removed_provisioners(self, address: Instance) -> list[ProvisionerPart]:
        for part in self._removed:
            if part.names(address):
                parts, problems = bind_parts(part.config.provisioners, str(part.target))
                self._run.diagnostics.extend(problems)
                return parts
        return []
