import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError

from twinfra.sandbox import faults
from twinfra.sandbox.faults import Fault, FaultPlan
from twinfra.sandbox.operations import Operation
from twinfra.sandbox.server import Sandbox

CREATE = Operation("s3", "CreateBucket", changes=True)
LIST = Operation("s3", "ListBuckets", changes=False)

READS = [
    ("s3", "list_buckets"),
    ("ec2", "describe_regions"),
    ("iam", "list_roles"),
    ("sts", "get_caller_identity"),
    ("eks", "list_clusters"),
    ("elbv2", "describe_load_balancers"),
    ("cloudwatch", "describe_alarms"),
    ("logs", "describe_log_groups"),
    ("ecr", "describe_repositories"),
    ("dynamodb", "list_tables"),
    ("route53", "list_hosted_zones"),
    ("lambda", "list_functions"),
]


def hits(fault: Fault, *operations: Operation) -> list[bool]:
    plan = FaultPlan()
    plan.add(fault)
    return [plan.strike(operation) is not None for operation in operations]


def test_a_fault_hits_the_next_request_and_no_more() -> None:
    assert hits(Fault(), CREATE, CREATE) == [True, False]


def test_a_fault_can_let_some_requests_through_first() -> None:
    assert hits(Fault(skip=2), CREATE, CREATE, CREATE, CREATE) == [False, False, True, False]


def test_a_fault_can_last() -> None:
    assert hits(Fault(skip=1, times=None), CREATE, CREATE, CREATE) == [False, True, True]


def test_a_fault_of_another_operation_neither_hits_nor_counts() -> None:
    fault = Fault("s3", "CreateBucket", skip=1)
    assert hits(fault, LIST, CREATE, LIST, CREATE) == [False, False, False, True]


def test_a_fault_can_leave_out_what_only_reads() -> None:
    assert hits(Fault(changes_only=True), LIST, CREATE) == [False, True]


def test_a_time_that_is_neither_before_nor_after_is_refused() -> None:
    with pytest.raises(ValueError, match="before"):
        Fault(when="during")  # type: ignore[arg-type]


@pytest.mark.emulator
@pytest.mark.parametrize(("service", "method"), READS, ids=[service for service, _ in READS])
def test_an_injected_error_reaches_the_client_in_the_format_of_its_service(
    sandbox: Sandbox, client: Callable[..., Any], service: str, method: str
) -> None:
    faults.inject(sandbox, service, code="AccessDenied", message="Not <today>", status=403)
    with pytest.raises(ClientError) as caught:
        getattr(client(service), method)()
    answer = caught.value.response
    assert answer["Error"]["Code"] == "AccessDenied"
    assert answer["Error"]["Message"] == "Not <today>"
    assert answer["ResponseMetadata"]["HTTPStatusCode"] == 403


@pytest.mark.emulator
def test_an_error_before_means_that_nothing_was_done(sandbox: Sandbox, client: Callable[..., Any]) -> None:
    s3 = client("s3")
    faults.inject(sandbox, "s3", "CreateBucket", when="before")
    with pytest.raises(ClientError):
        s3.create_bucket(Bucket="bucket")
    assert s3.list_buckets()["Buckets"] == []


@pytest.mark.emulator
def test_an_error_after_means_that_it_was_done_all_the_same(
    sandbox: Sandbox, client: Callable[..., Any]
) -> None:
    s3 = client("s3")
    faults.inject(sandbox, "s3", "CreateBucket", when="after")
    with pytest.raises(ClientError):
        s3.create_bucket(Bucket="bucket")
    assert [bucket["Name"] for bucket in s3.list_buckets()["Buckets"]] == ["bucket"]


@pytest.mark.emulator
def test_a_connection_can_be_dropped(sandbox: Sandbox, client: Callable[..., Any]) -> None:
    s3 = client("s3")
    faults.inject(sandbox, "s3", "CreateBucket", when="after", drop=True)
    with pytest.raises(ConnectionClosedError):
        s3.create_bucket(Bucket="bucket")
    assert len(s3.list_buckets()["Buckets"]) == 1


@pytest.mark.emulator
def test_an_answer_can_be_delayed(sandbox: Sandbox, client: Callable[..., Any]) -> None:
    s3 = client("s3")
    faults.inject(sandbox, "s3", delay=0.2, code="")
    began = time.monotonic()
    s3.list_buckets()
    assert time.monotonic() - began >= 0.2


@pytest.mark.emulator
def test_a_throttled_client_gets_through_with_the_retries_of_its_sdk(
    sandbox: Sandbox, clients_of: Callable[..., Any]
) -> None:
    import boto3
    from botocore.config import Config

    faults.inject(sandbox, "ec2", code="RequestLimitExceeded", status=503, times=2)
    ec2 = boto3.Session("k", "s", region_name="us-east-1").client(
        "ec2",
        endpoint_url=sandbox.endpoint,
        config=Config(retries={"total_max_attempts": 4, "mode": "standard"}),
    )
    assert ec2.describe_regions()["ResponseMetadata"]["RetryAttempts"] == 2


@pytest.mark.emulator
def test_healing_tells_how_many_requests_were_hit(sandbox: Sandbox, client: Callable[..., Any]) -> None:
    faults.inject(sandbox, "s3", times=None)
    for _ in range(2):
        with pytest.raises(ClientError):
            client("s3").list_buckets()
    assert faults.heal(sandbox) == 2
    client("s3").list_buckets()


@pytest.mark.emulator
def test_requests_are_counted_and_kept_in_order(sandbox: Sandbox, client: Callable[..., Any]) -> None:
    s3 = client("s3")
    s3.create_bucket(Bucket="bucket")
    s3.list_buckets()
    with pytest.raises(ClientError):
        s3.head_object(Bucket="bucket", Key="missing")
    assert faults.counts(sandbox) == {"s3.CreateBucket": 1, "s3.ListBuckets": 1, "s3.HeadObject": 1}
    assert faults.requests(sandbox) == [
        ("s3.CreateBucket", 200),
        ("s3.ListBuckets", 200),
        ("s3.HeadObject", 404),
    ]
    faults.forget_requests(sandbox)
    assert faults.counts(sandbox) == {}


@pytest.mark.emulator
def test_a_web_page_cannot_reach_the_controls(sandbox: Sandbox) -> None:
    from urllib.error import HTTPError
    from urllib.request import urlopen

    with pytest.raises(HTTPError) as caught:
        urlopen(f"{sandbox.endpoint}/twinfra/empty", data=b"")
    assert caught.value.code == 403


@pytest.mark.emulator
def test_what_the_emulator_lacks_is_said_in_words(client: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match=r"The sandbox does not have eks\.CreateCapability"):
        client("eks").create_capability(
            clusterName="main",
            capabilityName="c",
            type="ACK",
            roleArn="arn:aws:iam::123456789012:role/r",
            deletePropagationPolicy="RETAIN",
        )


@pytest.mark.emulator
def test_a_service_that_the_emulator_lacks_is_said_in_words(client: Callable[..., Any]) -> None:
    with pytest.raises(ClientError, match="The sandbox does not have"):
        client("grafana").list_workspaces()
