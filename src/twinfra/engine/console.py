"""The console's view: names stand for what inputs and state say, without planning anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from twinfra.addresses import AbsResource
from twinfra.config.model import Configuration
from twinfra.diagnostics import DiagnosticError, Diagnostics
from twinfra.engine.evaluation import Evaluation
from twinfra.engine.instance import addressed
from twinfra.engine.nodes import CallNode, LocalNode, Node, OutputNode, ResourceNode, VariableNode
from twinfra.engine.objects import decode_object, marked, stored_marks
from twinfra.engine.program import Program
from twinfra.engine.providers import Providers
from twinfra.engine.scope import table_key
from twinfra.engine.tables import Table, repetition_of
from twinfra.lang.compiler import compile_expression
from twinfra.lang.nodes import Expression
from twinfra.lang.scope import EvaluationContext, Scope
from twinfra.state.model import State
from twinfra.values.value import Unknown, Value

if TYPE_CHECKING:
    from twinfra.engine.api import ConsoleResult


def console(
    configuration: Configuration,
    state: State,
    inputs: Mapping[str, Value],
    providers: Providers,
    workspace: str,
) -> ConsoleResult:
    """See `api.console`."""
    from twinfra.engine.api import ConsoleResult

    program = providers.program(configuration)
    walk = View(program, state, inputs, providers, workspace)
    walk.diagnostics.extend(program.problems)
    if not program.broken:
        walk.run()
    return ConsoleResult(walk.root, walk.diagnostics)


def evaluate(scope: Scope, expressions: Sequence[Expression]) -> tuple[list[Value], Diagnostics]:
    """See `api.evaluate`."""
    values: list[Value] = []
    found = Diagnostics()
    for expression in expressions:
        try:
            values.append(compile_expression(expression).evaluate(scope))
        except DiagnosticError as failed:
            found.extend(failed.at(expression.range).diagnostics)
            break
    return values, found


class View(Evaluation):
    """Fills scopes from state and inputs; what is not there yet is unknown."""

    def __init__(
        self,
        program: Program,
        state: State,
        inputs: Mapping[str, Value],
        providers: Providers,
        workspace: str,
    ) -> None:
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        super().__init__(
            program,
            inputs,
            EvaluationContext(program.configuration.root_directory, now, console=True),
            workspace,
        )
        self._state = state
        self._available = providers

    def run(self) -> None:
        """Visit all nodes; what fails is told, and what needs it is left out."""
        for node in self.program.nodes:
            self.diagnostics.extend(node.problems)
            if any(one.severity == "error" for one in node.problems):
                self.failed.add(node)
            elif not self.blocked(node):
                self._visit(node)

    def _visit(self, node: Node) -> None:
        if isinstance(node, ResourceNode):
            self._resource(node)
        elif isinstance(node, CallNode):
            try:
                self.call(node)
            except DiagnosticError:
                self.call_from_state(node, self._state)
        elif isinstance(node, LocalNode | VariableNode) or (isinstance(node, OutputNode) and node.path):
            self.evaluate(node)

    def _resource(self, node: ResourceNode) -> None:
        resource = node.resource
        for scope in self.scopes.get(node.path, ()):
            table = Table(repetition_of(node), Unknown(node.facts.type))
            scope.resources[table_key(resource.mode, resource.type, resource.name)] = table
            base = AbsResource(scope.instance_of, resource)
            recorded = self._state.resources.get(base)
            if recorded is None:
                continue
            provider = self._available.unconfigured(node.provider.config.provider)
            for key, instance in recorded.instances.items():
                if instance.current is None:
                    continue
                address = base.instance(key)
                try:
                    value = decode_object(instance.current, resource.type, node.facts, provider, address)
                except DiagnosticError as failed:
                    self.fail(node, addressed(failed, node, address))
                    continue
                table.rows[key] = marked(value, node.facts, stored_marks(instance.current))
