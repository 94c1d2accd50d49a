"""`twinfra graph`: the dependencies of the resources, in the DOT language of Graphviz."""

from __future__ import annotations

from twinfra.addresses import quote
from twinfra.cli.command import command, flag, value


@command("graph")
@value("type", "only the kind `plan` gives is drawn: dependencies between resources", default="plan")
@flag("no-color", "accepted; the graph has no colour")
def graph(type: str, no_color: bool) -> None:
    """Print the dependencies between the resources of the configuration."""
    from twinfra.cli.command import UsageProblem
    from twinfra.cli.workspace import load_configuration
    from twinfra.engine.api import graph_of

    if type not in ("plan", "plan-refresh-only", "apply", "plan-destroy"):
        raise UsageProblem(f'-type is plan, plan-refresh-only, plan-destroy or apply, not "{type}".')
    view = graph_of(load_configuration())
    lines = ["digraph G {", '  rankdir = "RL";', '  node [shape = rect, fontname = "sans-serif"];']
    lines += [f"  {quote(node)} [label={quote(node)}];" for node in view.nodes]
    arrows = view.edges if type != "plan-destroy" else [(target, source) for source, target in view.edges]
    lines += [f"  {quote(source)} -> {quote(target)};" for source, target in arrows]
    print("\n".join([*lines, "}"]))


COMMANDS = {"graph": graph}
