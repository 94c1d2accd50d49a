"""What an object's declaration sends to S3, and reads back."""

from __future__ import annotations

import base64
import mimetypes
from pathlib import Path
from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.mapping import plain
from twinfra.providers.aws.resource import Api, Attributes
from twinfra.providers.protocol import ProviderError
from twinfra.values.value import GetAttr

SMALL = 1 << 20
"""Content of up to this many bytes is fetched to show what changed in it."""

_MEMBERS: dict[str, str] = {
    "cache_control": "CacheControl",
    "content_disposition": "ContentDisposition",
    "content_encoding": "ContentEncoding",
    "content_language": "ContentLanguage",
    "content_type": "ContentType",
    "storage_class": "StorageClass",
    "website_redirect": "WebsiteRedirectLocation",
    "metadata": "Metadata",
    "acl": "ACL",
    "server_side_encryption": "ServerSideEncryption",
    "kms_key_id": "SSEKMSKeyId",
    "bucket_key_enabled": "BucketKeyEnabled",
    "checksum_algorithm": "ChecksumAlgorithm",
    "object_lock_legal_hold_status": "ObjectLockLegalHoldStatus",
    "object_lock_mode": "ObjectLockMode",
    "object_lock_retain_until_date": "ObjectLockRetainUntilDate",
}

CONTENT = ("content", "content_base64", "source", "source_hash", "etag")
"""Fields whose change means other content."""

WHOLE = (
    *CONTENT,
    "cache_control",
    "content_disposition",
    "content_encoding",
    "content_language",
    "content_type",
    "storage_class",
    "website_redirect",
    "metadata",
    "server_side_encryption",
    "kms_key_id",
    "bucket_key_enabled",
    "checksum_algorithm",
)
"""Fields that only uploading the object again can change."""


def key_of(attributes: Attributes) -> str:
    """The key as S3 is told it: without slashes at the start, and none doubled."""
    return "/".join(part for part in str(attributes["key"]).split("/") if part) + (
        "/" if str(attributes["key"]).endswith("/") else ""
    )


def upload(context: Context, attributes: Attributes, tags: dict[str, str]) -> Api:
    """PutObject with everything declared; returns its answer."""
    request: dict[str, Any] = {
        member: plain(attributes[name])
        for name, member in _MEMBERS.items()
        if attributes.get(name) not in (None, "") and attributes[name] != {}
    }
    if request.get("SSEKMSKeyId"):
        request.setdefault("ServerSideEncryption", "aws:kms")
    if tags:
        from urllib.parse import urlencode

        request["Tagging"] = urlencode(tags)
    source = attributes["source"]
    if source:
        if "ContentType" not in request and (guessed := mimetypes.guess_type(source)[0]):
            request["ContentType"] = guessed
        try:
            with Path(source).expanduser().open("rb") as body:
                return _put(context, attributes, request, body)
        except OSError as problem:
            raise ProviderError(
                error(
                    "Source file not readable",
                    f'"{source}" cannot be read: {problem.strerror}.',
                    path=(GetAttr("source"),),
                )
            ) from problem
    body_bytes = b""
    if attributes["content_base64"]:
        body_bytes = base64.b64decode(attributes["content_base64"])
    elif attributes["content"]:
        body_bytes = attributes["content"].encode()
    return _put(context, attributes, request, body_bytes)


def _put(context: Context, attributes: Attributes, request: dict[str, Any], body: Any) -> Api:
    return context.call(
        "put_object", Bucket=attributes["bucket"], Key=key_of(attributes), Body=body, **request
    )


def bare_etag(answer: Api) -> str:
    """The ETag without quotes."""
    return str(answer.get("ETag", "")).strip('"')


def content_now(context: Context, attributes: Attributes, found: Api) -> dict[str, Any]:
    """What the content fields say when the object was changed by somebody else: the new content, if small.

    The field that was declared then differs from the configuration, so that an apply puts the content back.
    """
    now: dict[str, Any] = {
        name: None for name in ("content", "content_base64", "source") if attributes.get(name)
    }
    if "source" in now or found.get("ContentLength", 0) > SMALL:
        return now
    try:
        body = context.call("get_object", Bucket=attributes["bucket"], Key=key_of(attributes))["Body"].read()
    except ApiError as problem:
        if problem.code not in ("AccessDenied", "NoSuchKey"):
            raise
        return now
    if "content_base64" in now:
        now["content_base64"] = base64.b64encode(body).decode()
    elif "content" in now:
        now["content"] = body.decode(errors="replace")
    return now
