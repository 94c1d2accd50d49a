"""Validate: checks a configuration with everything unknown that only a run can tell. Calls no cloud."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from twinfra.addresses import DATA, EPHEMERAL_MODE
from twinfra.config.model import Configuration
from twinfra.diagnostics import DiagnosticError, Diagnostics
from twinfra.engine.bodies import decode_config, locate, secrets_in
from twinfra.engine.conditions import FAIL, check
from twinfra.engine.evaluation import Evaluation
from twinfra.engine.expand import any_instance, expand
from twinfra.engine.nodes import (
    CheckNode,
    CompiledCheck,
    Kind,
    Node,
    ProviderNode,
    ResourceNode,
)
from twinfra.engine.program import Program
from twinfra.engine.providers import Providers
from twinfra.engine.scope import UNSET, ModuleScope, table_key
from twinfra.engine.tables import Repetition, Table, repetition_of
from twinfra.lang.scope import EvaluationContext
from twinfra.providers.protocol import Provider, ProviderError


def validate(configuration: Configuration, providers: Providers) -> Diagnostics:
    """See `api.validate`."""
    program = providers.program(configuration)
    return validate_program(program, providers)


def validate_program(program: Program, providers: Providers) -> Diagnostics:
    """Check a program; the diagnostics of its nodes and of evaluating them without values."""
    found = Diagnostics()
    if program.resolution.incomplete:
        found.extend(program.resolution.diagnostics)
        return found
    found.extend(program.problems)
    if program.broken:
        told = set(map(id, found))
        for node in program.nodes:
            # What no provider can be found for is told of its provider already.
            found.extend(one for one in node.problems if id(one) not in told)
            told.update(map(id, node.problems))
        return found
    walk = _Validation(program, providers)
    walk.run()
    found.extend(walk.diagnostics)
    return found


class _Validation(Evaluation):
    """A walk over all nodes in which instances are represented by one, and values by unknowns."""

    validating = True

    def __init__(self, program: Program, providers: Providers) -> None:
        context = EvaluationContext(program.configuration.root_directory, "", planning=True)
        super().__init__(program, {}, context)
        self._providers = providers

    def run(self) -> None:
        """Visit all nodes in order."""
        for node in self.program.nodes:
            if node.kind is Kind.CALL or node.kind is Kind.PROVIDER:
                self.diagnostics.extend(node.problems)
                if self.blocked(node):
                    continue
            elif self.blocked(node):
                # What it needs has failed; what is wrong here may follow from that.
                continue
            else:
                self.diagnostics.extend(node.problems)
            if any(one.severity == "error" for one in node.problems):
                self.failed.add(node)
                if isinstance(node, ResourceNode) and hasattr(node, "decoder"):
                    # What else is in the block is looked at all the same.
                    self._resource(node)
                continue
            self._visit(node)

    def _visit(self, node: Node) -> None:
        if isinstance(node, ResourceNode):
            self._resource(node)
        elif isinstance(node, ProviderNode):
            self._provider(node)
        else:
            self.evaluate(node)

    def _provider(self, node: ProviderNode) -> None:
        if node.decoder is None:
            return
        for scope in self.scopes.get(node.path, ()):
            try:
                decode_config(node.decoder, scope, None)
            except DiagnosticError as failed:
                place = node.block.range if node.block is not None else None
                self.fail(node, failed.at(place).diagnostics if place is not None else failed.diagnostics)

    def _resource(self, node: ResourceNode) -> None:
        resource = node.resource
        key = table_key(resource.mode, resource.type, resource.name)
        for scope in self.scopes.get(node.path, ()):
            try:
                self._instance(node, scope, key)
            except DiagnosticError as failed:
                self.fail(node, failed.at(node.config.range).diagnostics)
            finally:
                scope.repeat(Repetition.SINGLE, None, None)

    def _instance(self, node: ResourceNode, scope: ModuleScope, key: tuple[str, str, str]) -> None:
        repetition = repetition_of(node)
        row, index, value = (
            (None, None, None) if repetition is Repetition.SINGLE else any_instance(repetition)
        )
        table = scope.resources[key] = Table(repetition)
        table.rows[row] = node.facts.sample
        with self._unit(node, node.count, node.for_each) as whole:
            if whole:
                expansion = expand(node.count, node.for_each, scope, allow_unknown=True)
                (row, index, value) = next(iter(self.rows_of(expansion)))
        scope.repeat(repetition, index, value)
        with self._unit(node, node.decoder) as whole:
            if whole and any(one.severity == "error" for one in node.shape_problems):
                # What was understood of it is evaluated all the same; its provider would not understand it.
                decode_config(node.decoder, scope, node.facts.write_only)
            elif whole:
                self._body(node, scope)
        self._try_conditions(node, scope)
        self._try_provisioners(node, scope)

    @contextmanager
    def _unit(self, node: ResourceNode, *units: object) -> Iterator[bool]:
        """Note what is wrong in one unit of a block, and go on; gives whether its names are right."""
        try:
            yield not any(id(one) in node.faulty for one in units)
        except DiagnosticError as failed:
            self.fail(node, failed.at(node.config.range).diagnostics)

    def _body(self, node: ResourceNode, scope: ModuleScope) -> None:
        config, marks = decode_config(node.decoder, scope, node.facts.write_only)
        provider = self._provider_for(node)
        mode = node.resource.mode
        try:
            if mode == DATA:
                told = provider.validate_data(node.resource.type, config)
            elif mode == EPHEMERAL_MODE:
                told = ()
            else:
                told = provider.validate(node.resource.type, config)
        except ProviderError as refused:
            told = refused.diagnostics
        hidden = secrets_in(config, marks, node.facts) if told else ()
        for one in told:
            placed = locate(one, node.decoder, node.place, hidden=hidden)
            if placed.severity == "error":
                self.failed.add(node)
            self.diagnostics.add(placed)
        for trigger in node.triggers:
            if trigger.key is not None:
                trigger.key.evaluate(scope)

    def _try_conditions(self, node: ResourceNode, scope: ModuleScope) -> None:
        for each in node.preconditions:
            if id(each) not in node.faulty:
                self._try_check(node, each, scope)
        scope.self_value = node.facts.sample
        try:
            for each in node.postconditions:
                if id(each) not in node.faulty:
                    self._try_check(node, each, scope)
        finally:
            scope.self_value = UNSET

    def _try_provisioners(self, node: ResourceNode, scope: ModuleScope) -> None:
        """Look at the provisioners up to the first with something wrong in the block, as stock Terraform does."""
        scope.self_value = node.facts.sample
        try:
            for part in node.provisioners:
                with self._unit(node, part.decoder) as whole:
                    if whole:
                        decode_config(part.decoder, scope, None)
                if node in self.failed:
                    return
        finally:
            scope.self_value = UNSET

    def _try_check(self, node: Node, condition: CompiledCheck, scope: ModuleScope) -> None:
        """Evaluate a condition only to see that it can be: whether it holds is for a run to say."""
        outcome = check(condition, scope, "")
        if outcome.status != FAIL and outcome.diagnostics:
            self.fail(node, outcome.diagnostics)

    def check_block(self, node: CheckNode) -> None:
        for scope in self.scopes.get(node.path, ()):
            for each in node.assertions:
                self._try_check(node, each, scope)

    def _provider_for(self, node: ResourceNode) -> Provider:
        return self._providers.unconfigured(node.provider.config.provider)
