"""What only the `s3` backend has: requests, DynamoDB, encryption, versions, and settings."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from tests.state.backends.conftest import BUCKET, Rig
from tests.state.backends.faults import HttpProxy

from twinfra.diagnostics import DiagnosticError
from twinfra.sandbox import faults
from twinfra.sandbox.server import Sandbox
from twinfra.state.backends import _s3_settings, registry, s3
from twinfra.state.backends.protocol import NOTHING, Conflict, Locked, Place
from twinfra.state.locks import new_lock
from twinfra.values.types import DYNAMIC, STRING
from twinfra.values.value import Null

Client = Callable[..., Any]
emulated = pytest.mark.emulator
KEY = base64.b64encode(bytes(range(32))).decode()


@pytest.fixture
def rig(make_rig: Callable[[str], Rig]) -> Rig:
    return make_rig("s3")


@pytest.fixture
def dynamodb(make_rig: Callable[[str], Rig]) -> Rig:
    return make_rig("s3-dynamodb")


def http(rig: Rig) -> HttpProxy:
    assert isinstance(rig.proxy, HttpProxy)
    return rig.proxy


def summary(caught: pytest.ExceptionInfo[DiagnosticError]) -> str:
    return caught.value.diagnostics[0].summary


def whole(caught: pytest.ExceptionInfo[DiagnosticError]) -> str:
    one = caught.value.diagnostics[0]
    return f"{one.summary} {one.detail} {one.mend}"


# -- requests


@emulated
def test_one_update_costs_one_conditional_write_and_the_two_of_the_lock(rig: Rig) -> None:
    backend = rig.open()
    version = backend.write("default", (b"1",), NOTHING)
    del rig.proxy.seen[:], http(rig).sent[:]
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.write("default", (b"2",), version)
    backend.unlock("default", lock.id)
    requests = [re.sub(r"\?.*| $", "", one).removeprefix(f"/{BUCKET}") for one in rig.proxy.seen]
    key = rig.settings["key"]
    assert requests == [
        f"PUT /{BUCKET}/{key}.tflock",
        f"PUT /{BUCKET}/{key}",
        f"DELETE /{BUCKET}/{key}.tflock",
    ]
    locking, writing, unlocking = http(rig).sent
    assert locking["if-none-match"] == "*"
    assert writing["if-match"] == version
    assert unlocking["if-match"].strip('"')


@emulated
def test_the_lock_file_says_what_stock_terraform_would(rig: Rig, client: Client) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    found = json.loads(
        client("s3").get_object(Bucket=BUCKET, Key=f"{rig.settings['key']}.tflock")["Body"].read()
    )
    assert list(found) == ["ID", "Operation", "Info", "Who", "Version", "Created", "Path"]
    assert found["Path"] == f"{BUCKET}/{rig.settings['key']}"
    assert found["Operation"] == "OperationTypeApply"
    backend.unlock("default", lock.id)


@emulated
def test_without_any_lock_setting_nothing_is_locked(rig: Rig) -> None:
    backend = rig.open(use_lockfile=None)
    lock = new_lock("apply")
    backend.lock("default", lock)
    rig.open(use_lockfile=None).lock("default", new_lock("plan"))
    assert backend.holder("default") is None
    backend.unlock("default", lock.id)


@emulated
def test_a_lock_file_that_was_replaced_is_not_removed(rig: Rig, client: Client) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    theirs = new_lock("plan")
    client("s3").put_object(Bucket=BUCKET, Key=f"{rig.settings['key']}.tflock", Body=theirs.to_json())
    with pytest.raises(Locked) as caught:
        backend.unlock("default", lock.id)
    assert caught.value.holder is not None
    assert caught.value.holder.id == theirs.id


@emulated
def test_a_service_without_conditions_is_asked_before_it_is_written_to(rig: Rig) -> None:
    http(rig).knows_conditions = False
    backend, other = rig.open(), rig.open()
    first = backend.write("default", (b"1",), NOTHING)
    other.write("default", (b"2",), first)
    with pytest.raises(Conflict):
        backend.write("default", (b"3",), first)
    with pytest.raises(DiagnosticError) as caught:
        rig.open().lock("default", new_lock("apply"))
    assert "conditional writes" in whole(caught)
    assert rig.open().holder("default") is None


@emulated
def test_a_service_without_conditional_deletes_is_asked_before_a_lock_is_removed(rig: Rig) -> None:
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    http(rig).knows_conditions = False
    backend.unlock("default", lock.id)
    assert rig.open().holder("default") is None


@emulated
def test_a_versioned_bucket_keeps_every_state(rig: Rig, client: Client) -> None:
    bucket = f"versioned-{rig.settings['key'][:20]}"
    client("s3").create_bucket(Bucket=bucket)
    client("s3").put_bucket_versioning(Bucket=bucket, VersioningConfiguration={"Status": "Enabled"})
    backend = rig.open(bucket=bucket)
    for round in (b"1", b"2", b"3"):
        lock = new_lock("apply")
        backend.lock("default", lock)
        now = backend.read("default")
        backend.write("default", (round,), NOTHING if now is None else now.version)
        backend.unlock("default", lock.id)
    found = client("s3").list_object_versions(Bucket=bucket, Prefix=rig.settings["key"])
    assert len([one for one in found["Versions"] if one["Key"] == rig.settings["key"]]) == 3
    assert backend.holder("default") is None


@emulated
def test_a_write_that_meets_another_one_is_asked_for_once_more(rig: Rig, sandbox: Sandbox) -> None:
    faults.inject(sandbox, "s3", "PutObject", code="ConditionalRequestConflict", status=409, times=2)
    backend = rig.open()
    version = backend.write("default", (b"1",), NOTHING)
    found = backend.read("default")
    assert found is not None
    assert (found.data, found.version) == (b"1", version)


@emulated
def test_who_may_not_list_is_told_what_that_means(rig: Rig, sandbox: Sandbox) -> None:
    faults.inject(sandbox, "s3", "GetObject", code="AccessDenied", status=403)
    with pytest.raises(DiagnosticError) as caught:
        rig.open().read("default")
    assert "s3:ListBucket" in caught.value.diagnostics[0].mend


@emulated
def test_a_lock_file_that_cannot_be_read_can_be_released(rig: Rig, client: Client) -> None:
    client("s3").put_object(Bucket=BUCKET, Key=f"{rig.settings['key']}.tflock", Body=b"what?")
    backend = rig.open()
    with pytest.raises(Locked) as caught:
        backend.lock("default", new_lock("apply"))
    assert caught.value.holder is not None
    backend.unlock("default", caught.value.holder.id)
    backend.lock("default", new_lock("apply"))


# -- DynamoDB


def items(client: Client, rig: Rig) -> dict[str, dict[str, Any]]:
    """The items of the table that are about the rig's state, by what follows its path."""
    path = f"{BUCKET}/{rig.settings['key']}"
    found = client("dynamodb").scan(TableName="locks")["Items"]
    return {
        one["LockID"]["S"].removeprefix(path): {name: value["S"] for name, value in one.items()}
        for one in found
        if one["LockID"]["S"].startswith(path)
    }


