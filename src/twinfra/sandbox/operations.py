"""Which operation of which service a request is, and whether it can change anything.

Follows the wire protocols of the SDKs: query and ec2 (an Action), json (a target header), rest (method
and path) and rpc-v2-cbor (the path names both).
"""

from __future__ import annotations

import re
from typing import Any
from urllib.parse import parse_qs

from twinfra.dataclass import dataclass

_READS = re.compile(
    r"(Describe|Get|List|Head|Search|BatchGet|Lookup|Simulate|Query|Scan|Select|Filter|Check|Validate|Preview)"
    r"(?![a-z])"
)
_CHANGING_READS = frozenset({"GetSessionToken", "GetFederationToken"})
_WAITING = frozenset({("sqs", "ReceiveMessage"), ("lambda", "Invoke"), ("logs", "StartLiveTail")})
_BOTO3_NAMES = {
    "monitoring": "cloudwatch",
    "elasticfilesystem": "efs",
    "states": "stepfunctions",
    "email": "ses",
    "tagging": "resourcegroupstaggingapi",
}
_CREDENTIAL = re.compile(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request")


@dataclass(frozen=True, slots=True)
class Operation:
    """`service` is boto3's name for it (`elbv2`, `cloudwatch`), `name` the operation's (`CreateVpc`).

    `changes`: it may change something. `waits`: it may take long on purpose, and must not hold up others.
    """

    service: str
    name: str
    changes: bool
    waits: bool = False

    def __str__(self) -> str:
        return f"{self.service}.{self.name}"


def identify(variables: dict[str, Any], body: bytes) -> Operation:
    """The operation of a request, given its WSGI variables and its body."""
    signed = _CREDENTIAL.search(variables.get("HTTP_AUTHORIZATION", ""))
    query = parse_qs(variables.get("QUERY_STRING", ""), keep_blank_values=True)
    service = signed.group(2) if signed else _presigned_service(query) or "s3"
    method, path = variables["REQUEST_METHOD"], variables["PATH_INFO"]
    target = variables.get("HTTP_X_AMZ_TARGET")
    if target:
        return _operation(service, target.rpartition(".")[2])
    if path.startswith("/service/") and path.count("/") >= 4:
        return _operation(service, path.split("/")[4])
    if variables.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded") and body:
        query = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    if "Action" in query:
        if service == "elasticloadbalancing":
            service = "elbv2" if query.get("Version") == ["2015-12-01"] else "elb"
        return _operation(service, query["Action"][0])
    name = _by_route(_BOTO3_NAMES.get(service, service), variables)
    if name is None:
        return Operation(
            _BOTO3_NAMES.get(service, service), f"{method} {path}", method not in ("GET", "HEAD")
        )
    return _operation(service, name)


def _presigned_service(query: dict[str, list[str]]) -> str | None:
    parts = query.get("X-Amz-Credential", [""])[0].split("/")
    return parts[3] if len(parts) == 5 else None


def _operation(service: str, name: str) -> Operation:
    service = _BOTO3_NAMES.get(service, service)
    changes = not _READS.match(name) or name in _CHANGING_READS
    return Operation(service, name, changes, (service, name) in _WAITING)


def _by_route(service: str, variables: dict[str, Any]) -> str | None:
    from botocore.exceptions import UnknownServiceError
    from moto.core.request import Request
    from moto.core.routing import NotFound, get_service_router
    from werkzeug.exceptions import HTTPException

    try:
        found, _ = get_service_router(service).match(Request(dict(variables)))
    except (NotFound, HTTPException, NotImplementedError, UnknownServiceError):
        return None
    return str(found.name)
