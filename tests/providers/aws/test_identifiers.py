"""What declarations say about identifiers that the cloud makes up, and attributes that change by themselves."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from twinfra.providers.aws import catalog
from twinfra.providers.aws.fields import Field

TYPES = [kind for kind in catalog.files() if catalog.resource(kind) is not None]


def has(fields: Mapping[str, Field], path: str) -> bool:
    """Whether there is an attribute at a dotted path."""
    name, _, rest = path.partition(".")
    field = fields.get(name)
    if field is None or not rest:
        return field is not None
    return field.fields is not None and has(field.fields, rest)


@pytest.mark.parametrize("kind", TYPES)
def test_every_path_leads_to_an_attribute(kind: str) -> None:
    resource = catalog.resource(kind)
    assert resource is not None
    fields = resource.all_fields()
    for entry in (*resource.identifiers, *resource.volatile):
        path, _, condition = entry.partition(" if ")
        assert has(fields, path), entry
        if "." in condition:
            other = catalog.resource(condition.partition(".")[0])
            assert other is not None, entry
            assert has(other.all_fields(), condition.partition(".")[2]), entry
        elif condition:
            assert has(fields, condition), entry


@pytest.mark.parametrize("kind", TYPES)
def test_an_id_that_the_cloud_makes_up_is_declared(kind: str) -> None:
    resource = catalog.resource(kind)
    assert resource is not None
    made_up = isinstance(resource.id, str) and resource.id.endswith(("Id", "LoadBalancerArn", "ListenerArn"))
    if made_up:
        assert "id" in resource.identifiers


@pytest.mark.parametrize("kind", TYPES)
def test_a_name_made_from_a_prefix_is_declared(kind: str) -> None:
    resource = catalog.resource(kind)
    assert resource is not None
    for name in resource.fields:
        if name.endswith("_prefix") and name.removesuffix("_prefix") in resource.fields:
            assert f"{name.removesuffix('_prefix')} if {name}" in resource.identifiers
