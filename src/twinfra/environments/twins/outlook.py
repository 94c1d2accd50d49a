"""One environment evaluated as far as its code and inputs tell: no cloud is called, and no state is read.

What only a cloud can tell is unknown, and carries the place it will come from as a trace. Where that leaves open
how many instances a block has, one row stands for any of them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.addresses import DATA, MANAGED, AbsResource, Instance, Key
from twinfra.diagnostics import Diagnostic, DiagnosticError
from twinfra.engine.bodies import decode_config, locate
from twinfra.engine.datasources import planned_data
from twinfra.engine.evaluation import Evaluation
from twinfra.engine.expand import Expansion, expand
from twinfra.engine.instance import Wanted, addressed, plan_instance
from twinfra.engine.nodes import (
    CallNode,
    CheckNode,
    Node,
    ProviderNode,
    ResourceNode,
    ValidationNode,
    VariableNode,
)
from twinfra.engine.program import Program
from twinfra.engine.providers import Providers
from twinfra.engine.scope import ModuleScope, table_key
from twinfra.engine.settings import empty_object
from twinfra.engine.tables import Repetition, Table
from twinfra.environments.twins.inputs import TIMESTAMP, Inputs, Origin
from twinfra.environments.twins.weaving import Sources, Weave
from twinfra.lang.compiler import Compiled
from twinfra.lang.scope import EvaluationContext
from twinfra.providers.protocol import Object, Provider, ProviderError
from twinfra.values.marks import (
    PathMarks,
    Trace,
    mark,
    mark_paths,
    unmark,
    unmark_deep_with_paths,
)
from twinfra.values.unknowns import UNKNOWN_NUMBER, UNKNOWN_STRING, contains_unknown
from twinfra.values.value import EMPTY_MARKS, SENSITIVE, UNKNOWN, GetAttr, Unknown, Value, is_null

ANY = "*"
"""The key of the row that stands for any instance."""

Marks = frozenset[str]


class Outlook(Evaluation):
    """The evaluation of one side, with inputs that are accepted and traced."""

    def __init__(self, program: Program, inputs: Inputs, providers: Providers) -> None:
        context = EvaluationContext(program.configuration.root_directory, TIMESTAMP, planning=True)
        super().__init__(program, {}, context, inputs.workspace)
        self.variables = inputs.variables
        self.region = inputs.region
        self.providers = providers
        self.settings: dict[ProviderNode, Value] = {}
        self.started: dict[ProviderNode, Provider] = {}
        self._setting_marks: dict[ProviderNode, PathMarks] = {}
        self.used = {node.provider for node in program.nodes if isinstance(node, ResourceNode)}

    def visit(self, node: Node) -> None:
        """Evaluate one node; those it needs have been visited."""
        if self.failed and self.blocked(node):
            return
        problems = [one for one in node.problems if one.severity == "error"]
        if problems:
            self.fail(node, problems)
            return
        if isinstance(node, ResourceNode):
            self._resource(node)
        elif isinstance(node, ProviderNode):
            self._start(node)
        elif not isinstance(node, CheckNode | ValidationNode):
            self.evaluate(node)

    def variable(self, node: VariableNode, check: bool = True) -> None:
        """Root variables were accepted before; those of modules get their value as ever."""
        if node.path:
            super().variable(node, check)
        else:
            self.root.variables[node.name] = self.variables[node.name]

    # -- providers

    def _start(self, node: ProviderNode) -> None:
        scope = next(iter(self.scopes.get(node.path, ())), None)
        if scope is None or node not in self.used:
            return
        block = self.providers.schema(node.config.provider).provider
        place = node.block.range if node.block is not None else None
        settings: Object
        marks: PathMarks = []
        try:
            if node.decoder is None:
                settings = empty_object(block)
            else:
                settings, marks = decode_config(node.decoder, scope, None)
            region, traces = unmark(self.region)
            if region is not None and "region" in settings and is_null(settings["region"]):
                settings = {**settings, "region": region}
                if traces:
                    marks = [*marks, ((GetAttr("region"),), traces)]
            self.started[node] = self.providers.configured(node.config, settings)
        except DiagnosticError as failed:
            self.fail(node, (failed.at(place) if place is not None else failed).diagnostics)
            return
        except ProviderError as refused:
            self.fail(node, [locate(one, node.decoder, place) for one in refused.diagnostics])
            return
        self._setting_marks[node] = marks
        self.settings[node] = mark_paths(settings, marks)

    # -- instances

    def call(self, node: CallNode) -> None:
        """Make the instances of a module, or the one that stands for any."""
        for scope in self.scopes.get(node.path, ()):
            try:
                expansion, found, is_open = self._expand(node.count, node.for_each, scope)
            except DiagnosticError as failed:
                self.fail(node, failed.at(node.config.range).diagnostics)
                continue
            self.make_instances(node, scope, expansion.repetition, self._rows(expansion, found, is_open))
            table = scope.calls[node.name]
            table.open = is_open
            table.traces = found

    def _expand(
        self, count: Compiled | None, for_each: Compiled | None, scope: ModuleScope
    ) -> tuple[Expansion, Marks, bool]:
        """The instances of a block, the traces of how many there are, and whether that is open."""
        expansion = expand(count, for_each, scope, allow_unknown=True)
        compiled = count or for_each
        if compiled is None:
            return expansion, EMPTY_MARKS, False
        value, marks = unmark(compiled.evaluate(scope))
        if not expansion.instances:
            is_open = contains_unknown(value) and not isinstance(value, dict)
            return expansion, _traces(marks), is_open
        return expansion, _traces(marks), False

    def _rows(self, expansion: Expansion, found: Marks, is_open: bool) -> Iterable[tuple[Key, Value, Value]]:
        if is_open:
            index = UNKNOWN_NUMBER if expansion.repetition is Repetition.COUNT else UNKNOWN_STRING
            return [(ANY, mark(index, found), mark(UNKNOWN, found))]
        # What is one of many carries the traces of all; its key is the same on both sides.
        return [
            (key, key, value if value == key else mark(value, found)) for key, value in expansion.instances
        ]

    def _resource(self, node: ResourceNode) -> None:
        resource = node.resource
        for scope in self.scopes.get(node.path, ()):
            try:
                expansion, found, is_open = self._expand(node.count, node.for_each, scope)
            except DiagnosticError as failed:
                self.fail(node, failed.at(node.config.range).diagnostics)
                continue
            table = Table(expansion.repetition, Unknown(node.facts.type))
            name = table_key(resource.mode, resource.type, resource.name)
            before = scope.resources.get(name)
            scope.resources[name] = table
            table.open = is_open
            base = AbsResource(scope.instance_of, resource)
            if is_open:
                table.traces = found | {Origin(str(base))}
            else:
                table.traces = found
            for key, index, value in self._rows(expansion, found, is_open):
                if before is not None and self.is_settled(node, scope, key) and key in before.rows:
                    table.rows[key] = before.rows[key]
                    continue
                address = base.instance(key)
                scope.repeat(expansion.repetition, index, value)
                try:
                    table.rows[key] = self._instance(node, scope, address)
                except DiagnosticError as failed:
                    self.fail(node, addressed(failed, node, address))
            scope.repeat(Repetition.SINGLE, None, None)

    def is_settled(self, node: ResourceNode, scope: ModuleScope, key: Key) -> bool:
        """Whether an instance that was evaluated before need not be so again."""
        return False

    def _instance(self, node: ResourceNode, scope: ModuleScope, address: Instance) -> Value:
        """What one instance would be, with traces on what is in it."""
        facts = node.facts
        config, marks = decode_config(node.decoder, scope, facts.write_only)
        provider = self.started[node.provider]
        if node.resource.mode == MANAGED:
            told: list[Diagnostic] = []
            change = plan_instance(
                node, address, node.provider.config, provider, None, Wanted(config, []), told
            )
            after = change.after
        else:
            after, more = self._read(node, provider, config)
            if more:
                marks = [*marks, *more]
        bare = after if type(after) is dict else unmark_deep_with_paths(after)[0]
        secrets = facts.sensitive_paths(bare) if facts.sensitive or facts.nested_sensitive else ()
        made = Weave(
            config,
            marks,
            self._setting_marks[node.provider],
            node.resource.type,
            _sources_of(provider, node),
            node.resource.mode != MANAGED,
        )
        value = made.over(bare, str(address), facts.deep)
        return mark_paths(value, [(path, (SENSITIVE,)) for path in secrets]) if secrets else value

    def _read(
        self, node: ResourceNode, provider: Provider, config: dict[str, Any]
    ) -> tuple[dict[str, Any], PathMarks]:
        """A data source: read where that needs no cloud, else unknown."""
        kind = node.resource.type
        offline = getattr(provider, "reads_offline", None)
        if node.resource.mode != DATA or offline is None or not offline(kind) or contains_unknown(config):
            return planned_data(node.facts, config), []
        try:
            return unmark_deep_with_paths(provider.read_data(kind, config))
        except ProviderError as refused:
            raise DiagnosticError(
                locate(one, node.decoder, node.place) for one in refused.diagnostics
            ) from None


def _traces(marks: Marks) -> Marks:
    return frozenset(one for one in marks if isinstance(one, Trace)) if marks else marks


def _sources_of(provider: Provider, node: ResourceNode) -> Sources | None:
    found: Sources | None = getattr(provider, "sources", None)
    return found if node.resource.mode == MANAGED else None