@emulated
def test_lock_and_digest_are_the_items_of_stock_terraform(dynamodb: Rig, client: Client) -> None:
    backend = dynamodb.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.write("default", (b"state",), NOTHING)
    found = items(client, dynamodb)
    path = f"{BUCKET}/{dynamodb.settings['key']}"
    assert set(found) == {"", "-md5"}
    assert set(found[""]) == {"LockID", "Info"}
    assert json.loads(found[""]["Info"])["Path"] == path
    assert found["-md5"] == {"LockID": f"{path}-md5", "Digest": "9ed39e2ea931586b6a985a6942ef573e"}
    backend.unlock("default", lock.id)
    assert set(items(client, dynamodb)) == {"-md5"}


@emulated
def test_lock_file_and_table_are_taken_both_or_none(make_rig: Callable[[str], Rig], client: Client) -> None:
    rig = make_rig("s3-dynamodb")
    table_only, both = rig.open(), rig.open(use_lockfile=True)
    lock = new_lock("apply")
    table_only.lock("default", lock)
    with pytest.raises(Locked):
        both.lock("default", new_lock("plan"))
    assert rig.open(use_lockfile=True, dynamodb_table=None).holder("default") is None
    table_only.unlock("default", lock.id)
    second = new_lock("apply")
    both.lock("default", second)
    for one in (table_only, rig.open(use_lockfile=True, dynamodb_table=None)):
        with pytest.raises(Locked):
            one.lock("default", new_lock("plan"))
    both.unlock("default", second.id)
    assert both.holder("default") is None


@emulated
def test_a_state_that_does_not_fit_its_digest_is_read_again_then_refused(
    dynamodb: Rig, client: Client
) -> None:
    dynamodb.open().write("default", (b"old",), NOTHING)
    path = f"{BUCKET}/{dynamodb.settings['key']}"
    item = {"LockID": {"S": f"{path}-md5"}, "Digest": {"S": "0" * 32}}
    client("dynamodb").put_item(TableName="locks", Item=item)
    pauses: list[float] = []
    backend = patient(dynamodb, pauses.append)
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    assert sum(pauses) == 10
    assert f"{path}-md5" in whole(caught)
    assert "149603e6c03516362a8da23f624db945" in whole(caught)


