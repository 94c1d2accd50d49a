"""Networks (VPCs)."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import between, cidr
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, boolean, number, output, string
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import by_trace, drop_trace
from twinfra.providers.aws.resource import Api, Attributes, Change, Describe, Resource, Update, Wait, call
from twinfra.providers.aws.services.ec2._shared import arn_field, deleting, owner_field, told
from twinfra.providers.aws.tagging import ec2_tags
from twinfra.values.types import STRING

_ATTRIBUTES = {
    "enable_dns_support": ("EnableDnsSupport", "enableDnsSupport", True),
    "enable_dns_hostnames": ("EnableDnsHostnames", "enableDnsHostnames", False),
    "enable_network_address_usage_metrics": (
        "EnableNetworkAddressUsageMetrics",
        "enableNetworkAddressUsageMetrics",
        False,
    ),
}
"""Attribute to member, name in a describe call, and what a new VPC has."""

_IPV6 = (
    "assign_generated_ipv6_cidr_block",
    "ipv6_cidr_block",
    "ipv6_cidr_block_network_border_group",
    "ipv6_ipam_pool_id",
    "ipv6_netmask_length",
)

_AMAZON_POOL = "Amazon"
_IPAM_POOL = "IPAM Managed"


def _extend(context: Context, attributes: Attributes, found: Api) -> Api:
    """Adds the settings that describing VPCs does not tell, what came with it, and its IPv6 network."""
    number = found["VpcId"]
    more: Api = {}
    for member, name, _ in _ATTRIBUTES.values():
        answer = context.call("describe_vpc_attribute", VpcId=number, Attribute=name)
        more[member] = answer.get(member, {}).get("Value")
    mine = {"Name": "vpc-id", "Values": [number]}
    acls = context.pages(
        "describe_network_acls", "NetworkAcls", Filters=[mine, {"Name": "default", "Values": ["true"]}]
    )
    groups = context.pages(
        "describe_security_groups",
        "SecurityGroups",
        Filters=[mine, {"Name": "group-name", "Values": ["default"]}],
    )
    tables = context.pages(
        "describe_route_tables",
        "RouteTables",
        Filters=[mine, {"Name": "association.main", "Values": ["true"]}],
    )
    more["NetworkAclId"] = acls[0]["NetworkAclId"] if acls else None
    more["GroupId"] = groups[0]["GroupId"] if groups else None
    more["RouteTableId"] = tables[0]["RouteTableId"] if tables else None
    more["Ipv6"] = _ipv6(found, attributes)
    return {**found, **more}


def _ipv6(found: Api, held: Attributes) -> Api:
    """The IPv6 network, as the attributes tell it."""
    there = [one for one in found.get("Ipv6CidrBlockAssociationSet", ()) if _ipv6_state(one) == "associated"]
    if not there:
        return {"Generated": False}
    known = [one for one in there if one["AssociationId"] == held.get("ipv6_association_id")]
    one = (known or there)[0]
    pool = one.get("Ipv6Pool") or _AMAZON_POOL
    shown: Api = {**one, "Generated": pool == _AMAZON_POOL and not held.get("ipv6_ipam_pool_id")}
    if not shown["Generated"]:
        shown["Pool"] = held.get("ipv6_ipam_pool_id") if pool in (_IPAM_POOL, _AMAZON_POOL) else pool
    return shown


def _ipv6_state(association: Api) -> Any:
    return association.get("Ipv6CidrBlockState", {}).get("State")


def _state(found: Api) -> str:
    """The state of a VPC, that of its IPv6 networks included."""
    for one in found.get("Ipv6CidrBlockAssociationSet", ()):
        state = _ipv6_state(one)
        if state in ("associating", "disassociating", "failed"):
            return f"{state} an IPv6 network"
    return str(found.get("State"))


# Changing


def _set_attributes(context: Context, change: Change) -> None:
    names = list(_ATTRIBUTES)
    if not change.planned["enable_dns_support"]:
        # Names for hosts need name resolution: it goes last, and comes first.
        names.reverse()
    for name in names:
        member, _, initial = _ATTRIBUTES[name]
        value = change.planned.get(name)
        before = change.prior.get(name)
        if value is None or value == (initial if before is None else before):
            continue
        context.call("modify_vpc_attribute", VpcId=change.planned["id"], **{member: {"Value": value}})


def _set_ipv6(context: Context, change: Change) -> None:
    number = change.planned["id"]
    before = change.prior.get("ipv6_association_id")
    if before:
        context.call("disassociate_vpc_cidr_block", AssociationId=before)
        _settled(context, number)
    planned = change.planned
    if planned["assign_generated_ipv6_cidr_block"]:
        context.call(
            "associate_vpc_cidr_block",
            VpcId=number,
            AmazonProvidedIpv6CidrBlock=True,
            Ipv6CidrBlockNetworkBorderGroup=_if_changed(change, "ipv6_cidr_block_network_border_group"),
        )
    elif planned["ipv6_ipam_pool_id"]:
        context.call(
            "associate_vpc_cidr_block",
            VpcId=number,
            Ipv6IpamPoolId=planned["ipv6_ipam_pool_id"],
            Ipv6CidrBlock=_if_changed(change, "ipv6_cidr_block"),
            Ipv6NetmaskLength=planned["ipv6_netmask_length"],
        )
    else:
        return
    _settled(context, number)


def _if_changed(change: Change, name: str) -> Any:
    """The planned value where it is a new one: one that AWS chose before is not asked for again."""
    return change.planned.get(name) or None if name in change.changed else None


_READY = Wait(status=_state, target=("available",), noun="VPC", minutes=10)


def _settled(context: Context, number: str) -> None:
    def look() -> Api | None:
        found = context.pages("describe_vpcs", "Vpcs", Filters=[{"Name": "vpc-id", "Values": [number]}])
        return found[0] if found else None

    context.wait(_READY, look)


def _plan(draft: Draft) -> None:
    """Only from dedicated to default does a network's tenancy change in place."""
    if draft.prior is not None and "instance_tenancy" in draft.changed:
        moves = (draft.prior.get("instance_tenancy"), draft.planned["instance_tenancy"])
        if moves != ("dedicated", "default"):
            draft.force_replacement("instance_tenancy")


