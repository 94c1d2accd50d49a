"""Route tables, routes and what uses them, and NAT gateways, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError


def vpc(rig: Rig, **more: Any) -> str:
    """A network; its id."""
    return str(rig.apply("aws_vpc", {"cidr_block": "10.0.0.0/16", **more}).attributes["id"])


def subnet(rig: Rig, network: str, cidr: str = "10.0.1.0/24") -> str:
    """A subnet; its id."""
    return str(rig.apply("aws_subnet", {"vpc_id": network, "cidr_block": cidr}).attributes["id"])


def gateway(rig: Rig, network: str) -> str:
    """An internet gateway; its id."""
    return str(rig.apply("aws_internet_gateway", {"vpc_id": network}).attributes["id"])


def address(rig: Rig) -> str:
    """An elastic address; its id."""
    return str(rig.apply("aws_eip", {"domain": "vpc"}).attributes["id"])


def table(rig: Rig, network: str) -> str:
    """A route table; its id."""
    return str(rig.apply("aws_route_table", {"vpc_id": network}).attributes["id"])


def shown_routes(rig: Rig, number: str) -> dict[str, str]:
    """Destinations of a table to gateways, seen with boto3."""
    (found,) = rig.client("ec2").describe_route_tables(RouteTableIds=[number])["RouteTables"]
    return {
        one.get("DestinationCidrBlock", one.get("DestinationIpv6CidrBlock")): one.get("GatewayId", one.get("NatGatewayId"))
        for one in found["Routes"]
    }  # fmt: skip


# NAT gateways


def test_a_nat_gateway_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    given = {"allocation_id": address(rig), "subnet_id": subnet(rig, vpc(rig)), "tags": {"Name": "nat"}}
    stored = rig.check("aws_nat_gateway", given)
    attributes = stored.attributes
    assert attributes["connectivity_type"] == "public"
    assert attributes["availability_mode"] == "zonal"
    assert attributes["public_ip"]
    assert attributes["network_interface_id"].startswith("eni-")
    changed = {**given, "tags": {"Name": "other"}}
    stored = rig.apply("aws_nat_gateway", changed, stored)
    assert rig.differences("aws_nat_gateway", changed, stored) == {}
    assert rig.plan("aws_nat_gateway", {**changed, "allocation_id": address(rig)}, stored).replace
    rig.destroy("aws_nat_gateway", stored)
    assert rig.read("aws_nat_gateway", stored) is None


def test_a_nat_gateway_gets_and_loses_further_addresses(rig: Rig) -> None:
    kind, more, other = "aws_nat_gateway", address(rig), address(rig)
    given = {"allocation_id": address(rig), "subnet_id": subnet(rig, vpc(rig))}
    stored = rig.check(kind, {**given, "secondary_allocation_ids": [more]})
    assert stored.attributes["secondary_private_ip_address_count"] == 1
    changed = {**given, "secondary_allocation_ids": [more, other]}
    stored = rig.apply(kind, changed, stored)
    assert rig.differences(kind, changed, stored) == {}
    assert len(stored.attributes["secondary_private_ip_addresses"]) == 2
    changed = {**given, "secondary_allocation_ids": [other]}
    stored = rig.apply(kind, changed, stored)
    assert rig.differences(kind, changed, stored) == {}


def test_a_private_nat_gateway_has_as_many_addresses_as_declared(rig: Rig) -> None:
    kind = "aws_nat_gateway"
    given = {"connectivity_type": "private", "subnet_id": subnet(rig, vpc(rig))}
    stored = rig.check(kind, {**given, "secondary_private_ip_address_count": 2})
    for changed in (
        {**given, "secondary_private_ip_address_count": 3},
        {**given, "secondary_private_ip_address_count": 1},
        {**given, "secondary_private_ip_addresses": ["10.0.1.50", "10.0.1.51"]},
    ):
        assert rig.plan(kind, changed, stored).replace == ()
        stored = rig.apply(kind, changed, stored)
        assert rig.differences(kind, changed, stored) == {}


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"allocation_id": "eipalloc-1", "secondary_private_ip_address_count": 2}, "address_count"),
        ({"connectivity_type": "private", "secondary_allocation_ids": ["eipalloc-1"]}, "allocation_ids"),
        ({"connectivity_type": "private", "allocation_id": "eipalloc-1"}, "allocation_id"),
    ],
)
def test_addresses_that_a_nat_gateway_of_its_kind_cannot_have_are_refused(
    rig: Rig, given: dict[str, Any], named: str
) -> None:
    with pytest.raises(ProviderError, match=f"NAT gateway has no .*{named}"):
        rig.plan("aws_nat_gateway", {"subnet_id": "subnet-1", **given})


def test_the_addresses_inside_of_a_public_nat_gateway_do_not_change_alone(rig: Rig) -> None:
    kind, more = "aws_nat_gateway", address(rig)
    given = {
        "allocation_id": address(rig),
        "subnet_id": subnet(rig, vpc(rig)),
        "secondary_allocation_ids": [more],
    }
    stored = rig.apply(kind, given)
    with pytest.raises(ProviderError, match="cannot change alone"):
        rig.plan(kind, {**given, "secondary_private_ip_addresses": ["10.0.1.77"]}, stored)


def test_a_regional_nat_gateway_serves_a_whole_network(rig: Rig) -> None:
    kind = "aws_nat_gateway"
    given = {"availability_mode": "regional", "vpc_id": vpc(rig)}
    stored = rig.check(kind, given)
    assert stored.attributes["regional_nat_gateway_auto_mode"] == "enabled"
    one, other = address(rig), address(rig)
    by_zone = {
        **given,
        "availability_zone_address": [{"availability_zone": "us-east-1a", "allocation_ids": [one]}],
    }
    stored = rig.check(kind, by_zone)
    assert stored.attributes["regional_nat_gateway_auto_mode"] == "disabled"
    more = {
        **given,
        "availability_zone_address": [
            {"availability_zone": "us-east-1a", "allocation_ids": [one]},
            {"availability_zone": "us-east-1b", "allocation_ids": [other]},
        ],
    }
    stored = rig.apply(kind, more, stored)
    assert rig.differences(kind, more, stored) == {}
    assert len(stored.attributes["regional_nat_gateway_address"]) == 2


# Route tables


def test_a_route_table_leaves_alone_what_it_does_not_declare(rig: Rig) -> None:
    network = vpc(rig)
    given = {"vpc_id": network, "tags": {"Name": "public"}}
    stored = rig.check("aws_route_table", given)
    rig.client("ec2").create_route(
        RouteTableId=stored.attributes["id"],
        DestinationCidrBlock="0.0.0.0/0",
        GatewayId=gateway(rig, network),
    )
    assert rig.differences("aws_route_table", given, stored) == {}


def test_routes_declared_in_a_table_are_all_of_them(rig: Rig) -> None:
    kind, network = "aws_route_table", vpc(rig, assign_generated_ipv6_cidr_block=True)
    one, other = gateway(rig, network), gateway(rig, vpc(rig))
    given = {
        "vpc_id": network,
        "route": [
            {"cidr_block": "0.0.0.0/0", "gateway_id": one},
            {"ipv6_cidr_block": "0::/0", "gateway_id": one},
        ],
    }
    stored = rig.check(kind, given)
    number = stored.attributes["id"]
    changed = {
        "vpc_id": network,
        "route": [
            {"cidr_block": "0.0.0.0/0", "gateway_id": other},
            {"cidr_block": "192.168.0.0/16", "gateway_id": one},
        ],
    }
    stored = rig.apply(kind, changed, stored)
    assert rig.differences(kind, changed, stored) == {}
    assert {key: value for key, value in shown_routes(rig, number).items() if value != "local"} == {
        "0.0.0.0/0": other,
        "192.168.0.0/16": one,
    }
    client = rig.client("ec2")
    client.delete_route(RouteTableId=number, DestinationCidrBlock="192.168.0.0/16")
    client.create_route(RouteTableId=number, DestinationCidrBlock="172.16.0.0/12", GatewayId=one)
    assert rig.drift(kind, stored).keys() == {"route"}
    stored = rig.apply(kind, changed, rig.read(kind, stored))
    assert rig.differences(kind, changed, stored) == {}
    emptied = {"vpc_id": network, "route": []}
    stored = rig.apply(kind, emptied, stored)
    assert set(shown_routes(rig, number).values()) == {"local"}
    assert rig.differences(kind, emptied, stored) == {}
    rig.destroy(kind, stored)
    assert rig.read(kind, stored) is None


def test_the_route_to_the_network_itself_may_be_declared(rig: Rig) -> None:
    network = vpc(rig)
    given = {"vpc_id": network, "route": [{"cidr_block": "10.0.0.0/16", "gateway_id": "local"}]}
    stored = rig.apply("aws_route_table", given)
    assert rig.differences("aws_route_table", given, stored) == {}
    stored = rig.apply("aws_route_table", {"vpc_id": network, "route": []}, stored)
    assert shown_routes(rig, stored.attributes["id"]) == {"10.0.0.0/16": "local"}


def test_a_table_that_is_used_by_others_is_deleted_all_the_same(rig: Rig) -> None:
    network = vpc(rig)
    stored = rig.apply("aws_route_table", {"vpc_id": network})
    rig.client("ec2").associate_route_table(
        RouteTableId=stored.attributes["id"], SubnetId=subnet(rig, network)
    )
    rig.destroy("aws_route_table", stored)
    assert rig.read("aws_route_table", stored) is None


# Routes


def test_a_route_leads_elsewhere_in_place(rig: Rig) -> None:
    kind, network = "aws_route", vpc(rig)
    number = table(rig, network)
    given: dict[str, Any] = {"route_table_id": number, "destination_cidr_block": "0.0.0.0/0"}
    first = {**given, "gateway_id": gateway(rig, network)}
    stored = rig.check(kind, first, import_id=f"{number}_0.0.0.0/0")
    assert stored.attributes["id"].startswith(f"r-{number}")
    assert (stored.attributes["origin"], stored.attributes["state"]) == ("CreateRoute", "active")
    nat = rig.apply("aws_nat_gateway", {"allocation_id": address(rig), "subnet_id": subnet(rig, network)})
    second = {**given, "nat_gateway_id": nat.attributes["id"]}
    assert rig.plan(kind, second, stored).replace == ()
    stored = rig.apply(kind, second, stored)
    assert rig.differences(kind, second, stored) == {}
    assert shown_routes(rig, number)["0.0.0.0/0"] == nat.attributes["id"]
    client = rig.client("ec2")
    client.replace_route(RouteTableId=number, DestinationCidrBlock="0.0.0.0/0", GatewayId=first["gateway_id"])
    assert rig.drift(kind, stored).keys() == {"nat_gateway_id", "gateway_id"}
    stored = rig.apply(kind, second, rig.read(kind, stored))
    assert rig.differences(kind, second, stored) == {}
    assert rig.plan(kind, {**second, "destination_cidr_block": "1.0.0.0/8"}, stored).replace
    rig.destroy(kind, stored)
    assert rig.read(kind, stored) is None
    rig.destroy(kind, stored)


def test_a_route_to_a_network_interface_and_away_from_it(rig: Rig) -> None:
    kind, network = "aws_route", vpc(rig, assign_generated_ipv6_cidr_block=True)
    number, place = table(rig, network), subnet(rig, network)
    interface = rig.client("ec2").create_network_interface(SubnetId=place)["NetworkInterface"]
    given: dict[str, Any] = {"route_table_id": number, "destination_ipv6_cidr_block": "::/0"}
    first = {**given, "network_interface_id": interface["NetworkInterfaceId"]}
    stored = rig.check(kind, first, import_id=f"{number}_::/0")
    second = {**given, "gateway_id": gateway(rig, network)}
    stored = rig.apply(kind, second, stored)
    assert stored.attributes["network_interface_id"] is None
    assert rig.differences(kind, second, stored) == {}


def test_many_routes_are_read_with_one_call(rig: Rig) -> None:
    network = vpc(rig)
    number, way = table(rig, network), gateway(rig, network)
    stored = [
        rig.apply("aws_route", {"route_table_id": number, "destination_cidr_block": f"10.{at}.0.0/16", "gateway_id": way})
        for at in range(1, 5)
    ]  # fmt: skip
    rig.client("ec2").delete_route(RouteTableId=number, DestinationCidrBlock="10.2.0.0/16")
    found = rig.provider.read_many("aws_route", stored)
    assert [one is None for one in found] == [False, True, False, False]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"gateway_id": "igw-1"}, "Exactly one of destination_cidr_block"),
        ({"destination_cidr_block": "0.0.0.0/0"}, "Exactly one of carrier_gateway_id"),
        (
            {"destination_cidr_block": "0.0.0.0/0", "gateway_id": "igw-1", "nat_gateway_id": "nat-1"},
            "Only one of carrier_gateway_id",
        ),
        ({"destination_cidr_block": "10.0.0.1/16", "gateway_id": "igw-1"}, "host bits"),
    ],
)
def test_a_route_has_one_destination_and_one_target(rig: Rig, given: dict[str, Any], said: str) -> None:
    problems = rig.problems("aws_route", {"route_table_id": "rtb-1", **given})
    assert len(problems) == 1
    assert said in problems[0]


# Associations


def test_a_subnet_changes_its_route_table_in_place(rig: Rig) -> None:
    kind, network = "aws_route_table_association", vpc(rig)
    place, one, other = subnet(rig, network), table(rig, network), table(rig, network)
    given = {"subnet_id": place, "route_table_id": one}
    stored = rig.check(kind, given, import_id=f"{place}/{one}")
    changed = {"subnet_id": place, "route_table_id": other}
    assert rig.plan(kind, changed, stored).replace == ()
    moved = rig.apply(kind, changed, stored)
    assert moved.attributes["id"] != stored.attributes["id"]
    assert rig.differences(kind, changed, moved) == {}
    rig.client("ec2").replace_route_table_association(AssociationId=moved.attributes["id"], RouteTableId=one)
    assert rig.drift(kind, moved).keys() >= {"route_table_id"}
    moved = rig.apply(kind, changed, rig.read(kind, moved))
    assert rig.differences(kind, changed, moved) == {}
    rig.destroy(kind, moved)
    assert rig.read(kind, moved) is None


def test_a_gateway_uses_a_route_table(rig: Rig) -> None:
    kind, network = "aws_route_table_association", vpc(rig)
    number, way = table(rig, network), gateway(rig, network)
    stored = rig.check(kind, {"gateway_id": way, "route_table_id": number}, import_id=f"{way}/{number}")
    assert stored.attributes["subnet_id"] is None


def test_many_associations_are_read_at_once_beside_those_of_others(rig: Rig) -> None:
    kind, network = "aws_route_table_association", vpc(rig)
    number = table(rig, network)
    places = [subnet(rig, network, f"10.0.{at}.0/24") for at in range(1, 5)]
    stored = [rig.apply(kind, {"subnet_id": place, "route_table_id": number}) for place in places]
    client = rig.client("ec2")
    client.disassociate_route_table(AssociationId=stored[1].attributes["id"])
    found = rig.provider.read_many(kind, stored[:3])
    assert [one is None for one in found] == [False, True, False]


def test_an_import_of_what_is_not_bound_finds_nothing(rig: Rig) -> None:
    network = vpc(rig)
    place, number = subnet(rig, network), table(rig, network)
    assert rig.imported("aws_route_table_association", f"{place}/{number}") is None
