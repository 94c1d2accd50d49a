"""The order of nodes: each after what it needs. Circles are told; who must be created first is marked."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from twinfra.diagnostics import Diagnostic, error
from twinfra.engine.nodes import Node, ResourceNode


def in_order(nodes: Iterable[Node]) -> tuple[list[Node], list[Diagnostic]]:
    """The nodes, each after those it needs, and an error for each circle among the rest."""
    missing: dict[Node, int] = {}
    dependents: dict[Node, list[Node]] = {}
    ready: deque[Node] = deque()
    for node in nodes:
        for need in node.needs:
            dependents.setdefault(need, []).append(node)
        if node.needs:
            missing[node] = len(node.needs)
        else:
            ready.append(node)
    ordered: list[Node] = []
    while ready:
        node = ready.popleft()
        ordered.append(node)
        for dependent in dependents.get(node, ()):
            left = missing[dependent] - 1
            if left:
                missing[dependent] = left
            else:
                del missing[dependent]
                ready.append(dependent)
    return ordered, _circles(missing) if missing else []


def _circles(left: Iterable[Node]) -> list[Diagnostic]:
    """One error per cycle among nodes of which each waits for another one of them (or for a cycle)."""
    inside = dict.fromkeys(left)
    found: list[Diagnostic] = []
    seen: set[Node] = set()
    for start in inside:
        trail: dict[Node, int] = {}
        node = start
        while node not in seen and node not in trail:
            trail[node] = len(trail)
            node = next(need for need in node.needs if need in inside)
        if node in trail:
            members = list(trail)[trail[node] :]
            names = [str(one) for one in members]
            found.append(
                error(
                    "Things depend on each other in a circle",
                    f"Each of these needs the next one first: {' -> '.join([*names, names[0]])}.",
                    mend="Break the circle: let one of them use a value that does not come from the others.",
                )
            )
        seen.update(trail)
    return found


def force_create_first(nodes: Sequence[Node]) -> None:
    """Let every resource on which one with `create_before_destroy` depends be created first too.

    Otherwise the old object of the dependency would have to go while the old dependent still uses it.
    """
    if not any(isinstance(node, ResourceNode) and node.create_before_destroy for node in nodes):
        return
    forced: set[Node] = set()
    for node in reversed(nodes):
        if isinstance(node, ResourceNode):
            if node in forced:
                node.create_before_destroy = True
            elif node.create_before_destroy:
                forced.add(node)
        if node in forced:
            forced.update(node.needs)