_FIELDS: dict[str, Field] = {
    "assign_generated_ipv6_cidr_block": boolean(
        "AmazonProvidedIpv6CidrBlock",
        read="Ipv6.Generated",
        default=False,
        conflicts=("ipv6_ipam_pool_id", "ipv6_cidr_block", "ipv6_netmask_length"),
        about="Whether Amazon gives it an IPv6 network of 56 bits.",
    ),
    "cidr_block": string(
        "CidrBlock",
        computed=True,
        force_new=True,
        conflicts=("ipv4_netmask_length",),
        checks=(cidr(4, 16, 28),),
        about="Its IPv4 network.",
    ),
    "enable_dns_hostnames": boolean(
        "", read=told("EnableDnsHostnames", False), computed=True, about="Whether instances get DNS names."
    ),
    "enable_dns_support": boolean(
        "", read=told("EnableDnsSupport", True), default=True, about="Whether DNS is resolved in it."
    ),
    "enable_network_address_usage_metrics": boolean(
        "",
        read=told("EnableNetworkAddressUsageMetrics", False),
        computed=True,
        about="Whether its size is measured.",
    ),
    "instance_tenancy": string(
        "InstanceTenancy",
        default="default",
        allowed=("default", "dedicated"),
        about="Whether instances run on hardware of their own; only back to default in place.",
    ),
    "ipv4_ipam_pool_id": string(
        "Ipv4IpamPoolId", read="", force_new=True, about="IPAM pool that its IPv4 network comes from."
    ),
    "ipv4_netmask_length": number(
        "Ipv4NetmaskLength",
        read="",
        force_new=True,
        requires=("ipv4_ipam_pool_id",),
        checks=(between(16, 28),),
        about="Prefix length of the network to take from the pool.",
    ),
    "ipv6_cidr_block": string(
        "Ipv6CidrBlock",
        read="Ipv6.Ipv6CidrBlock",
        computed=True,
        requires=("ipv6_ipam_pool_id",),
        checks=(cidr(6),),
        follows=("assign_generated_ipv6_cidr_block", "ipv6_ipam_pool_id", "ipv6_netmask_length"),
        about="Its IPv6 network, to be taken from a pool.",
    ),
    "ipv6_cidr_block_network_border_group": string(
        "Ipv6CidrBlockNetworkBorderGroup",
        read="Ipv6.NetworkBorderGroup",
        computed=True,
        requires=("assign_generated_ipv6_cidr_block",),
        follows=("assign_generated_ipv6_cidr_block", "ipv6_ipam_pool_id"),
        about="Zones that its IPv6 network is announced from.",
    ),
    "ipv6_ipam_pool_id": string(
        "Ipv6IpamPoolId", read="Ipv6.Pool", about="IPAM pool that its IPv6 network comes from."
    ),
    "ipv6_netmask_length": number(
        "Ipv6NetmaskLength",
        read="",
        requires=("ipv6_ipam_pool_id",),
        conflicts=("ipv6_cidr_block",),
        checks=(between(44, 60),),
        about="Prefix length of the IPv6 network to take from the pool.",
    ),
    "arn": arn_field("vpc", "VpcId"),
    "default_network_acl_id": output(STRING, "NetworkAclId", about="The access list made with it."),
    "default_route_table_id": output(STRING, "RouteTableId", about="The route table made with it."),
    "default_security_group_id": output(STRING, "GroupId", about="The security group made with it."),
    "dhcp_options_id": output(STRING, "DhcpOptionsId", about="Its DHCP options."),
    "ipv6_association_id": output(
        STRING, "Ipv6.AssociationId", follows=_IPV6, about="The id of its IPv6 network's association."
    ),
    "main_route_table_id": output(STRING, "RouteTableId", about="Its main route table."),
    "owner_id": owner_field(),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_vpc",
    version=1,
    service="ec2",
    about="A network of its own in a region.",
    fields=_FIELDS,
    identifiers=(
        "id",
        "default_network_acl_id",
        "default_route_table_id",
        "default_security_group_id",
        "dhcp_options_id",
        "ipv6_association_id",
        "main_route_table_id",
        "ipv6_cidr_block if assign_generated_ipv6_cidr_block",
    ),
    id="VpcId",
    create=call("create_vpc", "Vpc"),
    read=Describe(operation="describe_vpcs", items="Vpcs", key="VpcId", filter="vpc-id"),
    extend=_extend,
    delete=deleting("delete_vpc", 5, VpcId="id"),
    updates=(
        Update(fields=tuple(_ATTRIBUTES), call=_set_attributes, after_create=True),
        Update(
            fields=("instance_tenancy",),
            call=call("modify_vpc_tenancy", VpcId="id"),
        ),
        Update(fields=_IPV6, call=_set_ipv6),
    ),
    tags=ec2_tags("vpc", trace=True),
    created=_READY,
    not_found=("InvalidVpcID.NotFound",),
    plan=_plan,
    recover=by_trace("describe_vpcs", "Vpcs"),
    confirm=drop_trace,
)
