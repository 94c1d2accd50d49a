"""Load balancers: what the sandbox corrects in the emulator, seen with boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.emulator

Client = Callable[..., Any]


@pytest.fixture
def subnets(client: Client) -> list[str]:
    """Two subnets of a VPC."""
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    return [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for at, zone in enumerate("ab")
    ]


def make(client: Client, subnets: list[str], name: str = "one", **more: Any) -> dict[str, Any]:
    """A load balancer."""
    (made,) = client("elbv2").create_load_balancer(Name=name, Subnets=subnets, **more)["LoadBalancers"]
    return dict(made)


def test_the_same_again_is_the_same_and_another_of_the_name_is_refused(
    client: Client, subnets: list[str]
) -> None:
    first = make(client, subnets)
    assert make(client, subnets)["LoadBalancerArn"] == first["LoadBalancerArn"]
    with pytest.raises(ClientError, match="DuplicateLoadBalancerName"):
        make(client, subnets, Type="network")
    assert len(client("elbv2").describe_load_balancers()["LoadBalancers"]) == 1


def test_one_of_several_that_does_not_exist_fails_the_description(client: Client, subnets: list[str]) -> None:
    arn = make(client, subnets)["LoadBalancerArn"]
    with pytest.raises(ClientError, match="LoadBalancerNotFound"):
        client("elbv2").describe_load_balancers(LoadBalancerArns=[arn, arn + "0"])


def test_a_network_load_balancer_has_its_name_and_addresses(client: Client, subnets: list[str]) -> None:
    mappings = [{"SubnetId": subnets[0], "PrivateIPv4Address": "10.0.0.9"}, {"SubnetId": subnets[1]}]
    (made,) = client("elbv2").create_load_balancer(
        Name="net",
        Type="network",
        Scheme="internal",
        SubnetMappings=mappings,
        Tags=[{"Key": "a", "Value": "1"}],
    )["LoadBalancers"]
    assert ":loadbalancer/net/net/" in made["LoadBalancerArn"]
    zones = {one["SubnetId"]: one.get("LoadBalancerAddresses") for one in made["AvailabilityZones"]}
    assert zones[subnets[0]] == [{"PrivateIPv4Address": "10.0.0.9"}]
    (tags,) = client("elbv2").describe_tags(ResourceArns=[made["LoadBalancerArn"]])["TagDescriptions"]
    assert tags["Tags"] == [{"Key": "a", "Value": "1"}]


def test_what_is_protected_cannot_be_deleted(client: Client, subnets: list[str]) -> None:
    elb, arn = client("elbv2"), make(client, subnets)["LoadBalancerArn"]
    protect = [{"Key": "deletion_protection.enabled", "Value": "true"}]
    elb.modify_load_balancer_attributes(LoadBalancerArn=arn, Attributes=protect)
    with pytest.raises(ClientError, match="OperationNotPermitted"):
        elb.delete_load_balancer(LoadBalancerArn=arn)


def test_a_port_is_listened_on_once_and_target_groups_know_by_whom(
    client: Client, subnets: list[str]
) -> None:
    elb, made = client("elbv2"), make(client, subnets)
    (group,) = elb.create_target_group(Name="g", Protocol="HTTP", Port=80, VpcId=made["VpcId"])[
        "TargetGroups"
    ]
    asked = {
        "LoadBalancerArn": made["LoadBalancerArn"], "Protocol": "HTTP", "Port": 80,
        "DefaultActions": [{"Type": "forward", "TargetGroupArn": group["TargetGroupArn"]}],
    }  # fmt: skip
    (listener,) = elb.create_listener(**asked)["Listeners"]
    with pytest.raises(ClientError, match="DuplicateListener"):
        elb.create_listener(**asked)

    def known() -> list[str]:
        (found,) = elb.describe_target_groups()["TargetGroups"]
        return list(found.get("LoadBalancerArns", []))

    assert known() == [made["LoadBalancerArn"]]
    answer = {
        "Type": "fixed-response",
        "FixedResponseConfig": {"StatusCode": "404", "ContentType": "text/plain"},
    }
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=[answer])
    assert known() == []
    elb.modify_listener(ListenerArn=listener["ListenerArn"], DefaultActions=asked["DefaultActions"])
    elb.delete_load_balancer(LoadBalancerArn=made["LoadBalancerArn"])
    assert known() == []


def test_capacity_and_pools_are_kept(client: Client, subnets: list[str]) -> None:
    elb, arn = client("elbv2"), make(client, subnets)["LoadBalancerArn"]
    elb.modify_capacity_reservation(LoadBalancerArn=arn, MinimumLoadBalancerCapacity={"CapacityUnits": 100})
    found = elb.describe_capacity_reservation(LoadBalancerArn=arn)
    assert found["MinimumLoadBalancerCapacity"] == {"CapacityUnits": 100}
    elb.modify_capacity_reservation(LoadBalancerArn=arn, ResetCapacityReservation=True)
    assert "MinimumLoadBalancerCapacity" not in elb.describe_capacity_reservation(LoadBalancerArn=arn)
    elb.modify_ip_pools(LoadBalancerArn=arn, IpamPools={"Ipv4IpamPoolId": "ipam-pool-1"})
    (told,) = elb.describe_load_balancers()["LoadBalancers"]
    assert told["IpamPools"] == {"Ipv4IpamPoolId": "ipam-pool-1"}
