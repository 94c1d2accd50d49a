"""Route tables, with the routes declared in them."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import cidr
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, block_set, string, string_set
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
from twinfra.providers.aws.services.ec2._routes import (
    TARGETS,
    create_route,
    delete_route,
    destination_of,
    is_declared,
    replace_route,
    same_cidr,
    shown_targets,
    target_fields,
    target_members,
)
from twinfra.providers.aws.services.ec2._shared import arn_field, clear_emptied, owner_field, patiently
from twinfra.providers.aws.tagging import ec2_tags

_DESTINATIONS = {
    "cidr_block": "DestinationCidrBlock",
    "ipv6_cidr_block": "DestinationIpv6CidrBlock",
    "destination_prefix_list_id": "DestinationPrefixListId",
}

_READY = Wait(noun="route table", minutes=5)


def _extend(_: Context, attributes: Attributes, found: Api) -> Api:
    """Adds the routes that are somebody's, and what is declared of those that came with the table."""
    held = {_destination(one)[1] for one in attributes.get("route") or ()}
    routes = [
        {name: route.get(member) or None for name, member in _DESTINATIONS.items()} | shown_targets(route)
        for route in found.get("Routes", ())
        if is_declared(route) or (route.get("Origin") == "CreateRouteTable" and destination_of(route) in held)
    ]
    gateways = [one["GatewayId"] for one in found.get("PropagatingVgws", ())]
    return found | {"Declared": routes, "Gateways": gateways}


def _destination(route: Any) -> tuple[str, str]:
    """(request member, destination) of a declared route."""
    for name, member in _DESTINATIONS.items():
        if route[name]:
            return member, str(route[name])
    return "", ""


def _set_routes(context: Context, change: Change) -> None:
    table = change.planned["id"]
    before = _by_destination(change.prior["route"])
    after = _by_destination(change.planned["route"])
    for (member, destination), target in before.items():
        if (member, destination) not in after:
            delete_route(context, table, {member: destination}, target)
    for (member, destination), target in after.items():
        if (member, destination) not in before:
            create_route(context, table, {member: destination}, target)
        elif before[member, destination] != target:
            replace_route(context, table, {member: destination}, target)


def _by_destination(routes: Any) -> dict[tuple[str, str], Api]:
    return {_destination(one): target_members(one) for one in routes or () if _destination(one)[1]}


def _set_propagation(context: Context, change: Change) -> None:
    table = change.planned["id"]
    before = {str(one) for one in change.prior["propagating_vgws"] or ()}
    after = {str(one) for one in change.planned["propagating_vgws"] or ()}
    for gateway in sorted(before - after):
        context.find(
            "disable_vgw_route_propagation",
            missing=("Gateway.NotAttached",),
            RouteTableId=table,
            GatewayId=gateway,
        )
    for gateway in sorted(after - before):
        context.retry(
            lambda gateway=gateway: context.call(  # type: ignore[misc]
                "enable_vgw_route_propagation", RouteTableId=table, GatewayId=gateway
            ),
            (Retry("Gateway.NotAttached", seconds=120),),
        )


def _delete(context: Context, attributes: Attributes) -> None:
    """Delete it, once it is bound to no subnet any more."""
    found = context.find("describe_route_tables", RouteTableIds=[attributes["id"]])
    for table in (found or {}).get("RouteTables", ()):
        for one in table.get("Associations", ()):
            if not one.get("Main"):
                context.find(
                    "disassociate_route_table",
                    missing=("InvalidAssociationID.NotFound",),
                    AssociationId=one["RouteTableAssociationId"],
                )
    patiently(context, lambda: context.call("delete_route_table", RouteTableId=attributes["id"]), 5)


_ALL = tuple(_DESTINATIONS)

_ROUTE: dict[str, Field] = {
    "cidr_block": string(
        "", exactly_one=_ALL, checks=(cidr(4),), about="IPv4 network that the route leads to."
    ),
    "ipv6_cidr_block": string(
        "",
        exactly_one=_ALL,
        equal=same_cidr,
        checks=(cidr(6),),
        about="IPv6 network that the route leads to.",
    ),
    "destination_prefix_list_id": string("", exactly_one=_ALL, about="Prefix list that the route leads to."),
    **target_fields(exactly_one=tuple(TARGETS)),
}
_ROUTE = {name: field.reading(name) for name, field in _ROUTE.items()}

RESOURCE = Resource(
    name="aws_route_table",
    service="ec2",
    about="Routes of subnets; declared inside, or each as an aws_route, but not both.",
    fields={
        "vpc_id": string("VpcId", required=True, force_new=True, about="The network that it is part of."),
        "route": block_set(_ROUTE, "", read="Declared", computed=True, about="Its routes."),
        "propagating_vgws": string_set(
            "", read="Gateways", computed=True, about="VPN gateways whose routes it takes over."
        ),
        "arn": arn_field("route-table", "RouteTableId"),
        "owner_id": owner_field(),
        **TAGS,
    },
    identifiers=("id",),
    volatile=("route if aws_route.route_table_id",),
    id="RouteTableId",
    create=call("create_route_table", "RouteTable", token="ClientToken"),
    retry_create=(Retry("InvalidVpcID.NotFound", seconds=30),),
    read=Describe(
        operation="describe_route_tables",
        items="RouteTables",
        key="RouteTableId",
        filter="route-table-id",
    ),
    extend=_extend,
    delete=_delete,
    updates=(
        Update(fields=("propagating_vgws",), call=_set_propagation, after_create=True),
        Update(fields=("route",), call=_set_routes, after_create=True),
    ),
    tags=ec2_tags("route-table", trace=True),
    created=_READY,
    not_found=("InvalidRouteTableID.NotFound",),
    timeouts=("create", "update", "delete"),
    plan=clear_emptied("route", "propagating_vgws"),
    recover=by_trace("describe_route_tables", "RouteTables"),
    confirm=drop_trace,
)
