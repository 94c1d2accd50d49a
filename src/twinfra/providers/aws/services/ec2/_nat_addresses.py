"""Changing the addresses of a NAT gateway that exists."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.resource import Api, Change, Wait
from twinfra.providers.aws.waiting import dig


def set_secondary(context: Context, change: Change) -> None:
    """Add and remove further addresses: outside ones of a public gateway, inside ones of a private one."""
    number = change.planned["id"]
    if change.planned["connectivity_type"] == "public":
        if "secondary_allocation_ids" not in change.changed:
            return
        added, removed = _difference(change, "secondary_allocation_ids")
        if removed:
            _disassociate(context, number, removed)
        if added:
            # Inside addresses are named only where as many are given as are new.
            inside, _ = _difference(change, "secondary_private_ip_addresses")
            context.call(
                "associate_nat_gateway_address",
                NatGatewayId=number,
                AllocationIds=added,
                PrivateIpAddresses=inside if len(inside) == len(added) else None,
            )
    elif "secondary_private_ip_address_count" in change.changed:
        _set_count(context, change)
    elif "secondary_private_ip_addresses" in change.changed:
        added, removed = _difference(change, "secondary_private_ip_addresses")
        if added:
            context.call("assign_private_nat_gateway_address", NatGatewayId=number, PrivateIpAddresses=added)
        if removed:
            context.call(
                "unassign_private_nat_gateway_address", NatGatewayId=number, PrivateIpAddresses=removed
            )
    _settled(context, number)


def _set_count(context: Context, change: Change) -> None:
    number = change.planned["id"]
    there = [str(one) for one in change.prior["secondary_private_ip_addresses"] or ()]
    more = (change.planned["secondary_private_ip_address_count"] or 0) - len(there)
    if more > 0:
        context.call("assign_private_nat_gateway_address", NatGatewayId=number, PrivateIpAddressCount=more)
    elif more < 0:
        context.call(
            "unassign_private_nat_gateway_address",
            NatGatewayId=number,
            PrivateIpAddresses=sorted(there)[more:],
        )


def set_zones(context: Context, change: Change) -> None:
    """Bring a regional gateway's addresses to what is declared, zone by zone."""
    number = change.planned["id"]
    before = _by_address(change.prior["availability_zone_address"])
    after = _by_address(change.planned["availability_zone_address"])
    removed = sorted(one for one in before if after.get(one) != before[one])
    if removed:
        _disassociate(context, number, removed)
        _settled(context, number)
    for zone in sorted({after[one] for one in after if before.get(one) != after[one]}):
        added = sorted(one for one in after if after[one] == zone and before.get(one) != zone)
        name, by_id = zone
        context.call(
            "associate_nat_gateway_address",
            NatGatewayId=number,
            AllocationIds=added,
            AvailabilityZone=name or None,
            AvailabilityZoneId=None if name else by_id or None,
        )
    _settled(context, number)


def _by_address(blocks: Any) -> dict[str, tuple[str, str]]:
    """Allocation id to (zone, zone id)."""
    return {
        str(address): (str(one["availability_zone"] or ""), str(one["availability_zone_id"] or ""))
        for one in blocks or ()
        for address in one["allocation_ids"] or ()
    }


def _difference(change: Change, name: str) -> tuple[list[str], list[str]]:
    """(added, removed) of a set."""
    before = {str(one) for one in change.prior[name] or ()}
    after = {str(one) for one in change.planned[name] or ()}
    return sorted(after - before), sorted(before - after)


def _disassociate(context: Context, number: str, allocations: list[str]) -> None:
    found = _look(context, number) or {}
    associations = [
        one["AssociationId"]
        for one in found.get("NatGatewayAddresses", ())
        if one.get("AllocationId") in allocations and one.get("AssociationId")
    ]
    if associations:
        context.call("disassociate_nat_gateway_address", NatGatewayId=number, AssociationIds=associations)


def _look(context: Context, number: str) -> Api | None:
    found = context.find("describe_nat_gateways", NatGatewayIds=[number])
    gateway: Api | None = dig(found, "NatGateways")[0] if found and found["NatGateways"] else None
    return gateway


def _state(found: Api) -> str:
    states = {one.get("Status") or "succeeded" for one in found.get("NatGatewayAddresses", ())}
    for state in ("failed", "associating", "assigning", "unassigning", "disassociating"):
        if state in states:
            return f"{state} an address"
    return "ready"


def _reason(found: Api) -> str:
    return "; ".join(
        str(one["FailureMessage"]) for one in found["NatGatewayAddresses"] if one.get("FailureMessage")
    )


_ADDRESSES = Wait(
    status=_state,
    target=("ready",),
    failed=("failed an address",),
    reason=_reason,
    noun="NAT gateway",
    minutes=10,
)


def _settled(context: Context, number: str) -> None:
    context.wait(_ADDRESSES, lambda: _look(context, number), action="update")
