"""`twinfra graph`: the dependencies of the resources, in the DOT language of Graphviz."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from twinfra.addresses import ModulePath, quote
from twinfra.cli.command import command, flag, value

if TYPE_CHECKING:
    from twinfra.engine.api import GraphNode, GraphView


@command("graph")
@value("type", "not supported: it asks for the inner graph of Terraform's own engine")
@value("plan", "not supported, for the same reason")
@flag("draw-cycles", "accepted; a configuration with a circle is refused, and its members are told")
@value("module-depth", "accepted, as by Terraform, and without any effect")
@flag("no-color", "accepted; the graph has no colour")
def graph(
    type: str | None, plan: str | None, draw_cycles: bool, module_depth: str | None, no_color: bool
) -> None:
    """Print the dependencies between the resources of the configuration."""
    from twinfra.cli.command import UsageProblem
    from twinfra.cli.workspace import load_configuration
    from twinfra.engine.api import graph_of

    for name, given in (("type", type), ("plan", plan)):
        if given is not None:
            raise UsageProblem(
                f"-{name} asks for the steps inside Terraform's own engine, which Twinfra does not have. "
                "Without it, the dependencies between the resources are drawn."
            )
    print("\n".join(_lines(graph_of(load_configuration()))))


def _lines(view: GraphView) -> Iterator[str]:
    yield "digraph G {"
    yield '  rankdir = "RL";'
    yield '  node [shape = rect, fontname = "sans-serif"];'
    modules: dict[ModulePath, list[GraphNode]] = {}
    for node in view.nodes:
        modules.setdefault(node.module, []).append(node)
    for path, nodes in sorted(modules.items()):
        if not path:
            yield from (_node(one, "  ") for one in nodes)
            continue
        name = ".".join(f"module.{step}" for step in path)
        yield f"  subgraph {quote(f'cluster_{name}')} {{"
        yield f"    label = {quote(name)}"
        yield '    fontname = "sans-serif"'
        yield from (_node(one, "    ") for one in nodes)
        yield "  }"
    if not view.nodes:
        yield "  /* This configuration declares no resources. */"
    yield from (f"  {quote(source)} -> {quote(target)};" for source, target in view.edges)
    yield "}"


def _node(node: GraphNode, indent: str) -> str:
    return f"{indent}{quote(node.address)} [label={quote(node.name)}];"


COMMANDS = {"graph": graph}
