"""Subnets."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import arn, cidr
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, boolean, number, output, string
from twinfra.providers.aws.recovery import by_trace, drop_trace
from twinfra.providers.aws.resource import (
    Api,
    Attributes,
    Change,
    Describe,
    Resource,
    Retry,
    Update,
    Wait,
    call,
)
from twinfra.providers.aws.services.ec2._shared import deleting, owner_field, told
from twinfra.providers.aws.tagging import ec2_tags
from twinfra.values.types import STRING

_SWITCHES = {
    "enable_dns64": "EnableDns64",
    "enable_resource_name_dns_a_record_on_launch": "EnableResourceNameDnsARecordOnLaunch",
    "enable_resource_name_dns_aaaa_record_on_launch": "EnableResourceNameDnsAAAARecordOnLaunch",
    "map_public_ip_on_launch": "MapPublicIpOnLaunch",
    "assign_ipv6_address_on_creation": "AssignIpv6AddressOnCreation",
}

_SETTINGS = (
    *_SWITCHES,
    "private_dns_hostname_type_on_launch",
    "enable_lni_at_device_index",
    "customer_owned_ipv4_pool",
    "map_customer_owned_ip_on_launch",
)
"""What a modifying call sets, one setting each."""


def _extend(_: Context, attributes: Attributes, found: Api) -> Api:
    """Adds its IPv6 network: the one known before where there are several."""
    there = [one for one in found.get("Ipv6CidrBlockAssociationSet", ()) if _ipv6_state(one) == "associated"]
    known = [one for one in there if one["AssociationId"] == attributes.get("ipv6_cidr_block_association_id")]
    return found | {"Ipv6": (known or there or [{}])[0]}


def _ipv6_state(association: Api) -> Any:
    return association.get("Ipv6CidrBlockState", {}).get("State")


def _state(found: Api) -> str:
    for one in found.get("Ipv6CidrBlockAssociationSet", ()):
        if _ipv6_state(one) in ("associating", "disassociating", "failing", "failed"):
            return f"{_ipv6_state(one)} an IPv6 network"
    return str(found.get("State"))


_READY = Wait(status=_state, target=("available",), noun="subnet", minutes=10)


def _modify(context: Context, change: Change, **member: Any) -> None:
    context.call("modify_subnet_attribute", SubnetId=change.planned["id"], **member)


def _switch(context: Context, change: Change, name: str, on: bool) -> None:
    _modify(context, change, **{_SWITCHES[name]: {"Value": on}})


def _set(context: Context, change: Change) -> None:
    """Bring the settings to what is planned; a new subnet has none of them."""
    planned, changed = change.planned, change.changed
    new = change.prior.get("id") is None
    for name in _SWITCHES:
        on = bool(planned[name])
        if name not in changed or (new and not on):
            continue
        if new and name == "assign_ipv6_address_on_creation" and planned["ipv6_native"]:
            continue
        _switch(context, change, name, on)
    hostnames = planned["private_dns_hostname_type_on_launch"]
    if "private_dns_hostname_type_on_launch" in changed and hostnames:
        _modify(context, change, PrivateDnsHostnameTypeOnLaunch=hostnames)
    if "enable_lni_at_device_index" in changed:
        index = planned["enable_lni_at_device_index"]
        if index:
            _modify(context, change, EnableLniAtDeviceIndex=index)
        elif not new:
            _modify(context, change, DisableLniAtDeviceIndex={"Value": True})
    if changed & {"customer_owned_ipv4_pool", "map_customer_owned_ip_on_launch"}:
        mapped = bool(planned["map_customer_owned_ip_on_launch"])
        if mapped or not new:
            _modify(
                context,
                change,
                MapCustomerOwnedIpOnLaunch={"Value": mapped},
                CustomerOwnedIpv4Pool=planned["customer_owned_ipv4_pool"] or None,
            )


def _set_ipv6(context: Context, change: Change) -> None:
    """Take another IPv6 network, or none: then nothing may want addresses of it any more."""
    number, wanted = change.planned["id"], change.planned["ipv6_cidr_block"]

    def look() -> Api | None:
        found = context.pages(
            "describe_subnets", "Subnets", Filters=[{"Name": "subnet-id", "Values": [number]}]
        )
        return found[0] if found else None

    if change.prior["assign_ipv6_address_on_creation"] and not (
        wanted and change.planned["assign_ipv6_address_on_creation"]
    ):
        _switch(context, change, "assign_ipv6_address_on_creation", False)
    before = change.prior.get("ipv6_cidr_block_association_id")
    if before:
        context.call("disassociate_subnet_cidr_block", AssociationId=before)
        context.wait(_READY, look)
    if wanted:
        context.call("associate_subnet_cidr_block", SubnetId=number, Ipv6CidrBlock=wanted)
        context.wait(_READY, look)


def _index(found: Api, _: Context) -> Any:
    return found.get("EnableLniAtDeviceIndex") or None


_FIELDS: dict[str, Field] = {
    "vpc_id": string("VpcId", required=True, force_new=True, about="The network that it is part of."),
    "availability_zone": string(
        "AvailabilityZone",
        computed=True,
        force_new=True,
        conflicts=("availability_zone_id",),
        about="The zone that it lies in.",
    ),
    "availability_zone_id": string(
        "AvailabilityZoneId",
        computed=True,
        force_new=True,
        about="The id of that zone, which is the same in all accounts.",
    ),
    "cidr_block": string(
        "CidrBlock", force_new=True, checks=(cidr(4, 16, 28),), about="Its IPv4 network, within the VPC's."
    ),
    "ipv6_cidr_block": string(
        "Ipv6CidrBlock",
        read="Ipv6.Ipv6CidrBlock",
        checks=(cidr(6, 44, 64),),
        about="Its IPv6 network, within the VPC's.",
    ),
    "ipv6_native": boolean(
        "Ipv6Native",
        read=told("Ipv6Native", False),
        default=False,
        force_new=True,
        about="Whether it has no IPv4 network at all.",
    ),
    "outpost_arn": string(
        "OutpostArn", force_new=True, checks=(arn("outposts"),), about="The Outpost that it lies on."
    ),
    "assign_ipv6_address_on_creation": boolean(
        "",
        read=told("AssignIpv6AddressOnCreation", False),
        default=False,
        about="Whether network interfaces made in it get an IPv6 address.",
    ),
    "customer_owned_ipv4_pool": string(
        "",
        read="CustomerOwnedIpv4Pool",
        requires=("map_customer_owned_ip_on_launch", "outpost_arn"),
        about="Pool of your own addresses on the Outpost.",
    ),
    "map_customer_owned_ip_on_launch": boolean(
        "",
        read="MapCustomerOwnedIpOnLaunch",
        requires=("customer_owned_ipv4_pool", "outpost_arn"),
        about="Whether network interfaces made in it get an address of that pool.",
    ),
    "enable_dns64": boolean(
        "",
        read=told("EnableDns64", False),
        default=False,
        about="Whether DNS gives IPv6 addresses for IPv4 hosts.",
    ),
    "enable_lni_at_device_index": number(
        "",
        read=_index,
        about="Device position at which instances on an Outpost have their local network interface.",
    ),
    "enable_resource_name_dns_a_record_on_launch": boolean(
        "",
        read=told("PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsARecord", False),
        default=False,
        about="Whether instances' resource names resolve to their IPv4 addresses.",
    ),
    "enable_resource_name_dns_aaaa_record_on_launch": boolean(
        "",
        read=told("PrivateDnsNameOptionsOnLaunch.EnableResourceNameDnsAAAARecord", False),
        default=False,
        about="Whether instances' resource names resolve to their IPv6 addresses.",
    ),
    "map_public_ip_on_launch": boolean(
        "",
        read=told("MapPublicIpOnLaunch", False),
        default=False,
        about="Whether instances launched in it get a public address.",
    ),
    "private_dns_hostname_type_on_launch": string(
        "",
        read="PrivateDnsNameOptionsOnLaunch.HostnameType",
        computed=True,
        allowed=("ip-name", "resource-name"),
        about="What instances' host names are made of.",
    ),
    "arn": output(STRING, "SubnetArn", about="Its ARN."),
    "ipv6_cidr_block_association_id": output(
        STRING,
        "Ipv6.AssociationId",
        follows=("ipv6_cidr_block",),
        about="The id of its IPv6 network's association.",
    ),
    "owner_id": owner_field(),
    **TAGS,
}


RESOURCE = Resource(
    name="aws_subnet",
    version=1,
    service="ec2",
    about="A part of a network, in one zone.",
    fields=_FIELDS,
    identifiers=("id", "ipv6_cidr_block_association_id"),
    id="SubnetId",
    create=call("create_subnet", "Subnet"),
    retry_create=(Retry("InvalidVpcID.NotFound", seconds=30),),
    read=Describe(operation="describe_subnets", items="Subnets", key="SubnetId", filter="subnet-id"),
    extend=_extend,
    delete=deleting("delete_subnet", 20, "subnet-id", SubnetId="id"),
    updates=(
        Update(fields=("ipv6_cidr_block",), call=_set_ipv6),
        Update(fields=_SETTINGS, call=_set, after_create=True),
    ),
    tags=ec2_tags("subnet", trace=True),
    created=_READY,
    not_found=("InvalidSubnetID.NotFound",),
    timeouts=("create", "delete"),
    recover=by_trace("describe_subnets", "Subnets"),
    confirm=drop_trace,
)
