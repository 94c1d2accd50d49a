"""What depends on what, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfra.config.model import Configuration
from twinfra.engine.nodes import Node, ResourceNode
from twinfra.engine.providers import Providers

if TYPE_CHECKING:
    from twinfra.engine.api import GraphView


def graph_of(configuration: Configuration, providers: Providers) -> GraphView:
    """See `api.graph_of`: the resources, and for each those that it needs and reaches through no other."""
    from twinfra.engine.api import GraphNode, GraphView

    program = providers.program(configuration)
    program.problems.raise_errors()
    near: dict[Node, dict[ResourceNode, None]] = {}
    reached: dict[ResourceNode, int] = {}
    """The resources that each leads to, as bits of their positions: sets would cost far more room."""
    positions: dict[ResourceNode, int] = {}
    nodes: list[GraphNode] = []
    edges: list[tuple[str, str]] = []
    for node in program.nodes:
        found: dict[ResourceNode, None] = {}
        for need in node.needs:
            if isinstance(need, ResourceNode):
                found[need] = None
            else:
                found.update(near[need])
        near[node] = found
        if isinstance(node, ResourceNode):
            positions[node] = len(positions)
            nodes.append(GraphNode(str(node), node.path, node.label))
            seen = 0
            for need in sorted(found, key=positions.__getitem__, reverse=True):
                if not seen >> positions[need] & 1:
                    edges.append((str(node), str(need)))
                    seen |= reached[need] | 1 << positions[need]
            reached[node] = seen
    nodes.sort(key=lambda one: one.address)
    return GraphView(tuple(nodes), tuple(sorted(edges)))
