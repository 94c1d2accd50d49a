"""Which resources a resource was made from: recorded with each object, so that it is destroyed before
those.
"""

from __future__ import annotations

from twinfra.engine.nodes import Node, ResourceNode
from twinfra.engine.program import Program

LIMIT = 64
"""How many indirect dependencies are recorded at most; beyond, only the nearest ones are, to keep the cost
linear.

Those are enough for the right order as long as what lies between is in the state too.
"""

_Found = dict[ResourceNode, None]


class Closures:
    """The dependencies of every resource of a program, worked out when first asked for."""

    def __init__(self, program: Program) -> None:
        self._program = program
        self._names: dict[ResourceNode, tuple[str, ...]] | None = None
        self._near: dict[Node, _Found] = {}

    def names(self, node: ResourceNode) -> tuple[str, ...]:
        """The addresses, as configured, of all resources that a resource depends on, in order."""
        if self._names is None:
            self._names = self._work_out()
        return self._names[node]

    def nearest(self, node: ResourceNode) -> tuple[ResourceNode, ...]:
        """The resources that a resource refers to itself, or through values that are no resources."""
        if self._names is None:
            self._names = self._work_out()
        return tuple(self._near[node])

    def _work_out(self) -> dict[ResourceNode, tuple[str, ...]]:
        reach: dict[Node, _Found] = {}
        near: dict[Node, _Found] = {}
        names: dict[ResourceNode, tuple[str, ...]] = {}
        labels: dict[ResourceNode, str] = {}
        shared: dict[tuple[ResourceNode, ...], tuple[str, ...]] = {}
        empty: _Found = {}
        for node in self._program.nodes:
            needs = [need for need in node.needs if isinstance(need, ResourceNode) or reach[need]]
            if not needs:
                reach[node] = near[node] = empty
            elif len(needs) == 1 and not isinstance(needs[0], ResourceNode):
                reach[node], near[node] = reach[needs[0]], near[needs[0]]
            else:
                close: _Found = {}
                for need in needs:
                    if isinstance(need, ResourceNode):
                        close[need] = None
                    else:
                        close.update(near[need])
                far = dict(close)
                for need in needs:
                    far.update(reach[need])
                    if len(far) > LIMIT:
                        far = close
                        break
                reach[node], near[node] = far, close
            if isinstance(node, ResourceNode):
                labels[node] = str(node)
                found = tuple(one for one in reach[node] if one is not node)
                if found not in shared:
                    shared[found] = tuple(sorted(labels[one] for one in found))
                names[node] = shared[found]
        self._near = near
        return names
