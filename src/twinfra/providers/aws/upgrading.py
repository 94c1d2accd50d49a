"""Stored attributes of older schema versions, or as the public provider writes them, brought to the current
form.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.importing import untold_defaults
from twinfra.providers.aws.mapping import plain
from twinfra.providers.aws.resource import Resource
from twinfra.schema import Nesting


def upgrade(resource: Resource, version: int, attributes: dict[str, Any]) -> dict[str, Any]:
    """Attributes (plain JSON) with every field of the current schema: missing ones None, unknown ones
    dropped.
    """
    found = dict(attributes)
    if resource.upgrade is not None:
        found = resource.upgrade(version, found)
    result = _conform(resource.all_fields(), found)
    for name, value in untold_defaults(resource).items():
        if result[name] is None:
            result[name] = plain(value)
    if resource.timeouts:
        given = found.get("timeouts")
        result["timeouts"] = (
            {name: given.get(name) for name in resource.timeouts} if isinstance(given, Mapping) else None
        )
    return result


def _conform(fields: Mapping[str, Field], attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _conform_one(field, attributes.get(name)) for name, field in fields.items()}


def _conform_one(field: Field, value: Any) -> Any:
    if field.fields is None or value is None:
        if (
            field.fields is not None
            and field.nesting in (Nesting.LIST, Nesting.SET)
            and not field.as_attribute
        ):
            return []
        return value
    if isinstance(value, list):
        return [_conform(field.fields, one) for one in value if isinstance(one, Mapping)]
    if isinstance(value, Mapping):
        return _conform(field.fields, value)
    return value
