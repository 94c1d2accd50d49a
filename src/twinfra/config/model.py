"""A configuration as data: modules with their variables, locals, resources, calls, providers, checks and moves.

Front ends fill these from source; nothing above this floor knows which language that was. Expressions stay
syntax nodes: evaluating them is the engine's work. Dicts are in source order.
"""

from __future__ import annotations

from dataclasses import field
from pathlib import Path
from typing import Any

from twinfra.addresses import ModulePath, ProviderAddress, Resource
from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, SourceRange
from twinfra.lang.nodes import Body, Expression
from twinfra.values.types import DYNAMIC, Type
from twinfra.values.value import Value


@dataclass(frozen=True, slots=True)
class Check:
    """A condition with its message: a validation, precondition, postcondition or assertion."""

    condition: Expression
    message: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True)
class Variable:
    """An input variable.

    `type` may hold optional attributes; `defaults` are the values for those (see `lang.type_expr`), or None.
    `default` is the converted default value; `has_default` tells a null default from none. `type_given`:
    whether a type was written at all (it decides how a `-var` text is read: as a literal string, or parsed).
    """

    name: str
    range: SourceRange
    type: Type = DYNAMIC
    type_given: bool = False
    defaults: Any = None
    has_default: bool = False
    default: Value = None
    description: str = ""
    sensitive: bool = False
    ephemeral: bool = False
    nullable: bool = True
    validations: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class Local:
    """One entry of a `locals` block."""

    name: str
    expression: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True)
class Output:
    """An output value."""

    name: str
    expression: Expression
    range: SourceRange
    description: str = ""
    sensitive: bool = False
    ephemeral: bool = False
    depends_on: tuple[Expression, ...] = ()
    preconditions: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderRef:
    """`provider = aws.west` as written: local name and alias (empty for the default one)."""

    name: str
    alias: str
    range: SourceRange


@dataclass(frozen=True, slots=True)
class Provisioner:
    """A provisioner block. `when` is `create` or `destroy`; `on_failure` is `fail` or `continue`."""

    type: str
    body: Body
    connection: Body | None
    when: str
    on_failure: str
    range: SourceRange


@dataclass(frozen=True, slots=True)
class Lifecycle:
    """The `lifecycle` block. `ignore_changes` are attribute traversals; `ignore_all` is `= all`.

    `create_before_destroy` is None where not written.
    """

    create_before_destroy: bool | None = None
    prevent_destroy: bool = False
    prevent_destroy_range: SourceRange | None = None
    ignore_changes: tuple[Expression, ...] = ()
    ignore_all: bool = False
    replace_triggered_by: tuple[Expression, ...] = ()
    preconditions: tuple[Check, ...] = ()
    postconditions: tuple[Check, ...] = ()


@dataclass(frozen=True, slots=True)
class ResourceConfig:
    """A `resource`, `data` or `ephemeral` block. `body` holds what its schema describes, meta-arguments taken out.

    `range` is the block's header.
    """

    address: Resource
    body: Body
    range: SourceRange
    count: Expression | None = None
    for_each: Expression | None = None
    provider: ProviderRef | None = None
    depends_on: tuple[Expression, ...] = ()
    lifecycle: Lifecycle = Lifecycle()
    connection: Body | None = None
    provisioners: tuple[Provisioner, ...] = ()


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """A `module` block. `body` holds the arguments for the module's variables. `providers` maps names inside
    (`aws`, `aws.west`) to references in the calling module."""

    name: str
    source: str
    source_range: SourceRange
    body: Body
    range: SourceRange
    version: str = ""
    count: Expression | None = None
    for_each: Expression | None = None
    depends_on: tuple[Expression, ...] = ()
    providers: tuple[tuple[ProviderRef, ProviderRef], ...] = ()


@dataclass(frozen=True, slots=True)
class ProviderBlock:
    """A `provider` block: settings for one configuration (the default one where `alias` is empty)."""

    name: str
    alias: str
    body: Body
    range: SourceRange
    version: str = ""


@dataclass(frozen=True, slots=True)
class RequiredProvider:
    """An entry of `required_providers`. `aliases` are its `configuration_aliases`."""

    name: str
    address: ProviderAddress
    constraint: str
    range: SourceRange
    aliases: tuple[ProviderRef, ...] = ()


@dataclass(frozen=True, slots=True)
class CheckBlock:
    """A `check` block; `data` is its scoped data source, if any."""

    name: str
    assertions: tuple[Check, ...]
    range: SourceRange
    data: ResourceConfig | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A `moved` block; both ends as traversal expressions."""

    source: Expression
    target: Expression
    range: SourceRange


@dataclass(frozen=True, slots=True)
class Removed:
    """A `removed` block. `destroy` false forgets the object instead."""

    source: Expression
    destroy: bool
    range: SourceRange
    provisioners: tuple[Provisioner, ...] = ()


@dataclass(frozen=True, slots=True)
class Import:
    """An `import` block."""

    to: Expression
    id: Expression
    range: SourceRange
    provider: ProviderRef | None = None
    for_each: Expression | None = None
    provider_range: SourceRange | None = None


@dataclass(frozen=True, slots=True)
class Backend:
    """A `backend` block; `type_range` is its label."""

    type: str
    body: Body
    range: SourceRange
    type_range: SourceRange


@dataclass(frozen=True, slots=True)
class Encryption:
    """An `encryption` block."""

    body: Body
    range: SourceRange


@dataclass(slots=True)
class Module:
    """One module's own declarations. `directory` is where its files lie, relative to the working directory."""

    path: ModulePath
    directory: Path
    variables: dict[str, Variable] = field(default_factory=dict)
    locals: dict[str, Local] = field(default_factory=dict)
    outputs: dict[str, Output] = field(default_factory=dict)
    resources: dict[Resource, ResourceConfig] = field(default_factory=dict)
    calls: dict[str, ModuleCall] = field(default_factory=dict)
    providers: dict[tuple[str, str], ProviderBlock] = field(default_factory=dict)
    required_providers: dict[str, RequiredProvider] = field(default_factory=dict)
    required_version: tuple[tuple[str, SourceRange], ...] = ()
    checks: dict[str, CheckBlock] = field(default_factory=dict)
    moved: list[Moved] = field(default_factory=list)
    removed: list[Removed] = field(default_factory=list)
    imports: list[Import] = field(default_factory=list)
    backend: Backend | None = None
    encryption: Encryption | None = None


@dataclass(slots=True)
class Configuration:
    """The whole: modules by path, the root under `()`.

    `files` are all texts it was read from, by name, and `bodies` what the parser made of each. `misfits`: what
    keeps parts that are right by themselves from working together, see `installer.load`.
    """

    root_directory: Path
    modules: dict[ModulePath, Module] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    bodies: dict[str, Body] = field(default_factory=dict)
    misfits: list[Diagnostic] = field(default_factory=list)

    @property
    def root(self) -> Module:
        """The root module."""
        return self.modules[()]
