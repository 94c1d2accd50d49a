"""Load balancers and target groups, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.balancing import (
    GROUP,
    LB,
    attributes_of,
    balancer,
    group,
    network,
)
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError


@pytest.fixture
def ground(rig: Rig) -> Ground:
    """A network."""
    return lay_ground(rig)


# Load balancers


def test_a_load_balancer_is_made_as_declared_and_imported_back(rig: Rig, ground: Ground) -> None:
    stored = rig.check(LB, balancer(ground))
    (found,) = rig.client("elbv2").describe_load_balancers()["LoadBalancers"]
    told = stored.attributes
    assert (told["arn"], told["dns_name"], told["zone_id"]) == (
        found["LoadBalancerArn"], found["DNSName"], found["CanonicalHostedZoneId"],
    )  # fmt: skip
    assert told["arn_suffix"].startswith("app/inference/")
    assert told["vpc_id"] == ground.vpc
    assert (told["internal"], told["ip_address_type"], told["idle_timeout"]) == (False, "ipv4", 60)
    assert found["SecurityGroups"] == ground.groups[:1]
    assert sorted(zone["SubnetId"] for zone in found["AvailabilityZones"]) == sorted(ground.subnets[:2])


def test_a_load_balancer_changes_in_place(rig: Rig, ground: Ground) -> None:
    rig.client("s3").create_bucket(Bucket="logs")
    stored = rig.apply(LB, balancer(ground))
    given = balancer(
        ground,
        security_groups=ground.groups,
        subnets=ground.subnets,
        ip_address_type="dualstack",
        idle_timeout=120,
        enable_http2=False,
        enable_deletion_protection=True,
        drop_invalid_header_fields=True,
        desync_mitigation_mode="strictest",
        access_logs=[{"bucket": "logs", "prefix": "lb", "enabled": True}],
        health_check_logs=[{"bucket": "logs", "enabled": True}],
        minimum_load_balancer_capacity=[{"capacity_units": 100}],
        tags={"b": "2"},
    )
    assert rig.plan(LB, given, stored).replace == ()
    stored = rig.apply(LB, given, stored)
    assert rig.differences(LB, given, stored) == {}
    told = attributes_of(rig, "describe_load_balancer_attributes", LoadBalancerArn=stored.attributes["arn"])
    assert told["idle_timeout.timeout_seconds"] == "120"
    assert told["routing.http2.enabled"] == "false"
    assert (told["access_logs.s3.enabled"], told["access_logs.s3.bucket"]) == ("true", "logs")
    (found,) = rig.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert len(found["AvailabilityZones"]) == 3
    assert sorted(found["SecurityGroups"]) == sorted(ground.groups)
    with pytest.raises(ProviderError, match="deletion protection"):
        rig.destroy(LB, stored)
    stored = rig.apply(LB, balancer(ground), stored)
    assert rig.differences(LB, balancer(ground), stored) == {}
    rig.destroy(LB, stored)
    assert rig.client("elbv2").describe_load_balancers()["LoadBalancers"] == []
    assert rig.read(LB, stored) is None


def test_logs_that_are_declared_but_off_are_no_difference(rig: Rig, ground: Ground) -> None:
    given = balancer(ground, access_logs=[{"bucket": "logs", "prefix": "x", "enabled": False}])
    stored = rig.apply(LB, given)
    assert rig.differences(LB, given, stored) == {}


def test_a_load_balancer_drifts_and_is_repaired(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(LB, balancer(ground))
    rig.client("elbv2").modify_load_balancer_attributes(
        LoadBalancerArn=stored.attributes["arn"],
        Attributes=[{"Key": "idle_timeout.timeout_seconds", "Value": "5"}],
    )
    assert rig.drift(LB, stored) == {"idle_timeout": (60, 5)}
    stored = rig.apply(LB, balancer(ground), rig.read(LB, stored))
    assert rig.differences(LB, balancer(ground), stored) == {}
    told = attributes_of(rig, "describe_load_balancer_attributes", LoadBalancerArn=stored.attributes["arn"])
    assert told["idle_timeout.timeout_seconds"] == "60"


def test_another_scheme_replaces_a_load_balancer(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(LB, balancer(ground))
    given = balancer(ground, internal=True)
    assert rig.plan(LB, given, stored).replace != ()
    stored = rig.apply(LB, given, stored)
    (found,) = rig.client("elbv2").describe_load_balancers()["LoadBalancers"]
    assert found["Scheme"] == "internal"


def test_a_network_load_balancer_with_addresses(rig: Rig, ground: Ground) -> None:
    mappings = [
        {"subnet_id": ground.subnets[0], "private_ipv4_address": "10.0.0.10"},
        {"subnet_id": ground.subnets[1], "private_ipv4_address": "10.0.1.10"},
    ]
    given = network(
        ground, subnets=None, subnet_mapping=mappings, enable_cross_zone_load_balancing=True,
        dns_record_client_routing_policy="availability_zone_affinity", security_groups=ground.groups[:1],
        enforce_security_group_inbound_rules_on_private_link_traffic="off",
    )  # fmt: skip
    stored = rig.check(LB, given)
    assert stored.attributes["arn_suffix"].startswith("net/tcp/")
    assert sorted(stored.attributes["subnets"]) == sorted(ground.subnets[:2])
    more = {**given, "subnet_mapping": [*mappings, {"subnet_id": ground.subnets[2]}]}
    assert rig.plan(LB, more, stored).replace == ()
    stored = rig.apply(LB, more, stored)
    assert rig.differences(LB, more, stored) == {}
    assert sorted(stored.attributes["subnets"]) == sorted(ground.subnets)
    moved = {**given, "subnet_mapping": [{**mappings[0], "private_ipv4_address": "10.0.0.11"}, *mappings[1:]]}
    assert rig.plan(LB, moved, stored).replace != ()


def test_groups_for_a_network_load_balancer_without_any_replace_it(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(LB, network(ground))
    assert rig.plan(LB, network(ground, security_groups=ground.groups), stored).replace != ()


def test_what_means_nothing_to_a_kind_is_told_and_not_sent(rig: Rig, ground: Ground) -> None:
    given = network(ground, idle_timeout=300, enable_http2=False)
    change = rig.plan(LB, given)
    assert sorted(one.detail.split()[0] for one in change.warnings) == ["enable_http2", "idle_timeout"]
    stored = rig.apply(LB, given)
    assert rig.differences(LB, given, stored) == {}
    told = attributes_of(rig, "describe_load_balancer_attributes", LoadBalancerArn=stored.attributes["arn"])
    assert "idle_timeout.timeout_seconds" not in told


def test_a_load_balancer_with_a_prefix_gets_a_unique_name(rig: Rig, ground: Ground) -> None:
    stored = rig.check(LB, balancer(ground, name=None, name_prefix="ml-"))
    assert stored.attributes["name"].startswith("ml-")
    assert len(stored.attributes["name"]) <= 32
    unnamed = rig.apply(LB, balancer(ground, name=None))
    assert unnamed.attributes["name"].startswith("tf-lb-")


def test_a_load_balancer_of_the_name_is_not_taken_over(rig: Rig, ground: Ground) -> None:
    rig.apply(LB, balancer(ground))
    with pytest.raises(ProviderError, match="DuplicateLoadBalancerName"):
        rig.apply(LB, balancer(ground))


def test_many_load_balancers_are_read_together(rig: Rig, ground: Ground) -> None:
    stored = [rig.apply(LB, balancer(ground, name=f"b{number}")) for number in range(3)]
    rig.client("elbv2").delete_load_balancer(LoadBalancerArn=stored[1].attributes["arn"])
    found = rig.provider.read_many(LB, stored)
    assert [one is None for one in found] == [False, True, False]


# Target groups


def test_a_target_group_is_made_as_declared_and_imported_back(rig: Rig, ground: Ground) -> None:
    stored = rig.check(GROUP, group(ground))
    (found,) = rig.client("elbv2").describe_target_groups()["TargetGroups"]
    assert (found["HealthCheckPath"], found["HealthCheckIntervalSeconds"]) == ("/healthz", 15)
    assert (found["HealthyThresholdCount"], found["Matcher"]) == (3, {"HttpCode": "200"})
    assert stored.attributes["arn_suffix"].startswith("targetgroup/inference/")
    (tags,) = rig.client("elbv2").describe_tags(ResourceArns=[found["TargetGroupArn"]])["TagDescriptions"]
    assert tags["Tags"] == [{"Key": "a", "Value": "1"}]
    assert stored.attributes["deregistration_delay"] == "300"
    assert stored.attributes["load_balancing_algorithm_type"] == "round_robin"


def test_a_target_group_changes_in_place(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(GROUP, group(ground))
    given = group(
        ground,
        health_check=[{"path": "/up", "matcher": "200-299", "unhealthy_threshold": 5, "timeout": 9}],
        deregistration_delay="30",
        slow_start=60,
        load_balancing_algorithm_type="least_outstanding_requests",
        stickiness=[{"type": "app_cookie", "cookie_name": "session", "cookie_duration": 3600}],
        target_group_health=[
            {
                "dns_failover": [{"minimum_healthy_targets_count": "2"}],
                "unhealthy_state_routing": [{"minimum_healthy_targets_percentage": "50"}],
            }
        ],
        tags={"b": "2"},
    )
    assert rig.plan(GROUP, given, stored).replace == ()
    stored = rig.apply(GROUP, given, stored)
    assert rig.differences(GROUP, given, stored) == {}
    (found,) = rig.client("elbv2").describe_target_groups()["TargetGroups"]
    assert (found["HealthCheckPath"], found["HealthCheckIntervalSeconds"]) == ("/up", 30)
    told = attributes_of(rig, "describe_target_group_attributes", TargetGroupArn=found["TargetGroupArn"])
    assert told["stickiness.type"] == "app_cookie"
    assert told["stickiness.app_cookie.cookie_name"] == "session"
    assert told["deregistration_delay.timeout_seconds"] == "30"
    assert told["target_group_health.dns_failover.minimum_healthy_targets.count"] == "2"


def test_a_target_group_drifts_and_is_repaired(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(GROUP, group(ground))
    client, arn = rig.client("elbv2"), stored.attributes["arn"]
    client.modify_target_group(TargetGroupArn=arn, HealthCheckPath="/other")
    client.modify_target_group_attributes(
        TargetGroupArn=arn, Attributes=[{"Key": "slow_start.duration_seconds", "Value": "45"}]
    )
    assert rig.drift(GROUP, stored).keys() == {"health_check", "slow_start"}
    stored = rig.apply(GROUP, group(ground), rig.read(GROUP, stored))
    assert rig.differences(GROUP, group(ground), stored) == {}
    rig.destroy(GROUP, stored)
    assert client.describe_target_groups()["TargetGroups"] == []
    assert rig.read(GROUP, stored) is None


def test_target_groups_of_other_kinds_stay_as_they_are(rig: Rig, ground: Ground) -> None:
    tcp = {
        "name": "tcp", "port": 443, "protocol": "TCP", "vpc_id": ground.vpc, "preserve_client_ip": "false",
        "connection_termination": True, "proxy_protocol_v2": True,
        "health_check": [{"protocol": "TCP", "healthy_threshold": 2, "unhealthy_threshold": 2}],
        "stickiness": [{"enabled": False, "type": "source_ip"}],
    }  # fmt: skip
    stored = rig.apply(GROUP, tcp)
    assert rig.differences(GROUP, tcp, stored) == {}
    function = {"name": "f", "target_type": "lambda", "lambda_multi_value_headers_enabled": True}
    stored = rig.apply(GROUP, function)
    assert rig.differences(GROUP, function, stored) == {}


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (
            {"stickiness": [{"type": "lb_cookie", "cookie_name": "session"}]},
            "type lb_cookie has no cookie_name",
        ),
        ({"protocol": "TCP", "health_check": [{"protocol": "TCP", "path": "/up"}]}, "TCP has no path"),
        ({"protocol": "TCP", "health_check": [{"protocol": "TCP", "matcher": "200"}]}, "TCP has no matcher"),
        ({"target_type": "lambda", "health_check": [{"protocol": "HTTP"}]}, "function has no protocol"),
    ],
)
def test_what_a_target_group_of_its_kind_cannot_have_is_refused(
    rig: Rig, given: dict[str, Any], told: str
) -> None:
    with pytest.raises(ProviderError, match=told):
        rig.plan(GROUP, {"name": "g", "port": 80, "protocol": "HTTP", "vpc_id": "vpc-1", **given})


def test_another_port_replaces_a_target_group(rig: Rig, ground: Ground) -> None:
    stored = rig.apply(GROUP, group(ground))
    given = group(ground, port=9090)
    assert rig.plan(GROUP, given, stored).replace != ()
    stored = rig.apply(GROUP, given, stored)
    assert rig.client("elbv2").describe_target_groups()["TargetGroups"][0]["Port"] == 9090


def test_a_target_group_needs_a_network(rig: Rig, ground: Ground) -> None:
    with pytest.raises(ProviderError, match="needs vpc_id"):
        rig.plan(GROUP, group(ground, vpc_id=None))
    assert rig.problems(GROUP, group(ground, name="a--b")) != []
    assert rig.problems(GROUP, group(ground, slow_start=10)) != []
