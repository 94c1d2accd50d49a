import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

pytestmark = pytest.mark.emulator

EVERYBODY_READS = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": "s3:GetObject",
                "Resource": "arn:aws:s3:::bucket/*",
            }
        ],
    }
)
ONLY_ENCRYPTED = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": ["arn:aws:s3:::bucket", "arn:aws:s3:::bucket/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
)


@pytest.fixture
def s3(client: Callable[..., Any]) -> Any:
    return client("s3")


@pytest.fixture
def bucket(s3: Any) -> Any:
    """A client with a bucket named `bucket`."""
    s3.create_bucket(Bucket="bucket")
    return s3


def refused(call: Callable[..., Any], **arguments: Any) -> tuple[str, int]:
    """Code and status with which a call is refused."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    answer = caught.value.response
    return answer["Error"]["Code"], answer["ResponseMetadata"]["HTTPStatusCode"]


def allow_lists(s3: Any) -> None:
    s3.put_bucket_ownership_controls(
        Bucket="bucket", OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerPreferred"}]}
    )


def test_a_new_bucket_is_encrypted(bucket: Any) -> None:
    [rule] = bucket.get_bucket_encryption(Bucket="bucket")["ServerSideEncryptionConfiguration"]["Rules"]
    assert rule["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}


def test_encryption_that_is_taken_away_falls_back_to_the_default(bucket: Any) -> None:
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}
    bucket.put_bucket_encryption(Bucket="bucket", ServerSideEncryptionConfiguration={"Rules": [rule]})
    bucket.delete_bucket_encryption(Bucket="bucket")
    test_a_new_bucket_is_encrypted(bucket)


def test_a_new_bucket_is_closed_to_the_public(bucket: Any) -> None:
    block = bucket.get_public_access_block(Bucket="bucket")["PublicAccessBlockConfiguration"]
    assert set(block.values()) == {True}
    assert refused(bucket.put_bucket_policy, Bucket="bucket", Policy=EVERYBODY_READS) == ("AccessDenied", 403)


def test_a_bucket_that_was_opened_takes_a_public_policy(bucket: Any) -> None:
    bucket.delete_public_access_block(Bucket="bucket")
    bucket.put_bucket_policy(Bucket="bucket", Policy=EVERYBODY_READS)


def test_a_new_bucket_has_no_access_control_lists(bucket: Any) -> None:
    controls = bucket.get_bucket_ownership_controls(Bucket="bucket")["OwnershipControls"]
    assert controls == {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    for acl in ("private", "public-read"):
        found = refused(bucket.put_bucket_acl, Bucket="bucket", ACL=acl)
        assert found == ("AccessControlListNotSupported", 400)


def test_a_bucket_may_be_made_private_and_no_other_way(s3: Any) -> None:
    s3.create_bucket(Bucket="private", ACL="private")
    code, _ = refused(s3.create_bucket, Bucket="public", ACL="public-read")
    assert code == "InvalidBucketAclWithObjectOwnership"
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["private"]


def test_a_list_works_where_lists_and_the_public_are_allowed(bucket: Any) -> None:
    allow_lists(bucket)
    bucket.put_bucket_acl(Bucket="bucket", ACL="private")
    assert refused(bucket.put_bucket_acl, Bucket="bucket", ACL="public-read") == ("AccessDenied", 403)
    bucket.delete_public_access_block(Bucket="bucket")
    bucket.put_bucket_acl(Bucket="bucket", ACL="public-read")
    assert len(bucket.get_bucket_acl(Bucket="bucket")["Grants"]) == 2


def test_a_bucket_with_a_public_list_cannot_go_back_to_none(bucket: Any) -> None:
    allow_lists(bucket)
    bucket.delete_public_access_block(Bucket="bucket")
    bucket.put_bucket_acl(Bucket="bucket", ACL="public-read")
    code, _ = refused(
        bucket.put_bucket_ownership_controls,
        Bucket="bucket",
        OwnershipControls={"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
    )
    assert code == "InvalidBucketAclWithObjectOwnership"


def test_an_object_takes_no_list_where_there_are_none(bucket: Any) -> None:
    bucket.put_object(Bucket="bucket", Key="key", Body=b"", ACL="bucket-owner-full-control")
    found = refused(bucket.put_object, Bucket="bucket", Key="key", Body=b"", ACL="public-read")
    assert found == ("AccessControlListNotSupported", 400)
    found = refused(bucket.put_object_acl, Bucket="bucket", Key="key", ACL="public-read")
    assert found == ("AccessControlListNotSupported", 400)


def test_a_condition_that_does_not_hold_denies_nothing(bucket: Any) -> None:
    bucket.put_bucket_policy(Bucket="bucket", Policy=ONLY_ENCRYPTED)
    bucket.put_object(Bucket="bucket", Key="key", Body=b"content")
    assert bucket.get_object(Bucket="bucket", Key="key")["Body"].read() == b"content"
    assert json.loads(bucket.get_bucket_policy(Bucket="bucket")["Policy"]) == json.loads(ONLY_ENCRYPTED)


def test_lifecycle_rules_come_back_as_they_were_put(bucket: Any) -> None:
    rules = [
        {
            "ID": "sized",
            "Status": "Enabled",
            "Filter": {
                "And": {
                    "Prefix": "a/",
                    "Tags": [{"Key": "k", "Value": "v"}],
                    "ObjectSizeGreaterThan": 10,
                    "ObjectSizeLessThan": 2000,
                }
            },
            "NoncurrentVersionExpiration": {"NoncurrentDays": 3, "NewerNoncurrentVersions": 2},
            "Transitions": [{"Days": 30, "StorageClass": "STANDARD_IA"}],
            "NoncurrentVersionTransitions": [
                {"NoncurrentDays": 1, "StorageClass": "GLACIER", "NewerNoncurrentVersions": 4},
                {"NoncurrentDays": 9, "StorageClass": "DEEP_ARCHIVE"},
            ],
        },
        {
            "ID": "large",
            "Status": "Disabled",
            "Filter": {"ObjectSizeGreaterThan": 500},
            "Expiration": {"Days": 5},
            "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 2},
        },
        {"ID": "tagged", "Status": "Enabled", "Filter": {"Tag": {"Key": "k", "Value": "v"}}, "Expiration": {"Days": 1}},
        {"ID": "all", "Status": "Enabled", "Filter": {"Prefix": ""}, "Expiration": {"ExpiredObjectDeleteMarker": True}},
    ]  # fmt: skip
    bucket.put_bucket_lifecycle_configuration(
        Bucket="bucket",
        LifecycleConfiguration={"Rules": rules},
        TransitionDefaultMinimumObjectSize="varies_by_storage_class",
    )
    found = bucket.get_bucket_lifecycle_configuration(Bucket="bucket")
    assert found["Rules"] == rules
    assert found["TransitionDefaultMinimumObjectSize"] == "varies_by_storage_class"
    bucket.delete_bucket_lifecycle(Bucket="bucket")
    assert refused(bucket.get_bucket_lifecycle_configuration, Bucket="bucket") == (
        "NoSuchLifecycleConfiguration",
        404,
    )
