"""Calls that fail, and answers that are lost: nothing is made twice, nothing that was made is forgotten."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, Stored
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox

TRUST = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}
        ],
    }
)
ALLOW = json.dumps(
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
)

CASES: dict[str, tuple[str, dict[str, Any], str, str]] = {
    "bucket": (
        "aws_s3_bucket",
        {"bucket": "b-one", "tags": {"a": "1"}, "versioning": [{"enabled": True}], "force_destroy": True},
        "list_buckets",
        "Buckets",
    ),
    "role": (
        "aws_iam_role",
        {
            "name": "r",
            "assume_role_policy": TRUST,
            "inline_policy": [{"name": "p", "policy": ALLOW}],
            "tags": {"a": "1"},
        },
        "list_roles",
        "Roles",
    ),
    "policy": ("aws_iam_policy", {"name": "p", "policy": ALLOW}, "list_policies", "Policies"),
    "profile": (
        "aws_iam_instance_profile",
        {"name": "p", "role": None},
        "list_instance_profiles",
        "InstanceProfiles",
    ),
    "identity provider": (
        "aws_iam_openid_connect_provider",
        {"url": "https://oidc.example.com", "client_id_list": ["x"], "thumbprint_list": ["a" * 40]},
        "list_open_id_connect_providers",
        "OpenIDConnectProviderList",
    ),
}


def there(rig: Rig, case: str) -> list[Any]:
    """What there is of a case's kind, seen with boto3."""
    kind, _, operation, items = CASES[case]
    scope = {"Scope": "Local"} if operation == "list_policies" else {}
    service = "s3" if kind.startswith("aws_s3") else "iam"
    found: list[Any] = getattr(rig.client(service), operation)(**scope)[items]
    return found


def settle(rig: Rig, kind: str, given: dict[str, Any]) -> Stored:
    """Apply until it works, as people do: what a failure left behind is replaced."""
    for _ in range(3):
        try:
            return rig.apply(kind, given)
        except ProviderError as failed:
            if failed.partial is not None:
                rig.destroy(kind, failed.partial)
    raise AssertionError("it never worked")


@pytest.mark.parametrize("case", CASES)
def test_after_a_failure_at_any_step_the_next_apply_completes_without_duplicates(
    rig: Rig, sandbox: Sandbox, case: str
) -> None:
    kind, given, _, _ = CASES[case]
    for step in range(12):
        faults.empty(sandbox)
        faults.inject(sandbox, skip=step, code="AccessDenied", status=403)
        fresh = Rig(sandbox.endpoint)
        stored = settle(fresh, kind, given)
        hits = faults.heal(sandbox)
        assert len(there(fresh, case)) == 1
        assert fresh.differences(kind, given, stored) == {}
        fresh.destroy(kind, stored)
        assert there(fresh, case) == []
        fresh.close()
        if not hits:
            return
    raise AssertionError("more steps than expected")


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("drop", [True, False], ids=["connection lost", "answer lost"])
def test_a_create_whose_answer_is_lost_is_found_again_and_not_made_twice(
    rig: Rig, sandbox: Sandbox, case: str, drop: bool
) -> None:
    kind, given, _, _ = CASES[case]
    creating = {
        "aws_s3_bucket": "CreateBucket",
        "aws_iam_role": "CreateRole",
        "aws_iam_policy": "CreatePolicy",
    }
    creating |= {"aws_iam_instance_profile": "CreateInstanceProfile"}
    operation = creating.get(kind, "CreateOpenIDConnectProvider")
    faults.inject(sandbox, operation=operation, when="after", drop=drop)
    stored = rig.apply(kind, given)
    assert len(there(rig, case)) == 1
    assert rig.differences(kind, given, stored) == {}
    assert faults.counts(sandbox)[f"{'s3' if kind.startswith('aws_s3') else 'iam'}.{operation}"] == 2
