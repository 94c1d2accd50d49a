"""Routes, as route tables declare them inside and as resources of their own."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import Field, string
from twinfra.providers.aws.resource import Api, Attributes, Retry

TARGETS: dict[str, tuple[str, str]] = {
    "carrier_gateway_id": ("CarrierGatewayId", "The carrier gateway that traffic goes to."),
    "core_network_arn": ("CoreNetworkArn", "The core network that traffic goes to."),
    "egress_only_gateway_id": (
        "EgressOnlyInternetGatewayId",
        "The egress-only gateway that traffic goes to.",
    ),
    "gateway_id": ("GatewayId", "The internet or VPN gateway that traffic goes to, or local."),
    "local_gateway_id": ("LocalGatewayId", "The local gateway that traffic goes to."),
    "nat_gateway_id": ("NatGatewayId", "The NAT gateway that traffic goes to."),
    "network_interface_id": ("NetworkInterfaceId", "The network interface that traffic goes to."),
    "transit_gateway_id": ("TransitGatewayId", "The transit gateway that traffic goes to."),
    "vpc_endpoint_id": ("VpcEndpointId", "The gateway load balancer endpoint that traffic goes to."),
    "vpc_peering_connection_id": ("VpcPeeringConnectionId", "The peering that traffic goes to."),
}
"""Attribute to the member of a request (and of a route read, but for endpoints), and what it is."""

DESTINATIONS: tuple[tuple[str, str], ...] = (
    ("DestinationCidrBlock", "IPv4 network"),
    ("DestinationIpv6CidrBlock", "IPv6 network"),
    ("DestinationPrefixListId", "prefix list"),
)

_UNSEEN = tuple(
    Retry(code, seconds=30)
    for code in (
        "InvalidRouteTableID.NotFound",
        "InvalidTransitGatewayID.NotFound",
        "InvalidNatGatewayID.NotFound",
        "InvalidGatewayID.NotFound",
        "InvalidInternetGatewayID.NotFound",
        "InvalidNetworkInterfaceID.NotFound",
    )
)
"""What a route leads to may not be known everywhere yet."""


def target_fields(**more: Any) -> dict[str, Field]:
    """The attributes that say where traffic goes."""
    return {name: string("", about=about, **more) for name, (_, about) in TARGETS.items()}


def same_cidr(one: Any, other: Any) -> bool:
    """Whether two networks are the same, however IPv6 addresses are written."""
    import ipaddress

    try:
        return bool(one == other) or ipaddress.ip_network(one, strict=False) == ipaddress.ip_network(
            other, strict=False
        )
    except ValueError:
        return False


def shown_targets(route: Api) -> dict[str, str | None]:
    """A route's target as attributes: exactly one is not null."""
    found: dict[str, str | None] = {name: route.get(member) or None for name, (member, _) in TARGETS.items()}
    gateway = found["gateway_id"] or ""
    if gateway.startswith("vpce-"):
        found |= {"gateway_id": None, "vpc_endpoint_id": gateway}
    return found


def destination_of(route: Api) -> str:
    """A route's destination: a network or a prefix list."""
    for member, _ in DESTINATIONS:
        if route.get(member):
            return str(route[member])
    return ""


def is_declared(route: Api) -> bool:
    """Whether somebody made the route: neither by propagation, nor with the table, nor by an endpoint."""
    by_endpoint = str(route.get("GatewayId", "")).startswith("vpce-") and route.get("DestinationPrefixListId")
    return route.get("Origin") == "CreateRoute" and not by_endpoint


def target_members(attributes: Attributes) -> dict[str, Any]:
    """The request member of the target that is given."""
    return {member: attributes[name] for name, (member, _) in TARGETS.items() if attributes.get(name)}


def create_route(context: Context, table: str, destination: Api, target: Api) -> None:
    """Make a route; the one to the network itself, which is there from the start, is taken over."""
    if target == {"GatewayId": "local"}:
        replace_route(context, table, destination, target)
        return
    context.retry(lambda: context.call("create_route", RouteTableId=table, **destination, **target), _UNSEEN)


def replace_route(context: Context, table: str, destination: Api, target: Api) -> None:
    """Lead a route elsewhere."""
    if target == {"GatewayId": "local"}:
        target = {"LocalTarget": True}
    context.retry(lambda: context.call("replace_route", RouteTableId=table, **destination, **target), _UNSEEN)


def delete_route(context: Context, table: str, destination: Api, target: Api) -> None:
    """Delete a route; the one to the network itself is only led back there."""
    if target == {"GatewayId": "local"}:
        return
    try:
        context.find(
            "delete_route",
            missing=("InvalidRoute.NotFound", "InvalidRouteTableID.NotFound"),
            RouteTableId=table,
            **destination,
        )
    except ApiError as problem:
        if problem.code != "InvalidParameterValue" or "local route" not in problem.message:
            raise
        replace_route(context, table, destination, {"LocalTarget": True})
