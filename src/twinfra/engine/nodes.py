"""The nodes of a program: one per declared object and module path, never one per instance.

A node holds what does not depend on any value: the declaration, its compiled expressions, what it waits for.
`program` makes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import StrEnum

from twinfra.addresses import ConfigResource, ModulePath, ProviderConfig, Resource
from twinfra.config.model import (
    Check,
    CheckBlock,
    Import,
    Local,
    Module,
    ModuleCall,
    Output,
    ProviderBlock,
    Provisioner,
    ResourceConfig,
    Variable,
)
from twinfra.decode import Decoder
from twinfra.diagnostics import Diagnostic, SourceRange
from twinfra.engine.objects import Facts
from twinfra.lang.compiler import Compiled, compile_expression
from twinfra.lang.nodes import Expression
from twinfra.lang.scope import Reference
from twinfra.schema import ResourceSchema
from twinfra.values.value import Path


class Kind(StrEnum):
    """What a node stands for. `MODULE` is the end of a whole module: all in it is done."""

    VARIABLE = "var"
    VALIDATION = "validation"
    LOCAL = "local"
    OUTPUT = "output"
    CALL = "call"
    MODULE = "module"
    PROVIDER = "provider"
    RESOURCE = "resource"
    CHECK = "check"


class CompiledCheck:
    """A condition and its message, compiled."""

    __slots__ = ("condition", "message", "source")

    def __init__(self, check: Check) -> None:
        self.source = check
        self.condition = compile_expression(check.condition)
        self.message = compile_expression(check.message)

    @property
    def references(self) -> Iterator[Reference]:
        """What either refers to."""
        yield from self.condition.references
        yield from self.message.references


class Node:
    """One declared object of one module path; what is common to all kinds.

    `needs`: the nodes it waits for. `problems`: what is wrong with it whatever the values; then it is not
    run. `faulty`: the ids of those of its units whose names are wrong.
    """

    __slots__ = ("faulty", "kind", "module", "name", "needs", "path", "position", "problems")

    def __init__(self, kind: Kind, module: Module, name: str) -> None:
        self.kind = kind
        self.module = module
        self.path: ModulePath = module.path
        self.name = name
        self.needs: dict[Node, None] = {}
        self.problems: list[Diagnostic] = []
        self.faulty: set[int] = set()
        self.position = 0

    def __str__(self) -> str:
        prefix = "".join(f"module.{step}." for step in self.path)
        return f"{prefix}{self.label}"

    @property
    def label(self) -> str:
        """What it is called inside its module."""
        return f"{self.kind}.{self.name}"


class VariableNode(Node):
    """An input variable; `argument` is the caller's expression for it, None in the root module or if not
    given.
    """

    __slots__ = ("argument", "argument_range", "checks", "config")

    def __init__(self, module: Module, config: Variable) -> None:
        super().__init__(Kind.VARIABLE, module, config.name)
        self.config = config
        self.argument: Compiled | None = None
        self.argument_range: SourceRange | None = None
        self.checks = [CompiledCheck(check) for check in config.validations]


class ValidationNode(Node):
    """The validations of a variable that read other things too: they wait for those, the variable does
    not.
    """

    __slots__ = ("variable",)

    def __init__(self, variable: VariableNode) -> None:
        super().__init__(Kind.VALIDATION, variable.module, variable.name)
        self.variable = variable


class LocalNode(Node):
    """A local value."""

    __slots__ = ("compiled", "config")

    def __init__(self, module: Module, config: Local) -> None:
        super().__init__(Kind.LOCAL, module, config.name)
        self.config = config
        self.compiled = compile_expression(config.expression)


class OutputNode(Node):
    """An output value."""

    __slots__ = ("checks", "compiled", "config")

    def __init__(self, module: Module, config: Output) -> None:
        super().__init__(Kind.OUTPUT, module, config.name)
        self.config = config
        self.compiled = compile_expression(config.expression)
        self.checks = [CompiledCheck(check) for check in config.preconditions]


class CallNode(Node):
    """A module call: visiting it makes the module's instances."""

    __slots__ = ("config", "count", "depends", "for_each", "target")

    def __init__(self, module: Module, config: ModuleCall, target: Module) -> None:
        super().__init__(Kind.CALL, module, config.name)
        self.config = config
        self.depends: list[Node] = []
        self.target = target
        self.count = compile_expression(config.count) if config.count is not None else None
        self.for_each = compile_expression(config.for_each) if config.for_each is not None else None

    @property
    def label(self) -> str:
        return f"module.{self.name}"


