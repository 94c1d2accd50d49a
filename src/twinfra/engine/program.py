"""A configuration made ready to run: nodes bound to schemas and joined by what they refer to.

Made once for every walk that follows (validate, plan, apply). What is wrong whatever the values (undeclared
names,
unknown arguments) is found here and kept with the node it belongs to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence

from twinfra.addresses import DATA, EPHEMERAL_MODE, MANAGED, ModulePath, ProviderConfig, Resource
from twinfra.config.model import Configuration, Import, Module, ProviderBlock, ResourceConfig
from twinfra.config.provider_resolution import ProviderResolution, resolve_providers
from twinfra.decode import prepare
from twinfra.diagnostics import Diagnostic, DiagnosticError, Diagnostics, error, nearest
from twinfra.engine.lifecycle import bind_lifecycle, type_range
from twinfra.engine.nodes import (
    CallNode,
    CheckNode,
    EndNode,
    ImportPart,
    LocalNode,
    Node,
    OutputNode,
    ProviderNode,
    ResourceNode,
    ValidationNode,
    VariableNode,
)
from twinfra.engine.objects import Facts
from twinfra.engine.providers import Providers
from twinfra.engine.provisioners import bind_provisioners
from twinfra.engine.scope import TableKey, table_key, undeclared
from twinfra.engine.traversals import steps_of
from twinfra.lang.compiler import compile_expression
from twinfra.lang.nodes import BodyShape, Expression, Literal
from twinfra.lang.scope import Reference
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

    `problems` are those of no single node: no such provider, cycles. `broken` says that no walk makes sense.
    """

    def __init__(self, configuration: Configuration, providers: Providers) -> None:
        self.configuration = configuration
        self.problems = Diagnostics()
        self.modules: dict[ModulePath, ModuleNodes] = {}
        self.providers: dict[ProviderConfig, ProviderNode] = {}
        self.nodes: list[Node] = []
        self._available = providers
        self._resolution = resolve_providers(configuration)
        self.problems.extend(self._resolution.diagnostics)
        self._unavailable: set[object] = set()
        self._facts: dict[int, Facts] = {}
        self._declare((), None)
        for nodes in tuple(self.modules.values()):
            self._join(nodes)
        self._join_imports()
        self._order()
        _force_create_first(self.nodes)

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
        node.problems.extend(problems)
        bind_lifecycle(node)
        bind_provisioners(node)
        return node

    def _facts_of(self, schema: ResourceSchema) -> Facts:
        facts = self._facts.get(id(schema))
        if facts is None:
            facts = self._facts[id(schema)] = Facts(schema)
        return facts

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

    # -- joining

    def _join(self, nodes: ModuleNodes) -> None:
        path = nodes.module.path
        for variable in tuple(nodes.variables.values()):
            self._join_variable(nodes, variable)
        for local in nodes.locals.values():
            if any(one.kind == "local" and one.name == local.name for one in local.compiled.references):
                local.problems.append(_own_local(local))
                continue
            self._need(nodes, local, local.compiled.references)
        for output in nodes.outputs.values():
            self._need(nodes, output, output.compiled.references)
            for check in output.checks:
                self._need(nodes, output, check.references)
            self._depend(nodes, output, output.config.depends_on)
        for resource in nodes.resources.values():
            self._join_resource(nodes, resource)
        for check_node in nodes.checks:
            for check in check_node.assertions:
                self._need(nodes, check_node, check.references)
            if check_node.data is not None:
                check_node.needs[check_node.data] = None
        for call in nodes.calls.values():
            self._join_call(nodes, call)
        if nodes.call is not None:
            own = nodes.call
            for group in (nodes.variables, nodes.locals, nodes.outputs, nodes.resources, nodes.calls):
                for node in group.values():
                    node.needs[own] = None
            for check_node in nodes.checks:
                check_node.needs[own] = None
        for provider in self.providers.values():
            if provider.config.module == path and provider.decoder is not None:
                self._need(nodes, provider, provider.decoder.references)
                if nodes.call is not None:
                    provider.needs[nodes.call] = None

    def _join_variable(self, nodes: ModuleNodes, variable: VariableNode) -> None:
        for check in variable.checks:
            if any(one.kind != "var" or one.name != variable.name for one in check.references):
                validation = ValidationNode(variable)
                validation.needs[variable] = None
                self.nodes.append(validation)
                for each in variable.checks:
                    self._need(nodes, validation, each.references)
                return

    def _join_call(self, nodes: ModuleNodes, call: CallNode) -> None:
        for compiled in (call.count, call.for_each):
            if compiled is not None:
                self._need(nodes, call, compiled.references)
        before = set(call.needs)
        self._depend(nodes, call, call.config.depends_on)
        call.depends = [one for one in call.needs if one not in before]
        inner = self.modules[(*nodes.module.path, call.name)]
        shape = BodyShape({name: not one.config.has_default for name, one in inner.variables.items()})
        content, problems = call.config.body.content(shape)
        call.problems.extend(problems)
        for name, attribute in content.attributes.items():
            variable = inner.variables[name]
            variable.argument = compile_expression(attribute.expression)
            variable.argument_range = attribute.expression.range
            self._need(nodes, variable, variable.argument.references)

    def _join_resource(self, nodes: ModuleNodes, node: ResourceNode) -> None:
        node.needs[node.provider] = None
        for compiled in (node.count, node.for_each):
            if compiled is not None:
                self._need(nodes, node, compiled.references)
        if hasattr(node, "decoder"):
            self._need(nodes, node, node.decoder.references)
        for check in (*node.preconditions, *node.postconditions):
            self._need(nodes, node, check.references)
        for part in node.provisioners:
            self._need(nodes, node, part.decoder.references)
        for trigger in node.triggers:
            self._need(nodes, node, (trigger.reference,))
        before = set(node.needs)
        self._depend(nodes, node, node.config.depends_on)
        node.depends = [one for one in node.needs if one not in before]

    def _join_imports(self) -> None:
        root = self.modules[()]
        first: dict[str, Import] = {}
        for config in root.module.imports:
            try:
                path, resource, fixed = _import_target(config)
            except DiagnosticError as refused:
                self.problems.extend(refused.at(config.to.range).diagnostics)
                continue
            node = self.resource(path, table_key(resource.mode, resource.type, resource.name))
            if node is None:
                self.problems.add(
                    error(
                        "Nothing configured to import to",
                        f"The configuration has no block for {config.to.range.text}.",
                        config.to.range,
                        mend=f'Write resource "{resource.type}" "{resource.name}" first.',
                    )
                )
                continue
            other = first.setdefault(config.to.range.text, config) if fixed else config
            if other is not config:
                self.problems.add(
                    error(
                        "Imported twice",
                        f"There is another import block for {config.to.range.text}, at {other.to.range}.",
                        config.to.range,
                        mend="Keep one of them.",
                    )
                )
                continue
            part = ImportPart(config, resource)
            node.imports.append(part)
            self._need(root, node, part.id.references)
            if part.for_each is not None:
                self._need(root, node, part.for_each.references)

    def _depend(self, nodes: ModuleNodes, node: Node, depends_on: Iterable[Expression]) -> None:
        for expression in depends_on:
            for reference in compile_expression(expression).references:
                if reference.kind == "module" and reference.name in nodes.calls:
                    node.needs[self._end((*nodes.module.path, reference.name))] = None
                else:
                    self._need(nodes, node, (reference,))

    def _end(self, path: ModulePath) -> EndNode:
        """The end of a module: waits for all that is declared in it and in the modules it calls."""
        nodes = self.modules[path]
        if nodes.end is None:
            end = nodes.end = EndNode(nodes.module)
            self.nodes.append(end)
            assert nodes.call is not None
            end.needs[nodes.call] = None
            for group in (nodes.variables, nodes.locals, nodes.outputs, nodes.resources):
                for node in group.values():
                    end.needs[node] = None
            for name in nodes.calls:
                end.needs[self._end((*path, name))] = None
        return nodes.end

    def _need(self, nodes: ModuleNodes, node: Node, references: Iterable[Reference]) -> None:
        """Make a node wait for what its references name; a name that nothing declares is its problem."""
        needs = node.needs
        for reference in references:
            kind = reference.kind
            found: Node | None
            if kind == "var":
                found = nodes.variables.get(reference.name)
            elif kind == "local":
                found = nodes.locals.get(reference.name)
            elif kind == "resource" or kind == "data" or kind == "ephemeral":
                found = nodes.resources.get((kind, reference.type, reference.name))
                if found is node:
                    node.problems.extend(_own_resource(found, reference))
                    continue
            elif kind == "module":
                call = nodes.calls.get(reference.name)
                if call is not None:
                    needs[call] = None
                    self._need_outputs((*nodes.module.path, reference.name), reference, needs)
                    continue
                found = None
            else:
                continue
            if found is None:
                node.problems.append(undeclared(nodes.module, reference))
            elif found is not node:
                needs[found] = None

    def _need_outputs(self, path: ModulePath, reference: Reference, needs: dict[Node, None]) -> None:
        outputs = self.modules[path].outputs
        if reference.attribute:
            one = outputs.get(reference.attribute)
            if one is not None:
                needs[one] = None
            return
        for output in outputs.values():
            needs[output] = None

    # -- ordering

    def _order(self) -> None:
        missing: dict[Node, int] = {}
        dependents: dict[Node, list[Node]] = {}
        ready: deque[Node] = deque()
        for node in self.nodes:
            for need in node.needs:
                dependents.setdefault(need, []).append(node)
            if node.needs:
                missing[node] = len(node.needs)
            else:
                ready.append(node)
        ordered: list[Node] = []
        while ready:
            node = ready.popleft()
            node.position = len(ordered)
            ordered.append(node)
            for dependent in dependents.get(node, ()):
                left = missing[dependent] - 1
                if left:
                    missing[dependent] = left
                else:
                    del missing[dependent]
                    ready.append(dependent)
        if missing:
            self.problems.extend(_cycles(missing))
        self.nodes = ordered


