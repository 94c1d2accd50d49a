"""As `test_interruptions`, for clusters, load balancers, monitoring and registries: failing at every step."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, Stored
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox

Given = dict[str, Any]
Before = Callable[[Rig, Ground], Given]


def cluster(ground: Ground) -> Given:
    """A cluster's configuration."""
    return {"name": "ml", "role_arn": ground.role, "vpc_config": [{"subnet_ids": ground.subnets}]}


def balancer(ground: Ground) -> Given:
    """A load balancer's configuration."""
    return {"name": "lb", "subnets": ground.subnets, "idle_timeout": 90, "tags": {"a": "1"}}


def targets(ground: Ground) -> Given:
    """A target group's configuration."""
    return {"name": "tg", "port": 80, "protocol": "HTTP", "vpc_id": ground.vpc, "slow_start": 60}


def nodes(rig: Rig, ground: Ground) -> Given:
    """A node group's configuration, with its cluster made."""
    rig.apply("aws_eks_cluster", cluster(ground))
    return {
        "cluster_name": "ml", "node_group_name": "cpu", "node_role_arn": ground.nodes, "subnet_ids": ground.subnets,
        "scaling_config": [{"desired_size": 1, "min_size": 0, "max_size": 2}],
    }  # fmt: skip


def addon(rig: Rig, ground: Ground) -> Given:
    """An add-on's configuration, with its cluster made."""
    rig.apply("aws_eks_cluster", cluster(ground))
    identity = {"role_arn": ground.nodes, "service_account": "aws-node"}
    return {"cluster_name": "ml", "addon_name": "vpc-cni", "pod_identity_association": [identity]}


def listener(rig: Rig, ground: Ground) -> Given:
    """A listener's configuration, with its load balancer and target group made."""
    lb = rig.apply("aws_lb", balancer(ground)).attributes["arn"]
    group = rig.apply("aws_lb_target_group", targets(ground)).attributes["arn"]
    return {
        "load_balancer_arn": lb, "port": 80, "default_action": [{"type": "forward", "target_group_arn": group}],
        "routing_http_response_server_enabled": False,
    }  # fmt: skip


ALARM = {
    "alarm_name": "a", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 1, "threshold": 1,
    "metric_name": "m", "namespace": "n", "statistic": "Sum", "period": 60, "tags": {"a": "1"},
}  # fmt: skip

CASES: dict[str, tuple[Before, str, Callable[[Any], list[Any]]]] = {
    "aws_eks_cluster": (
        lambda _, ground: cluster(ground), "eks", lambda client: client.list_clusters()["clusters"],
    ),
    "aws_eks_node_group": (
        nodes, "eks", lambda client: client.list_nodegroups(clusterName="ml")["nodegroups"],
    ),
    "aws_eks_addon": (addon, "eks", lambda client: client.list_addons(clusterName="ml")["addons"]),
    "aws_lb": (
        lambda _, ground: balancer(ground),
        "elbv2",
        lambda client: client.describe_load_balancers()["LoadBalancers"],
    ),
    "aws_lb_target_group": (
        lambda _, ground: targets(ground), "elbv2", lambda client: client.describe_target_groups()["TargetGroups"],
    ),
    "aws_lb_listener": (
        listener,
        "elbv2",
        lambda client: [
            one
            for balancer in client.describe_load_balancers()["LoadBalancers"]
            for one in client.describe_listeners(LoadBalancerArn=balancer["LoadBalancerArn"])["Listeners"]
        ],
    ),
    "aws_cloudwatch_log_group": (
        lambda *_: {"name": "g", "retention_in_days": 7, "tags": {"a": "1"}},
        "logs",
        lambda client: client.describe_log_groups()["logGroups"],
    ),
    "aws_cloudwatch_metric_alarm": (
        lambda *_: ALARM, "cloudwatch", lambda client: client.describe_alarms()["MetricAlarms"],
    ),
    "aws_cloudwatch_dashboard": (
        lambda *_: {"dashboard_name": "d", "dashboard_body": json.dumps({"widgets": []})},
        "cloudwatch",
        lambda client: client.list_dashboards()["DashboardEntries"],
    ),
    "aws_ecr_repository": (
        lambda *_: {"name": "repo", "tags": {"a": "1"}},
        "ecr",
        lambda client: client.describe_repositories()["repositories"],
    ),
}  # fmt: skip


def settle(rig: Rig, kind: str, given: Given) -> Stored:
    """Apply until it works, as people do: what a failure left behind is replaced."""
    for _ in range(3):
        try:
            return rig.apply(kind, given)
        except ProviderError as failed:
            if failed.partial is not None:
                rig.destroy(kind, failed.partial)
    raise AssertionError("it never worked")


@pytest.mark.parametrize("kind", CASES)
def test_after_a_failure_at_any_step_the_next_apply_completes_without_duplicates(
    rig: Rig, sandbox: Sandbox, kind: str
) -> None:
    before, service, listed = CASES[kind]
    given = before(rig, lay_ground(rig))
    client = rig.client(service)
    for step in range(14):
        faults.inject(sandbox, service=service, skip=step, code="AccessDenied", status=403)
        stored = settle(rig, kind, given)
        hits = faults.heal(sandbox)
        assert len(listed(client)) == 1
        assert rig.differences(kind, given, stored) == {}
        rig.destroy(kind, stored)
        assert listed(client) == []
        if not hits:
            return
    raise AssertionError("more steps than expected")


@pytest.mark.parametrize("kind", ["aws_eks_cluster", "aws_eks_node_group", "aws_lb"])
def test_an_update_that_fails_at_any_step_is_completed_by_the_next(
    rig: Rig, sandbox: Sandbox, kind: str
) -> None:
    before, service, listed = CASES[kind]
    ground = lay_ground(rig)
    given = before(rig, ground)
    changes: dict[str, Given] = {
        "aws_eks_cluster": {
            "enabled_cluster_log_types": ["api"],
            "vpc_config": [{"subnet_ids": ground.subnets, "endpoint_private_access": True}],
            "upgrade_policy": [{"support_type": "STANDARD"}],
            "tags": {"b": "2"},
        },
        "aws_eks_node_group": {
            "labels": {"a": "b"},
            "scaling_config": [{"desired_size": 2, "min_size": 0, "max_size": 2}],
        },
        "aws_lb": {"idle_timeout": 30, "security_groups": ground.groups, "tags": {"b": "2"}},
    }
    more = changes[kind]
    for step in range(14):
        stored = rig.apply(kind, given)
        faults.inject(sandbox, service=service, skip=step, code="AccessDenied", status=403)
        try:
            stored = rig.apply(kind, given | more, stored)
        except ProviderError as failed:
            left = failed.partial or stored
            stored = rig.apply(kind, given | more, rig.read(kind, left))
        hits = faults.heal(sandbox)
        assert rig.differences(kind, given | more, stored) == {}
        assert len(listed(rig.client(service))) == 1
        rig.destroy(kind, stored)
        if not hits:
            return
    raise AssertionError("more steps than expected")
