"""Plan: walks the program, refreshes what exists, and works out what each instance needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from twinfra.addresses import DATA, ROOT, Instance, ModuleInstance, ProviderConfig, instance_order
from twinfra.config.model import Configuration
from twinfra.diagnostics import Diagnostic, error
from twinfra.engine import targets as targeting
from twinfra.engine.changes import Action, OutputChange, Plan, Reason, ResourceChange
from twinfra.engine.closures import Closures
from twinfra.engine.contributions import Contributions
from twinfra.engine.datasources import DataReads, resources_of
from twinfra.engine.evaluation import Evaluation
from twinfra.engine.events import Listener
from twinfra.engine.instances import InstancePlans
from twinfra.engine.moves import Moves, apply_moves, still_there
from twinfra.engine.nodes import (
    CallNode,
    CheckNode,
    Kind,
    Node,
    OutputNode,
    ProviderNode,
    ResourceNode,
    VariableNode,
)
from twinfra.engine.orphans import forgetting, removed_parts
from twinfra.engine.outputs import encode_output, output_changes
from twinfra.engine.providers import Providers
from twinfra.engine.refresh import Existing, Refresher
from twinfra.engine.scheduler import Operation, Walk
from twinfra.engine.scope import table_key
from twinfra.engine.settings import ProviderStart
from twinfra.engine.stop import RUN, Stop
from twinfra.engine.sweep import SweepNode, sweep
from twinfra.engine.validator import validate_program
from twinfra.lang.scope import EvaluationContext
from twinfra.state.model import OutputState, State
from twinfra.values.marks import has_marks, mark, unmark
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import EPHEMERAL, Value, is_null

if TYPE_CHECKING:
    from twinfra.engine.api import PlanOptions, PlanResult

NORMAL, DESTROY, REFRESH_ONLY = "normal", "destroy", "refresh-only"


def plan(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    options: PlanOptions,
    listener: Listener,
    stop: Stop,
) -> PlanResult:
    """See `api.plan`."""
    return Planner(configuration, state, inputs, providers, options, listener, stop).run()


class Planner(Evaluation):
    """One planning run; used once."""

    def __init__(
        self,
        configuration: Configuration,
        state: State,
        inputs: Mapping[str, Value],
        providers: Providers,
        options: PlanOptions,
        listener: Listener,
        stop: Stop,
        imports: Mapping[Instance, str] | None = None,
    ) -> None:
        program = providers.program(configuration)
        timestamp = options.timestamp or datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        context = EvaluationContext(configuration.root_directory, timestamp, planning=True)
        super().__init__(program, inputs, context, options.workspace)
        self.options = options
        self.providers = providers
        self.listener = listener
        self.stop = stop
        self.mode = options.mode
        self.state = state.copy()
        self.commanded_imports = dict(imports or {})
        self.changes_of: dict[Node, list[ResourceChange]] = {}
        self.orphaned: list[ResourceChange] = []
        self.forgotten: list[Instance] = []
        self.moves = Moves()
        self.refresher = Refresher(self.state, listener, options.refresh)
        self.closures = Closures(program)
        self.targeting = targeting.Targeting(program, ())
        self.replaced: frozenset[Instance] = frozenset()
        self.starts = ProviderStart(self, providers)
        self.data = DataReads(self, self.state, listener, self.is_pending, self.included)
        self.plans = InstancePlans(self)
        self._evaluated: set[Node] | None = None
        self.walk: Walk

    def run(self) -> PlanResult:
        """Plan; with errors the plan is marked so and holds what could be planned."""
        result = Plan(mode=self.mode, timestamp=self.context.timestamp)
        result.targets = self.options.targets
        result.replace = self.options.replace
        if not self._prepare():
            return self._failed(result)
        nodes = self._nodes()
        self.walk = Walk(
            self._waits_for(nodes), self, self.stop, self.options.parallelism, self.options.order
        )
        finished = self.walk.run()
        if not finished and self.stop.level != RUN:
            self.diagnostics.add(
                error(
                    "Interrupted",
                    "Planning was stopped before its end; nothing was changed.",
                    mend="Run it again.",
                )
            )
        return self._finish(result)

    # -- before the walk

    def _prepare(self) -> bool:
        """What can be found wrong before anything is read."""
        self.diagnostics.extend(validate_program(self.program, self.providers))
        if not self._refused():
            self.diagnostics.extend(self.program.unplannable)
        if self._refused():
            return False
        wanted = targeting.parse_targets(self.options.targets, self.diagnostics)
        replacements = targeting.parse_replacements(self.options.replace, self.diagnostics)
        if self._refused():
            return False
        problems: list[Diagnostic] = []
        self.removed = removed_parts(self.program, problems)
        self.moves = apply_moves(self.program, self.state)
        self.diagnostics.extend(problems)
        self.diagnostics.extend(self.moves.diagnostics)
        if self._refused():
            return False
        self.diagnostics.extend(targeting.incomplete_replacements(replacements, self.state))
        self.replaced = targeting.replaced(replacements)
        if wanted:
            self.diagnostics.add(targeting.targets_in_effect())
            self.targeting = targeting.Targeting(self.program, wanted, self.mode == DESTROY)
            if not self._moves_covered():
                return False
        self._drop_data()
        return True

    def _refused(self) -> bool:
        return self.diagnostics.has_errors

    def _moves_covered(self) -> bool:
        left_out = [
            (new, old)
            for new, old in self.moves.previous.items()
            if not (self.targeting.named(new) and self.targeting.named(old))
        ]
        if not left_out:
            return True
        flags = sorted({f"-target='{one}'" for pair in left_out for one in pair})
        self.diagnostics.add(
            error(
                "Moved objects are left out",
                "Objects in the state have moved to other addresses, and -target leaves some of these out.",
                mend=f"Add {' '.join(flags)}, or plan without -target.",
            )
        )
        return False

    def _drop_data(self) -> None:
        """Forget data sources as last read: they are read again, and those without a block just go."""
        for address in [one for one in self.state.resources if one.resource.mode == DATA]:
            if self.targeting.everything or self.targeting.named(address.instance(None)):
                del self.state.resources[address]

    def _nodes(self) -> list[Node]:
        self.starts.assign(self.state)
        if self.mode == DESTROY:
            # Nothing else has to have a value when all is destroyed.
            self._evaluated = self.starts.needed
        nodes: list[Node] = self.program.nodes
        if not self.targeting.everything:
            needed = self.starts.needed
            nodes = [node for node in nodes if self.targeting.includes(node) or node in needed]
        return nodes

    def _waits_for(self, nodes: list[Node]) -> dict[Node, Iterable[Node]]:
        waits: dict[Node, Iterable[Node]] = {node: node.needs for node in nodes}
        if not self.targeting.everything:
            waits = {node: [need for need in node.needs if need in waits] for node in nodes}
        last = SweepNode(self.program.configuration.root)
        waits[last] = [node for node in nodes if node.kind is Kind.CALL or node.kind is Kind.PROVIDER]
        return waits

    # -- the walk

    def settle(self) -> None:
        """Planning keeps nothing that could be lost."""

    def visit(self, node: Node) -> list[Operation] | None:
        """Evaluate or plan one node."""
        if isinstance(node, SweepNode):
            return [sweep(self)]
        if self.failed and self.blocked(node):
            return None
        if isinstance(node, ResourceNode):
            return [self._resource(node)]
        if isinstance(node, ProviderNode):
            return [self.starts.start(node)]
        if self._evaluated is not None and node not in self._evaluated:
            if isinstance(node, CallNode):
                self.call_from_state(node, self.state)
            elif isinstance(node, VariableNode) and not node.path:
                self.variable(node, check=False)
            return None
        self.evaluate(node)
        return None

    def _resource(self, node: ResourceNode) -> Operation:
        if node.resource.mode == DATA:
            if self._evaluated is not None and node not in self._evaluated:
                return
            provider = self.starts.provider(node)
            yield from self.data.plan(node, provider, node.provider.local)
        else:
            yield from self.plans.plan(node)

    def is_pending(self, node: Node) -> bool:
        """Whether something that a node stands for is going to change."""
        return any(
            change.action is not Action.NO_OP
            for resource in resources_of(node)
            for change in self.changes_of.get(resource, ())
        )

    def included(self, node: ResourceNode | None, address: Instance) -> bool:
        """Whether the targets, if any, cover an instance."""
        return self.targeting.everything or self.targeting.instance(node, address)

    def delete(
        self,
        changes: list[ResourceChange],
        address: Instance,
        provider: ProviderConfig,
        existing: Existing,
        reason: Reason,
    ) -> None:
        """Plan that an object is destroyed."""
        change = ResourceChange(
            address,
            provider,
            Action.DELETE,
            existing.shown,
            None,
            reason,
            deposed=existing.deposed,
            previous=None if existing.deposed or self.mode == DESTROY else self.moves.previous.get(address),
            private=existing.stored.private,
        )
        changes.append(change)
        self.listener.planned(change)

    # -- after the walk

    def _failed(self, result: Plan) -> PlanResult:
        from twinfra.engine.api import PlanResult

        result.errored = True
        result.diagnostics = list(self.diagnostics)
        return PlanResult(result, self.state, self.diagnostics)

    def _finish(self, result: Plan) -> PlanResult:
        from twinfra.engine.api import PlanResult

        declared = still_there(self.moves, self.scopes)
        self.diagnostics.extend(declared or self.moves.blocked)
        changes = [change for found in self.changes_of.values() for change in found]
        changes += self.orphaned
        changes += self.data.changes
        if len(changes) > 1:
            changes.sort(key=lambda one: (instance_order(one.address), one.deposed))
        result.changes = changes
        result.drift = self._drift()
        result.outputs = self._outputs()
        result.relevant = self._relevant(result)
        self._declare_checks()
        result.checks = self.results.all()
        # As they were given, before any conversion: so does stock Terraform keep them.
        result.variables = {
            name: mark(self.inputs.get(name, value), unmark(value)[1])
            for name, value in self.root.variables.items()
            if not has_marks(value, EPHEMERAL)
        }
        result.complete = self.targeting.everything
        if self.forgotten:
            self.diagnostics.add(forgetting(sorted(self.forgotten, key=instance_order)))
        result.errored = self.diagnostics.has_errors
        result.complete = result.complete and not result.errored
        result.diagnostics = list(self.diagnostics)
        return PlanResult(result, self.state, self.diagnostics)

    def _drift(self) -> list[ResourceChange]:
        drift = self.refresher.drift
        if self.mode == REFRESH_ONLY:
            known = {change.address for change in drift}
            for new, old in self.moves.previous.items():
                existing = self.refresher.existing.get(new)
                if existing is not None and new not in known:
                    provider = self.state.resources[new.of].provider
                    shown = existing.shown
                    drift.append(ResourceChange(new, provider, Action.NO_OP, shown, shown, previous=old))
        return sorted(drift, key=lambda one: instance_order(one.address))

    def _outputs(self) -> list[OutputChange]:
        if self.mode == DESTROY:
            return output_changes(self.state.outputs, {}, self.targeting.everything)
        after = {}
        declared = self.program.configuration.root.outputs
        for name, value in self.root.outputs.items():
            after[name] = (value, declared[name].sensitive)
        known = {
            name: one for name, one in self.state.outputs.items() if name in after or name not in declared
        }
        changes = output_changes(known, after, self.targeting.everything)
        for name, (value, sensitive) in after.items():
            # What is known already holds whatever becomes of the apply.
            if not contains_unknown(value):
                self._keep_output(name, encode_output(value, sensitive))
        return changes

    def _relevant(self, result: Plan) -> list[tuple[str, tuple[Any, ...]]]:
        """What the changed objects and outputs were made from.

        Outputs of modules count whenever they have a value, since no earlier one is recorded of them.
        """
        found = Contributions(self.program)
        places: dict[tuple[Node, ModuleInstance], None] = {}
        for node, changes in self.changes_of.items():
            for change in changes:
                if change.action is not Action.NO_OP:
                    places[node, change.address.module] = None
        for change in (*self.orphaned, *self.data.changes):
            resource = change.address.resource
            path = change.address.module.path
            node_of = self.program.resource(path, table_key(resource.mode, resource.type, resource.name))
            if node_of is not None:
                places[node_of, change.address.module] = None
        outputs = self.program.modules[()].outputs
        for output in result.outputs:
            if output.action is not Action.NO_OP and output.name in outputs:
                places[outputs[output.name], ROOT] = None
        for path, scopes in self.scopes.items():
            for scope in scopes if path else ():
                for name, value in scope.outputs.items():
                    if not is_null(unmark(value)[0]):
                        places[self.program.modules[path].outputs[name], scope.instance_of] = None
        for place in places:
            found.add(*place)
        return found.all()

    def _keep_output(self, name: str, stored: OutputState | None) -> None:
        if stored is None:
            self.state.outputs.pop(name, None)
        else:
            self.state.outputs[name] = stored

    def _declare_checks(self) -> None:
        """Every object with checks has a result, if only that nothing is known of it."""
        for node in self.program.nodes:
            visited = self.mode != DESTROY and node not in self.failed and self.targeting.includes(node)
            if isinstance(node, ResourceNode):
                if node.preconditions or node.postconditions:
                    self.results.declare("resource", str(node), visited)
            elif isinstance(node, OutputNode):
                if node.checks:
                    self.results.declare("output_value", str(node), visited)
            elif isinstance(node, CheckNode):
                self.results.declare("check", str(node), visited)
            elif isinstance(node, VariableNode) and node.checks:
                self.results.declare("input_variable", str(node), visited)
