"""The settings of a bucket that are resources of their own, against the emulator."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError

BUCKET = "b-one"


def policy(action: str) -> str:
    """A policy for everybody."""
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "123456789012"},
        "Action": action,
        "Resource": f"arn:aws:s3:::{BUCKET}/*",
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def make_bucket(rig: Rig, kind: str) -> None:
    """The bucket a setting is for; only one with ACLs enabled can have an ACL."""
    client = rig.client("s3")
    if kind == "aws_s3_bucket_acl":
        client.create_bucket(Bucket=BUCKET, ObjectOwnership="ObjectWriter")
        client.delete_public_access_block(Bucket=BUCKET)
    else:
        client.create_bucket(Bucket=BUCKET)


CASES: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "aws_s3_bucket_versioning",
        {"versioning_configuration": [{"status": "Enabled"}]},
        {"versioning_configuration": [{"status": "Suspended"}]},
    ),
    (
        "aws_s3_bucket_server_side_encryption_configuration",
        {"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms", "kms_master_key_id": "k"}], "bucket_key_enabled": True}]},
        {"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256"}]}]},
    ),
    (
        "aws_s3_bucket_public_access_block",
        {"block_public_acls": True, "ignore_public_acls": True},
        {"block_public_policy": True, "restrict_public_buckets": True},
    ),
    ("aws_s3_bucket_policy", {"policy": policy("s3:GetObject")}, {"policy": policy("s3:PutObject")}),
    (
        "aws_s3_bucket_ownership_controls",
        {"rule": [{"object_ownership": "BucketOwnerPreferred"}]},
        {"rule": [{"object_ownership": "ObjectWriter"}]},
    ),
    (
        "aws_s3_bucket_lifecycle_configuration",
        {"rule": [{"id": "all", "status": "Enabled", "expiration": [{"days": 30}]}]},
        {
            "rule": [
                {
                    "id": "logs",
                    "status": "Disabled",
                    "filter": [{"and": [{"prefix": "logs/", "tags": {"a": "b", "c": "d"}}]}],
                    "transition": [{"days": 60, "storage_class": "GLACIER"}, {"days": 30, "storage_class": "STANDARD_IA"}],
                    "noncurrent_version_expiration": [{"noncurrent_days": 3}],
                    "abort_incomplete_multipart_upload": [{"days_after_initiation": 7}],
                },
                {"id": "tag", "status": "Enabled", "filter": [{"tag": [{"key": "k", "value": "v"}]}], "expiration": [{"date": "2030-01-01T00:00:00Z"}]},
                {"id": "empty", "status": "Enabled", "filter": [{}], "expiration": [{"expired_object_delete_marker": True}]},
                {"id": "prefix", "status": "Enabled", "filter": [{"prefix": "x/"}], "noncurrent_version_transition": [{"noncurrent_days": 3, "storage_class": "GLACIER"}]},
            ]
        },
    ),
    ("aws_s3_bucket_acl", {"acl": "public-read"}, {"acl": "private"}),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "given", "changed"), CASES, ids=[case[0] for case in CASES])
def test_a_setting_is_made_imported_changed_and_removed(
    rig: Rig, kind: str, given: dict[str, Any], changed: dict[str, Any]
) -> None:
    make_bucket(rig, kind)
    stored = rig.check(kind, {"bucket": BUCKET, **given})
    after = {"bucket": BUCKET, **changed}
    assert rig.differences(kind, after, stored) != {}
    updated = rig.apply(kind, after, stored)
    assert rig.drift(kind, updated) == {}
    assert rig.differences(kind, after, updated) == {}
    assert updated.attributes["bucket"] == BUCKET
    rig.destroy(kind, updated)
    rig.destroy(kind, updated)


@pytest.mark.parametrize(("kind", "given", "changed"), CASES, ids=[case[0] for case in CASES])
def test_a_setting_of_a_bucket_that_is_gone_is_gone(
    rig: Rig, kind: str, given: dict[str, Any], changed: dict[str, Any]
) -> None:
    make_bucket(rig, kind)
    client = rig.client("s3")
    stored = rig.apply(kind, {"bucket": BUCKET, **given})
    client.delete_bucket(Bucket=BUCKET)
    assert rig.read(kind, stored) is None
    rig.destroy(kind, stored)


def test_versioning_turned_off_by_hand_is_seen(rig: Rig) -> None:
    client = rig.client("s3")
    client.create_bucket(Bucket=BUCKET)
    kind, given, _ = CASES[0]
    stored = rig.apply(kind, {"bucket": BUCKET, **given})
    assert client.get_bucket_versioning(Bucket=BUCKET)["Status"] == "Enabled"
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Suspended"})
    before, after = rig.drift(kind, stored)["versioning_configuration"]
    assert (before[0]["status"], after[0]["status"]) == ("Enabled", "Suspended")


def test_a_policy_written_otherwise_is_no_difference(rig: Rig) -> None:
    rig.client("s3").create_bucket(Bucket=BUCKET)
    stored = rig.apply("aws_s3_bucket_policy", {"bucket": BUCKET, "policy": policy("s3:GetObject")})
    other = policy("s3:GetObject").replace('"123456789012"', '["arn:aws:iam::123456789012:root"]')
    assert rig.differences("aws_s3_bucket_policy", {"bucket": BUCKET, "policy": other}, stored) == {}


def test_an_acl_on_a_bucket_with_acls_disabled_names_the_mend(rig: Rig) -> None:
    rig.client("s3").create_bucket(Bucket=BUCKET)
    with pytest.raises(ProviderError) as caught:
        rig.apply("aws_s3_bucket_acl", {"bucket": BUCKET, "acl": "public-read"})
    assert "aws_s3_bucket_ownership_controls" in caught.value.diagnostics[0].mend
    stored = rig.apply("aws_s3_bucket_acl", {"bucket": BUCKET, "acl": "private"})
    assert rig.differences("aws_s3_bucket_acl", {"bucket": BUCKET, "acl": "private"}, stored) == {}