@emulated
def test_a_state_that_comes_late_is_waited_for(dynamodb: Rig, client: Client) -> None:
    writer = dynamodb.open()
    first = writer.write("default", (b"old",), NOTHING)
    new = "22af645d1859cb5ca6da0c484f1f37ea"
    path = f"{BUCKET}/{dynamodb.settings['key']}"
    item = {"LockID": {"S": f"{path}-md5"}, "Digest": {"S": new}}
    client("dynamodb").put_item(TableName="locks", Item=item)
    backend = patient(
        dynamodb, lambda _: client("s3").put_object(Bucket=BUCKET, Key=dynamodb.settings["key"], Body=b"new")
    )
    found = backend.read("default")
    assert found is not None
    assert found.data == b"new"
    assert found.version != first


def patient(rig: Rig, pause: Callable[[float], Any]) -> s3.S3Backend:
    """A backend that waits by `pause`."""
    from twinfra.providers.aws.session import Session

    session = Session(_s3_settings.access_of(rig.settings))
    return s3.S3Backend(session, _s3_settings.objects_of(rig.settings), rig.place, pause)


@emulated
def test_deleting_a_workspace_deletes_its_digest(dynamodb: Rig, client: Client) -> None:
    backend = dynamodb.open()
    backend.write("dev", (b"state",), NOTHING)
    backend.delete("dev")
    ids = [one["LockID"]["S"] for one in client("dynamodb").scan(TableName="locks")["Items"]]
    assert f"{BUCKET}/env:/dev/{dynamodb.settings['key']}-md5" not in ids
    assert backend.read("dev") is None


# -- encryption


@emulated
@pytest.mark.parametrize(
    ("settings", "algorithm"),
    [
        ({"encrypt": True}, "AES256"),
        ({"encrypt": True, "kms_key_id": "arn:aws:kms:us-east-1:123456789012:key/a"}, "aws:kms"),
    ],
)
def test_state_and_lock_are_encrypted(rig: Rig, settings: dict[str, Any], algorithm: str) -> None:
    backend = rig.open(**settings)
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.write("default", (b"1",), NOTHING)
    backend.unlock("default", lock.id)
    written = [one for one in http(rig).sent if "content-type" in one and "if-none-match" in one]
    assert [one["x-amz-server-side-encryption"] for one in written] == [algorithm, algorithm]
    kms = [one.get("x-amz-server-side-encryption-aws-kms-key-id") for one in written]
    assert kms == [settings.get("kms_key_id")] * 2


