"""Routes, each a resource of its own."""

from __future__ import annotations

import zlib
from collections.abc import Sequence

from twinfra.providers.aws.checks import cidr
from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import Field, output, string
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.ec2._routes import (
    TARGETS,
    create_route,
    delete_route,
    destination_of,
    replace_route,
    same_cidr,
    shown_targets,
    target_fields,
    target_members,
)
from twinfra.values.types import STRING

_CHUNK = 200

_DESTINATIONS = {
    "destination_cidr_block": "DestinationCidrBlock",
    "destination_ipv6_cidr_block": "DestinationIpv6CidrBlock",
    "destination_prefix_list_id": "DestinationPrefixListId",
}


def _destination(attributes: Attributes) -> Api:
    return {member: attributes[name] for name, member in _DESTINATIONS.items() if attributes.get(name)}


def _identity(attributes: Attributes) -> str:
    """The id that the public provider gives: the table, and a checksum of the destination."""
    (destination,) = _destination(attributes).values()
    return f"r-{attributes['route_table_id']}{zlib.crc32(str(destination).encode())}"


def _read_many(context: Context, every: Sequence[Attributes]) -> list[Api | None]:
    """Routes by way of their tables, a couple of hundred of which are one call."""
    names = sorted({str(one["route_table_id"]) for one in every})
    tables: dict[str, dict[str, Api]] = {}
    for start in range(0, len(names), _CHUNK):
        filters = [{"Name": "route-table-id", "Values": names[start : start + _CHUNK]}]
        for table in context.pages("describe_route_tables", "RouteTables", Filters=filters):
            tables[table["RouteTableId"]] = {
                _normal(destination_of(route)): route for route in table.get("Routes", ())
            }
    return [_pick(tables.get(str(one["route_table_id"]), {}), one) for one in every]


def _pick(routes: dict[str, Api], attributes: Attributes) -> Api | None:
    destinations = list(_destination(attributes).values())
    route = routes.get(_normal(str(destinations[0]))) if destinations else None
    if route is None or route.get("Origin") == "EnableVgwRoutePropagation":
        return None
    return {**route, **shown_targets(route), "RouteTableId": attributes["route_table_id"]}


def _normal(destination: str) -> str:
    """A network in its one written form."""
    import ipaddress

    try:
        return str(ipaddress.ip_network(destination, strict=False))
    except ValueError:
        return destination


def _read(context: Context, attributes: Attributes) -> Api | None:
    return _read_many(context, [attributes])[0]


def _create(context: Context, attributes: Attributes) -> Api:
    destination, target = _destination(attributes), target_members(attributes)
    create_route(context, attributes["route_table_id"], destination, target)
    return {**destination, "RouteTableId": attributes["route_table_id"]}


def _recover(context: Context, attributes: Attributes, _: str) -> Api | None:
    """A route to the same place by the same way: there can be one, and it is as planned."""
    found = _read(context, attributes)
    if found is None or found.get("Origin") != "CreateRoute":
        return None
    wanted = {name: attributes[name] for name in TARGETS if not is_empty(attributes.get(name))}
    return found if all(found.get(name) == value for name, value in wanted.items()) else None


def _replace(context: Context, change: Change) -> None:
    target = {name: change.planned[name] for name in TARGETS if name in change.changed}
    replace_route(
        context, change.planned["route_table_id"], _destination(change.planned), target_members(target)
    )


def _delete(context: Context, attributes: Attributes) -> None:
    delete_route(context, attributes["route_table_id"], _destination(attributes), target_members(attributes))


def _imported(_: Context, attributes: Attributes) -> Attributes:
    """Sorts the destination of an import id, and makes the id of the rest."""
    given = attributes["destination_cidr_block"]
    if given.startswith("pl-"):
        attributes |= {"destination_cidr_block": None, "destination_prefix_list_id": given}
    elif ":" in given:
        attributes |= {"destination_cidr_block": None, "destination_ipv6_cidr_block": given}
    return attributes | {"id": _identity(attributes)}


_ALL = tuple(_DESTINATIONS)
_EXACTLY_ONE = tuple(TARGETS)


def _targets() -> dict[str, Field]:
    fields = {name: field.reading(name) for name, field in target_fields(exactly_one=_EXACTLY_ONE).items()}
    others = tuple(name for name in TARGETS if name != "network_interface_id")
    fields["network_interface_id"] = string(
        "",
        read="network_interface_id",
        computed=True,
        exactly_one=_EXACTLY_ONE,
        follows=others,
        about=TARGETS["network_interface_id"][1],
    )
    return fields


def _told(name: str, about: str) -> Field:
    return output(STRING, name, follows=tuple(TARGETS), about=about)


RESOURCE = Resource(
    name="aws_route",
    service="ec2",
    about="A route of a route table.",
    fields={
        "route_table_id": string("", read="RouteTableId", required=True, force_new=True, about="Its table."),
        "destination_cidr_block": string(
            "",
            read="DestinationCidrBlock",
            force_new=True,
            exactly_one=_ALL,
            checks=(cidr(4),),
            about="IPv4 network that it leads to.",
        ),
        "destination_ipv6_cidr_block": string(
            "",
            read="DestinationIpv6CidrBlock",
            force_new=True,
            equal=same_cidr,
            exactly_one=_ALL,
            checks=(cidr(6),),
            about="IPv6 network that it leads to.",
        ),
        "destination_prefix_list_id": string(
            "",
            read="DestinationPrefixListId",
            force_new=True,
            exactly_one=_ALL,
            about="Prefix list that it leads to.",
        ),
        **_targets(),
        "instance_id": _told("InstanceId", "The instance that traffic goes to."),
        "instance_owner_id": _told("InstanceOwnerId", "The account that has that instance."),
        "origin": _told("Origin", "How it was made."),
        "state": _told("State", "Whether what it leads to is there: active or blackhole."),
    },
    identifiers=("id",),
    volatile=("state",),
    id=_identity,
    import_id="{route_table_id}_{destination_cidr_block}",
    create=_create,
    read=_read,
    read_many=_read_many,
    delete=_delete,
    updates=(Update(fields=tuple(TARGETS), call=_replace),),
    not_found=("InvalidRouteTableID.NotFound", "InvalidRoute.NotFound"),
    timeouts=("create", "update", "delete"),
    recover=_recover,
    imported=_imported,
)
