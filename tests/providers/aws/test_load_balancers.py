"""Load balancers, target groups and listeners, against the emulator."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox

LB, GROUP, LISTENER = "aws_lb", "aws_lb_target_group", "aws_lb_listener"


@pytest.fixture
def ground(rig: Rig) -> Ground:
    """A network."""
    return lay_ground(rig)


def balancer(ground: Ground, **more: Any) -> dict[str, Any]:
    """A load balancer as in the example."""
    return {
        "name": "inference",
        "load_balancer_type": "application",
        "security_groups": ground.groups[:1],
        "subnets": ground.subnets[:2],
        "tags": {"a": "1"},
        **more,
    }


def network(ground: Ground, **more: Any) -> dict[str, Any]:
    """A network load balancer."""
    return {
        "name": "tcp",
        "load_balancer_type": "network",
        "internal": True,
        "subnets": ground.subnets[:2],
        **more,
    }


def group(ground: Ground, **more: Any) -> dict[str, Any]:
    """A target group as in the example."""
    return {
        "name": "inference",
        "port": 8080,
        "protocol": "HTTP",
        "target_type": "ip",
        "vpc_id": ground.vpc,
        "health_check": [{"path": "/healthz", "matcher": "200", "interval": 15}],
        "tags": {"a": "1"},
        **more,
    }


def attributes_of(rig: Rig, operation: str, **named: str) -> dict[str, str]:
    """Attributes by boto3."""
    told = getattr(rig.client("elbv2"), operation)(**named)["Attributes"]
    return {one["Key"]: one["Value"] for one in told}


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
    stored = rig.check(LB, balancer(ground, name=None, name_prefix="ml-"), kept=("name_prefix",))
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


# Listeners


@dataclass(frozen=True, slots=True)
class Front:
    """A load balancer and two target groups."""

    lb: str
    groups: list[str]


@pytest.fixture
def front(rig: Rig, ground: Ground) -> Front:
    """What a listener is between."""
    made = rig.apply(LB, balancer(ground)).attributes["arn"]
    groups = [rig.apply(GROUP, group(ground, name=f"g{number}")).attributes["arn"] for number in range(2)]
    return Front(made, groups)


def listener(front: Front, **more: Any) -> dict[str, Any]:
    """A listener as in the example."""
    return {
        "load_balancer_arn": front.lb,
        "port": 80,
        "protocol": "HTTP",
        "default_action": [{"type": "forward", "target_group_arn": front.groups[0]}],
        "tags": {"a": "1"},
        **more,
    }


def certificate(rig: Rig) -> str:
    """The ARN of a certificate."""
    arn: str = rig.client("acm").request_certificate(DomainName="example.com")["CertificateArn"]
    return arn


def test_a_listener_is_made_as_declared_and_imported_back(rig: Rig, front: Front) -> None:
    stored = rig.check(LISTENER, listener(front))
    (found,) = rig.client("elbv2").describe_listeners(LoadBalancerArn=front.lb)["Listeners"]
    assert stored.attributes["arn"] == found["ListenerArn"]
    assert (found["Port"], found["Protocol"]) == (80, "HTTP")
    assert found["DefaultActions"][0]["TargetGroupArn"] == front.groups[0]
    (tags,) = rig.client("elbv2").describe_tags(ResourceArns=[found["ListenerArn"]])["TagDescriptions"]
    assert tags["Tags"] == [{"Key": "a", "Value": "1"}]
    unspoken = rig.apply(LISTENER, listener(front, port=81, protocol=None))
    assert unspoken.attributes["protocol"] == "HTTP"


ACTIONS: dict[str, list[dict[str, Any]]] = {
    "redirect": [{"type": "redirect", "redirect": [{"port": "443", "protocol": "HTTPS", "status_code": "HTTP_301"}]}],
    "fixed response": [
        {
            "type": "fixed-response",
            "fixed_response": [{"content_type": "text/plain", "message_body": "no", "status_code": "404"}],
        }
    ],
    "login by OpenID Connect, then an answer": [
        {
            "type": "authenticate-oidc",
            "order": 1,
            "authenticate_oidc": [
                {
                    "authorization_endpoint": "https://e.com/a", "client_id": "c", "client_secret": "s",
                    "issuer": "https://e.com", "token_endpoint": "https://e.com/t",
                    "user_info_endpoint": "https://e.com/u", "authentication_request_extra_params": {"k": "v"},
                }
            ],
        },
        {
            "type": "fixed-response",
            "order": 2,
            "fixed_response": [{"content_type": "text/plain", "status_code": "200"}],
        },
    ],
    "login by Cognito, then an answer": [
        {
            "type": "authenticate-cognito",
            "authenticate_cognito": [
                {"user_pool_arn": "arn:aws:cognito-idp:us-east-1:1:userpool/p", "user_pool_client_id": "c",
                 "user_pool_domain": "d", "session_timeout": 60}
            ],
        },
        {
            "type": "fixed-response",
            "fixed_response": [{"content_type": "text/plain", "status_code": "200"}],
        },
    ],
}  # fmt: skip


@pytest.mark.parametrize("case", ACTIONS)
def test_every_kind_of_action_is_made_and_stays_as_it_is(rig: Rig, front: Front, case: str) -> None:
    given = listener(front, default_action=ACTIONS[case])
    stored = rig.apply(LISTENER, given)
    assert rig.drift(LISTENER, stored) == {}
    assert rig.differences(LISTENER, given, stored) == {}
    (found,) = rig.client("elbv2").describe_listeners(LoadBalancerArn=front.lb)["Listeners"]
    assert [one["Type"] for one in found["DefaultActions"]] == [one["type"] for one in ACTIONS[case]]
    back = listener(front)
    stored = rig.apply(LISTENER, back, stored)
    assert rig.differences(LISTENER, back, stored) == {}


def test_weights_are_changed_and_drift(rig: Rig, front: Front) -> None:
    def weighted(*weights: int) -> dict[str, Any]:
        targets = [{"arn": one, "weight": weight} for one, weight in zip(front.groups, weights, strict=False)]
        sticky = [{"duration": 600, "enabled": True}]
        return listener(
            front,
            default_action=[
                {"type": "forward", "forward": [{"target_group": targets, "stickiness": sticky}]}
            ],
        )

    stored = rig.check(LISTENER, weighted(90, 10))
    stored = rig.apply(LISTENER, weighted(50, 50), stored)
    assert rig.differences(LISTENER, weighted(50, 50), stored) == {}
    client = rig.client("elbv2")
    client.modify_listener(
        ListenerArn=stored.attributes["arn"],
        DefaultActions=[{"Type": "forward", "TargetGroupArn": front.groups[1]}],
    )
    assert rig.drift(LISTENER, stored).keys() == {"default_action"}
    stored = rig.apply(LISTENER, weighted(50, 50), rig.read(LISTENER, stored))
    assert rig.differences(LISTENER, weighted(50, 50), stored) == {}
    one = listener(
        front, default_action=[{"type": "forward", "forward": [{"target_group": [{"arn": front.groups[0]}]}]}]
    )
    stored = rig.apply(LISTENER, one, stored)
    assert rig.differences(LISTENER, one, stored) == {}


def test_a_listener_becomes_secure_in_place(rig: Rig, front: Front) -> None:
    stored = rig.apply(LISTENER, listener(front))
    given = listener(
        front,
        port=443,
        protocol="HTTPS",
        ssl_policy="ELBSecurityPolicy-TLS13-1-2-2021-06",
        certificate_arn=certificate(rig),
        mutual_authentication=[{"mode": "passthrough"}],
        routing_http_response_server_enabled=False,
        routing_http_response_strict_transport_security_header_value="max-age=31536000",
        tags={"b": "2"},
    )
    assert rig.plan(LISTENER, given, stored).replace == ()
    stored = rig.apply(LISTENER, given, stored)
    assert rig.differences(LISTENER, given, stored) == {}
    (found,) = rig.client("elbv2").describe_listeners(LoadBalancerArn=front.lb)["Listeners"]
    assert found["Certificates"][0]["CertificateArn"] == given["certificate_arn"]
    assert found["SslPolicy"] == "ELBSecurityPolicy-TLS13-1-2-2021-06"
    told = attributes_of(rig, "describe_listener_attributes", ListenerArn=found["ListenerArn"])
    assert told["routing.http.response.server.enabled"] == "false"


def test_a_listener_of_connections(rig: Rig, ground: Ground) -> None:
    made = rig.apply(LB, network(ground)).attributes["arn"]
    target = rig.apply(GROUP, {"name": "tls", "port": 443, "protocol": "TLS", "vpc_id": ground.vpc})
    given = {
        "load_balancer_arn": made, "port": 443, "protocol": "TLS", "certificate_arn": certificate(rig),
        "alpn_policy": "HTTP2Preferred", "tcp_idle_timeout_seconds": 400,
        "default_action": [{"type": "forward", "target_group_arn": target.attributes["arn"]}],
    }  # fmt: skip
    stored = rig.check(LISTENER, given)
    stored = rig.apply(LISTENER, {**given, "alpn_policy": None}, stored)
    assert rig.differences(LISTENER, {**given, "alpn_policy": None}, stored) == {}


def test_a_listener_goes_and_lets_its_target_group_go(rig: Rig, front: Front, ground: Ground) -> None:
    stored = rig.apply(LISTENER, listener(front))
    rig.destroy(LISTENER, stored)
    assert rig.read(LISTENER, stored) is None
    assert rig.client("elbv2").describe_listeners(LoadBalancerArn=front.lb)["Listeners"] == []
    (found,) = rig.client("elbv2").describe_target_groups(TargetGroupArns=front.groups[:1])["TargetGroups"]
    assert found.get("LoadBalancerArns", []) == []


def test_an_action_without_what_it_needs_is_refused(rig: Rig, front: Front) -> None:
    with pytest.raises(ProviderError, match="needs redirect"):
        rig.plan(LISTENER, listener(front, default_action=[{"type": "redirect"}]))


# Interruptions


@pytest.mark.parametrize("kind", [LB, GROUP, LISTENER])
@pytest.mark.parametrize("drop", [True, False], ids=["connection lost", "answer lost"])
def test_a_create_whose_answer_is_lost_is_not_made_twice(
    rig: Rig, sandbox: Sandbox, ground: Ground, kind: str, drop: bool
) -> None:
    if kind == LISTENER:
        targets = [rig.apply(GROUP, group(ground)).attributes["arn"]]
        given = listener(Front(rig.apply(LB, balancer(ground)).attributes["arn"], targets))
    else:
        given = balancer(ground) if kind == LB else group(ground)
    operation = {LB: "CreateLoadBalancer", GROUP: "CreateTargetGroup", LISTENER: "CreateListener"}[kind]
    faults.inject(sandbox, operation=operation, when="after", drop=drop)
    stored = rig.apply(kind, given)
    assert rig.differences(kind, given, stored) == {}
    client = rig.client("elbv2")
    assert len(client.describe_load_balancers()["LoadBalancers"]) == (0 if kind == GROUP else 1)
    (tags,) = client.describe_tags(ResourceArns=[stored.attributes["arn"]])["TagDescriptions"]
    assert tags["Tags"] == [{"Key": "a", "Value": "1"}]


def test_what_others_made_is_not_recovered(rig: Rig, ground: Ground) -> None:
    rig.client("elbv2").create_target_group(Name="inference", Protocol="HTTP", Port=1, VpcId=ground.vpc)
    assert rig.recover(GROUP, group(ground), new_token()) is None
