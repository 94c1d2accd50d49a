"""Apply: does exactly what a plan says, in an order that keeps every object's needs alive, and records it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from twinfra.addresses import DATA, ROOT, AbsResource, Instance, Key, ProviderConfig
from twinfra.config.model import Configuration
from twinfra.diagnostics import Diagnostic, DiagnosticError, error
from twinfra.engine import targets as targeting
from twinfra.engine.aftermath import Aftermath
from twinfra.engine.changes import Action, Plan, ResourceChange
from twinfra.engine.checkstate import check_results_json
from twinfra.engine.closures import Closures
from twinfra.engine.confirmation import Unconfirmed
from twinfra.engine.destruction import Destruction
from twinfra.engine.evaluation import Evaluation
from twinfra.engine.events import Listener
from twinfra.engine.expand import expand
from twinfra.engine.identity import check_identity
from twinfra.engine.instance import addressed
from twinfra.engine.nodes import (
    CallNode,
    CheckNode,
    Node,
    ProviderNode,
    ResourceNode,
)
from twinfra.engine.objects import decode_object, marked, stored_marks
from twinfra.engine.operations import Operations
from twinfra.engine.ordering import DestroyNode, Ends
from twinfra.engine.outputs import encode_output
from twinfra.engine.places import Place
from twinfra.engine.providers import Providers
from twinfra.engine.reading import read_deferred
from twinfra.engine.recorder import Recorder
from twinfra.engine.refresh import unreadable
from twinfra.engine.scheduler import Call, Operation, Walk
from twinfra.engine.scope import UNSET, ModuleScope, table_key
from twinfra.engine.settings import configure, refused_settings
from twinfra.engine.stop import RUN, Stop
from twinfra.engine.tables import Repetition, Table, repetition_of
from twinfra.lang.scope import EvaluationContext
from twinfra.providers.protocol import Provider, ProviderError
from twinfra.state.model import InstanceObject, State
from twinfra.values.value import Unknown, Value

if TYPE_CHECKING:
    from twinfra.engine.api import ApplyOptions, ApplyResult

_DONE_BY_BLOCK = (
    Action.CREATE,
    Action.UPDATE,
    Action.READ,
    Action.DELETE_THEN_CREATE,
    Action.CREATE_THEN_DELETE,
)


def apply(
    plan: Plan,
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    options: ApplyOptions,
    recorder: Recorder,
    listener: Listener,
    stop: Stop,
) -> ApplyResult:
    """See `api.apply`."""
    return Applier(plan, configuration, state, inputs, providers, options, recorder, listener, stop).run()


class Applier(Evaluation):
    """One apply; used once. `dirty`: something was recorded that is not synced yet."""

    def __init__(
        self,
        plan: Plan,
        configuration: Configuration,
        state: State,
        inputs: Mapping[str, Value],
        providers: Providers,
        options: ApplyOptions,
        recorder: Recorder,
        listener: Listener,
        stop: Stop,
    ) -> None:
        program = providers.program(configuration)
        context = EvaluationContext(configuration.root_directory, plan.timestamp, now=options.now)
        super().__init__(program, inputs, context, options.workspace)
        self.root.applying = True
        self.plan = plan
        self.providers = providers
        self.options = options
        self.recorder = recorder
        self.listener = listener
        self.stop = stop
        self.state = state.copy()
        self.dirty = False
        self.counts: dict[str, int] = {}
        self.deposed: dict[Instance, str] = {}
        self.closures = Closures(program)
        self.operations = Operations(self)
        self.walk: Walk
        self._ends = Ends(program, self.state, plan.changes)
        self._by_block: dict[AbsResource, dict[Key, ResourceChange]] = {}
        self._working: set[Node] = set()
        self._waits: dict[Node, dict[Node, None]] = {}
        self._providers: dict[ProviderNode, Provider] = {}
        self._destruction = Destruction(self)
        self._aftermath = Aftermath(self)
        self._unconfirmed = Unconfirmed(self, self.state)
        self._targeting = targeting.Targeting(program, ())
        self._evaluated: set[Node] | None = None

    def run(self) -> ApplyResult:
        """Apply; the result's state is worth saving whatever happened."""
        from twinfra.engine.api import ApplyResult

        if self.plan.errored:
            self.diagnostics.add(
                error("Plan has errors", "A plan with errors cannot be applied.", mend="Plan again.")
            )
            return ApplyResult(self.state, self.diagnostics)
        if not self._prepare():
            return ApplyResult(self.state, self.diagnostics)
        self.walk = Walk(self._waits, self, self.stop, self.options.parallelism, self.options.order)
        finished = self.walk.run()
        self.settle()
        self._aftermath.settle()
        self.settle()
        stopped = not finished and self.stop.level != RUN
        if not finished and not stopped:
            self.diagnostics.add(_stuck(self.walk.unvisited()))
        self._set_outputs(stopped)
        self.state.check_results = check_results_json(self.results.over(self.plan.checks))
        if self.plan.targets:
            self.diagnostics.add(targeting.targets_were_in_effect())
        return ApplyResult(self.state, self.diagnostics, stopped, dict(self.counts))

    # -- before the walk

    def _prepare(self) -> bool:
        if self.plan.targets:
            wanted = targeting.parse_targets(self.plan.targets, self.diagnostics)
            self._targeting = targeting.Targeting(self.program, wanted, self.plan.mode == "destroy")
        for change in self.plan.changes:
            self._begin(change)
        for change in self._ends.without_provider:
            self.diagnostics.add(unreadable(change.address, change.provider))
        if self.diagnostics.has_errors:
            return False
        self.settle()
        nodes = [node for node in self.program.nodes if self._targeting.includes(node)]
        inside = set(nodes)
        self._waits = {
            node: node.needs
            if self._targeting.everything
            else {need: None for need in node.needs if need in inside}
            for node in nodes
        }
        if self._ends.nodes:
            # Resource nodes come to wait for ends, so their own dependencies are copied first.
            for node in nodes:
                if isinstance(node, ResourceNode):
                    self._waits[node] = dict(self._waits[node])
            for end in self._ends.nodes.values():
                self._with_needs(end.provider)
            self._ends.join(self._waits)
            self._working.update(end.provider for end in self._ends.nodes.values())
        if self.plan.mode == "destroy":
            self._evaluated = self._needed_by(self._working)
        return True

    def _with_needs(self, node: Node) -> None:
        """Take in a node, and what it needs, that no target asked for."""
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if one not in self._waits:
                self._waits[one] = one.needs
                waiting.extend(one.needs)

    def _needed_by(self, start: Iterable[Node]) -> set[Node]:
        needed: set[Node] = set()
        waiting = list(start)
        while waiting:
            node = waiting.pop()
            if node not in needed:
                needed.add(node)
                waiting.extend(node.needs)
        return needed

    def _begin(self, change: ResourceChange) -> None:
        """Sort a change in; do what needs no provider: moves, imports and objects to be forgotten."""
        address, action = change.address, change.action
        current = self.state.current(address)
        if change.previous is not None and current is not None:
            self.recorder.record(change.previous, change.provider, None)
            self.recorder.record(address, change.provider, current)
            self.dirty = True
        if change.importing and current is not None:
            self.recorder.record(address, change.provider, current)
            self.dirty = True
            self.count("imported")
        if action is Action.FORGET:
            self.put(address, change.provider, None, change.deposed)
            self.count("forgotten")
            return
        if change.deposed:
            return
        if action is not Action.DELETE:
            self._by_block.setdefault(address.of, {})[address.key] = change
        if action in _DONE_BY_BLOCK:
            node = self.node_of(address)
            if node is not None:
                self._working.add(node)
                self._working.add(node.provider)

    def provider(self, node: ProviderNode) -> Provider:
        """The started provider of a configuration."""
        return self._providers[node]

    def has_started(self, node: ProviderNode) -> bool:
        """Whether a provider was started in this apply."""
        return node in self._providers

    def node_of(self, address: Instance) -> ResourceNode | None:
        """The block of an instance, where there is one."""
        resource = address.resource
        return self.program.resource(
            address.module.path, table_key(resource.mode, resource.type, resource.name)
        )

    # -- what operations use

    def put(
        self, address: Instance, provider: ProviderConfig, value: InstanceObject | None, deposed: str = ""
    ) -> None:
        """Record what an object is now, in the state and with the recorder."""
        self._aftermath.touched(address, self.state.current(address), value)
        self.state.put(address, provider, value, deposed)
        self.recorder.record(address, provider, value, deposed)
        self.dirty = True

    def count(self, what: str) -> None:
        """Count a finished operation."""
        self.counts[what] = self.counts.get(what, 0) + 1

    @staticmethod
    def inside(address: Instance) -> str:
        """The address of an instance without its module."""
        return str(Instance(ROOT, address.resource, address.key))

    def settle(self) -> None:
        """Sync what was recorded: before anything new is asked of a cloud, and before waiting."""
        if self.dirty:
            self.recorder.sync()
            self.dirty = False

    def enter_orphan(self, address: Instance, self_value: Value) -> ModuleScope:
        """A scope for the provisioners of an object without a block: `self`, `count.index` and `each.key`
        only.
        """
        repetition = (
            Repetition.COUNT
            if isinstance(address.key, int)
            else Repetition.FOR_EACH
            if address.key is not None
            else Repetition.SINGLE
        )
        self.root.repeat(repetition, address.key, Unknown())
        self.root.self_value = self_value
        return self.root

    def leave_orphan(self) -> None:
        """Set the scope back."""
        self.root.repeat(Repetition.SINGLE, None, None)
        self.root.self_value = UNSET

    # -- the walk

    def blocked(self, node: Node) -> bool:
        """Whether something that a node waits for has failed."""
        if self.failed and not self.failed.isdisjoint(self._waits[node]):
            self.failed.add(node)
            return True
        return False

    def visit(self, node: Node) -> list[Operation] | None:
        """Evaluate or apply one node."""
        if self.failed and self.blocked(node):
            return None
        if isinstance(node, DestroyNode):
            return self._destruction.begin(node)
        if isinstance(node, ResourceNode):
            return self._resource(node)
        if isinstance(node, ProviderNode):
            return [self._start(node)] if node in self._working else None
        if self._evaluated is not None and node not in self._evaluated:
            if isinstance(node, CallNode):
                self.call_from_state(node, self.state)
            return None
        if not isinstance(node, CheckNode) or self.plan.mode == "normal":
            self.evaluate(node)
        return None

    def _start(self, node: ProviderNode) -> Operation:
        """Configure a provider, and compare where it acts with what the state remembers."""
        scope = next(iter(self.scopes.get(node.path, ())), None)
        if scope is None:
            return
        try:
            provider = configure(node, scope, self.providers)
            if not node.local:
                actual = yield Call(provider.identity)
                problem = check_identity(node.config, self.state.identities.get(str(node.config)), actual)
                if problem is not None:
                    raise DiagnosticError(problem)
                if actual:
                    self.state.identities[str(node.config)] = dict(actual)
                    self.recorder.identify(node.config, actual)
        except DiagnosticError as failed:
            self.fail(node, failed.diagnostics)
            return
        except ProviderError as failed:
            self.fail(node, refused_settings(node, scope, self.providers, failed))
            return
        self._providers[node] = provider
        self.walk.widen(getattr(provider, "parallelism", 0))
        yield from self._unconfirmed.confirm(node.config, provider)

    def _resource(self, node: ResourceNode) -> list[Operation] | None:
        """Fill the table of a block from plan and state, and begin the operations on its instances."""
        operations: list[Operation] = []
        working = node in self._working
        for scope in self.scopes.get(node.path, ()):
            base = AbsResource(scope.instance_of, node.resource)
            changes = self._by_block.get(base, {})
            table = scope.resources[table_key(node.resource.mode, node.resource.type, node.resource.name)] = (
                Table(repetition_of(node), Unknown(node.facts.type))
            )
            self._recorded(node, base, table, changes)
            if not working:
                for key, change in changes.items():
                    table.rows[key] = change.after
                continue
            try:
                expansion = expand(node.count, node.for_each, scope)
            except DiagnosticError as failed:
                self.fail(node, failed.at(node.config.range).diagnostics)
                continue
            values = {key: (index, value) for key, index, value in self.rows_of(expansion)}
            for key, change in changes.items():
                if change.action is Action.NO_OP:
                    table.rows[key] = change.after
                    continue
                if key not in values:
                    self.fail(node, [_vanished(node, change.address)])
                    continue
                place = Place(node, scope, table, change.address, *values[key])
                operations.append(self._operation(node, place, change))
        return operations or None

    def _recorded(
        self, node: ResourceNode, base: AbsResource, table: Table, changes: Mapping[Key, ResourceChange]
    ) -> None:
        """Let expressions read what the state has of instances that the plan does not speak of."""
        resource = self.state.resources.get(base)
        if resource is None:
            return
        ending = self._ending(base)
        for key, instance in resource.instances.items():
            if key in changes or instance.current is None or key in ending:
                continue
            address = base.instance(key)
            provider = self.providers.unconfigured(node.provider.config.provider)
            try:
                value = decode_object(instance.current, node.resource.type, node.facts, provider, address)
            except DiagnosticError as failed:
                self.fail(node, addressed(failed, node, address))
                continue
            table.rows[key] = marked(value, node.facts, stored_marks(instance.current))

    def _ending(self, base: AbsResource) -> set[Key]:
        if self.plan.mode == "destroy":
            return set()
        return self._ends.gone.get(base, set())

    def _operation(self, node: ResourceNode, place: Place, change: ResourceChange) -> Operation:
        provider = self._providers[node.provider]
        if node.resource.mode == DATA:
            return read_deferred(self, place, provider)
        return self.operations.change(place, change, provider)

    # -- after the walk

    def _set_outputs(self, stopped: bool) -> None:
        outputs = self.state.outputs
        if self.plan.mode == "destroy":
            if not self.plan.targets and not stopped:
                outputs.clear()
            return
        for change in self.plan.outputs:
            if change.action is Action.DELETE:
                outputs.pop(change.name, None)
        for name, value in self.root.outputs.items():
            stored = encode_output(value, self.program.configuration.root.outputs[name].sensitive)
            if stored is None:
                outputs.pop(name, None)
            else:
                outputs[name] = stored


def _vanished(node: ResourceNode, address: Instance) -> Diagnostic:
    return error(
        "Not as planned",
        f"{address} was planned, but count or for_each no longer makes it.",
        node.config.range,
        mend="Plan again.",
        address=str(address),
    )


def _stuck(left: Iterable[Node]) -> Diagnostic:
    names = ", ".join(str(node) for node in left)
    return error(
        "No order to apply in",
        f"Some objects could not be handled because each of them waits for another: {names}.",
        mend="Apply in two steps, with -target, or set create_before_destroy on what is being replaced.",
    )
