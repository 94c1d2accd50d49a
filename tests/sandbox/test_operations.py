from typing import Any
from urllib.parse import unquote, urlsplit

import boto3
import pytest

from twinfra.sandbox.operations import Operation, identify

ARN = "arn:aws:iam::123456789012:role/path/name"
REQUESTS = [
    ("s3", "CreateBucket", {"Bucket": "bucket"}, True),
    ("s3", "PutObject", {"Bucket": "bucket", "Key": "folder/ü", "Body": b"Action=Nothing"}, True),
    ("s3", "CopyObject", {"Bucket": "bucket", "Key": "k", "CopySource": "other/key"}, True),
    ("s3", "ListObjectsV2", {"Bucket": "bucket"}, False),
    ("s3", "GetBucketEncryption", {"Bucket": "bucket"}, False),
    (
        "s3",
        "PutBucketVersioning",
        {"Bucket": "bucket", "VersioningConfiguration": {"Status": "Enabled"}},
        True,
    ),
    ("s3", "HeadObject", {"Bucket": "bucket", "Key": "folder/"}, False),
    ("ec2", "CreateVpc", {"CidrBlock": "10.0.0.0/16"}, True),
    ("ec2", "DescribeVpcs", {}, False),
    ("iam", "GetRole", {"RoleName": "role"}, False),
    ("iam", "AttachRolePolicy", {"RoleName": "role", "PolicyArn": ARN}, True),
    ("sts", "GetCallerIdentity", {}, False),
    ("sts", "AssumeRole", {"RoleArn": ARN, "RoleSessionName": "session"}, True),
    ("elbv2", "DescribeLoadBalancers", {}, False),
    ("elb", "DescribeLoadBalancers", {}, False),
    ("eks", "DescribeCluster", {"name": "main"}, False),
    ("eks", "CreateAddon", {"clusterName": "main", "addonName": "coredns"}, True),
    ("eks", "DeleteAccessEntry", {"clusterName": "main", "principalArn": ARN}, True),
    (
        "cloudwatch",
        "PutMetricAlarm",
        {"AlarmName": "a", "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 1},
        True,
    ),
    ("cloudwatch", "DescribeAlarms", {}, False),
    ("logs", "CreateLogGroup", {"logGroupName": "group"}, True),
    ("logs", "FilterLogEvents", {"logGroupName": "group"}, False),
    ("ecr", "DescribeRepositories", {}, False),
    ("dynamodb", "PutItem", {"TableName": "table", "Item": {"k": {"S": "v"}}}, True),
    ("lambda", "ListFunctions", {}, False),
    ("efs", "DescribeFileSystems", {}, False),
    ("route53", "CreateHostedZone", {"Name": "example.org", "CallerReference": "1"}, True),
    ("secretsmanager", "GetSecretValue", {"SecretId": "secret"}, False),
]


def request_of(service: str, operation: str, parameters: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What boto3 would send, as WSGI variables and a body."""
    client = boto3.Session("AKIAEXAMPLE", "secret", region_name="us-east-1").client(
        service, endpoint_url="http://127.0.0.1:1"
    )
    sent: list[Any] = []

    def intercept(request: Any, **_: Any) -> Any:
        sent.append(request)
        raise InterruptedError

    client.meta.events.register("before-send.*", intercept)
    from botocore import xform_name

    with pytest.raises(InterruptedError):
        getattr(client, xform_name(operation))(**parameters)
    [request] = sent
    split = urlsplit(request.url)
    variables = {
        "REQUEST_METHOD": request.method,
        "PATH_INFO": unquote(split.path, "latin-1"),
        "RAW_URI": f"{split.path}?{split.query}",
        "QUERY_STRING": split.query,
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "1",
        "HTTP_HOST": "127.0.0.1:1",
        "wsgi.url_scheme": "http",
    }
    for name, value in request.headers.items():
        key = name.upper().replace("-", "_")
        key = key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"
        variables[key] = value.decode() if isinstance(value, bytes) else value
    body = request.body or b""
    if hasattr(body, "read"):
        body = body.read()
    return variables, body.encode() if isinstance(body, str) else bytes(body)


@pytest.mark.parametrize(
    ("service", "name", "parameters", "changes"), REQUESTS, ids=[f"{case[0]}.{case[1]}" for case in REQUESTS]
)
def test_a_request_is_recognised(service: str, name: str, parameters: dict[str, Any], changes: bool) -> None:
    found = identify(*request_of(service, name, parameters))
    assert (found.service, found.name, found.changes) == (service, name, changes)


def test_waiting_for_messages_holds_up_nobody() -> None:
    found = identify(*request_of("sqs", "ReceiveMessage", {"QueueUrl": "http://127.0.0.1:1/1/queue"}))
    assert found.waits


def test_an_unsigned_request_is_one_to_s3() -> None:
    variables = {
        "REQUEST_METHOD": "GET",
        "PATH_INFO": "/bucket/key",
        "RAW_URI": "/bucket/key",
        "QUERY_STRING": "",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    assert identify(variables, b"") == Operation("s3", "GetObject", changes=False)


def test_what_matches_no_operation_counts_as_a_change_unless_it_only_gets() -> None:
    variables = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/no/such/path",
        "RAW_URI": "/no/such/path",
        "QUERY_STRING": "",
        "HTTP_HOST": "127.0.0.1",
        "HTTP_AUTHORIZATION": "AWS4-HMAC-SHA256 Credential=K/20260101/us-east-1/eks/aws4_request, Signature=x",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
    }
    assert identify(variables, b"") == Operation("eks", "POST /no/such/path", changes=True)
