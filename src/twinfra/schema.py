"""Schemas: what a block may hold, and which type its value has.

Providers declare one per resource type; the engine decodes a configuration body against it. An attribute whose
type is a list or set of objects may also be written as repeated blocks, as the public providers allow.
"""

from __future__ import annotations

from dataclasses import field
from enum import StrEnum
from functools import cached_property

from twinfra.dataclass import dataclass
from twinfra.lang.nodes import BlockShape, BodyShape
from twinfra.values.types import ListType, MapType, ObjectType, SetType, Type


@dataclass(frozen=True, slots=True)
class Attribute:
    """One argument or computed attribute.

    `required`: must be given. `optional`: may be given. `computed`: the provider sets it when not given.
    `write_only`: sent, never stored. `deprecated`: why, and what to use instead.
    """

    type: Type
    required: bool = False
    optional: bool = False
    computed: bool = False
    sensitive: bool = False
    write_only: bool = False
    deprecated: str = ""
    description: str = ""

    @property
    def block_syntax(self) -> bool:
        """Whether it may also be written as repeated blocks."""
        return isinstance(self.type, ListType | SetType) and isinstance(self.type.element, ObjectType)


class Nesting(StrEnum):
    """How often a nested block occurs, and as what its values are collected.

    `SINGLE`: at most once, an object or null. `GROUP`: at most once, an object always. `LIST`, `SET`: a list or
    set of objects. `MAP`: labelled, a map of objects.
    """

    SINGLE = "single"
    GROUP = "group"
    LIST = "list"
    SET = "set"
    MAP = "map"


@dataclass(frozen=True, slots=True)
class NestedBlock:
    """A kind of block inside a block. `max_items` 0 is no limit."""

    block: Block
    nesting: Nesting = Nesting.LIST
    min_items: int = 0
    max_items: int = 0


@dataclass(frozen=True)
class Block:
    """The inside of a block: its attributes and nested blocks by name."""

    attributes: dict[str, Attribute] = field(default_factory=dict)
    blocks: dict[str, NestedBlock] = field(default_factory=dict)
    description: str = ""
    deprecated: str = ""

    @cached_property
    def type(self) -> ObjectType:
        """The type of a value decoded against this block (all attributes present, null where not given)."""
        attributes: dict[str, Type] = {name: attribute.type for name, attribute in self.attributes.items()}
        for name, nested in self.blocks.items():
            inner: Type = nested.block.type
            if nested.nesting is Nesting.LIST:
                inner = ListType(inner)
            elif nested.nesting is Nesting.SET:
                inner = SetType(inner)
            elif nested.nesting is Nesting.MAP:
                inner = MapType(inner)
            attributes[name] = inner
        return ObjectType(attributes)

    @cached_property
    def shape(self) -> BodyShape:
        """What a body that follows it may hold, `dynamic` blocks included."""
        labels = {name: ("key",) if one.nesting is Nesting.MAP else () for name, one in self.blocks.items()}
        blocks = [BlockShape(name, label) for name, label in labels.items()]
        if "dynamic" not in self.blocks:
            blocks.append(BlockShape("dynamic", ("type",)))
        return BodyShape({name: one.required for name, one in self.attributes.items()}, tuple(blocks))

    @cached_property
    def block_arguments(self) -> frozenset[str]:
        """The names of the attributes that may also be written as repeated blocks."""
        return frozenset(name for name, one in self.attributes.items() if one.block_syntax)


@dataclass(frozen=True, slots=True)
class ResourceSchema:
    """The schema of a resource type or data source, with the version its stored attributes follow.

    `identifiers`: dotted paths of attributes whose values the cloud makes up, such as ids; `a if b` is one only
    where the attribute `b` beside it has a value. `volatile`: paths of attributes that change though nobody changes
    anything, or tell of the past only, such as dates; `a if b` is one only where `b` beside it has a value, from which
    it follows; `a if type.b` only where a resource of that type has the id of this one in `b`, and says what `a`
    says. Paths lead through lists and sets without an index.
    """

    block: Block
    version: int = 0
    identifiers: tuple[str, ...] = ()
    volatile: tuple[str, ...] = ()


@dataclass(frozen=True)
class ProviderSchema:
    """All that a provider declares: its own settings, its resource types, its data sources."""

    provider: Block
    resources: dict[str, ResourceSchema]
    data_sources: dict[str, ResourceSchema]
    ephemeral: dict[str, ResourceSchema] = field(default_factory=dict)
