"""What depends on what, for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from twinfra.config.model import Configuration
from twinfra.engine.nodes import Node, ResourceNode
from twinfra.engine.providers import Providers

if TYPE_CHECKING:
    from twinfra.engine.api import GraphView


def graph_of(configuration: Configuration, providers: Providers) -> GraphView:
    """See `api.graph_of`: the resources, and for each the nearest resources that it needs."""
    from twinfra.engine.api import GraphView

    program = providers.program(configuration)
    program.problems.raise_errors()
    near: dict[Node, dict[ResourceNode, None]] = {}
    names: list[str] = []
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
            names.append(str(node))
            edges.extend((str(node), str(need)) for need in found)
    return GraphView(tuple(sorted(names)), tuple(sorted(edges)))
