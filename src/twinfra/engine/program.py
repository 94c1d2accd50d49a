"""A configuration made ready to run: nodes bound to schemas and joined by what they refer to.

Made once for every walk that follows (validate, plan, apply). What is wrong whatever the values (undeclared
names,
unknown arguments) is found here and kept with the node it belongs to.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from twinfra.addresses import (
    BUILTIN_PROVIDER,
    DATA,
    EPHEMERAL_MODE,
    MANAGED,
    ModulePath,
    ProviderConfig,
    Resource,
)
from twinfra.config.model import Configuration, Module, ProviderBlock, ProviderRef, ResourceConfig
from twinfra.config.provider_resolution import ProviderResolution, resolve_providers
from twinfra.decode import prepare
from twinfra.decode.preparing import READ_ONLY
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, Severity, error, nearest
from twinfra.engine.joining import Joiner
from twinfra.engine.lifecycle import bind_lifecycle, type_range
from twinfra.engine.nodes import (
    CallNode,
    CheckNode,
    EndNode,
    LocalNode,
    Node,
    OutputNode,
    ProviderNode,
    ResourceNode,
    VariableNode,
)
from twinfra.engine.objects import Facts
from twinfra.engine.providers import Providers
from twinfra.engine.provisioners import bind_provisioners
from twinfra.engine.scope import TableKey, table_key
from twinfra.engine.sequence import force_create_first, in_order
from twinfra.schema import ProviderSchema, ResourceSchema


class ModuleNodes:
    """The nodes of one module path by name."""

    __slots__ = ("call", "calls", "checks", "end", "locals", "module", "outputs", "resources", "variables")

    def __init__(self, module: Module, call: CallNode | None) -> None:
        self.module = module
        self.call = call
        self.variables: dict[str, VariableNode] = {}
        self.locals: dict[str, LocalNode] = {}
        self.outputs: dict[str, OutputNode] = {}
        self.calls: dict[str, CallNode] = {}
        self.resources: dict[TableKey, ResourceNode] = {}
        self.checks: list[CheckNode] = []
        self.end: EndNode | None = None


class Program:
    """All nodes of a configuration, each before those that wait for it.

    `problems` are those of no single node: no such provider, cycles; `unplannable` those that only a plan minds.
    `broken` says that no walk makes sense.
    """

    def __init__(self, configuration: Configuration, providers: Providers) -> None:
        self.configuration = configuration
        self.problems = Diagnostics()
        self.unplannable = Diagnostics()
        self.modules: dict[ModulePath, ModuleNodes] = {}
        self.providers: dict[ProviderConfig, ProviderNode] = {}
        self.nodes: list[Node] = []
        self._available = providers
        self._resolution = resolve_providers(configuration)
        self.problems.extend(self._resolution.diagnostics)
        self._unavailable: set[object] = set()
        self._facts: dict[int, tuple[ResourceSchema, Facts]] = {}
        self._declare((), None)
        Joiner(self).join()
        self.nodes, circles = in_order(self.nodes)
        self.problems.extend(circles)
        force_create_first(self.nodes)

    @property
    def broken(self) -> bool:
        """Whether there are errors that belong to no node."""
        return self.problems.has_errors

    @property
    def resolution(self) -> ProviderResolution:
        """Which provider configuration serves which resource."""
        return self._resolution

    def resource(self, path: ModulePath, key: TableKey) -> ResourceNode | None:
        """The node of a resource as configured."""
        nodes = self.modules.get(path)
        return None if nodes is None else nodes.resources.get(key)

    def provider(self, config: ProviderConfig) -> ProviderNode | None:
        """The node of a provider configuration; made now where it is implied, None where it would need a
        block.
        """
        node = self.providers.get(config)
        if node is None and not config.alias and not config.module:
            node = self._provider_node(config, None)
            if node.problems:
                return None
        return node

    def look_up_provider(self, path: ModulePath, named: ProviderRef | None, resource: Resource) -> None:
        """Tell where there is no provider for a resource without a block, for which `named` may say which."""
        if path not in self.configuration.modules:
            return
        name = named.name if named is not None else resource.type.partition("_")[0]
        config = self._resolution.resolve(path, name, named.alias if named is not None else "")
        try:
            self._available.schema(config.provider)
        except DiagnosticError as refused:
            self.problems.extend(refused.diagnostics)

    # -- declaring

    def _declare(self, path: ModulePath, call: CallNode | None) -> None:
        module = self.configuration.modules[path]
        nodes = self.modules[path] = ModuleNodes(module, call)
        add = self.nodes.append
        for variable in module.variables.values():
            node = nodes.variables[variable.name] = VariableNode(module, variable)
            add(node)
        for local in module.locals.values():
            local_node = nodes.locals[local.name] = LocalNode(module, local)
            add(local_node)
        for config in self._resolution.declared(path):
            self._provider_node(config.config, config.block)
        for resource in module.resources.values():
            self._declare_resource(nodes, resource, nested=False)
        for check in module.checks.values():
            check_node = CheckNode(module, check)
            if check.data is not None:
                check_node.data = self._declare_resource(nodes, check.data, nested=True)
            nodes.checks.append(check_node)
            add(check_node)
        for name, called in module.calls.items():
            child = (*path, name)
            if child not in self.configuration.modules:
                continue
            call_node = nodes.calls[name] = CallNode(module, called, self.configuration.modules[child])
            add(call_node)
            self._declare(child, call_node)
        for output in module.outputs.values():
            output_node = nodes.outputs[output.name] = OutputNode(module, output)
            add(output_node)

    def _declare_resource(self, nodes: ModuleNodes, config: ResourceConfig, nested: bool) -> ResourceNode:
        module = nodes.module
        node = ResourceNode(module, config)
        node.nested = nested
        address = config.address
        nodes.resources[table_key(address.mode, address.type, address.name)] = node
        self.nodes.append(node)
        provider = self._resolution.of(module.path, config)
        node.provider = self._provider_node(provider, None)
        schema = self._schema(node.provider)
        if schema is None:
            node.problems.append(node.provider.problems[0])
            return node
        kinds = {MANAGED: schema.resources, DATA: schema.data_sources, EPHEMERAL_MODE: schema.ephemeral}[
            address.mode
        ]
        found = kinds.get(address.type)
        if found is None:
            node.problems.append(_no_such_type(config, provider, kinds))
            return node
        node.schema = found
        node.facts = self._facts_of(found)
        node.decoder, problems = prepare(config.body, found.block)
        node.shape_problems = list(problems)
        if provider.provider == BUILTIN_PROVIDER:
            node.shape_problems = _as_its_provider_tells(node.shape_problems)
        bind_lifecycle(node)
        bind_provisioners(node)
        return node

    def _facts_of(self, schema: ResourceSchema) -> Facts:
        # Kept with its schema: the id of one that is gone would soon be another's.
        held = self._facts.get(id(schema))
        if held is None:
            held = self._facts[id(schema)] = (schema, Facts(schema))
        return held[1]

    def facts(self, provider: ProviderConfig, resource: Resource) -> Facts | None:
        """What is known of the schema of a resource that may not be configured (any more)."""
        try:
            schema = self._available.schema(provider.provider)
        except DiagnosticError:
            return None
        found = (schema.data_sources if resource.mode == DATA else schema.resources).get(resource.type)
        return None if found is None else self._facts_of(found)

    def _provider_node(self, config: ProviderConfig, block: ProviderBlock | None) -> ProviderNode:
        node = self.providers.get(config)
        if node is not None:
            return node
        node = self.providers[config] = ProviderNode(self.configuration.modules[config.module], config, block)
        self.nodes.append(node)
        schema = self._schema(node)
        if schema is not None and block is not None:
            node.decoder, problems = prepare(block.body, schema.provider)
            node.problems.extend(problems)
            node.local = self._available.is_local(config.provider)
        elif schema is not None:
            node.local = self._available.is_local(config.provider)
        return node

    def _schema(self, node: ProviderNode) -> ProviderSchema | None:
        try:
            return self._available.schema(node.config.provider)
        except DiagnosticError as refused:
            if not node.problems:
                node.problems.extend(refused.diagnostics)
            if node.config.provider not in self._unavailable:
                self._unavailable.add(node.config.provider)
                self.problems.extend(refused.diagnostics)
            return None


def _as_its_provider_tells(problems: list[Diagnostic]) -> list[Diagnostic]:
    """What is wrong with a body of the built-in provider: stock Terraform leaves arguments that cannot be set to that
    provider, which looks at them last, and knows no places.
    """
    others = [one for one in problems if one.summary != READ_ONLY]
    if any(one.severity is Severity.ERROR for one in others):
        return others
    return [
        replace(one, subject=None, detail=f"{one.detail} It is set at {one.subject}.")
        if one.summary == READ_ONLY
        else one
        for one in problems
    ]


def _no_such_type(config: ResourceConfig, provider: ProviderConfig, known: Iterable[str]) -> Diagnostic:
    what = {DATA: "data source", EPHEMERAL_MODE: "ephemeral resource"}.get(
        config.address.mode, "resource type"
    )
    return error(
        f"Unknown {what}",
        f"The provider {provider.provider} has no {what} named {config.address.type}.",
        type_range(config.range),
        mend=nearest(config.address.type, known) or "Correct the name, or name the provider that has it.",
    )
