"""A region: the one acted in, or one named."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.endpoints import dns_suffix, partition_of
from twinfra.providers.aws.fields import output, string
from twinfra.providers.aws.resource import Attributes, DataSource
from twinfra.providers.aws.services.sts._regions import DESCRIPTIONS
from twinfra.values.types import STRING


def _read(context: Context, given: Attributes) -> Attributes:
    region = given["region"] or given["name"] or None
    if region is None and given["endpoint"]:
        region = _of_endpoint(given["endpoint"])
    region = region or context.region
    return {
        "id": region,
        "name": region,
        "region": region,
        "endpoint": given["endpoint"] or f"ec2.{region}.{dns_suffix(partition_of(region))}",
        "description": DESCRIPTIONS.get(region, region),
    }


def _of_endpoint(endpoint: str) -> str | None:
    """The region named in an EC2 endpoint such as ec2.eu-west-1.amazonaws.com."""
    parts = endpoint.removeprefix("https://").split(".")
    return parts[1] if len(parts) > 2 and parts[0] == "ec2" else None


DATA = DataSource(
    name="aws_region",
    service="sts",
    about="The region acted in, or one named.",
    regional=False,
    offline=True,
    fields={
        "region": string("", computed=True, about="Its name, such as eu-west-1."),
        "name": string("", computed=True, deprecated="Use region instead.", about="Its name."),
        "endpoint": string("", computed=True, about="The EC2 endpoint in it."),
        "description": output(STRING, "", about="Where it is."),
    },
    read=_read,
)
