"""The partition acted in."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import output
from twinfra.providers.aws.resource import Attributes, DataSource
from twinfra.values.types import STRING


def _read(context: Context, _: Attributes) -> Attributes:
    partition, suffix = context.partition, context.dns_suffix
    return {
        "id": partition,
        "partition": partition,
        "dns_suffix": suffix,
        "reverse_dns_prefix": ".".join(reversed(suffix.split("."))),
    }


DATA = DataSource(
    name="aws_partition",
    service="sts",
    about="The partition of the region acted in, such as aws or aws-cn, and its domain.",
    regional=False,
    offline=True,
    fields={
        "partition": output(STRING, "", about="The partition, as in ARNs."),
        "dns_suffix": output(STRING, "", about="The domain of its services."),
        "reverse_dns_prefix": output(STRING, "", about="That domain, backwards."),
    },
    read=_read,
)
