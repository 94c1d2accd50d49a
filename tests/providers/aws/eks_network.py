"""What clusters stand on, made with boto3."""

from __future__ import annotations

import json
from dataclasses import dataclass

from tests.providers.aws.rig import Rig


@dataclass(frozen=True, slots=True)
class Ground:
    """A network with subnets in two zones, and roles."""

    vpc: str
    subnets: list[str]
    groups: list[str]
    role: str
    nodes: str


def lay_ground(rig: Rig) -> Ground:
    """A VPC with three subnets and two security groups, and roles for a cluster and its nodes."""
    ec2, iam = rig.client("ec2"), rig.client("iam")
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    subnets = [
        ec2.create_subnet(VpcId=vpc, CidrBlock=f"10.0.{at}.0/24", AvailabilityZone=f"us-east-1{zone}")[
            "Subnet"
        ]["SubnetId"]
        for at, zone in enumerate("abc")
    ]
    groups = [
        ec2.create_security_group(GroupName=f"g{at}", Description="x", VpcId=vpc)["GroupId"]
        for at in range(2)
    ]
    trust = json.dumps({"Version": "2012-10-17", "Statement": []})
    roles = [
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=trust)["Role"]["Arn"]
        for name in ("cluster", "nodes")
    ]
    return Ground(vpc, subnets, groups, *roles)
