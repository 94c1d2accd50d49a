"""The data source of a cluster: what the resource shows, and nothing to give but its name."""

from __future__ import annotations

from dataclasses import replace

from twinfra.diagnostics import error
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import Field, string
from twinfra.providers.aws.mapping import attributes_of
from twinfra.providers.aws.resource import Attributes, DataSource
from twinfra.providers.aws.services.eks._cluster_fields import FIELDS
from twinfra.providers.aws.services.eks._updates import GONE
from twinfra.providers.protocol import ProviderError
from twinfra.values.types import STRING, MapType
from twinfra.values.value import GetAttr

_ONLY_RESOURCE = (
    "bootstrap_self_managed_addons",
    "encryption_config",
    "force_update_version",
    "name",
    "tags",
    "tags_all",
)


def _shown(field: Field) -> Field:
    """A field as a data source has it: read from the API, never given."""
    inner = None if field.fields is None else {name: _shown(one) for name, one in field.fields.items()}
    return replace(
        field,
        required=False,
        optional=False,
        computed=True,
        force_new=False,
        keep=False,
        default=None,
        read=field.api if field.read == "" else field.read,
        allowed=(),
        checks=(),
        conflicts=(),
        follows=(),
        min_items=0,
        fields=inner,
        as_attribute=inner is not None,
    )


_FIELDS: dict[str, Field] = {
    "name": string("name", required=True, about="Its name."),
    **{name: _shown(one) for name, one in FIELDS.items() if name not in _ONLY_RESOURCE},
    "tags": Field(type=MapType(STRING), api="tags", optional=True, computed=True, about="Its tags."),
}


def _read(context: Context, given: Attributes) -> Attributes:
    name = given["name"]
    found = context.find("describe_cluster", missing=GONE, name=name)
    if found is None:
        raise ProviderError(
            error(
                "No such cluster",
                f'There is no EKS cluster "{name}" in {context.region}.',
                path=(GetAttr("name"),),
                mend="Check the name, the region and the account.",
            )
        )
    result = attributes_of(_FIELDS, found["cluster"], context)
    tags = found["cluster"].get("tags") or {}
    result["tags"] = {key: one for key, one in tags.items() if not context.settings.ignores(key)}
    return result | {"id": name}


DATA = DataSource(
    name="aws_eks_cluster",
    service="eks",
    about="A Kubernetes cluster that is there already.",
    fields=_FIELDS,
    read=_read,
)
