"""Orphans: objects of the state that the configuration no longer makes, and why each has to go."""

from __future__ import annotations

from twinfra.addresses import Instance, Key, ModulePath
from twinfra.config.model import Removed
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, SourceRange, error, warning
from twinfra.engine.changes import Action, Reason
from twinfra.engine.nodes import ResourceNode
from twinfra.engine.program import Program
from twinfra.engine.scope import table_key
from twinfra.engine.tables import Repetition
from twinfra.engine.traversals import Target, target_of


def gone_reason(repetition: Repetition, key: Key) -> Reason:
    """Why an instance with this key is not among those that its block makes."""
    if repetition is Repetition.COUNT and isinstance(key, int):
        return Reason.DELETE_BECAUSE_COUNT_INDEX
    if repetition is Repetition.FOR_EACH and isinstance(key, str):
        return Reason.DELETE_BECAUSE_EACH_KEY
    return Reason.DELETE_BECAUSE_WRONG_REPETITION


@dataclass(frozen=True, slots=True)
class RemovedPart:
    """A `removed` block of the module `path`."""

    config: Removed
    path: ModulePath
    target: Target

    def names(self, address: Instance) -> bool:
        """Whether it speaks of this instance."""
        path = address.module.path
        wanted = (*self.path, *self.target.module_path)
        if self.target.resource is None:
            return path[: len(wanted)] == wanted
        return path == wanted and self.target.resource == address.resource


def removed_parts(program: Program, found: list[Diagnostic]) -> list[RemovedPart]:
    """The `removed` blocks of a program; those for what is still declared go to `found` as errors."""
    parts: list[RemovedPart] = []
    for path, nodes in program.modules.items():
        for config in nodes.module.removed:
            try:
                target = target_of(config.source)
            except DiagnosticError as refused:
                found.extend(refused.at(config.range).diagnostics)
                continue
            where = (*path, *target.module_path)
            resource = target.resource
            if resource is None:
                declared = where in program.modules
            else:
                declared = (
                    program.resource(where, table_key(resource.mode, resource.type, resource.name))
                    is not None
                )
            if declared:
                place = _declared_at(program, where, target)
                found.append(
                    error(
                        "Removed object still exists",
                        f"{target} is said to be removed at {config.range}, but is still declared.",
                        place or config.range,
                        mend="Remove the declaration, or the removed block.",
                    )
                )
                continue
            parts.append(RemovedPart(config, path, target))
    return parts


def _declared_at(program: Program, where: ModulePath, target: Target) -> SourceRange | None:
    resource = target.resource
    if resource is None:
        call = program.modules[where].call
        return call.config.range if call is not None else None
    node = program.resource(where, table_key(resource.mode, resource.type, resource.name))
    assert isinstance(node, ResourceNode)
    return node.config.range


def forgetting(addresses: list[Instance]) -> Diagnostic:
    """Tells which objects will be left alone, and no longer known."""
    lines = "".join(f"\n  - {address}" for address in addresses)
    return warning(
        "Some objects will be forgotten",
        f"After the apply, these exist on, but nothing here manages them any more:{lines}",
        mend="To manage them again, write their blocks and import them.",
    )


def forget_or_delete(parts: list[RemovedPart], address: Instance) -> tuple[Action, RemovedPart | None]:
    """What becomes of an object without a block: forgotten where a `removed` block says so, else
    destroyed.
    """
    for part in parts:
        if part.names(address):
            return (Action.DELETE if part.config.destroy else Action.FORGET), part
    return Action.DELETE, None
