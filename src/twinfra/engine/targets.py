"""Targets: which nodes and instances a run with `-target` covers, and what `-replace` names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

from twinfra.addresses import (
    MANAGED,
    AbsResource,
    Instance,
    ModuleInstance,
    ModulePath,
    Resource,
    parse_address,
)
from twinfra.diagnostics import Diagnostic, Diagnostics, error, warning
from twinfra.engine.nodes import Node, OutputNode, ResourceNode
from twinfra.engine.program import Program
from twinfra.state.model import State

Target: TypeAlias = ModuleInstance | AbsResource | Instance

PARTLY_PLANNED = "Only a part is planned"
PARTLY_APPLIED = "Only a part was applied"
"""Summaries of the warnings that targets bring: of no use where a command itself chose the targets."""


def covers(target: Target, address: Instance) -> bool:
    """Whether an instance is what a target names, or inside it.

    A module without key stands for all its instances.
    """
    module = target if isinstance(target, ModuleInstance) else target.module
    own = address.module.steps
    if len(own) < len(module.steps):
        return False
    for (name, key), (own_name, own_key) in zip(module.steps, own, strict=False):
        if name != own_name or (key is not None and key != own_key):
            return False
    if isinstance(target, ModuleInstance):
        return True
    if len(own) != len(module.steps) or target.resource != address.resource:
        return False
    return isinstance(target, AbsResource) or target.key == address.key


class Targeting:
    """What a run covers. Without targets, everything."""

    def __init__(self, program: Program, targets: Sequence[Target], destroying: bool = False) -> None:
        self.targets = tuple(targets)
        self.direct: set[Node] = set()
        self.needed: set[Node] = set()
        self._dependents: set[Node] = set()
        self._destroying = destroying
        if not targets:
            return
        for node in program.nodes:
            if isinstance(node, ResourceNode) and any(
                _configured(target, node.path, node.resource) for target in targets
            ):
                self.direct.add(node)
        if destroying:
            self._add_dependents(program)
        for node in self.direct:
            self._need(node.needs)
        if not destroying:
            self._add_outputs(program)

    @property
    def everything(self) -> bool:
        """Whether there are no targets."""
        return not self.targets

    def includes(self, node: Node) -> bool:
        """Whether a node takes part."""
        return not self.targets or node in self.needed or node in self.direct

    def instance(self, node: Node | None, address: Instance) -> bool:
        """Whether an instance takes part; `node` is None for one that is not configured (any more)."""
        if not self.targets or node in self.needed:
            return True
        if any(covers(target, address) for target in self.targets):
            return True
        return self._destroying and node in self._dependents

    def destroys(self, node: Node, address: Instance) -> bool:
        """Whether a run that destroys is about an instance: named by a target, or dependent on what one
        names.
        """
        return node in self._dependents or self.named(address)

    def named(self, address: Instance) -> bool:
        """Whether a target itself names the instance, or something around it."""
        return not self.targets or any(covers(target, address) for target in self.targets)

    def _need(self, nodes: Iterable[Node]) -> None:
        waiting = list(nodes)
        while waiting:
            node = waiting.pop()
            if node not in self.needed:
                self.needed.add(node)
                waiting.extend(node.needs)

    def _add_dependents(self, program: Program) -> None:
        reached = set(self.direct)
        for node in program.nodes:
            if node not in reached and not reached.isdisjoint(node.needs):
                reached.add(node)
                if isinstance(node, ResourceNode):
                    self.direct.add(node)
                    self._dependents.add(node)

    def _add_outputs(self, program: Program) -> None:
        """Take in the root outputs that need resources, all of which take part."""
        inside: dict[Node, bool | None] = {}
        for node in program.nodes:
            if isinstance(node, ResourceNode):
                inside[node] = self.includes(node)
                continue
            verdict: bool | None = None
            for need in node.needs:
                below = inside[need]
                if below is False:
                    verdict = False
                    break
                verdict = verdict or below
            inside[node] = verdict
        # What they need takes part already, some resources with the named instances only.
        waiting: list[Node] = [
            node for node in program.nodes if isinstance(node, OutputNode) and not node.path and inside[node]
        ]
        while waiting:
            node = waiting.pop()
            if not self.includes(node):
                self.needed.add(node)
                waiting.extend(node.needs)


def _configured(target: Target, path: ModulePath, resource: Resource) -> bool:
    """Whether a target names something of a configured resource."""
    module = (target if isinstance(target, ModuleInstance) else target.module).path
    if isinstance(target, ModuleInstance):
        return path[: len(module)] == module
    return path == module and target.resource == resource


def parse_targets(texts: Iterable[str], found: Diagnostics) -> list[Target]:
    """The addresses given with `-target`."""
    targets: list[Target] = []
    for text in texts:
        try:
            targets.append(parse_address(text))
        except ValueError as refused:
            found.add(_invalid("target", text, str(refused)))
    return targets


def parse_replacements(texts: Iterable[str], found: Diagnostics) -> list[AbsResource | Instance]:
    """The addresses given with `-replace`."""
    wanted: list[AbsResource | Instance] = []
    for text in texts:
        try:
            address = parse_address(text)
        except ValueError as refused:
            found.add(_invalid("replace", text, str(refused)))
            continue
        if isinstance(address, ModuleInstance):
            found.add(_invalid("replace", text, "it must name a resource instance, not a module"))
        elif address.resource.mode != MANAGED:
            found.add(_invalid("replace", text, "only managed resources can be replaced"))
        else:
            wanted.append(address)
    return wanted


def _invalid(flag: str, text: str, reason: str) -> Diagnostic:
    return error(
        f"Unsuitable address for -{flag}",
        f'"{text}" is no address that can be used here: {reason}.',
        mend='An address looks like aws_vpc.main, aws_subnet.private[0] or module.net["a"].aws_vpc.main.',
    )


def targets_in_effect() -> Diagnostic:
    """Tells that a plan covers a part only."""
    return warning(
        PARTLY_PLANNED,
        "With -target, the plan leaves out all that the targets do not need, so it may not bring "
        "about all that the "
        "configuration says.",
        mend="Use it to recover from errors; afterwards, plan without it.",
    )


def targets_were_in_effect() -> Diagnostic:
    """Tells that only a part was applied."""
    return warning(
        PARTLY_APPLIED,
        "The plan was made with -target, so changes may be left to do, and outputs may be out of date.",
        mend="Plan again without -target to see what is left.",
    )


def incomplete_replacements(wanted: Iterable[AbsResource | Instance], state: State) -> list[Diagnostic]:
    """Warnings for `-replace` addresses without the key that the instances have."""
    found = []
    for address in wanted:
        if not isinstance(address, AbsResource) or address not in state.resources:
            continue
        keys = [key for key in state.resources[address].instances if key is not None]
        if keys:
            shown = ", ".join(str(address.instance(key)) for key in keys[:3])
            found.append(
                warning(
                    "Nothing is replaced for want of a key",
                    f"-replace={address} matches no instance, since the resource has several.",
                    mend=f"Say which, such as {shown}.",
                )
            )
    return found


def replaced(wanted: Iterable[AbsResource | Instance]) -> frozenset[Instance]:
    """The instances that `-replace` names."""
    return frozenset(one.instance(None) if isinstance(one, AbsResource) else one for one in wanted)
