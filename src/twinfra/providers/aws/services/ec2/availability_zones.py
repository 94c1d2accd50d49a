"""The zones of a region."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import boolean, output, string, string_set
from twinfra.providers.aws.resource import Attributes, DataSource
from twinfra.providers.aws.services.ec2._filters import filter_field, request_filters
from twinfra.values.types import STRING, ListType, SetType


def _read(context: Context, given: Attributes) -> Attributes:
    filters = request_filters(given["filter"])
    if given["state"]:
        filters.append({"Name": "state", "Values": [given["state"]]})
    answer = context.call(
        "describe_availability_zones",
        AllAvailabilityZones=given["all_availability_zones"],
        Filters=filters or None,
    )
    names = {str(one) for one in given["exclude_names"] or ()}
    numbers = {str(one) for one in given["exclude_zone_ids"] or ()}
    zones = [
        one
        for one in answer["AvailabilityZones"]
        if one["ZoneName"] not in names and one.get("ZoneId") not in numbers
    ]
    zones.sort(key=lambda one: str(one["ZoneName"]))
    return {
        "id": context.region,
        "names": [one["ZoneName"] for one in zones],
        "zone_ids": [one["ZoneId"] for one in zones],
        "group_names": sorted({one["GroupName"] for one in zones if one.get("GroupName")}),
    }


DATA = DataSource(
    name="aws_availability_zones",
    service="ec2",
    about="The zones of a region that the account may use.",
    fields={
        "all_availability_zones": boolean("", about="Whether those that were not opted in count too."),
        "exclude_names": string_set("", about="Names of zones to leave out."),
        "exclude_zone_ids": string_set("", about="Ids of zones to leave out."),
        "filter": filter_field("DescribeAvailabilityZones"),
        "state": string(
            "",
            allowed=("available", "information", "impaired", "unavailable", "constrained"),
            about="State that they are in.",
        ),
        "group_names": output(SetType(STRING), "", about="Groups that they belong to."),
        "names": output(ListType(STRING), "", about="Their names, in order."),
        "zone_ids": output(ListType(STRING), "", about="Their ids, in the order of names."),
    },
    timeouts=("read",),
    read=_read,
)
