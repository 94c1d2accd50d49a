"""Elastic IP addresses."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import TAGS, Field, output, string
from twinfra.providers.aws.recovery import by_trace, drop_trace
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Retry, Update, call
from twinfra.providers.aws.services.ec2._shared import arn_field, patiently
from twinfra.providers.aws.tagging import ec2_tags
from twinfra.values.types import STRING

_CHUNK = 200

_ASSOCIATION = ("instance", "network_interface", "associate_with_private_ip")

_NOT_READY = (
    Retry("InvalidAllocationID.NotFound", seconds=60),
    Retry("InvalidInstanceID", "pending instance", seconds=120),
    Retry("IncorrectInstanceState", seconds=120),
)


def _read_many(context: Context, every: Sequence[Attributes]) -> list[Api | None]:
    """Addresses and their reverse names, two calls for each couple of hundred."""
    numbers = sorted({str(one["id"]) for one in every if one["id"]})
    found: dict[str, Api] = {}
    for start in range(0, len(numbers), _CHUNK):
        chunk = numbers[start : start + _CHUNK]
        listed = context.pages(
            "describe_addresses", "Addresses", Filters=[{"Name": "allocation-id", "Values": chunk}]
        )
        found |= {one["AllocationId"]: dict(one) for one in listed}
        there = [number for number in chunk if number in found]
        if there:
            for one in _reverse_names(context, there):
                found[one["AllocationId"]]["PtrRecord"] = one.get("PtrRecord") or None
    return [found.get(str(one["id"])) for one in every]


def _reverse_names(context: Context, addresses: list[str]) -> list[Api]:
    try:
        return context.pages(
            "describe_addresses_attribute", "Addresses", AllocationIds=addresses, Attribute="domain-name"
        )
    except ApiError as problem:
        # Some partitions have no reverse names.
        if problem.code not in ("InvalidAction", "UnsupportedOperation"):
            raise
        return []


def _read(context: Context, attributes: Attributes) -> Api | None:
    return _read_many(context, [attributes])[0]


def _associate(context: Context, change: Change) -> None:
    planned = change.planned
    before = change.prior.get("association_id")
    if before and change.prior.get("id"):
        _disassociate(context, before)
    if planned.get("instance") or planned.get("network_interface"):
        interface = planned.get("network_interface")
        instance = planned.get("instance")
        if instance and interface and not {"instance", "network_interface"} <= change.changed:
            # The other one only tells what the last association came to.
            instance, interface = (instance, None) if "instance" in change.changed else (None, interface)
        context.retry(
            lambda: context.call(
                "associate_address",
                AllocationId=planned["id"],
                InstanceId=instance or None,
                NetworkInterfaceId=interface or None,
                PrivateIpAddress=planned.get("associate_with_private_ip") or None,
                AllowReassociation=True,
            ),
            _NOT_READY,
        )


def _disassociate(context: Context, association: str) -> None:
    context.find(
        "disassociate_address",
        missing=("InvalidAssociationID.NotFound",),
        AssociationId=association,
    )


def _delete(context: Context, attributes: Attributes) -> None:
    if (attributes["instance"] or attributes["network_interface"]) and attributes["association_id"]:
        _disassociate(context, attributes["association_id"])
    patiently(
        context,
        lambda: context.call(
            "release_address",
            AllocationId=attributes["id"],
            NetworkBorderGroup=attributes["network_border_group"] or None,
        ),
        3,
    )


def _dashed(address: Any) -> str:
    return str(address).replace(".", "-")


def _private_dns(found: Api, context: Context) -> str | None:
    if not found.get("PrivateIpAddress"):
        return None
    zone = "ec2" if context.region == "us-east-1" else f"{context.region}.compute"
    return f"ip-{_dashed(found['PrivateIpAddress'])}.{zone}.internal"


def _public_dns(found: Api, context: Context) -> str | None:
    if not found.get("PublicIp"):
        return None
    zone = "compute-1" if context.region == "us-east-1" else f"{context.region}.compute"
    return f"ec2-{_dashed(found['PublicIp'])}.{zone}.{context.dns_suffix}"


_FIELDS: dict[str, Field] = {
    "address": string(
        "Address", read="", force_new=True, about="An address of your own pool, or one released before."
    ),
    "associate_with_private_ip": string(
        "", read="", about="The private address to associate it with, where there are several."
    ),
    "customer_owned_ipv4_pool": string(
        "CustomerOwnedIpv4Pool", force_new=True, about="Pool of an Outpost to take it from."
    ),
    "domain": string(
        "",
        read="Domain",
        computed=True,
        force_new=True,
        allowed=("vpc", "standard"),
        about="Where it is used.",
    ),
    "instance": string(
        "",
        read="InstanceId",
        computed=True,
        follows=("network_interface",),
        about="Instance to associate it with.",
    ),
    "ipam_pool_id": string("IpamPoolId", read="", force_new=True, about="IPAM pool to take it from."),
    "network_border_group": string(
        "NetworkBorderGroup", computed=True, force_new=True, about="Zones that it is announced from."
    ),
    "network_interface": string(
        "",
        read="NetworkInterfaceId",
        computed=True,
        follows=("instance",),
        about="Network interface to associate it with.",
    ),
    "public_ipv4_pool": string(
        "PublicIpv4Pool", computed=True, force_new=True, about="Pool of your own addresses, or amazon."
    ),
    "allocation_id": output(STRING, "AllocationId", about="Its id."),
    "arn": arn_field("elastic-ip", "AllocationId", owner=""),
    "association_id": output(
        STRING, "AssociationId", follows=_ASSOCIATION, about="The id of its association."
    ),
    "carrier_ip": output(STRING, "CarrierIp", about="The address in a carrier's network."),
    "customer_owned_ip": output(STRING, "CustomerOwnedIp", about="The address of an Outpost's pool."),
    "private_dns": output(
        STRING, _private_dns, follows=_ASSOCIATION, about="DNS name of the private address."
    ),
    "private_ip": output(
        STRING, "PrivateIpAddress", follows=_ASSOCIATION, about="The private address it is associated with."
    ),
    "ptr_record": output(STRING, "PtrRecord", about="Its reverse DNS name."),
    "public_dns": output(STRING, _public_dns, about="DNS name of the public address."),
    "public_ip": output(STRING, "PublicIp", about="The public address."),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_eip",
    service="ec2",
    about="A public address that stays.",
    fields=_FIELDS,
    identifiers=(
        "id",
        "allocation_id",
        "association_id",
        "carrier_ip",
        "customer_owned_ip",
        "network_interface",
        "private_dns",
        "private_ip",
        "public_dns",
        "public_ip",
    ),
    volatile=(
        "ptr_record",
        "association_id if aws_nat_gateway.allocation_id",
        "network_interface if aws_nat_gateway.allocation_id",
        "private_dns if aws_nat_gateway.allocation_id",
        "private_ip if aws_nat_gateway.allocation_id",
    ),
    id="AllocationId",
    create=call("allocate_address", Domain=lambda given: given["domain"] or "vpc"),
    read=_read,
    read_many=_read_many,
    delete=_delete,
    updates=(Update(fields=_ASSOCIATION, call=_associate, after_create=True),),
    tags=ec2_tags("elastic-ip", trace=True),
    not_found=("InvalidAllocationID.NotFound", "InvalidAddress.NotFound"),
    timeouts=("read", "update", "delete"),
    recover=by_trace("describe_addresses", "Addresses"),
    confirm=drop_trace,
)
