"""Security groups and their rules against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.rig import Rig

KIND = "aws_security_group"


def vpc(rig: Rig, **more: Any) -> str:
    """A network; its id."""
    return str(rig.apply("aws_vpc", {"cidr_block": "10.0.0.0/16", **more}).attributes["id"])


def shown(rig: Rig, number: str, member: str = "IpPermissions") -> list[dict[str, Any]]:
    """Rules of a group, seen with boto3, without what is empty."""
    (found,) = rig.client("ec2").describe_security_groups(GroupIds=[number])["SecurityGroups"]
    return [{key: value for key, value in one.items() if value} for one in found[member]]


def rule(port: int, *networks: str, **more: Any) -> dict[str, Any]:
    """A rule's block for one port of TCP."""
    return {
        "from_port": port,
        "to_port": port,
        "protocol": "tcp",
        "cidr_blocks": list(networks) or None,
        **more,
    }


def test_a_group_without_rules_lets_nothing_out(rig: Rig) -> None:
    stored = rig.check(
        KIND, {"name": "web", "vpc_id": vpc(rig), "tags": {"a": "1"}}, kept=("revoke_rules_on_delete",)
    )
    assert stored.attributes["description"] == "Managed by Terraform"
    assert stored.attributes["egress"] == ()
    assert shown(rig, stored.attributes["id"], "IpPermissionsEgress") == []
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None


def test_in_a_network_with_ipv6_a_new_group_lets_nothing_out_either(rig: Rig) -> None:
    network = vpc(rig, assign_generated_ipv6_cidr_block=True)
    stored = rig.apply(KIND, {"name": "web", "vpc_id": network})
    assert shown(rig, stored.attributes["id"], "IpPermissionsEgress") == []


def test_what_is_declared_as_the_default_stays(rig: Rig) -> None:
    everything = {"from_port": 0, "to_port": 0, "protocol": "-1", "cidr_blocks": ["0.0.0.0/0"]}
    given = {"name": "web", "vpc_id": vpc(rig), "egress": [everything]}
    stored = rig.check(KIND, given)
    (found,) = shown(rig, stored.attributes["id"], "IpPermissionsEgress")
    assert (found["IpProtocol"], found["IpRanges"]) == ("-1", [{"CidrIp": "0.0.0.0/0"}])


def test_rules_keep_the_form_that_they_were_declared_in(rig: Rig) -> None:
    network = vpc(rig, assign_generated_ipv6_cidr_block=True)
    other = rig.apply(KIND, {"name": "other", "vpc_id": network}).attributes["id"]
    given = {
        "name": "web",
        "vpc_id": network,
        "ingress": [
            rule(80, "10.1.0.0/16", "10.0.0.0/16", description="web"),
            rule(80, "10.2.0.0/16"),
            rule(80, ipv6_cidr_blocks=["0::/0"], security_groups=[other], self=True),
            {"from_port": -1, "to_port": -1, "protocol": "icmp", "cidr_blocks": ["0.0.0.0/0"]},
            {"from_port": 53, "to_port": 53, "protocol": "17", "cidr_blocks": ["0.0.0.0/0"]},
        ],
    }
    stored = rig.apply(KIND, given)
    assert rig.drift(KIND, stored) == {}
    assert rig.differences(KIND, given, stored) == {}
    ports = sorted((one["IpProtocol"], one["FromPort"]) for one in shown(rig, stored.attributes["id"]))
    assert ports == [("icmp", -1), ("tcp", 80), ("udp", 53)]


def test_rules_change_one_by_one(rig: Rig) -> None:
    given = {
        "name": "web",
        "vpc_id": vpc(rig),
        "ingress": [rule(80, "10.0.0.0/16", "10.1.0.0/16"), rule(22, "10.0.0.0/8")],
    }
    stored = rig.apply(KIND, given)
    number = stored.attributes["id"]
    client = rig.client("ec2")

    def ids() -> dict[str, str]:
        found = client.describe_security_group_rules(Filters=[{"Name": "group-id", "Values": [number]}])
        return {
            f"{one['FromPort']} {one['CidrIpv4']}": one["SecurityGroupRuleId"]
            for one in found["SecurityGroupRules"]
        }

    before = ids()
    changed = {**given, "ingress": [rule(80, "10.1.0.0/16", "10.2.0.0/16", description="web")]}
    stored = rig.apply(KIND, changed, stored)
    assert rig.differences(KIND, changed, stored) == {}
    after = ids()
    assert after.keys() == {"80 10.1.0.0/16", "80 10.2.0.0/16"}
    assert after["80 10.1.0.0/16"] == before["80 10.1.0.0/16"]
    reordered = {**given, "ingress": [rule(80, "10.2.0.0/16", "10.1.0.0/16", description="web")]}
    assert rig.differences(KIND, reordered, stored) == {}
    stored = rig.apply(KIND, {**given, "ingress": []}, stored)
    assert shown(rig, number) == []
    assert rig.differences(KIND, {**given, "ingress": []}, stored) == {}


