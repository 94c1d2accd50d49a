"""aws_s3_object against the emulator."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.providers.aws.rig import Rig

from twinfra.providers.protocol import ProviderError

KIND = "aws_s3_object"
BUCKET = "b-one"
KEPT = (
    "content",
    "source",
    "content_base64",
    "acl",
    "force_destroy",
    "etag",
    "checksum_algorithm",
    "override_provider",
)


@pytest.fixture
def bucket(rig: Rig) -> Rig:
    rig.client("s3").create_bucket(Bucket=BUCKET)
    return rig


def test_an_object_from_text_is_made_with_all_that_is_declared(bucket: Rig) -> None:
    stored = bucket.check(
        KIND,
        {
            "bucket": BUCKET, "key": "a/b.txt", "content": "hello", "content_type": "text/plain", "cache_control": "no-cache",
            "metadata": {"who": "me"}, "storage_class": "STANDARD_IA", "tags": {"a": "1"},
        },
        import_id=f"{BUCKET}/a/b.txt",
        kept=KEPT,
    )  # fmt: skip
    assert stored.attributes["etag"] == hashlib.md5(b"hello").hexdigest()
    assert stored.attributes["arn"] == "arn:aws:s3:::b-one/a/b.txt"
    found = bucket.client("s3").get_object(Bucket=BUCKET, Key="a/b.txt")
    assert found["Body"].read() == b"hello"
    assert (found["ContentType"], found["Metadata"]) == ("text/plain", {"who": "me"})


def test_changed_content_is_uploaded_and_tags_change_without(bucket: Rig) -> None:
    given = {"bucket": BUCKET, "key": "k", "content": "one", "tags": {"a": "1"}}
    stored = bucket.apply(KIND, given)
    given["content"] = "two"
    assert bucket.differences(KIND, given, stored)["etag"][1] == "(unknown)"
    stored = bucket.apply(KIND, given, stored)
    assert stored.attributes["etag"] == hashlib.md5(b"two").hexdigest()
    given["tags"] = {"b": "2"}
    stored = bucket.apply(KIND, given, stored)
    assert bucket.differences(KIND, given, stored) == {}
    tags = bucket.client("s3").get_object_tagging(Bucket=BUCKET, Key="k")["TagSet"]
    assert tags == [{"Key": "b", "Value": "2"}]


def test_content_changed_by_hand_is_seen_and_put_back(bucket: Rig) -> None:
    given = {"bucket": BUCKET, "key": "k", "content": "ours"}
    stored = bucket.apply(KIND, given)
    client = bucket.client("s3")
    client.put_object(Bucket=BUCKET, Key="k", Body=b"theirs")
    assert bucket.drift(KIND, stored)["content"] == ("ours", "theirs")
    fresh = bucket.read(KIND, stored)
    assert fresh is not None
    bucket.apply(KIND, given, fresh)
    assert client.get_object(Bucket=BUCKET, Key="k")["Body"].read() == b"ours"


def test_a_file_is_uploaded_and_its_type_guessed(bucket: Rig, tmp_path: Path) -> None:
    file = tmp_path / "x.json"
    file.write_bytes(b"{}")
    given = {"bucket": BUCKET, "key": "x.json", "source": str(file), "etag": hashlib.md5(b"{}").hexdigest()}
    stored = bucket.check(KIND, given, import_id=f"s3://{BUCKET}/x.json", kept=KEPT)
    assert stored.attributes["content_type"] == "application/json"
    file.write_bytes(b"[]")
    given["etag"] = hashlib.md5(b"[]").hexdigest()
    assert bucket.differences(KIND, given, stored).keys() >= {"etag"}
    bucket.apply(KIND, given, stored)
    assert bucket.client("s3").get_object(Bucket=BUCKET, Key="x.json")["Body"].read() == b"[]"


def test_a_file_that_is_not_there_is_an_error(bucket: Rig) -> None:
    with pytest.raises(ProviderError, match="cannot be read"):
        bucket.apply(KIND, {"bucket": BUCKET, "key": "x", "source": "/nowhere/at/all"})


def test_content_in_base_64_is_decoded(bucket: Rig) -> None:
    bucket.apply(KIND, {"bucket": BUCKET, "key": "x", "content_base64": "AAEC"})
    assert bucket.client("s3").get_object(Bucket=BUCKET, Key="x")["Body"].read() == b"\x00\x01\x02"


def test_all_versions_go_with_it(bucket: Rig) -> None:
    client = bucket.client("s3")
    client.put_bucket_versioning(Bucket=BUCKET, VersioningConfiguration={"Status": "Enabled"})
    given = {"bucket": BUCKET, "key": "k", "content": "one"}
    stored = bucket.apply(KIND, given)
    assert stored.attributes["version_id"]
    stored = bucket.apply(KIND, {**given, "content": "two"}, stored)
    client.put_object(Bucket=BUCKET, Key="k2", Body=b"")
    bucket.destroy(KIND, stored)
    assert bucket.read(KIND, stored) is None
    assert [one["Key"] for one in client.list_object_versions(Bucket=BUCKET)["Versions"]] == ["k2"]


def test_an_empty_object_plans_no_change(bucket: Rig) -> None:
    bucket.check(KIND, {"bucket": BUCKET, "key": "empty"}, import_id=f"{BUCKET}/empty", kept=KEPT)


def test_the_provider_s_default_tags_can_be_overridden(rig_with: Callable[..., Rig]) -> None:
    rig = rig_with(default_tags=[{"tags": {"env": "staging"}}])
    rig.client("s3").create_bucket(Bucket=BUCKET)
    given = {"bucket": BUCKET, "key": "k", "override_provider": [{"default_tags": [{"tags": {}}]}]}
    stored = rig.apply(KIND, given)
    assert stored.attributes["tags_all"] == {}
    assert rig.client("s3").get_object_tagging(Bucket=BUCKET, Key="k")["TagSet"] == []
    assert rig.differences(KIND, given, stored) == {}


@pytest.mark.parametrize("text", ["x", "é", "aGVsbG8", "a=b="])
def test_content_that_is_no_base_64_is_an_error_before_any_call(rig: Rig, text: str) -> None:
    [said] = rig.problems(KIND, {"bucket": BUCKET, "key": "k", "content_base64": text})
    assert "not valid base 64" in said
