"""Who changed an object: CloudTrail's record of the last 90 days.

https://docs.aws.amazon.com/awscloudtrail/latest/APIReference/API_LookupEvents.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.protocol import Change

_GLOBAL = ("iam", "cloudfront", "route53", "organizations")
_GLOBAL_REGION = "us-east-1"
_NOT_KEPT = ("UnknownOperationException", "NotImplemented", "501", "404", "UnsupportedOperationException")
_SOURCES = {"cloudwatch": "monitoring", "elbv2": "elasticloadbalancing", "efs": "elasticfilesystem"}
"""How events name services whose client has another name."""


def region_of(service: str, region: str) -> str:
    """Where the events of a service are kept: those of global services in one region of the partition."""
    return _GLOBAL_REGION if service in _GLOBAL and not region.startswith(("cn-", "us-gov-")) else region


def changes_of(context: Context, service: str, attributes: Mapping[str, Any]) -> list[Change]:
    """What was done to an object of a service, the newest first, reads left out.

    Objects of several services may have one name: where the service itself has events, only those count.
    Empty where no trail is kept. Raises `ApiError`.
    """
    for name in _names(attributes):
        named = [{"AttributeKey": "ResourceName", "AttributeValue": name}]
        try:
            events = context.pages("lookup_events", "Events", LookupAttributes=named)
        except ApiError as problem:
            if problem.code in _NOT_KEPT:
                return []
            raise
        events = [one for one in events if str(one.get("ReadOnly", "")).lower() != "true"]
        source = f"{_SOURCES.get(service, service)}.amazonaws.com"
        found = [_change(one) for one in events if one.get("EventSource") == source] or list(
            map(_change, events)
        )
        if found:
            return sorted(found, key=lambda one: one.time, reverse=True)
    return []


def _names(attributes: Mapping[str, Any]) -> list[str]:
    """The names under which events may list an object: its id, its ARN, and the last part of an id made of several."""
    id, arn = attributes.get("id"), attributes.get("arn")
    parts = re.split(r"[:/|,]", id) if isinstance(id, str) else []
    return list(dict.fromkeys(one for one in (id, arn, *parts[-1:]) if isinstance(one, str) and one))


def _change(event: Mapping[str, Any]) -> Change:
    details = _details(event.get("CloudTrailEvent"))
    identity = details.get("userIdentity")
    arn = identity.get("arn") if isinstance(identity, dict) else None
    return Change(
        _time(event.get("EventTime")),
        str(arn or event.get("Username") or "unknown"),
        str(event.get("EventName", "")),
        str(details.get("userAgent") or ""),
        str(details.get("sourceIPAddress") or ""),
    )


def _details(text: Any) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except (TypeError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}


def _time(value: Any) -> str:
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return ""
