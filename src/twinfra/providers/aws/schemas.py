"""From declarations to the schemas that the engine decodes configurations with."""

from __future__ import annotations

from collections.abc import Mapping

from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.mapping import type_of
from twinfra.providers.aws.resource import DataSource, Resource
from twinfra.schema import Attribute, Block, NestedBlock, Nesting, ResourceSchema
from twinfra.values.types import STRING


def resource_schema(resource: Resource) -> ResourceSchema:
    """The schema of a resource type, its `timeouts` block included."""
    made = _block(resource.all_fields(), resource.about, resource.deprecated)
    block = _with_timeouts(made, resource.timeouts)
    return ResourceSchema(block, resource.version, resource.identifiers, resource.volatile)


def data_schema(source: DataSource) -> ResourceSchema:
    """The schema of a data source, its `timeouts` block included."""
    return ResourceSchema(_with_timeouts(_block(source.all_fields(), source.about), source.timeouts))


def _with_timeouts(block: Block, operations: tuple[str, ...]) -> Block:
    if operations:
        limits = {
            name: Attribute(STRING, optional=True, description=f"How long a {name} may take, such as 30m.")
            for name in operations
        }
        block.blocks["timeouts"] = NestedBlock(Block(limits), Nesting.SINGLE)
    return block


def _block(fields: Mapping[str, Field], about: str = "", deprecated: str = "") -> Block:
    attributes: dict[str, Attribute] = {}
    blocks: dict[str, NestedBlock] = {}
    for name, field in fields.items():
        if field.fields is None or field.as_attribute:
            attributes[name] = Attribute(
                type_of(field), required=field.required, optional=field.optional and not field.required,
                computed=field.computed, sensitive=field.sensitive, write_only=field.write_only,
                deprecated=field.deprecated, description=field.about,
            )  # fmt: skip
        else:
            inner = _block(field.fields, field.about, field.deprecated)
            blocks[name] = NestedBlock(inner, field.nesting, field.min_items, field.max_items)
    return Block(attributes, blocks, about, deprecated)
