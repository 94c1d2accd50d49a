"""Log groups: what the sandbox adds to the emulator, seen with boto3."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.emulator

Client = Callable[..., Any]


def listed(client: Client, **narrowed: Any) -> dict[str, dict[str, Any]]:
    """Log groups by name."""
    return {one["logGroupName"]: one for one in client("logs").describe_log_groups(**narrowed)["logGroups"]}


def test_groups_are_found_by_name_and_by_arn(client: Client) -> None:
    for name in ("a", "ab", "b"):
        client("logs").create_log_group(logGroupName=name)
    arn = listed(client)["b"]["arn"]
    assert list(listed(client, logGroupIdentifiers=["a", arn, "gone"])) == ["a", "b"]


def test_the_class_of_a_group_is_kept(client: Client) -> None:
    client("logs").create_log_group(logGroupName="a")
    client("logs").create_log_group(logGroupName="b", logGroupClass="DELIVERY")
    found = listed(client)
    assert [one["logGroupClass"] for one in found.values()] == ["STANDARD", "DELIVERY"]
    assert found["b"]["retentionInDays"] == 2


def test_a_protected_group_cannot_be_deleted_until_it_is_no_longer(client: Client) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="a", deletionProtectionEnabled=True)
    with pytest.raises(ClientError, match="protected"):
        logs.delete_log_group(logGroupName="a")
    logs.put_log_group_deletion_protection(logGroupIdentifier="a", deletionProtectionEnabled=False)
    logs.delete_log_group(logGroupName="a")
    with pytest.raises(ClientError, match="ResourceNotFound"):
        logs.put_log_group_deletion_protection(logGroupIdentifier="a", deletionProtectionEnabled=False)


def test_a_key_is_given_and_taken(client: Client) -> None:
    logs, key = client("logs"), "arn:aws:kms:us-east-1:123456789012:key/1"
    logs.create_log_group(logGroupName="a")
    logs.associate_kms_key(logGroupName="a", kmsKeyId=key)
    assert listed(client)["a"]["kmsKeyId"] == key
    logs.disassociate_kms_key(logGroupName="a")
    assert "kmsKeyId" not in listed(client)["a"]


def test_tags_go_with_their_group(client: Client) -> None:
    logs = client("logs")
    logs.create_log_group(logGroupName="a", tags={"k": "v"})
    arn = listed(client)["a"]["logGroupArn"]
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {"k": "v"}
    logs.delete_log_group(logGroupName="a")
    logs.create_log_group(logGroupName="a")
    assert logs.list_tags_for_resource(resourceArn=arn)["tags"] == {}
