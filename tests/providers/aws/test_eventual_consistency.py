"""What was made a moment ago is not seen everywhere at once, and calls that come too fast are refused: both pass."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from tests.providers.aws.eks_network import Ground, lay_ground
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox

POLICY = json.dumps(
    {"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}}
)
UNSEEN_ROLE = ("NoSuchEntity", 404, "The role with name nodes cannot be found.")

Case = tuple[str, Callable[[Ground], dict[str, Any]], str, tuple[str, int, str]]

CASES: dict[str, Case] = {
    "the network of a subnet": (
        "aws_subnet", lambda ground: {"vpc_id": ground.vpc, "cidr_block": "10.0.77.0/24"},
        "CreateSubnet", ("InvalidVpcID.NotFound", 400, "no such VPC"),
    ),
    "the role of a policy": (
        "aws_iam_role_policy", lambda _: {"name": "p", "role": "nodes", "policy": POLICY},
        "PutRolePolicy", UNSEEN_ROLE,
    ),
    "the role of an attachment": (
        "aws_iam_role_policy_attachment",
        lambda _: {"role": "nodes", "policy_arn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"},
        "AttachRolePolicy", UNSEEN_ROLE,
    ),
    "the subnets of a load balancer": (
        "aws_lb", lambda ground: {"name": "one", "subnets": ground.subnets[:2]},
        "CreateLoadBalancer", ("SubnetNotFound", 400, "no such subnet"),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
def test_what_is_not_seen_yet_is_waited_for(rig: Rig, sandbox: Sandbox, case: str) -> None:
    kind, given, operation, (code, status, message) = CASES[case]
    ground = lay_ground(rig)
    faults.inject(sandbox, operation=operation, code=code, status=status, message=message)
    stored = rig.apply(kind, given(ground))
    assert faults.heal(sandbox) == 1
    assert rig.differences(kind, given(ground), stored) == {}


def test_a_throttled_call_is_made_again_until_it_passes(rig: Rig, sandbox: Sandbox) -> None:
    faults.inject(sandbox, operation="CreateVpc", code="RequestLimitExceeded", status=503, times=2)
    stored = rig.apply("aws_vpc", {"cidr_block": "10.0.0.0/16"})
    assert faults.heal(sandbox) == 2
    assert rig.differences("aws_vpc", {"cidr_block": "10.0.0.0/16"}, stored) == {}


def test_throttling_that_does_not_pass_is_told_with_a_mend(
    rig_with: Callable[..., Rig], sandbox: Sandbox
) -> None:
    rig = rig_with(max_retries=1)
    faults.inject(sandbox, operation="CreateVpc", code="RequestLimitExceeded", status=503, times=None)
    with pytest.raises(ProviderError) as caught:
        rig.apply("aws_vpc", {"cidr_block": "10.0.0.0/16"})
    [told] = caught.value.diagnostics
    assert "RequestLimitExceeded" in told.detail
    assert "-parallelism" in told.mend