class EndNode(Node):
    """The end of a module call: all that is declared in the module is done."""

    __slots__ = ()

    def __init__(self, module: Module) -> None:
        super().__init__(Kind.MODULE, module, module.path[-1] if module.path else "")

    @property
    def label(self) -> str:
        return "(end)"


class ProviderNode(Node):
    """A provider configuration, with its block where there is one."""

    __slots__ = ("block", "config", "decoder", "local")

    def __init__(self, module: Module, config: ProviderConfig, block: ProviderBlock | None) -> None:
        super().__init__(Kind.PROVIDER, module, str(config))
        self.config = config
        self.block = block
        self.decoder: Decoder | None = None
        self.local = False

    @property
    def label(self) -> str:
        return self.name


class Trigger:
    """One entry of `replace_triggered_by`: a resource, which of its instances, and which attribute of those.

    `key` is None for all instances (or the only one); `path` is empty for the whole object. `problems`: why it is no
    address.
    """

    __slots__ = ("key", "path", "problems", "range", "reference")

    def __init__(self, reference: Reference, key: Expression | None, path: Path, range: SourceRange) -> None:
        self.reference = reference
        self.key = compile_expression(key) if key is not None else None
        self.path = path
        self.range = range
        self.problems: tuple[Diagnostic, ...] = ()


class ProvisionerPart:
    """A provisioner with its body bound to what its type takes."""

    __slots__ = ("config", "decoder")

    def __init__(self, config: Provisioner, decoder: Decoder) -> None:
        self.config = config
        self.decoder = decoder


class ImportPart:
    """An `import` block of the root module, for one configured resource."""

    __slots__ = ("config", "for_each", "id", "resource")

    def __init__(self, config: Import, resource: Resource) -> None:
        self.config = config
        self.resource = resource
        self.id = compile_expression(config.id)
        self.for_each = compile_expression(config.for_each) if config.for_each is not None else None


class ResourceNode(Node):
    """A `resource`, `data` or `ephemeral` block.

    `depends`: the nodes of its `depends_on`. `ignored`: the paths of its `ignore_changes`. `nested`: a data
    source inside a `check` block. `shape_problems`: how its body differs from its schema.
    `create_before_destroy`: also where something that needs it asks for it.
    """

    __slots__ = (
        "config",
        "count",
        "create_before_destroy",
        "decoder",
        "depends",
        "facts",
        "for_each",
        "ignored",
        "imports",
        "nested",
        "postconditions",
        "preconditions",
        "provider",
        "provisioners",
        "resource",
        "schema",
        "shape_problems",
        "triggers",
    )

    def __init__(self, module: Module, config: ResourceConfig) -> None:
        super().__init__(Kind.RESOURCE, module, str(config.address))
        self.resource: Resource = config.address
        self.config = config
        self.provider: ProviderNode
        self.schema: ResourceSchema
        self.facts: Facts
        self.decoder: Decoder
        self.shape_problems: list[Diagnostic] = []
        self.count = compile_expression(config.count) if config.count is not None else None
        self.for_each = compile_expression(config.for_each) if config.for_each is not None else None
        lifecycle = config.lifecycle
        self.preconditions = [CompiledCheck(check) for check in lifecycle.preconditions]
        self.postconditions = [CompiledCheck(check) for check in lifecycle.postconditions]
        self.create_before_destroy = bool(lifecycle.create_before_destroy)
        self.provisioners: list[ProvisionerPart] = []
        self.depends: list[Node] = []
        self.triggers: list[Trigger] = []
        self.ignored: list[Path] = []
        self.imports: list[ImportPart] = []
        self.nested = False

    @property
    def place(self) -> SourceRange:
        """Where the body begins: what a provider says of no argument in particular points there."""
        body = self.config.body.range
        return SourceRange(body.source, body.start, body.start + 1)

    @property
    def config_resource(self) -> ConfigResource:
        """Its address as configured."""
        return ConfigResource(self.path, self.resource)

    @property
    def label(self) -> str:
        return self.name


class CheckNode(Node):
    """A `check` block."""

    __slots__ = ("assertions", "config", "data")

    def __init__(self, module: Module, config: CheckBlock) -> None:
        super().__init__(Kind.CHECK, module, config.name)
        self.config = config
        self.assertions = [CompiledCheck(check) for check in config.assertions]
        self.data: ResourceNode | None = None
