"""NAT gateways: of a zone, or of a whole network (regional)."""

from __future__ import annotations

from twinfra.diagnostics import error
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block_set,
    number,
    output,
    output_block,
    string,
    string_set,
)
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import drop_trace
from twinfra.providers.aws.resource import Api, Attributes, Describe, Resource, Retry, Update, Wait, call
from twinfra.providers.aws.services.ec2._nat_addresses import set_secondary, set_zones
from twinfra.providers.aws.settings import TRACE_TAG
from twinfra.providers.aws.tagging import ec2_tags
from twinfra.providers.protocol import ProviderError
from twinfra.values.types import STRING
from twinfra.values.value import GetAttr

_WAIT = Wait(
    status="State",
    target=("available",),
    failed=("failed", "deleted"),
    reason=lambda found: str(found.get("FailureMessage") or found.get("FailureCode") or ""),
    noun="NAT gateway",
    minutes=10,
)


def _extend(_: Context, __: Attributes, found: Api) -> Api:
    """Sorts its addresses: the primary one, further ones, and those of zones."""
    addresses = [one for one in found.get("NatGatewayAddresses", ()) if one.get("Status") != "failed"]
    regional = found.get("AvailabilityMode") == "regional"
    if regional:
        return found | {"Regional": addresses, "Zones": _zones(found, addresses), "AutoMode": _auto(found)}
    first = [one for one in addresses if one.get("IsPrimary")] or addresses[:1]
    rest = [one for one in addresses if one is not (first or [None])[0]]
    return found | {
        "Primary": first[0] if first else {},
        "SecondaryAllocations": [one["AllocationId"] for one in rest if one.get("AllocationId")],
        "SecondaryAddresses": [one["PrivateIp"] for one in rest if one.get("PrivateIp")],
        "SecondaryCount": len(rest),
    }


def _auto(found: Api) -> str:
    both = (found.get("AutoScalingIps"), found.get("AutoProvisionZones"))
    return "enabled" if both == ("enabled", "enabled") else "disabled"


def _zones(found: Api, addresses: list[Api]) -> list[Api]:
    """Addresses by zone, where they are declared; in automatic mode AWS chooses them."""
    if _auto(found) == "enabled":
        return []
    zones: dict[str, Api] = {}
    for one in addresses:
        zone = zones.setdefault(
            one.get("AvailabilityZone", ""),
            {
                "AvailabilityZone": one.get("AvailabilityZone"),
                "AvailabilityZoneId": one.get("AvailabilityZoneId"),
                "AllocationIds": [],
            },
        )
        zone["AllocationIds"].append(one.get("AllocationId"))
    return list(zones.values())


def _recover(context: Context, _: Attributes, token: str) -> Api | None:
    found = context.pages(
        "describe_nat_gateways", "NatGateways", Filter=[{"Name": f"tag:{TRACE_TAG}", "Values": [token]}]
    )
    return found[0] if found else None


def _plan(draft: Draft) -> None:
    """Secondary addresses are given by one attribute, and the others follow it."""
    _check_secondary(draft)
    if draft.prior is None:
        return
    followers = {
        "secondary_private_ip_addresses": ("secondary_private_ip_address_count",),
        "secondary_private_ip_address_count": ("secondary_private_ip_addresses",),
        "secondary_allocation_ids": (
            "secondary_private_ip_addresses",
            "secondary_private_ip_address_count",
        ),
    }
    for name, others in followers.items():
        if name in draft.changed and draft.given(name):
            draft.set_unknown(*(other for other in others if not draft.given(other)))


def _check_secondary(draft: Draft) -> None:
    """Each kind of gateway takes its further addresses in its own way: others would never be sent."""
    public = draft.planned["connectivity_type"] == "public"
    if public and draft.given("secondary_private_ip_address_count"):
        _refuse("secondary_private_ip_address_count", "secondary_allocation_ids", "public")
    if draft.planned["connectivity_type"] == "private":
        for name in ("allocation_id", "secondary_allocation_ids"):
            if draft.given(name):
                _refuse(name, "secondary_private_ip_addresses", "private")
    inside = "secondary_private_ip_addresses"
    changed = draft.prior is not None and inside in draft.changed and draft.given(inside)
    if public and changed and "secondary_allocation_ids" not in draft.changed and not draft.replace:
        raise ProviderError(
            error(
                "Addresses inside cannot change alone",
                "Each address inside of a public NAT gateway belongs to one outside, and stays as long as that.",
                path=(GetAttr(inside),),
                mend=f"Change secondary_allocation_ids with it, or remove {inside}.",
            )
        )


def _refuse(name: str, other: str, kind: str) -> None:
    raise ProviderError(
        error(
            "Argument without effect",
            f"A {kind} NAT gateway has no {name}.",
            path=(GetAttr(name),),
            mend=f"Remove it; further addresses are given by {other}.",
        )
    )


_ZONE: dict[str, Field] = {
    "allocation_ids": string_set("AllocationIds", required=True, about="Addresses to use in the zone."),
    "availability_zone": string("AvailabilityZone", computed=True, about="The zone."),
    "availability_zone_id": string("AvailabilityZoneId", computed=True, about="The zone, by its id."),
}

