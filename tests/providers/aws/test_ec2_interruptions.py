"""EC2 calls that fail, and answers that are lost: nothing is made twice, nothing that was made is forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.aws.settings import TRACE_TAG
from twinfra.providers.protocol import ProviderError, Stored
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox


class Place(NamedTuple):
    """What the things to be made are made in, made with boto3."""

    vpc: str
    subnet: str
    table: str
    gateway: str
    group: str
    address: str


class Case(NamedTuple):
    """A type, what is declared, the call that makes it, and how many of it are there."""

    kind: str
    given: Callable[[Place], dict[str, Any]]
    operation: str
    count: Callable[[Any], int]


def _instances(client: Any) -> int:
    found = client.describe_instances()["Reservations"]
    return sum(one["State"]["Name"] != "terminated" for part in found for one in part["Instances"])


def _routes(client: Any) -> int:
    tables = client.describe_route_tables()["RouteTables"]
    return sum(one["Origin"] == "CreateRoute" for table in tables for one in table["Routes"])


def _associations(client: Any) -> int:
    tables = client.describe_route_tables()["RouteTables"]
    return sum(not one["Main"] for table in tables for one in table["Associations"])


def _rules(client: Any) -> int:
    found = client.describe_security_group_rules()["SecurityGroupRules"]
    return sum(not one["IsEgress"] for one in found)


def _named(client: Any, call: str, items: str) -> int:
    return sum(
        any(tag["Key"] == "mine" for tag in one.get("Tags", ())) for one in getattr(client, call)()[items]
    )


def _gateways(client: Any) -> int:
    return sum(one["State"] != "deleted" for one in client.describe_nat_gateways()["NatGateways"])


TAGS = {"mine": "1"}

CASES: dict[str, Case] = {
    "network": Case(
        "aws_vpc",
        lambda at: {"cidr_block": "10.9.0.0/16", "enable_dns_hostnames": True, "tags": TAGS},
        "CreateVpc",
        lambda client: _named(client, "describe_vpcs", "Vpcs"),
    ),
    "subnet": Case(
        "aws_subnet",
        lambda at: {
            "vpc_id": at.vpc,
            "cidr_block": "10.0.9.0/24",
            "map_public_ip_on_launch": True,
            "tags": TAGS,
        },
        "CreateSubnet",
        lambda client: _named(client, "describe_subnets", "Subnets"),
    ),
    "internet gateway": Case(
        "aws_internet_gateway",
        lambda at: {"vpc_id": at.vpc, "tags": TAGS},
        "CreateInternetGateway",
        lambda client: _named(client, "describe_internet_gateways", "InternetGateways"),
    ),
    "address": Case(
        "aws_eip",
        lambda at: {"domain": "vpc", "tags": TAGS},
        "AllocateAddress",
        lambda client: _named(client, "describe_addresses", "Addresses"),
    ),
    "NAT gateway": Case(
        "aws_nat_gateway",
        lambda at: {"subnet_id": at.subnet, "allocation_id": at.address, "tags": TAGS},
        "CreateNatGateway",
        _gateways,
    ),
    "route table": Case(
        "aws_route_table",
        lambda at: {
            "vpc_id": at.vpc,
            "route": [
                {"cidr_block": "10.8.0.0/16", "gateway_id": at.gateway},
                {"cidr_block": "10.7.0.0/16", "gateway_id": at.gateway},
            ],
            "tags": TAGS,
        },
        "CreateRouteTable",
        lambda client: _named(client, "describe_route_tables", "RouteTables"),
    ),
    "route": Case(
        "aws_route",
        lambda at: {
            "route_table_id": at.table,
            "destination_cidr_block": "0.0.0.0/0",
            "gateway_id": at.gateway,
        },
        "CreateRoute",
        _routes,
    ),
    "association": Case(
        "aws_route_table_association",
        lambda at: {"route_table_id": at.table, "subnet_id": at.subnet},
        "AssociateRouteTable",
        _associations,
    ),
    "security group": Case(
        "aws_security_group",
        lambda at: {
            "name_prefix": "web-",
            "vpc_id": at.vpc,
            "ingress": [{"from_port": 80, "to_port": 80, "protocol": "tcp", "cidr_blocks": ["10.0.0.0/8"]}],
            "egress": [{"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["10.0.0.0/8"]}],
            "tags": TAGS,
        },
        "CreateSecurityGroup",
        lambda client: _named(client, "describe_security_groups", "SecurityGroups"),
    ),
    "rule": Case(
        "aws_vpc_security_group_ingress_rule",
        lambda at: {
            "security_group_id": at.group,
            "ip_protocol": "tcp",
            "from_port": 80,
            "to_port": 80,
            "cidr_ipv4": "10.0.0.0/8",
            "tags": TAGS,
        },
        "AuthorizeSecurityGroupIngress",
        _rules,
    ),
    "launch template": Case(
        "aws_launch_template",
        lambda at: {"name_prefix": "node-", "instance_type": "t3.micro", "tags": TAGS},
        "CreateLaunchTemplate",
        lambda client: len(client.describe_launch_templates()["LaunchTemplates"]),
    ),
    "instance": Case(
        "aws_instance",
        lambda at: {
            "ami": "ami-1",
            "instance_type": "t3.micro",
            "subnet_id": at.subnet,
            "vpc_security_group_ids": [at.group],
            "source_dest_check": False,
            "tags": TAGS,
        },
        "RunInstances",
        _instances,
    ),
}

MANY_STEPS = ("subnet", "internet gateway", "route table", "security group", "instance")


def place(client: Any) -> Place:
    """A network with all that the cases need."""
    vpc = client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    gateway = client.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    group = client.create_security_group(GroupName="at", Description="at", VpcId=vpc)["GroupId"]
    groups = client.describe_security_groups(Filters=[{"Name": "group-name", "Values": ["default"]}])
    for default in groups["SecurityGroups"]:
        if default["IpPermissions"]:
            client.revoke_security_group_ingress(
                GroupId=default["GroupId"], IpPermissions=default["IpPermissions"]
            )
    return Place(
        vpc,
        client.create_subnet(VpcId=vpc, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"],
        client.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"],
        gateway,
        group,
        client.allocate_address(Domain="vpc")["AllocationId"],
    )


def trace_of(client: Any) -> list[Any]:
    """Temporary tags that are still there."""
    found: list[Any] = client.describe_tags(Filters=[{"Name": "key", "Values": [TRACE_TAG]}])["Tags"]
    return found


def settle(rig: Rig, kind: str, given: dict[str, Any]) -> Stored:
    """Apply until it works, as people do: what a failure left behind is replaced."""
    for _ in range(3):
        try:
            return rig.apply(kind, given)
        except ProviderError as failed:
            if failed.partial is not None:
                rig.destroy(kind, failed.partial)
    raise AssertionError("it never worked")


@pytest.mark.parametrize(
    ("name", "drop"),
    [*((name, False) for name in CASES), ("network", True), ("rule", True), ("instance", True)],
)
def test_a_create_whose_answer_is_lost_is_found_again_and_not_made_twice(
    rig: Rig, sandbox: Sandbox, name: str, drop: bool
) -> None:
    case, client = CASES[name], rig.client("ec2")
    given = case.given(place(client))
    faults.inject(sandbox, operation=case.operation, when="after", drop=drop)
    stored = rig.apply(case.kind, given)
    assert case.count(client) == 1
    assert rig.differences(case.kind, given, stored) == {}
    assert trace_of(client) == []


@pytest.mark.parametrize("name", MANY_STEPS)
def test_after_a_failure_at_any_step_the_next_apply_completes_without_duplicates(
    rig: Rig, sandbox: Sandbox, name: str
) -> None:
    case, client = CASES[name], rig.client("ec2")
    for step in range(10):
        faults.empty(sandbox)
        given = case.given(place(client))
        faults.inject(sandbox, changes_only=True, skip=step, code="UnauthorizedOperation", status=403)
        stored = settle(rig, case.kind, given)
        hits = faults.heal(sandbox)
        assert case.count(client) == 1
        assert rig.differences(case.kind, given, stored) == {}
        if not hits:
            return
    raise AssertionError("more steps than expected")


@pytest.mark.parametrize("name", [name for name in CASES if name not in ("route", "association")])
def test_a_create_that_this_program_did_not_survive_is_found_by_its_token(rig: Rig, name: str) -> None:
    """As the engine does after a crash: nothing was recorded but the token."""
    from twinfra.providers.protocol import OPERATION_TOKEN, new_token

    case, client = CASES[name], rig.client("ec2")
    given, token = case.given(place(client)), new_token()
    change = rig.plan(case.kind, given)
    change.private[OPERATION_TOKEN] = token
    assert rig.provider.recover(case.kind, change, token) is None
    made = rig.provider.apply(case.kind, change)
    assert made is not None
    found = rig.provider.recover(case.kind, rig.plan(case.kind, given), token)
    assert found is not None
    assert found.attributes["id"] == made.attributes["id"]
    found = rig.provider.confirm(case.kind, found)
    assert trace_of(client) == []
    assert rig.differences(case.kind, given, found) == {}
