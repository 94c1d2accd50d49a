"""Listeners, and creates of all that balances loads whose answer is lost, against the emulator."""

from __future__ import annotations

from typing import Any

import pytest
from tests.providers.aws.balancing import (
    GROUP,
    LB,
    LISTENER,
    Front,
    attributes_of,
    balancer,
    group,
    listener,
    network,
)
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox


@pytest.fixture
def ground(rig: Rig) -> Ground:
    """A network."""
    return lay_ground(rig)


@pytest.fixture
def front(rig: Rig, ground: Ground) -> Front:
    """What a listener is between."""
    made = rig.apply(LB, balancer(ground)).attributes["arn"]
    groups = [rig.apply(GROUP, group(ground, name=f"g{number}")).attributes["arn"] for number in range(2)]
    return Front(made, groups)


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
