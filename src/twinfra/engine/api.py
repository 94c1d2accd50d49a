"""The engine's whole public surface: what the command line, environments and tests call.

Everything comes in as an argument and goes out as a result; nothing is printed, nothing is kept between
calls.
Diagnostics are returned, not raised, except by bugs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field

from twinfra.addresses import Instance, ModulePath
from twinfra.collector import young_only
from twinfra.config.model import Configuration
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostics
from twinfra.engine.changes import Plan
from twinfra.engine.events import Listener, Silent
from twinfra.engine.providers import Providers
from twinfra.engine.recorder import Intent, NoRecorder, Recorder
from twinfra.engine.stop import Stop
from twinfra.lang.nodes import Expression
from twinfra.lang.scope import Scope
from twinfra.state.model import State
from twinfra.values.value import Value

__all__ = [
    "ApplyOptions",
    "ApplyResult",
    "ConsoleResult",
    "GraphNode",
    "GraphView",
    "Intent",
    "NoRecorder",
    "PlanOptions",
    "PlanResult",
    "Providers",
    "Recorder",
    "Stop",
    "apply",
    "console",
    "evaluate",
    "graph_of",
    "identify",
    "import_resource",
    "plan",
    "recover",
    "validate",
]


@dataclass(frozen=True, slots=True)
class PlanOptions:
    """How to plan.

    `mode`: `normal`, `destroy` or `refresh-only`. `targets`, `replace`: addresses as written by people.
    `refresh`: whether to read what exists first. `parallelism`: provider calls at a time, 0 for 10 or what a
    provider bears (its attribute `parallelism`). `timestamp`: of this run (RFC 3339, UTC; now where empty).
    `workspace`: for `terraform.workspace`. `order`: a seed from which the order is drawn of what may be done in
    any order; that of the configuration where None.
    """

    mode: str = "normal"
    targets: tuple[str, ...] = ()
    replace: tuple[str, ...] = ()
    refresh: bool = True
    parallelism: int = 0
    timestamp: str = ""
    workspace: str = "default"
    order: int | None = None


@dataclass(frozen=True, slots=True)
class PlanResult:
    """A plan, the state as refreshed while planning (what `apply` starts from), and what was found.

    With errors the plan is `errored`, holds what could be planned all the same, and must not be applied.
    """

    plan: Plan
    state: State
    diagnostics: Diagnostics


@dataclass(frozen=True, slots=True)
class ApplyOptions:
    """How to apply. `parallelism`, `workspace` and `order` are as in `PlanOptions`.

    `now`: what `timestamp()` gives (RFC 3339, UTC), the current time where empty.
    """

    parallelism: int = 0
    workspace: str = "default"
    order: int | None = None
    now: str = ""


@dataclass(frozen=True, slots=True)
class ApplyResult:
    """The state after an apply or import (always worth saving, also after errors), and what happened.

    `counts`: finished operations by `added`, `changed`, `destroyed`, `imported` and `forgotten`.
    `stopped`: it ended early because it was asked to.
    """

    state: State
    diagnostics: Diagnostics
    stopped: bool = False
    counts: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConsoleResult:
    """A scope in which to evaluate expressions of a module, and what was found on the way to it."""

    scope: Scope
    diagnostics: Diagnostics


@dataclass(frozen=True, slots=True)
class GraphNode:
    """A resource in a graph: its address as configured, the module it is in, and its address in there."""

    address: str
    module: ModulePath
    name: str


@dataclass(frozen=True, slots=True)
class GraphView:
    """Dependencies for people: the resources by address, and the addresses (from, to) where `from` needs `to`."""

    nodes: tuple[GraphNode, ...]
    edges: tuple[tuple[str, str], ...]


_PLAN = PlanOptions()
_APPLY = ApplyOptions()
_SILENT = Silent()


def validate(configuration: Configuration, providers: Providers) -> Diagnostics:
    """Check a configuration without state or values: references, schemas, types, what providers refuse."""
    from twinfra.engine.validator import validate as run

    with young_only():
        return run(configuration, providers)


def plan(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    options: PlanOptions = _PLAN,
    listener: Listener = _SILENT,
    stop: Stop | None = None,
) -> PlanResult:
    """Refresh what exists and plan what would make it as configured. Changes neither `state` nor the cloud.

    `inputs` are the root variables given, by name (see `config.inputs`).
    """
    from twinfra.engine.planner import plan as run

    with young_only():
        return run(configuration, state, inputs, providers, options, listener, stop or Stop())


def apply(
    plan: Plan,
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    options: ApplyOptions = _APPLY,
    recorder: Recorder | None = None,
    listener: Listener = _SILENT,
    stop: Stop | None = None,
) -> ApplyResult:
    """Do exactly what `plan` says, starting from `state`, which is `PlanResult.state` of that plan.

    `state` itself is not changed; the result's state has the same serial and lineage (saving raises the
    serial). `recorder` is told of each finished operation before anything that depends on it starts.
    """
    from twinfra.engine.applier import apply as run

    with young_only():
        return run(
            plan,
            configuration,
            state,
            inputs,
            providers,
            options,
            recorder or NoRecorder(),
            listener,
            stop or Stop(),
        )


def identify(
    configuration: Configuration,
    inputs: Mapping[str, Value],
    providers: Providers,
    workspace: str = "default",
) -> tuple[dict[str, dict[str, str]], Diagnostics]:
    """Where each provider that the configuration uses acts, by its configuration, and what they refuse to act on.

    Nothing but that is asked of a cloud. One whose settings depend on what no state tells yet is left out.
    """
    from twinfra.engine.identification import identify as run

    with young_only():
        return run(configuration, inputs, providers, workspace)


def recover(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    intents: Iterable[Intent],
    recorder: Recorder | None = None,
    workspace: str = "default",
) -> ApplyResult:
    """Look for what the creates behind unanswered intents have made, before anything is planned.

    What is found is in the result's state, tainted. With errors, nothing must be planned: something might be
    made twice.
    """
    from twinfra.engine.recovery import recover as run

    return run(configuration, state, inputs, providers, intents, recorder or NoRecorder(), workspace)


def import_resource(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    address: Instance,
    id: str,
    options: ApplyOptions = _APPLY,
    listener: Listener = _SILENT,
) -> ApplyResult:
    """Take an existing object into the state under `address`, whose block must be in the configuration."""
    from twinfra.engine.imports import import_resource as run

    return run(configuration, state, inputs, providers, address, id, options, listener)


def console(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    workspace: str = "default",
) -> ConsoleResult:
    """A scope of the root module in which names stand for what the state and the inputs say."""
    from twinfra.engine.console import console as run

    return run(configuration, state, inputs, providers, workspace)


def evaluate(scope: Scope, expressions: Sequence[Expression]) -> tuple[list[Value], Diagnostics]:
    """Evaluate expressions in a console's scope; fewer values than expressions when one fails."""
    from twinfra.engine.console import evaluate as run

    return run(scope, expressions)


def graph_of(configuration: Configuration, providers: Providers | None = None) -> GraphView:
    """What depends on what, resources only, as `twinfra graph` shows it.

    Raises `DiagnosticError` for cycles.
    """
    from twinfra.engine.references import graph_of as run

    return run(configuration, providers or Providers())