def test_rules_of_others_are_drift_and_go(rig: Rig) -> None:
    given = {"name": "web", "vpc_id": vpc(rig), "ingress": [rule(80, "10.0.0.0/16", "10.1.0.0/16")]}
    stored = rig.apply(KIND, given)
    number = stored.attributes["id"]
    client = rig.client("ec2")
    client.authorize_security_group_ingress(
        GroupId=number, IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    client.revoke_security_group_ingress(
        GroupId=number, IpProtocol="tcp", FromPort=80, ToPort=80, CidrIp="10.1.0.0/16"
    )
    assert rig.drift(KIND, stored).keys() == {"ingress"}
    stored = rig.apply(KIND, given, rig.read(KIND, stored))
    assert rig.differences(KIND, given, stored) == {}
    (found,) = shown(rig, number)
    assert sorted(one["CidrIp"] for one in found["IpRanges"]) == ["10.0.0.0/16", "10.1.0.0/16"]


def test_a_group_that_declares_no_rules_leaves_those_of_others_alone(rig: Rig) -> None:
    given = {"name": "web", "vpc_id": vpc(rig)}
    stored = rig.apply(KIND, given)
    rig.client("ec2").authorize_security_group_ingress(
        GroupId=stored.attributes["id"], IpProtocol="tcp", FromPort=22, ToPort=22, CidrIp="0.0.0.0/0"
    )
    assert rig.differences(KIND, given, stored) == {}


def test_a_name_from_a_prefix(rig: Rig) -> None:
    given = {"name_prefix": "web-", "vpc_id": vpc(rig)}
    stored = rig.apply(KIND, given)
    assert stored.attributes["name"].startswith("web-")
    assert rig.differences(KIND, given, stored) == {}
    assert rig.plan(KIND, {**given, "description": "other"}, stored).replace


def test_deleting_a_group_revokes_rules_that_name_it_where_declared(rig: Rig) -> None:
    network = vpc(rig)
    given = {"name": "one", "vpc_id": network, "revoke_rules_on_delete": True}
    stored = rig.apply(KIND, given)
    number = stored.attributes["id"]
    other = rig.apply(
        KIND, {"name": "other", "vpc_id": network, "ingress": [rule(80, security_groups=[number])]}
    )
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None
    assert shown(rig, other.attributes["id"]) == []


# Rules by themselves


@pytest.mark.parametrize("direction", ["ingress", "egress"])
def test_a_rule_of_its_own_changes_in_place(rig: Rig, direction: str) -> None:
    kind = f"aws_vpc_security_group_{direction}_rule"
    group = rig.apply(KIND, {"name": "web", "vpc_id": vpc(rig)}).attributes["id"]
    given: dict[str, Any] = {
        "security_group_id": group,
        "cidr_ipv4": "10.0.0.0/8",
        "ip_protocol": "tcp",
        "from_port": 80,
        "to_port": 80,
        "description": "web",
        "tags": {"a": "1"},
    }
    stored = rig.check(kind, given)
    assert stored.attributes["arn"].endswith(stored.attributes["id"])
    changed = {**given, "cidr_ipv4": "10.1.0.0/16", "to_port": 81, "description": None, "tags": None}
    assert rig.plan(kind, changed, stored).replace == ()
    stored = rig.apply(kind, changed, stored)
    assert rig.differences(kind, changed, stored) == {}
    member = "IpPermissions" if direction == "ingress" else "IpPermissionsEgress"
    (found,) = shown(rig, group, member)
    assert (found["FromPort"], found["ToPort"]) == (80, 81)
    rig.client("ec2").modify_security_group_rules(
        GroupId=group,
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": stored.attributes["id"],
                "SecurityGroupRule": {
                    "IpProtocol": "tcp",
                    "FromPort": 1,
                    "ToPort": 81,
                    "CidrIpv4": "10.1.0.0/16",
                },
            }
        ],
    )
    assert rig.drift(kind, stored).keys() == {"from_port"}
    stored = rig.apply(kind, changed, rig.read(kind, stored))
    assert rig.differences(kind, changed, stored) == {}
    rig.destroy(kind, stored)
    assert rig.read(kind, stored) is None
    rig.destroy(kind, stored)


def test_a_rule_for_everything_and_one_that_names_a_group(rig: Rig) -> None:
    network = vpc(rig)
    group = rig.apply(KIND, {"name": "web", "vpc_id": network}).attributes["id"]
    other = rig.apply(KIND, {"name": "other", "vpc_id": network}).attributes["id"]
    out = {"security_group_id": group, "cidr_ipv4": "0.0.0.0/0", "ip_protocol": "-1"}
    stored = rig.check("aws_vpc_security_group_egress_rule", out)
    assert stored.attributes["from_port"] is None
    naming: dict[str, Any] = {"security_group_id": group, "ip_protocol": "tcp", "from_port": 1, "to_port": 2}
    stored = rig.check(
        "aws_vpc_security_group_ingress_rule", {**naming, "referenced_security_group_id": other}
    )
    assert rig.plan(
        "aws_vpc_security_group_ingress_rule", {**naming, "cidr_ipv4": "10.0.0.0/8"}, stored
    ).replace
    assert rig.imported("aws_vpc_security_group_egress_rule", stored.attributes["id"]) is None


def test_a_rule_has_exactly_one_source(rig: Rig) -> None:
    given = {"security_group_id": "sg-1", "ip_protocol": "tcp"}
    (problem,) = rig.problems("aws_vpc_security_group_ingress_rule", given)
    assert "Exactly one of cidr_ipv4" in problem


def test_a_rule_inside_a_group_says_protocol_and_ports(rig: Rig) -> None:
    problems = rig.problems(KIND, {"name": "web", "ingress": [{"protocol": "tcp", "from_port": 80}]})
    assert problems == ["Missing argument: to_port must be given."]
