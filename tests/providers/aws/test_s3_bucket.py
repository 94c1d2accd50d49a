"""aws_s3_bucket against the emulator."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError, new_token

KIND = "aws_s3_bucket"


def test_creates_exactly_what_is_declared_and_imports_back(rig: Rig) -> None:
    stored = rig.check(KIND, {"bucket": "ml-data", "tags": {"team": "ml"}})
    assert stored.attributes["arn"] == "arn:aws:s3:::ml-data"
    assert stored.attributes["bucket_regional_domain_name"] == "ml-data.s3.us-east-1.amazonaws.com"
    assert stored.attributes["hosted_zone_id"] == "Z3AQBSTGFYJSTF"
    assert stored.attributes["region"] == "us-east-1"
    tags = rig.client("s3").get_bucket_tagging(Bucket="ml-data")["TagSet"]
    assert tags == [{"Key": "team", "Value": "ml"}]


def test_a_bucket_in_another_region_is_made_there(rig: Rig) -> None:
    stored = rig.check(
        KIND,
        {"bucket": "ml-data", "region": "eu-west-1"},
        import_id="ml-data@eu-west-1",
        kept=("force_destroy",),
    )
    assert stored.attributes["bucket_region"] == "eu-west-1"
    assert rig.client("s3").get_bucket_location(Bucket="ml-data")["LocationConstraint"] == "eu-west-1"
    assert rig.plan(KIND, {"bucket": "ml-data"}, stored).replace


@pytest.mark.parametrize(
    ("name", "value", "changed"),
    [
        ("versioning", [{"enabled": True}], [{"enabled": False}]),
        ("acceleration_status", "Enabled", "Suspended"),
        (
            "cors_rule",
            [{"allowed_methods": ["GET"], "allowed_origins": ["*"], "max_age_seconds": 3000}],
            [{"allowed_methods": ["GET", "PUT"], "allowed_origins": ["*"]}],
        ),
        (
            "website",
            [{"index_document": "index.html", "error_document": "error.html"}],
            [{"redirect_all_requests_to": "https://example.com"}],
        ),
        (
            "server_side_encryption_configuration",
            [{"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms", "kms_master_key_id": "k"}]}]}],
            [{"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "AES256"}]}]}],
        ),
        (
            "lifecycle_rule",
            [{"id": "a", "enabled": True, "prefix": "logs/", "expiration": [{"days": 30}]}],
            [
                {
                    "id": "a",
                    "enabled": False,
                    "tags": {"x": "y"},
                    "transition": [{"days": 30, "storage_class": "GLACIER"}, {"days": 60, "storage_class": "DEEP_ARCHIVE"}],
                    "noncurrent_version_expiration": [{"days": 7}],
                    "abort_incomplete_multipart_upload_days": 3,
                }
            ],
        ),
        ("policy", POLICY := '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:root"},"Action":"s3:GetObject","Resource":"arn:aws:s3:::b-one/*"}]}', POLICY.replace("GetObject", "PutObject")),
    ],
)  # fmt: skip
def test_a_setting_written_in_the_bucket_is_made_changed_and_seen(
    rig: Rig, name: str, value: object, changed: object
) -> None:
    stored = rig.check(KIND, {"bucket": "b-one", name: value})
    given = {"bucket": "b-one", name: changed}
    assert rig.differences(KIND, given, stored).keys() >= {name}
    stored = rig.apply(KIND, given, stored)
    assert rig.differences(KIND, given, stored) == {}
    assert rig.drift(KIND, stored) == {}


def test_drift_of_a_declared_setting_is_seen(rig: Rig) -> None:
    given = {"bucket": "b-one", "versioning": [{"enabled": True}]}
    stored = rig.apply(KIND, given)
    rig.client("s3").put_bucket_versioning(Bucket="b-one", VersioningConfiguration={"Status": "Suspended"})
    assert "versioning" in rig.drift(KIND, stored)
    assert "versioning" in rig.differences(KIND, given, stored)


def test_a_private_acl_holds_already_and_another_names_the_mend_where_acls_are_disabled(rig: Rig) -> None:
    stored = rig.check(KIND, {"bucket": "b-one", "acl": "private"}, kept=("acl",))
    assert stored.attributes["acl"] == "private"
    with pytest.raises(ProviderError) as caught:
        rig.apply(KIND, {"bucket": "b-two", "acl": "public-read"})
    assert "aws_s3_bucket_ownership_controls" in caught.value.diagnostics[0].mend
    assert caught.value.partial is not None
    assert caught.value.partial.attributes["id"] == "b-two"


def test_deleting_a_bucket_with_objects_needs_force_destroy(rig: Rig) -> None:
    client = rig.client("s3")
    stored = rig.apply(KIND, {"bucket": "b-one", "versioning": [{"enabled": True}]})
    for number in range(3):
        client.put_object(Bucket="b-one", Key="k", Body=str(number))
    client.delete_object(Bucket="b-one", Key="k")
    with pytest.raises(ProviderError, match="not empty"):
        rig.destroy(KIND, stored)
    given = {"bucket": "b-one", "versioning": [{"enabled": True}], "force_destroy": True}
    stored = rig.apply(KIND, given, stored)
    rig.destroy(KIND, stored)
    assert rig.read(KIND, stored) is None
    assert client.list_buckets()["Buckets"] == []


def test_deleting_what_is_gone_already_is_done(rig: Rig) -> None:
    stored = rig.apply(KIND, {"bucket": "b-one"})
    rig.client("s3").delete_bucket(Bucket="b-one")
    assert rig.read(KIND, stored) is None
    rig.destroy(KIND, stored)


def test_a_bucket_that_is_there_already_is_not_taken_over(rig: Rig) -> None:
    rig.client("s3").create_bucket(Bucket="b-one")
    with pytest.raises(ProviderError, match="BucketAlreadyOwnedByYou"):
        rig.apply(KIND, {"bucket": "b-one"})


def test_an_interrupted_create_is_found_again(rig: Rig) -> None:
    token = new_token()
    assert rig.recover(KIND, {"bucket": "b-one"}, token) is None
    rig.client("s3").create_bucket(Bucket="b-one")
    found = rig.recover(KIND, {"bucket": "b-one"}, token)
    assert found is not None
    assert found.attributes["id"] == "b-one"
    assert rig.recover(KIND, {"bucket": "b-one"}, "twinfra-ffffffff-0") is None


def test_a_name_is_made_from_a_prefix(rig: Rig) -> None:
    stored = rig.check(KIND, {"bucket_prefix": "ml-"}, kept=("bucket_prefix",))
    assert stored.attributes["bucket"].startswith("ml-")


@pytest.mark.parametrize("name", ["Upper", "a..b", "10.0.0.1", "ab_c", "a"])
def test_a_name_that_s3_refuses_is_an_error_before_any_call(rig: Rig, name: str) -> None:
    assert rig.problems(KIND, {"bucket": name}) != [] or name == "a"


def test_tags_change_and_default_tags_join_them(rig_with: Callable[..., Rig]) -> None:
    rig = rig_with(default_tags=[{"tags": {"env": "staging", "team": "ml"}}])
    given = {"bucket": "b-one", "tags": {"team": "vision"}}
    stored = rig.check(KIND, given)
    assert stored.attributes["tags"] == {"team": "vision"}
    assert stored.attributes["tags_all"] == {"env": "staging", "team": "vision"}
    stored = rig.apply(KIND, {"bucket": "b-one"}, stored)
    assert rig.client("s3").get_bucket_tagging(Bucket="b-one")["TagSet"] == [
        {"Key": "env", "Value": "staging"},
        {"Key": "team", "Value": "ml"},
    ]
    assert rig.differences(KIND, {"bucket": "b-one"}, stored) == {}


def test_ignored_tags_are_neither_seen_nor_removed(rig_with: Callable[..., Rig]) -> None:
    rig = rig_with(ignore_tags=[{"keys": ["by"], "key_prefixes": ["kubernetes.io/"]}])
    stored = rig.apply(KIND, {"bucket": "b-one", "tags": {"a": "1"}})
    client = rig.client("s3")
    theirs = [{"Key": "by", "Value": "hand"}, {"Key": "kubernetes.io/x", "Value": "y"}]
    client.put_bucket_tagging(Bucket="b-one", Tagging={"TagSet": [{"Key": "a", "Value": "1"}, *theirs]})
    assert rig.drift(KIND, stored) == {}
    rig.apply(KIND, {"bucket": "b-one", "tags": {"a": "2"}}, stored)
    left = client.get_bucket_tagging(Bucket="b-one")["TagSet"]
    assert sorted(left, key=lambda one: one["Key"]) == [{"Key": "a", "Value": "2"}, *theirs]
