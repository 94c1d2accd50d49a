"""The schemas of providers in the public JSON form (`providers schema -json`).

https://developer.hashicorp.com/terraform/cli/commands/providers/schema
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from twinfra.addresses import BUILTIN_PROVIDER, ProviderAddress
from twinfra.schema import Attribute, Block, NestedBlock, ResourceSchema
from twinfra.values.encoding import type_to_json

FORMAT = "1.0"


def schemas_json(addresses: Iterable[ProviderAddress]) -> dict[str, Any]:
    """The whole document: the schemas of these providers, which must be served here."""
    from twinfra.providers.registry import create

    document: dict[str, Any] = {"format_version": FORMAT}
    found: dict[str, Any] = {}
    for address in sorted(addresses, key=str):
        schema = create(address).schema()
        provider: dict[str, Any] = {"version": 0}
        if schema.provider.attributes or schema.provider.blocks:
            provider["block"] = _block(schema.provider)
        entry: dict[str, Any] = {"provider": provider}
        for key, kinds in (
            ("resource_schemas", schema.resources),
            ("data_source_schemas", schema.data_sources),
            ("ephemeral_resource_schemas", schema.ephemeral),
        ):
            if kinds:
                entry[key] = {name: _resource(one) for name, one in sorted(kinds.items())}
        if address == BUILTIN_PROVIDER:
            from twinfra.lang.functions.document import provider_functions

            entry["functions"] = provider_functions("terraform")
        found[str(address)] = entry
    if found:
        document["provider_schemas"] = found
    return document


def _resource(schema: ResourceSchema) -> dict[str, Any]:
    return {"version": schema.version, "block": _block(schema.block)}


def _block(block: Block) -> dict[str, Any]:
    result: dict[str, Any] = {}
    if block.attributes:
        result["attributes"] = {name: _attribute(one) for name, one in sorted(block.attributes.items())}
    if block.blocks:
        result["block_types"] = {name: _nested(one) for name, one in sorted(block.blocks.items())}
    return result | _described(block.description, block.deprecated)


def _nested(nested: NestedBlock) -> dict[str, Any]:
    result: dict[str, Any] = {"nesting_mode": nested.nesting.value, "block": _block(nested.block)}
    if nested.min_items:
        result["min_items"] = nested.min_items
    if nested.max_items:
        result["max_items"] = nested.max_items
    return result


def _attribute(attribute: Attribute) -> dict[str, Any]:
    result: dict[str, Any] = {"type": type_to_json(attribute.type)}
    result |= _described(attribute.description, attribute.deprecated)
    for name in ("required", "optional", "computed", "sensitive", "write_only"):
        if getattr(attribute, name):
            result[name] = True
    return result


def _described(description: str, deprecated: str) -> dict[str, Any]:
    result: dict[str, Any] = {"description": description} if description else {}
    result["description_kind"] = "plain"
    if deprecated:
        result["deprecated"] = True
    return result
