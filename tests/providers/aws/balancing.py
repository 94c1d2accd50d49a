"""What tests of load balancers declare: balancers, target groups and listeners as in the example."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tests.providers.aws.eks_network import Ground
from tests.providers.aws.rig import Rig

LB, GROUP, LISTENER = "aws_lb", "aws_lb_target_group", "aws_lb_listener"


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


@dataclass(frozen=True, slots=True)
class Front:
    """A load balancer and two target groups."""

    lb: str
    groups: list[str]


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
