"""Networks, subnets and gateways against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox

VPC: dict[str, Any] = {"cidr_block": "10.0.0.0/16", "tags": {"Name": "main"}}


def vpc(rig: Rig, **more: Any) -> str:
    """A network; its id."""
    return str(rig.apply("aws_vpc", {**VPC, **more}).attributes["id"])


def test_a_network_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    stored = rig.check("aws_vpc", {**VPC, "enable_dns_hostnames": True})
    number = stored.attributes["id"]
    (found,) = rig.client("ec2").describe_vpcs(VpcIds=[number])["Vpcs"]
    assert (found["CidrBlock"], found["InstanceTenancy"]) == ("10.0.0.0/16", "default")
    assert found["Tags"] == [{"Key": "Name", "Value": "main"}]
    assert stored.attributes["arn"].endswith(f":vpc/{number}")
    assert stored.attributes["main_route_table_id"].startswith("rtb-")
    assert stored.attributes["default_security_group_id"].startswith("sg-")
    assert stored.attributes["default_network_acl_id"].startswith("acl-")


def test_a_network_changes_in_place_and_is_brought_back(rig: Rig) -> None:
    stored = rig.apply("aws_vpc", VPC)
    given = {
        **VPC,
        "enable_dns_support": False,
        "enable_network_address_usage_metrics": True,
        "tags": {"a": "1"},
    }
    assert rig.plan("aws_vpc", given, stored).replace == ()
    stored = rig.apply("aws_vpc", given, stored)
    assert rig.differences("aws_vpc", given, stored) == {}
    client = rig.client("ec2")
    client.modify_vpc_attribute(VpcId=stored.attributes["id"], EnableDnsSupport={"Value": True})
    client.create_tags(Resources=[stored.attributes["id"]], Tags=[{"Key": "b", "Value": "2"}])
    assert rig.drift("aws_vpc", stored).keys() == {"enable_dns_support", "tags", "tags_all"}
    fresh = rig.read("aws_vpc", stored)
    rig.apply("aws_vpc", given, fresh)
    assert rig.drift("aws_vpc", stored) == {}


def test_a_network_gets_and_loses_an_ipv6_network(rig: Rig) -> None:
    stored = rig.check("aws_vpc", {**VPC, "assign_generated_ipv6_cidr_block": True})
    assert stored.attributes["ipv6_cidr_block"].endswith("/56")
    assert stored.attributes["ipv6_association_id"]
    stored = rig.apply("aws_vpc", VPC, stored)
    assert stored.attributes["ipv6_cidr_block"] is None
    assert rig.differences("aws_vpc", VPC, stored) == {}
    given = {**VPC, "assign_generated_ipv6_cidr_block": True}
    stored = rig.apply("aws_vpc", given, stored)
    assert stored.attributes["ipv6_cidr_block"].endswith("/56")
    assert rig.differences("aws_vpc", given, stored) == {}


@pytest.mark.parametrize(
    ("before", "after", "replaced"),
    [("default", "dedicated", True), ("dedicated", "default", False)],
)
def test_tenancy_changes_in_place_only_towards_default(
    rig: Rig, before: str, after: str, replaced: bool
) -> None:
    stored = rig.check("aws_vpc", {**VPC, "instance_tenancy": before})
    given = {**VPC, "instance_tenancy": after}
    assert bool(rig.plan("aws_vpc", given, stored).replace) is replaced
    stored = rig.apply("aws_vpc", given, stored)
    assert rig.differences("aws_vpc", given, stored) == {}


def test_another_network_address_replaces_it(rig: Rig) -> None:
    stored = rig.apply("aws_vpc", VPC)
    assert rig.plan("aws_vpc", {"cidr_block": "10.1.0.0/16"}, stored).replace
    rig.destroy("aws_vpc", stored)
    assert rig.read("aws_vpc", stored) is None
    rig.destroy("aws_vpc", stored)


def test_a_subnet_is_made_as_declared_and_imported_back(rig: Rig) -> None:
    given = {
        "vpc_id": vpc(rig),
        "cidr_block": "10.0.1.0/24",
        "availability_zone": "us-east-1b",
        "map_public_ip_on_launch": True,
        "enable_resource_name_dns_a_record_on_launch": True,
        "private_dns_hostname_type_on_launch": "resource-name",
        "enable_dns64": True,
        "tags": {"Name": "a"},
    }
    stored = rig.check("aws_subnet", given)
    (found,) = rig.client("ec2").describe_subnets(SubnetIds=[stored.attributes["id"]])["Subnets"]
    assert (found["AvailabilityZone"], found["MapPublicIpOnLaunch"]) == ("us-east-1b", True)
    assert stored.attributes["availability_zone_id"] == found["AvailabilityZoneId"]


def test_a_subnet_changes_in_place_and_is_brought_back(rig: Rig) -> None:
    given: dict[str, Any] = {"vpc_id": vpc(rig), "cidr_block": "10.0.1.0/24"}
    stored = rig.apply("aws_subnet", given)
    changed = {
        **given,
        "map_public_ip_on_launch": True,
        "enable_resource_name_dns_aaaa_record_on_launch": True,
        "private_dns_hostname_type_on_launch": "resource-name",
        "tags": {"a": "1"},
    }
    assert rig.plan("aws_subnet", changed, stored).replace == ()
    stored = rig.apply("aws_subnet", changed, stored)
    assert rig.differences("aws_subnet", changed, stored) == {}
    rig.client("ec2").modify_subnet_attribute(
        SubnetId=stored.attributes["id"], MapPublicIpOnLaunch={"Value": False}
    )
    assert rig.drift("aws_subnet", stored).keys() == {"map_public_ip_on_launch"}
    fresh = rig.read("aws_subnet", stored)
    assert rig.differences("aws_subnet", changed, rig.apply("aws_subnet", changed, fresh)) == {}
    assert rig.plan("aws_subnet", {**given, "cidr_block": "10.0.2.0/24"}, stored).replace


def test_a_subnet_gets_and_loses_an_ipv6_network(rig: Rig) -> None:
    network = rig.apply("aws_vpc", {**VPC, "assign_generated_ipv6_cidr_block": True})
    inner = network.attributes["ipv6_cidr_block"].replace("/56", "/64")
    given = {"vpc_id": network.attributes["id"], "cidr_block": "10.0.1.0/24"}
    with_ipv6 = {**given, "ipv6_cidr_block": inner, "assign_ipv6_address_on_creation": True}
    stored = rig.check("aws_subnet", with_ipv6)
    assert stored.attributes["ipv6_cidr_block_association_id"]
    stored = rig.apply("aws_subnet", given, stored)
    assert rig.differences("aws_subnet", given, stored) == {}
    assert stored.attributes["ipv6_cidr_block_association_id"] is None
    stored = rig.apply("aws_subnet", with_ipv6, stored)
    assert rig.differences("aws_subnet", with_ipv6, stored) == {}
    rig.destroy("aws_subnet", stored)
    assert rig.read("aws_subnet", stored) is None


def test_an_internet_gateway_moves_between_networks(rig: Rig) -> None:
    kind = "aws_internet_gateway"
    given = {"vpc_id": vpc(rig), "tags": {"Name": "x"}}
    stored = rig.check(kind, given)
    moved = {**given, "vpc_id": vpc(rig)}
    stored = rig.apply(kind, moved, stored)
    assert rig.differences(kind, moved, stored) == {}
    client = rig.client("ec2")
    client.detach_internet_gateway(InternetGatewayId=stored.attributes["id"], VpcId=moved["vpc_id"])
    assert rig.drift(kind, stored).keys() == {"vpc_id"}
    fresh = rig.read(kind, stored)
    stored = rig.apply(kind, moved, fresh)
    assert rig.drift(kind, stored) == {}
    rig.destroy(kind, stored)
    assert rig.read(kind, stored) is None


def test_an_address_without_an_association(rig: Rig) -> None:
    stored = rig.check("aws_eip", {"domain": "vpc", "tags": {"Name": "nat"}})
    (found,) = rig.client("ec2").describe_addresses()["Addresses"]
    assert stored.attributes["public_ip"] == found["PublicIp"]
    dashed = found["PublicIp"].replace(".", "-")
    assert stored.attributes["public_dns"] == f"ec2-{dashed}.compute-1.amazonaws.com"
    rig.destroy("aws_eip", stored)
    assert rig.read("aws_eip", stored) is None


def interface(rig: Rig, subnet: str) -> str:
    """A network interface; its id."""
    found = rig.client("ec2").create_network_interface(SubnetId=subnet)["NetworkInterface"]
    return str(found["NetworkInterfaceId"])


def subnet(rig: Rig, cidr: str = "10.0.1.0/24", network: str | None = None) -> str:
    """A subnet; its id."""
    stored = rig.apply("aws_subnet", {"vpc_id": network or vpc(rig), "cidr_block": cidr})
    return str(stored.attributes["id"])


def test_an_address_moves_between_network_interfaces(rig: Rig) -> None:
    place = subnet(rig)
    given = {"domain": "vpc", "network_interface": interface(rig, place)}
    stored = rig.check("aws_eip", given)
    assert stored.attributes["private_ip"]
    moved = {**given, "network_interface": interface(rig, place)}
    stored = rig.apply("aws_eip", moved, stored)
    assert rig.differences("aws_eip", moved, stored) == {}
    rig.client("ec2").disassociate_address(AssociationId=stored.attributes["association_id"])
    assert "network_interface" in rig.drift("aws_eip", stored)
    fresh = rig.read("aws_eip", stored)
    stored = rig.apply("aws_eip", moved, fresh)
    assert rig.differences("aws_eip", moved, stored) == {}
    rig.destroy("aws_eip", stored)
    assert rig.read("aws_eip", stored) is None


@pytest.mark.parametrize(
    ("kind", "operation"), [("subnet", "DeleteSubnet"), ("group", "DeleteSecurityGroup")]
)
def test_interfaces_that_nodes_left_behind_do_not_keep_it(
    rig: Rig, sandbox: Sandbox, kind: str, operation: str
) -> None:
    network = vpc(rig)
    place = rig.apply("aws_subnet", {"vpc_id": network, "cidr_block": "10.0.1.0/24"})
    group = rig.apply("aws_security_group", {"name": "nodes", "vpc_id": network})
    client = rig.client("ec2")
    for description in ("aws-K8S-i-1", "mine"):
        client.create_network_interface(
            SubnetId=place.attributes["id"], Description=description, Groups=[group.attributes["id"]]
        )
    faults.inject(sandbox, operation=operation, code="DependencyViolation", status=400)
    if kind == "subnet":
        rig.destroy("aws_subnet", place)
    else:
        rig.destroy("aws_security_group", group)
    assert faults.heal(sandbox) == 1
    found = client.describe_network_interfaces()["NetworkInterfaces"]
    assert [one["Description"] for one in found if one["Description"]] == ["mine"]