_REGIONAL_ADDRESS: dict[str, Field] = {
    "allocation_id": output(STRING, "AllocationId", about="The address's id."),
    "association_id": output(STRING, "AssociationId", about="The id of its association."),
    "availability_zone": output(STRING, "AvailabilityZone", about="The zone that it is used in."),
    "availability_zone_id": output(STRING, "AvailabilityZoneId", about="The id of that zone."),
    "network_interface_id": output(STRING, "NetworkInterfaceId", about="Its network interface."),
    "public_ip": output(STRING, "PublicIp", about="The address."),
    "status": output(STRING, "Status", about="What state it is in."),
}

_FIELDS: dict[str, Field] = {
    "allocation_id": string(
        "AllocationId", read="Primary.AllocationId", force_new=True, about="The address that it has outside."
    ),
    "availability_mode": string(
        "AvailabilityMode",
        read=lambda found, _: found.get("AvailabilityMode") or "zonal",
        computed=True,
        force_new=True,
        allowed=("zonal", "regional"),
        about="Whether it serves one zone or a whole network.",
    ),
    "availability_zone_address": block_set(
        _ZONE,
        "AvailabilityZoneAddresses",
        read="Zones",
        about="Addresses by zone, of a regional one; AWS chooses them where none are given.",
    ),
    "connectivity_type": string(
        "ConnectivityType",
        default="public",
        force_new=True,
        allowed=("public", "private"),
        about="Whether it leads to the internet or only to other networks.",
    ),
    "private_ip": string(
        "PrivateIpAddress",
        read="Primary.PrivateIp",
        computed=True,
        force_new=True,
        about="The address that it has inside.",
    ),
    "secondary_allocation_ids": string_set(
        "SecondaryAllocationIds",
        read="SecondaryAllocations",
        computed=True,
        conflicts=("secondary_private_ip_address_count",),
        about="Further addresses outside.",
    ),
    "secondary_private_ip_address_count": number(
        "SecondaryPrivateIpAddressCount",
        read="SecondaryCount",
        computed=True,
        conflicts=("secondary_private_ip_addresses",),
        about="How many further addresses inside a private one has.",
    ),
    "secondary_private_ip_addresses": string_set(
        "SecondaryPrivateIpAddresses",
        read="SecondaryAddresses",
        computed=True,
        about="Further addresses inside.",
    ),
    "subnet_id": string("SubnetId", force_new=True, about="The subnet that it lies in, of a zonal one."),
    "vpc_id": string("VpcId", computed=True, force_new=True, about="Its network."),
    "association_id": output(STRING, "Primary.AssociationId", about="The id of its address's association."),
    "auto_provision_zones": output(
        STRING, "AutoProvisionZones", about="Whether AWS chooses the zones of a regional one."
    ),
    "auto_scaling_ips": output(
        STRING, "AutoScalingIps", about="Whether AWS chooses the addresses of a regional one."
    ),
    "network_interface_id": output(STRING, "Primary.NetworkInterfaceId", about="Its network interface."),
    "public_ip": output(STRING, "Primary.PublicIp", about="The address that it has outside."),
    "regional_nat_gateway_address": output_block(
        _REGIONAL_ADDRESS,
        "Regional",
        single=False,
        follows=("availability_zone_address",),
        about="The addresses of a regional one.",
    ),
    "regional_nat_gateway_auto_mode": output(
        STRING, "AutoMode", about="Whether AWS chooses zones and addresses of a regional one."
    ),
    "route_table_id": output(STRING, "RouteTableId", about="The route table of a regional one."),
    **TAGS,
}


RESOURCE = Resource(
    name="aws_nat_gateway",
    service="ec2",
    about="A way out of a network for what has no public address.",
    fields=_FIELDS,
    identifiers=(
        "id",
        "association_id",
        "network_interface_id",
        "private_ip",
        "public_ip",
        "regional_nat_gateway_address.allocation_id",
        "regional_nat_gateway_address.association_id",
        "regional_nat_gateway_address.network_interface_id",
        "regional_nat_gateway_address.public_ip",
    ),
    volatile=("regional_nat_gateway_address.status",),
    id="NatGatewayId",
    create=call("create_nat_gateway", "NatGateway", token="ClientToken"),
    retry_create=(
        Retry("InvalidAllocationID.NotFound", seconds=30),
        Retry("InvalidElasticIpID.NotFound", seconds=30),
        Retry("InvalidSubnetID.NotFound", seconds=30),
    ),
    read=Describe(
        operation="describe_nat_gateways",
        items="NatGateways",
        key="NatGatewayId",
        ids="NatGatewayIds",
        gone=lambda found: found.get("State") == "deleted",
    ),
    extend=_extend,
    delete=call("delete_nat_gateway", NatGatewayId="id"),
    updates=(
        Update(
            fields=(
                "secondary_allocation_ids",
                "secondary_private_ip_addresses",
                "secondary_private_ip_address_count",
            ),
            call=set_secondary,
            wait=True,
        ),
        Update(fields=("availability_zone_address",), call=set_zones, wait=True),
    ),
    tags=ec2_tags("natgateway", trace=True),
    created=_WAIT,
    updated=_WAIT,
    deleted=Wait(status="State", failed=("failed",), noun="NAT gateway", minutes=30),
    not_found=("NatGatewayNotFound", "InvalidNatGatewayID.NotFound"),
    timeouts=("create", "update", "delete"),
    plan=_plan,
    recover=_recover,
    confirm=drop_trace,
)