def _import_target(config: Import) -> tuple[ModulePath, Resource, bool]:
    """The configured resource that an import is for, and whether its keys are written out."""
    steps = steps_of(config.to)
    names = [step.name for step in steps if step.key is None]
    path: list[str] = []
    while len(names) >= 2 and names[0] == "module":
        path.append(names[1])
        names = names[2:]
    if names and names[0] == "resource":
        names = names[1:]
    if len(names) != 2:
        raise DiagnosticError(
            error("Not a resource instance", "An import must name an instance of a managed resource.")
        )
    fixed = all(step.key is None or isinstance(step.key, Literal) for step in steps)
    return tuple(path), Resource(MANAGED, *names), fixed


def _cycles(left: Iterable[Node]) -> list[Diagnostic]:
    """One error per cycle among nodes of which each waits for another one of them (or for a cycle)."""
    inside = dict.fromkeys(left)
    found: list[Diagnostic] = []
    seen: set[Node] = set()
    for start in inside:
        trail: dict[Node, int] = {}
        node = start
        while node not in seen and node not in trail:
            trail[node] = len(trail)
            node = next(need for need in node.needs if need in inside)
        if node in trail:
            members = list(trail)[trail[node] :]
            names = [str(one) for one in members]
            found.append(
                error(
                    "Things depend on each other in a circle",
                    f"Each of these needs the next one first: {' -> '.join([*names, names[0]])}.",
                    mend="Break the circle: let one of them use a value that does not come from the others.",
                )
            )
        seen.update(trail)
    return found


def _force_create_first(nodes: Sequence[Node]) -> None:
    """Let every resource on which one with `create_before_destroy` depends be created first too.

    Otherwise the old object of the dependency would have to go while the old dependent still uses it.
    """
    if not any(isinstance(node, ResourceNode) and node.create_before_destroy for node in nodes):
        return
    forced: set[Node] = set()
    for node in reversed(nodes):
        if isinstance(node, ResourceNode):
            if node in forced:
                node.create_before_destroy = True
            elif node.create_before_destroy:
                forced.add(node)
        if node in forced:
            forced.update(node.needs)


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


def _own_local(local: LocalNode) -> Diagnostic:
    return error(
        "Local value refers to itself",
        f"local.{local.name} cannot be part of its own expression.",
        local.config.expression.range,
        mend="Use another value in it.",
    )


def _own_resource(node: ResourceNode, reference: Reference) -> list[Diagnostic]:
    found = error(
        "Block refers to itself",
        f"{node.resource} cannot use its own attributes: they are known only when it exists.",
        reference.range,
        mend="Use self in postconditions and provisioners; elsewhere, use another value.",
    )
    # An object that is not repeated is its own instance and its own resource, and stock tells of both.
    return [found] if node.count is not None or node.for_each is not None else [found, found]
