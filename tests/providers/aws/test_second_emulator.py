"""The same on an emulator that shares no code with the sandbox, as far as it has what a type needs."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig
from tests.state.backends import servers

pytest.importorskip("ministack", reason="ministack is not installed")

SERVICES = "sts,iam,ec2,eks,elbv2,elasticloadbalancing,logs,cloudwatch,monitoring,ecr"

Given = dict[str, Any]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Rig]:
    """Our provider on the other emulator, where all tests of this file share one cloud."""
    with servers.ministack(tmp_path_factory.mktemp("ministack"), SERVICES) as url:
        rig = Rig(url)
        yield rig
        rig.close()


@pytest.fixture(scope="module")
def ground(other: Rig) -> Ground:
    """A network, roles, and a cluster."""
    found = lay_ground(other)
    other.client("eks").create_cluster(
        name="base", roleArn=found.role, resourcesVpcConfig={"subnetIds": found.subnets}
    )
    return found


# Its EKS has neither updates nor tags that a description tells.
CASES: dict[str, Callable[[Ground], tuple[Given, Given]]] = {
    "aws_cloudwatch_log_group": lambda _: (
        {"name": "/ml/one", "retention_in_days": 30, "tags": {"a": "1"}},
        {"retention_in_days": 7, "tags": {"b": "2"}},
    ),
    "aws_cloudwatch_metric_alarm": lambda _: (
        {
            "alarm_name": "a", "comparison_operator": "GreaterThanThreshold", "evaluation_periods": 1, "threshold": 1,
            "metric_name": "m", "namespace": "n", "statistic": "Sum", "period": 60, "dimensions": {"x": "y"},
        },
        {"threshold": 0.5, "actions_enabled": False},
    ),
    "aws_cloudwatch_dashboard": lambda _: (
        {"dashboard_name": "d", "dashboard_body": json.dumps({"widgets": []})},
        {"dashboard_body": json.dumps({"widgets": [], "start": "-PT1H"})},
    ),
    "aws_ecr_repository": lambda _: (
        {"name": "ml/models", "image_tag_mutability": "IMMUTABLE", "tags": {"a": "1"}},
        {"image_tag_mutability": "MUTABLE", "image_scanning_configuration": [{"scan_on_push": True}]},
    ),
    "aws_lb_target_group": lambda ground: (
        {
            "name": "tg", "port": 80, "protocol": "HTTP", "vpc_id": ground.vpc,
            "health_check": [{"path": "/up", "interval": 15}], "tags": {"a": "1"},
        },
        {"deregistration_delay": "30", "health_check": [{"path": "/ok", "interval": 15}]},
    ),
    "aws_eks_cluster": lambda ground: (
        {"name": "ml", "role_arn": ground.role, "vpc_config": [{"subnet_ids": ground.subnets}]}, {},
    ),
    "aws_eks_node_group": lambda ground: (
        {
            "cluster_name": "base", "node_group_name": "cpu", "node_role_arn": ground.nodes,
            "subnet_ids": ground.subnets, "labels": {"a": "b"}, "instance_types": ["m5.large"],
            "scaling_config": [{"desired_size": 1, "min_size": 0, "max_size": 2}],
        },
        {},
    ),
    "aws_eks_addon": lambda _: (
        {"cluster_name": "base", "addon_name": "vpc-cni"}, {"resolve_conflicts_on_update": "PRESERVE"},
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", CASES)
def test_it_is_made_changed_imported_and_deleted_there_too(other: Rig, ground: Ground, kind: str) -> None:
    given, more = CASES[kind](ground)
    stored = other.check(kind, given)
    stored = other.apply(kind, given | more, stored)
    assert other.differences(kind, given | more, stored) == {}
    other.destroy(kind, stored)
    assert other.read(kind, stored) is None
