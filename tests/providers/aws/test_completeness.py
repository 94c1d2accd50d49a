"""Every declared type has every argument and attribute that the public provider has, nested ones included."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from twinfra.providers.aws import catalog
from twinfra.providers.aws.fields import Field
from twinfra.providers.aws.mapping import type_of
from twinfra.schema import Nesting
from twinfra.values.types import BOOL, NUMBER, STRING, ListType, MapType, SetType, Type

DATA = Path(__file__).parents[2] / "data" / "aws" / "types.json"

SPELT_OTHERWISE = {
    ("aws_s3_object", "checksum_crc32_c"): "checksum_crc32c",
    ("aws_s3_object", "checksum_crc64_nvme"): "checksum_crc64nvme",
}
"""Names that the list of public names has with an underscore too many."""

PRIMITIVE = {"string": STRING, "number": NUMBER, "bool": BOOL}


@cache
def public() -> dict[str, Any]:
    """Arguments and attributes of the public provider (facts from its schema)."""
    found: dict[str, Any] = json.loads(DATA.read_text())
    return found


def missing(
    kind: str, wanted: Mapping[str, Any], fields: Mapping[str, Field], inside: str = ""
) -> Iterator[str]:
    """What `fields` lack, or have with another type."""
    for name, facts in wanted.items():
        name = SPELT_OTHERWISE.get((kind, name), name)
        shown = f"{inside}{name}"
        field = fields.get(name)
        if field is None:
            if not (not inside and name == "timeouts"):
                yield f"{shown} is missing"
            continue
        told = facts["type"] if isinstance(facts, dict) and "type" in facts else facts
        if (
            isinstance(facts, dict)
            and facts.get("required")
            and not (field.required or field.computed or field.unsupported)
        ):
            yield f"{shown} should be required"
        yield from type_problems(kind, shown, told, field)


def type_problems(kind: str, shown: str, told: Any, field: Field) -> Iterator[str]:
    """How a field's type is not the one told; blocks are looked into."""
    if isinstance(told, str):
        if field.fields is not None or field.type != PRIMITIVE[told]:
            yield f"{shown} should be a {told}, not {type_of(field)}"
    elif isinstance(told, dict):
        if field.fields is None:
            yield f"{shown} should be a block"
        else:
            yield from missing(kind, told, field.fields, f"{shown}.")
    elif isinstance(told[1], dict) and told[0] == "list":
        if field.fields is None:
            yield f"{shown} should be blocks"
        else:
            yield from missing(kind, told[1], field.fields, f"{shown}.")
    elif field.fields is None and not collection_of(told, field.type):
        yield f"{shown} should be {told}, not {field.type}"


def collection_of(told: Any, actual: Type) -> bool:
    """Whether a type is the collection told; a list may be a set."""
    if isinstance(told, str):
        return actual == PRIMITIVE.get(told)
    if told[0] == "list":
        return isinstance(actual, ListType | SetType) and collection_of(told[1], actual.element)
    return isinstance(actual, MapType) and (
        isinstance(told[1], dict) or collection_of(told[1], actual.element)
    )


def wanted_of(kind: str, part: str) -> dict[str, Any]:
    """Arguments and computed attributes together."""
    facts = public()[part].get(kind, {})
    return {**facts.get("arguments", {}), **facts.get("computed", {})}


@pytest.mark.parametrize("kind", [kind for kind in catalog.files() if catalog.resource(kind) is not None])
def test_a_resource_type_has_all_public_arguments_and_attributes(kind: str) -> None:
    resource = catalog.resource(kind)
    assert resource is not None
    assert resource.name == kind
    wanted = wanted_of(kind, "resources")
    assert list(missing(kind, wanted, resource.all_fields())) == []
    limits = wanted.get("timeouts", {}).get("type", {})
    assert set(resource.timeouts) >= set(limits), f"timeouts should have {sorted(limits)}"


@pytest.mark.parametrize("kind", [kind for kind in catalog.files() if catalog.data_source(kind) is not None])
def test_a_data_source_has_all_public_arguments_and_attributes(kind: str) -> None:
    source = catalog.data_source(kind)
    assert source is not None
    assert source.name == kind
    wanted = wanted_of(kind, "data_sources")
    assert list(missing(kind, wanted, source.all_fields())) == []
    assert set(source.timeouts) >= set(wanted.get("timeouts", {}).get("type", {}))


@pytest.mark.parametrize("kind", list(catalog.files()))
def test_a_type_has_a_documentation_page_that_names_everything(kind: str) -> None:
    from twinfra.providers.aws.document import page

    text = page(kind)
    for declared in (catalog.resource(kind), catalog.data_source(kind)):
        for name in declared.all_fields() if declared is not None else ():
            assert f"`{name}`" in text, name


@pytest.mark.parametrize("kind", [kind for kind in catalog.files() if catalog.resource(kind) is not None])
def test_what_a_resource_type_names_in_rules_exists(kind: str) -> None:
    resource = catalog.resource(kind)
    assert resource is not None
    fields = resource.all_fields()

    def check(inner: Mapping[str, Field]) -> None:
        for one in inner.values():
            for other in (*one.conflicts, *one.requires, *one.exactly_one, *one.at_least_one):
                assert other in inner
            if one.fields is not None:
                assert one.nesting in (Nesting.LIST, Nesting.SET, Nesting.SINGLE, Nesting.GROUP, Nesting.MAP)
                check(one.fields)

    check(fields)
    for one in fields.values():
        assert all(name in fields or name == "*" for name in one.follows)
    for update in resource.updates:
        assert all(name in fields for name in update.fields), update.fields
