from collections.abc import Callable
from typing import Any

import pytest

pytestmark = pytest.mark.emulator

TRUST = '{"Version":"2012-10-17","Statement":[]}'


@pytest.mark.parametrize(
    "policy",
    [
        "AmazonEKSClusterPolicy",
        "AmazonEKSWorkerNodePolicy",
        "AmazonEC2ContainerRegistryReadOnly",
        "AmazonSageMakerFullAccess",
    ],
)
def test_a_policy_that_aws_manages_can_be_attached(client: Callable[..., Any], policy: str) -> None:
    iam = client("iam")
    iam.create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)
    iam.attach_role_policy(RoleName="role", PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    attached = iam.list_attached_role_policies(RoleName="role")["AttachedPolicies"]
    assert [one["PolicyName"] for one in attached] == [policy]


def test_a_role_can_be_assumed(client: Callable[..., Any], sandbox: Any) -> None:
    import boto3

    role = client("iam").create_role(RoleName="role", AssumeRolePolicyDocument=TRUST)["Role"]["Arn"]
    given = client("sts").assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]
    sts = boto3.Session(
        given["AccessKeyId"], given["SecretAccessKey"], given["SessionToken"], region_name="us-east-1"
    ).client("sts", endpoint_url=sandbox.endpoint)
    assert sts.get_caller_identity()["Arn"].endswith(":assumed-role/role/session")
