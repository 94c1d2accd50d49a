"""Replies of the sandbox's own making: errors in the wire format of the service that was asked, and
control replies.

Formats: https://smithy.io/2.0/aws/protocols/index.html
"""

from __future__ import annotations

import json
from dataclasses import field
from typing import Any
from xml.sax.saxutils import escape

from twinfra.dataclass import dataclass
from twinfra.sandbox.operations import Operation

_REQUEST_ID = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Reply:
    """What goes back to the client."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


def json_reply(content: Any, status: int = 200) -> Reply:
    """A reply of the control paths."""
    return Reply(status, [("Content-Type", "application/json")], json.dumps(content).encode())


def error_reply(
    operation: Operation, variables: dict[str, Any], status: int, code: str, message: str
) -> Reply:
    """An error as the service of `operation` would send it."""
    if variables["PATH_INFO"].startswith("/service/"):
        return _cbor(status, code, message)
    if variables.get("HTTP_X_AMZ_TARGET"):
        return _json(status, code, message, "application/x-amz-json-1.1")
    if variables.get("CONTENT_TYPE", "").startswith("application/x-www-form-urlencoded"):
        return _ec2(status, code, message) if operation.service == "ec2" else _query(status, code, message)
    if operation.service == "s3":
        return _s3(status, code, message)
    if operation.service in ("route53", "cloudfront", "s3control"):
        return _query(status, code, message)
    return _json(status, code, message, "application/json")


def _json(status: int, code: str, message: str, kind: str) -> Reply:
    body = json.dumps({"__type": code, "message": message}).encode()
    return Reply(status, [("Content-Type", kind), ("x-amzn-ErrorType", code)], body)


def _ec2(status: int, code: str, message: str) -> Reply:
    return _xml(
        status,
        f"<Response><Errors><Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error></Errors>"
        f"<RequestID>{_REQUEST_ID}</RequestID></Response>",
    )


def _query(status: int, code: str, message: str) -> Reply:
    fault = "Receiver" if status >= 500 else "Sender"
    return _xml(
        status,
        f"<ErrorResponse><Error><Type>{fault}</Type><Code>{escape(code)}</Code>"
        f"<Message>{escape(message)}</Message></Error><RequestId>{_REQUEST_ID}</RequestId></ErrorResponse>",
    )


def _s3(status: int, code: str, message: str) -> Reply:
    return _xml(
        status,
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message>"
        f"<RequestId>{_REQUEST_ID}</RequestId></Error>",
    )


def _xml(status: int, text: str) -> Reply:
    body = f'<?xml version="1.0" encoding="UTF-8"?>\n{text}'.encode()
    return Reply(status, [("Content-Type", "application/xml")], body)


def _cbor(status: int, code: str, message: str) -> Reply:
    def text(value: str) -> bytes:
        encoded = value.encode()
        return b"\x79" + len(encoded).to_bytes(2, "big") + encoded

    body = b"\xa2" + text("__type") + text(code) + text("message") + text(message)
    headers = [("Content-Type", "application/cbor"), ("smithy-protocol", "rpc-v2-cbor")]
    return Reply(status, headers, body)
