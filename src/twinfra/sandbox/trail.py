"""CloudTrail's record of the sandbox: its journal, asked the way an account's last 90 days are.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import math
import re
import time
import uuid
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import unquote_plus

from twinfra.sandbox.journal import Entry
from twinfra.sandbox.operations import Operation, identify
from twinfra.sandbox.replies import Reply, error_reply

LOOKUP = ("cloudtrail", "LookupEvents")
_KEPT_SECONDS = 90 * 24 * 3600
_PAGE = 50
_KEY = re.compile(r"Credential=([^/]+)/\d+/([^/]+)/")
_SOURCES = {"cloudwatch": "monitoring", "elbv2": "elasticloadbalancing", "efs": "elasticfilesystem"}

Identify = Callable[[str, str], str]
"""The ARN of who signs with an access key, given a region too."""


def lookup(
    operation: Operation, variables: dict[str, Any], body: bytes, entries: Iterable[Entry], who: Identify
) -> Reply:
    """Answer `LookupEvents` from the requests that changed something."""
    request = json.loads(body or b"{}")
    attributes = request.get("LookupAttributes") or []
    if len(attributes) > 1:
        return _refused(operation, variables, "InvalidLookupAttributesException", "One attribute at a time.")
    test = _test(attributes[0]) if attributes else lambda event: True
    if test is None:
        return _refused(
            operation, variables, "InvalidLookupAttributesException",
            f"The sandbox cannot look events up by {attributes[0].get('AttributeKey')}.",
        )  # fmt: skip
    start = max(float(request.get("StartTime") or 0), time.time() - _KEPT_SECONDS)
    # The clock of the sandbox may be ahead of that of this machine.
    end = float(request.get("EndTime") or math.inf)
    found = [_event(entry, who) for entry in entries if int(start) <= entry.time <= end + 1]
    chosen = [event for event in reversed(found) if test(event)]
    size = min(int(request.get("MaxResults") or _PAGE), _PAGE)
    at = int(request.get("NextToken") or 0)
    answer: dict[str, Any] = {"Events": [_shown(event) for event in chosen[at : at + size]]}
    if at + size < len(chosen):
        answer["NextToken"] = str(at + size)
    return Reply(200, [("Content-Type", "application/x-amz-json-1.1")], json.dumps(answer).encode())


def _refused(operation: Operation, variables: dict[str, Any], code: str, message: str) -> Reply:
    return error_reply(operation, variables, 400, code, message)


def _test(attribute: dict[str, str]) -> Callable[[dict[str, Any]], bool] | None:
    key, value = attribute.get("AttributeKey", ""), attribute.get("AttributeValue", "")
    if key == "ResourceName":
        name = re.compile(rf"(?<![\w.-]){re.escape(value)}(?![\w.-])")
        return lambda event: name.search(event["text"]) is not None
    if key in ("EventName", "EventSource", "Username", "AccessKeyId", "EventId", "ReadOnly"):
        return lambda event: event["shown"][key] == value
    return None


def _event(entry: Entry, who: Identify) -> dict[str, Any]:
    """An event, and under `text` everything in which its resources are named."""
    variables = entry.variables
    operation = identify(variables, entry.body)
    signed = _KEY.search(variables.get("HTTP_AUTHORIZATION", ""))
    key, region = (signed[1], signed[2]) if signed else ("", "")
    arn = who(key, region)
    source = f"{_SOURCES.get(operation.service, operation.service)}.amazonaws.com"
    text = " ".join(
        unquote_plus(one)
        for one in (
            variables.get("PATH_INFO", ""),
            variables.get("QUERY_STRING", ""),
            variables.get("HTTP_HOST", "").partition(".")[0],
            entry.body.decode("utf-8", "replace"),
        )
    )
    id = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{entry.number}/{entry.time}"))
    shown: dict[str, Any] = {
        "EventId": id,
        "EventName": operation.name,
        "ReadOnly": "false",
        "AccessKeyId": key,
        "EventTime": int(entry.time),
        "EventSource": source,
        "Username": arn.rpartition("/")[2] or arn.rpartition(":")[2],
        "Resources": [],
    }
    details = {
        "eventVersion": "1.08",
        "userIdentity": {"arn": arn, "accessKeyId": key},
        "eventTime": datetime.fromtimestamp(entry.time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "eventSource": source,
        "eventName": operation.name,
        "awsRegion": region,
        "sourceIPAddress": "127.0.0.1",
        "userAgent": variables.get("HTTP_USER_AGENT", ""),
        "eventID": id,
        "readOnly": False,
    }
    return {"text": text, "shown": shown, "details": details}


def _shown(event: dict[str, Any]) -> dict[str, Any]:
    return {**event["shown"], "CloudTrailEvent": json.dumps(event["details"])}


def identity_of(key: str, region: str) -> str:
    """Who signs with an access key, as the emulator's token service tells it."""
    from moto.sts.models import sts_backends
    from moto.utilities.utils import get_partition

    from twinfra.sandbox.server import ACCOUNT, REGION

    region = region or REGION
    _, arn, _ = sts_backends[ACCOUNT][get_partition(region)].get_caller_identity(key, region)
    return str(arn)