@emulated
@pytest.mark.parametrize("by", ["setting", "environment"])
def test_a_key_of_ones_own_encrypts_what_is_written_and_read(
    rig: Rig, by: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if by == "environment":
        monkeypatch.setenv("AWS_SSE_CUSTOMER_KEY", KEY)
    backend = rig.open(encrypt=True, sse_customer_key=KEY if by == "setting" else None)
    backend.write("default", (b"1",), NOTHING)
    found = backend.read("default")
    assert found is not None
    assert found.data == b"1"
    objects = [one for one in http(rig).sent if one.get("x-amz-server-side-encryption-customer-key")]
    assert [one["x-amz-server-side-encryption-customer-key"] for one in objects] == [KEY, KEY]


@emulated
def test_an_acl_is_given_to_state_and_lock(rig: Rig) -> None:
    backend = rig.open(acl="bucket-owner-full-control")
    backend.lock("default", new_lock("apply"))
    backend.write("default", (b"1",), NOTHING)
    found = [one["x-amz-acl"] for one in http(rig).sent if "x-amz-acl" in one]
    assert found == ["bucket-owner-full-control"] * 2


@emulated
@pytest.mark.parametrize("skip", [False, True])
def test_checksums_are_sent_unless_they_are_skipped(rig: Rig, skip: bool) -> None:
    rig.open(skip_s3_checksum=skip).write("default", (b"1",), NOTHING)
    assert any("x-amz-checksum-sha256" in one for one in http(rig).sent) is not skip
    assert not skip or not any(name.startswith("x-amz-checksum") for one in http(rig).sent for name in one)


# -- names


@emulated
def test_a_bucket_that_is_not_there_is_named(rig: Rig) -> None:
    backend = rig.open(bucket="no-such-bucket")
    for act in (lambda: backend.read("default"), lambda: backend.lock("default", new_lock("apply"))):
        with pytest.raises(DiagnosticError) as caught:
            act()
        assert "no-such-bucket" in whole(caught)


@emulated
def test_a_table_that_is_not_there_is_named(rig: Rig) -> None:
    with pytest.raises(DiagnosticError) as caught:
        rig.open(dynamodb_table="no-such-table").lock("default", new_lock("apply"))
    assert "no-such-table" in whole(caught)
    assert rig.open().holder("default") is None


@emulated
def test_workspaces_lie_where_the_prefix_says(rig: Rig, client: Client) -> None:
    prefix = rig.settings["key"].partition("/")[0]
    backend = rig.open(workspace_key_prefix=f"{prefix}/ws")
    backend.write("dev", (b"1",), NOTHING)
    client("s3").head_object(Bucket=BUCKET, Key=f"{prefix}/ws/dev/{rig.settings['key']}")
    client("s3").put_object(Bucket=BUCKET, Key=f"{prefix}/ws/other/another-key", Body=b"x")
    assert backend.workspaces() == ["default", "dev"]
    assert backend.label("dev") == f"s3://{BUCKET}/{prefix}/ws/dev/{rig.settings['key']}"


# -- settings

_GOOD = {"bucket": "b", "key": "k", "region": "eu-west-1"}


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"key": "/k"}, "key must not"),
        ({"key": "a//b"}, "key must not"),
        ({"key": "a/"}, "key must not"),
        ({"workspace_key_prefix": "/a"}, "workspace_key_prefix must not"),
        ({"region": "nowhere"}, "no name of a region"),
        ({"region": None}, '"region"'),
        ({"kms_key_id": "k"}, "encrypt = true"),
        ({"sse_customer_key": KEY}, "encrypt = true"),
        ({"sse_customer_key": KEY, "kms_key_id": "k", "encrypt": True}, "exclude each other"),
        ({"sse_customer_key": "c2hvcnQ=", "encrypt": True}, "32 bytes"),
        ({"access_key": "a"}, "belong together"),
        ({"allowed_account_ids": ["1"], "forbidden_account_ids": ["2"]}, "exclude each other"),
        ({"allowed_account_ids": ["1"], "skip_requesting_account_id": True}, "cannot be heeded"),
        ({"retry_mode": "legacy"}, "retry_mode"),
        ({"max_retries": -1}, "max_retries"),
        ({"endpoints": {"s3": "localhost:1"}}, "not a URL"),
        ({"endpoints": {"sso": "https://sso.example"}}, "AWS_ENDPOINT_URL_SSO"),
        ({"shared_config_files": ["a", "b"]}, "takes one file"),
        ({"shared_credentials_file": "a", "shared_credentials_files": ["b"]}, "exclude each other"),
        ({"endpoint": "http://a", "endpoints": {"s3": "http://b"}}, "endpoint and endpoints.s3 exclude"),
        ({"sts_endpoint": "http://a", "endpoints": {"sts": "http://b"}}, "sts_endpoint and endpoints.sts"),
        ({"force_path_style": False, "use_path_style": True}, "exclude each other"),
        ({"custom_ca_bundle": "/no/such/file"}, "/no/such/file cannot be read"),
        ({"no_proxy": "a"}, "only with http_proxy"),
        ({"no_proxy": "10.0.0.0/8", "https_proxy": "http://p"}, "no CIDR"),
        ({"assume_role_with_web_identity": {"role_arn": "r"}}, "web_identity_token"),
        ({"ec2_metadata_service_endpoint_mode": "IPv5"}, "IPv4 or IPv6"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(settings: dict[str, Any], said: str, tmp_path: Any) -> None:
    with pytest.raises(DiagnosticError) as caught:
        registry.connect("s3", _GOOD | settings, Place(tmp_path, tmp_path))
    assert said in whole(caught)
    assert KEY not in whole(caught)


def test_nothing_is_asked_before_it_is_needed(tmp_path: Any) -> None:
    backend = registry.connect("s3", _GOOD | {"dynamodb_table": "t"}, Place(tmp_path, tmp_path))
    assert backend.label("dev") == "s3://b/env:/dev/k"
    backend.close()


def test_nulls_inside_of_settings_are_as_not_given(tmp_path: Any) -> None:
    null = Null(STRING)
    endpoints = {"s3": "http://127.0.0.1:1", "iam": null, "sso": null}
    settings = _GOOD | {"endpoints": endpoints, "profile": null, "assume_role": Null(DYNAMIC)}
    assert registry.connect("s3", settings, Place(tmp_path, tmp_path)).label("default") == "s3://b/k"
    with pytest.raises(DiagnosticError, match="Missing setting"):
        registry.connect("s3", _GOOD | {"bucket": null}, Place(tmp_path, tmp_path))
