"""Starting providers: their settings evaluated, their cloud compared with the state's, their objects read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from twinfra.addresses import DATA, Instance, ProviderConfig
from twinfra.diagnostics import Diagnostic, DiagnosticError
from twinfra.engine.bodies import decode_config, locate, secrets_in
from twinfra.engine.changes import Action
from twinfra.engine.identity import check_identity
from twinfra.engine.nodes import Node, ProviderNode, ResourceNode
from twinfra.engine.objects import Facts
from twinfra.engine.orphans import forget_or_delete
from twinfra.engine.program import Program
from twinfra.engine.providers import Providers
from twinfra.engine.refresh import unreadable, unsupported
from twinfra.engine.scheduler import Call, Operation
from twinfra.engine.scope import ModuleScope, table_key
from twinfra.engine.sweep import forget_unread
from twinfra.providers.protocol import Object, Provider, ProviderError
from twinfra.schema import Block, Nesting, ResourceSchema
from twinfra.state.model import InstanceObject, State
from twinfra.values.marks import PathMarks
from twinfra.values.sets import make_set
from twinfra.values.value import List, Map

if TYPE_CHECKING:
    from twinfra.engine.planner import Planner


def empty_object(block: Block) -> Object:
    """The object of a block in which nothing is written."""
    made: dict[str, Any] = dict.fromkeys(block.attributes)
    for name, nested in block.blocks.items():
        inner = nested.block.type
        if nested.nesting is Nesting.LIST:
            made[name] = List((), inner)
        elif nested.nesting is Nesting.SET:
            made[name] = make_set((), inner)
        elif nested.nesting is Nesting.MAP:
            made[name] = Map({}, inner)
        else:
            made[name] = empty_object(nested.block) if nested.nesting is Nesting.GROUP else None
    return made


def settings_of(node: ProviderNode, scope: ModuleScope, block: Block) -> Object:
    """The settings of a provider configuration, unmarked; raises `DiagnosticError` where evaluating fails."""
    return _decoded(node, scope, block)[0]


def _decoded(node: ProviderNode, scope: ModuleScope, block: Block) -> tuple[Object, PathMarks]:
    if node.decoder is None:
        return empty_object(block), []
    try:
        return decode_config(node.decoder, scope, None)
    except DiagnosticError as failed:
        raise (failed.at(node.block.range) if node.block is not None else failed) from None


def refused_settings(
    node: ProviderNode, scope: ModuleScope, providers: Providers, refused: ProviderError
) -> list[Diagnostic]:
    """What a provider says against its settings, or against where it acts: with its place, and without secrets."""
    block = providers.schema(node.config.provider).provider
    settings, marks = _decoded(node, scope, block)
    hidden = secrets_in(settings, marks, Facts(ResourceSchema(block)))
    place = node.block.range if node.block is not None else None
    return [locate(one, node.decoder, place, "", hidden) for one in refused.diagnostics]


def configure(node: ProviderNode, scope: ModuleScope, providers: Providers) -> Provider:
    """A provider that took its settings; raises `DiagnosticError` where they are refused."""
    settings = settings_of(node, scope, providers.schema(node.config.provider).provider)
    try:
        return providers.configured(node.config, settings)
    except ProviderError as refused:
        raise DiagnosticError(refused_settings(node, scope, providers, refused)) from None


class ProviderStart:
    """Starts the providers of one planning run.

    `needed`: the nodes of those that objects in the state belong to.
    """

    def __init__(self, run: Planner, providers: Providers) -> None:
        self._run = run
        self._providers = providers
        self._started: dict[ProviderNode, Provider] = {}
        self._objects: dict[ProviderNode, list[tuple[Instance, str, InstanceObject, Facts]]] = {}
        self.needed: set[Node] = set()
        self._used: set[ProviderNode] = set()

    def provider(self, node: ResourceNode) -> Provider:
        """The started provider of a resource."""
        return self._started[node.provider]

    def assign(self, state: State) -> None:
        """Note which provider serves each object of the state, and which are needed at all."""
        program: Program = self._run.program
        if self._run.mode != "destroy":
            self._used = {node.provider for node in program.nodes if isinstance(node, ResourceNode)}
        for address, resource in state.resources.items():
            if address.resource.mode == DATA:
                continue
            configured = program.resource(
                address.module.path,
                table_key(address.resource.mode, address.resource.type, address.resource.name),
            )
            owner = configured.provider if configured is not None else program.provider(resource.provider)
            facts = (
                configured.facts
                if configured is not None
                else program.facts(resource.provider, address.resource)
                if owner is not None
                else None
            )
            for key, instance in resource.instances.items():
                one = address.instance(key)
                if not self._run.included(configured, one):
                    continue
                if owner is None or facts is None:
                    if forget_or_delete(self._run.removed, one)[0] is Action.FORGET:
                        forget_unread(self._run, one, resource.provider, instance)
                        continue
                    available = self._available(resource.provider)
                    missing = unreadable if owner is None and available else unsupported
                    self._run.diagnostics.add(missing(one, resource.provider))
                    continue
                objects = self._objects.setdefault(owner, [])
                if instance.current is not None:
                    objects.append((one, "", instance.current, facts))
                objects.extend((one, deposed, stored, facts) for deposed, stored in instance.deposed.items())
        for owner in self._objects:
            self.needed.add(owner)
            waiting = list(owner.needs)
            while waiting:
                need = waiting.pop()
                if need not in self.needed:
                    self.needed.add(need)
                    waiting.extend(need.needs)
        self._used.update(
            node.provider
            for node in self.needed
            if isinstance(node, ResourceNode) and node.resource.mode == DATA
        )

    def _available(self, config: ProviderConfig) -> bool:
        try:
            self._providers.schema(config.provider)
        except DiagnosticError:
            return False
        return True

    def start(self, node: ProviderNode) -> Operation:
        """Configure a provider, check where it acts, and begin to read what it has; an operation of the
        walk.
        """
        run = self._run
        objects = self._objects.get(node, [])
        scope = next(iter(run.scopes.get(node.path, ())), None)
        if scope is None or not (objects or node in self._used):
            return
        try:
            provider = configure(node, scope, self._providers)
            look_for_credentials = getattr(provider, "look_for_credentials", None)
            if look_for_credentials is not None:
                look_for_credentials()
        except DiagnosticError as failed:
            run.fail(node, failed.diagnostics)
            return
        except ProviderError as refused:
            run.fail(node, refused_settings(node, scope, self._providers, refused))
            return
        remembered = run.state.identities.get(str(node.config))
        if objects and remembered:
            try:
                actual = yield Call(provider.identity, inline=node.local)
            except ProviderError as refused:
                run.fail(node, refused_settings(node, scope, self._providers, refused))
                return
            problem = check_identity(node.config, remembered, actual)
            if problem is not None:
                run.fail(node, [problem])
                return
        self._started[node] = provider
        run.walk.widen(getattr(provider, "parallelism", 0))
        if objects:
            calls = run.refresher.load(provider, objects, node.local)
            run.walk.start(calls)
