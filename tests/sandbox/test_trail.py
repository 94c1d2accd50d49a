"""CloudTrail's record of the sandbox, by a client that is not ours."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.emulator

Client = Callable[..., Any]


def look(client: Client, **given: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client("cloudtrail").lookup_events(**given)["Events"]
    return found


def about(name: str) -> dict[str, Any]:
    return {"LookupAttributes": [{"AttributeKey": "ResourceName", "AttributeValue": name}]}


def test_changes_of_a_resource_are_told_the_newest_first(client: Client) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="trail")
    s3.create_bucket(Bucket="trail-other")
    s3.put_bucket_versioning(Bucket="trail", VersioningConfiguration={"Status": "Enabled"})
    s3.get_bucket_versioning(Bucket="trail")
    found = look(client, **about("trail"))
    assert [one["EventName"] for one in found] == ["PutBucketVersioning", "CreateBucket"]
    details = json.loads(found[0]["CloudTrailEvent"])
    assert details["userIdentity"]["arn"].startswith("arn:aws:")
    assert "Boto3" in details["userAgent"]
    assert abs(found[0]["EventTime"] - datetime.now(UTC)) < timedelta(minutes=5)


def test_who_acts_with_the_key_of_a_user_is_that_user(client: Client, sandbox: Any) -> None:
    import boto3

    iam = client("iam")
    iam.create_user(UserName="ana")
    key = iam.create_access_key(UserName="ana")["AccessKey"]
    ana = boto3.client(
        "s3",
        endpoint_url=sandbox.endpoint,
        region_name="us-east-1",
        aws_access_key_id=key["AccessKeyId"],
        aws_secret_access_key=key["SecretAccessKey"],
    )
    ana.create_bucket(Bucket="anas")
    (found,) = look(client, **about("anas"))
    assert found["Username"] == "ana"
    assert json.loads(found["CloudTrailEvent"])["userIdentity"]["arn"].endswith("user/ana")


def test_pages_hold_what_was_asked_for(client: Client) -> None:
    sqs = client("sqs")
    for number in range(5):
        sqs.create_queue(QueueName=f"trail-{number}")
    pages = list(
        client("cloudtrail").get_paginator("lookup_events").paginate(PaginationConfig={"PageSize": 2})
    )
    assert [len(page["Events"]) for page in pages] == [2, 2, 1]


def test_only_what_happened_since_is_told(client: Client) -> None:
    client("sqs").create_queue(QueueName="trail")
    later = datetime.now(UTC) + timedelta(minutes=1)
    assert look(client, StartTime=later) == []
    assert len(look(client, StartTime=later - timedelta(minutes=5))) == 1


def test_an_attribute_that_the_sandbox_does_not_know_is_refused(client: Client) -> None:
    with pytest.raises(ClientError, match="cannot look events up by ResourceType"):
        look(client, LookupAttributes=[{"AttributeKey": "ResourceType", "AttributeValue": "x"}])
