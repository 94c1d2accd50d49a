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

SERVICES = "sts,s3,iam,ec2,eks,elbv2,elasticloadbalancing,logs,cloudwatch,monitoring,ecr"

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
    """A network, roles, a bucket and a cluster."""
    found = lay_ground(other)
    other.client("s3").create_bucket(Bucket="base")
    other.client("eks").create_cluster(
        name="base", roleArn=found.role, resourcesVpcConfig={"subnetIds": found.subnets}
    )
    return found


TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}}
        ],
    }
)
READ = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}]}
)
LIST = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "*"}]}
)

# Its EKS has neither updates nor tags that a description tells, and its identity providers do not change.
CASES: dict[str, Callable[[Ground], tuple[Given, Given]]] = {
    "aws_s3_bucket": lambda _: (
        {"bucket": "one", "tags": {"a": "1"}}, {"tags": {"b": "2"}, "force_destroy": True},
    ),
    "aws_s3_bucket_versioning": lambda _: (
        {"bucket": "base", "versioning_configuration": [{"status": "Enabled"}]},
        {"versioning_configuration": [{"status": "Suspended"}]},
    ),
    "aws_s3_bucket_server_side_encryption_configuration": lambda _: (
        {"bucket": "base", "rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256"}]}]},
        {"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms"}]}]},
    ),
    "aws_s3_bucket_public_access_block": lambda _: (
        {"bucket": "base", "block_public_acls": True, "block_public_policy": True}, {"block_public_acls": False},
    ),
    "aws_s3_bucket_lifecycle_configuration": lambda _: (
        {"bucket": "base", "rule": [{"id": "a", "status": "Enabled", "filter": [{"prefix": "x/"}],
                                     "expiration": [{"days": 3}]}]},
        {"rule": [{"id": "a", "status": "Disabled", "filter": [{"prefix": "x/"}], "expiration": [{"days": 4}]}]},
    ),
    "aws_s3_bucket_policy": lambda _: (
        {"bucket": "base", "policy": bucket_policy("s3:GetObject")}, {"policy": bucket_policy("s3:PutObject")},
    ),
    "aws_s3_bucket_ownership_controls": lambda _: (
        {"bucket": "base", "rule": [{"object_ownership": "BucketOwnerPreferred"}]},
        {"rule": [{"object_ownership": "ObjectWriter"}]},
    ),
    "aws_s3_object": lambda _: (
        {"bucket": "base", "key": "a/b.txt", "content": "one", "content_type": "text/plain", "tags": {"a": "1"}},
        {"content": "two", "tags": {"b": "2"}},
    ),
    "aws_vpc": lambda _: (
        {"cidr_block": "10.9.0.0/16", "enable_dns_hostnames": True, "tags": {"a": "1"}},
        {"enable_dns_hostnames": False, "tags": {"b": "2"}},
    ),
    "aws_subnet": lambda ground: (
        {"vpc_id": ground.vpc, "cidr_block": "10.0.9.0/24", "availability_zone": "us-east-1b", "tags": {"a": "1"}},
        {"map_public_ip_on_launch": True, "tags": {"b": "2"}},
    ),
    "aws_internet_gateway": lambda ground: ({"vpc_id": ground.vpc, "tags": {"a": "1"}}, {"tags": {"b": "2"}}),
    "aws_eip": lambda _: ({"domain": "vpc", "tags": {"a": "1"}}, {"tags": {"b": "2"}}),
    "aws_nat_gateway": lambda ground: (
        {"connectivity_type": "private", "subnet_id": ground.subnets[0], "tags": {"a": "1"}}, {"tags": {"b": "2"}},
    ),
    "aws_route_table": lambda ground: (
        {"vpc_id": ground.vpc, "tags": {"a": "1"}}, {"tags": {"b": "2"}},
    ),
    "aws_security_group": lambda ground: (
        {
            "name": "one", "description": "x", "vpc_id": ground.vpc, "tags": {"a": "1"},
            "ingress": [{"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["10.0.0.0/8"]}],
        },
        {"ingress": [{"protocol": "tcp", "from_port": 443, "to_port": 443, "cidr_blocks": ["10.0.0.0/8"]}]},
    ),
    "aws_vpc_security_group_ingress_rule": lambda ground: (
        {"security_group_id": ground.groups[0], "ip_protocol": "tcp", "from_port": 80, "to_port": 80,
         "cidr_ipv4": "10.0.0.0/8"},
        {"from_port": 443, "to_port": 443},
    ),
    "aws_vpc_security_group_egress_rule": lambda ground: (
        {"security_group_id": ground.groups[0], "ip_protocol": "tcp", "from_port": 80, "to_port": 80,
         "referenced_security_group_id": ground.groups[1]},
        {"from_port": 443, "to_port": 443},
    ),
    "aws_iam_role": lambda _: (
        {"name": "one", "assume_role_policy": TRUST, "path": "/ml/", "description": "x", "tags": {"a": "1"}},
        {"description": "y", "max_session_duration": 7200, "tags": {"b": "2"}},
    ),
    "aws_iam_policy": lambda _: ({"name": "one", "policy": READ, "tags": {"a": "1"}}, {"policy": LIST}),
    "aws_iam_role_policy": lambda _: ({"name": "inline", "role": "nodes", "policy": READ}, {"policy": LIST}),
    "aws_iam_instance_profile": lambda _: ({"name": "one", "role": "nodes"}, {"role": "cluster"}),
    "aws_iam_openid_connect_provider": lambda _: (
        {"url": "https://oidc.example.com/id/A", "client_id_list": ["sts.amazonaws.com"],
         "thumbprint_list": ["990f4193972f2becf12ddeda5237f9c952f20d9e"]},
        {},
    ),
    "aws_lb": lambda ground: (
        {"name": "one", "subnets": ground.subnets[:2], "security_groups": ground.groups[:1], "tags": {"a": "1"}},
        {"idle_timeout": 30, "security_groups": ground.groups[1:]},
    ),
    "aws_launch_template": lambda _: (
        {"name": "one", "instance_type": "m5.large", "tags": {"a": "1"}}, {"instance_type": "m5.xlarge"},
    ),
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


IMPORTED_BY = {"aws_s3_object": "base/a/b.txt"}
"""Import ids that are not the id."""

UNTOLD = {
    "aws_s3_object": ("content", "acl", "force_destroy"),
    "aws_lb": ("enable_cross_zone_load_balancing",),
}
"""What no API tells an import, or this emulator does not."""

ALWAYS_THERE = {"aws_s3_bucket_versioning", "aws_s3_bucket_server_side_encryption_configuration"}
"""A bucket never loses them: destroyed they are off, or what every bucket has."""


def bucket_policy(action: str) -> str:
    """Lets everybody do one thing to the base bucket."""
    statement = {"Effect": "Allow", "Principal": "*", "Action": action, "Resource": "arn:aws:s3:::base/*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@pytest.mark.parametrize("kind", CASES)
def test_it_is_made_changed_imported_and_deleted_there_too(other: Rig, ground: Ground, kind: str) -> None:
    given, more = CASES[kind](ground)
    stored = other.check(kind, given, import_id=IMPORTED_BY.get(kind), kept=UNTOLD.get(kind, ()))
    stored = other.apply(kind, given | more, stored)
    assert other.differences(kind, given | more, stored) == {}
    other.destroy(kind, stored)
    assert (other.read(kind, stored) is None) is (kind not in ALWAYS_THERE)
