"""Objects in buckets."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import base64_text, length
from twinfra.providers.aws.comparison import same_time
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, boolean, one_block, output, string, string_map
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.s3._acl import CANNED
from twinfra.providers.aws.services.s3._bucket import BUCKET_GONE, BUCKET_NEW
from twinfra.providers.aws.services.s3._object import (
    CONTENT,
    WHOLE,
    bare_etag,
    content_now,
    key_of,
    upload,
)
from twinfra.providers.aws.tagging import Tagging, planned_tags, tag_list
from twinfra.values.types import STRING
from twinfra.values.value import Unknown


def _create(context: Context, attributes: Attributes) -> Api:
    answer = upload(context, attributes, dict(attributes["tags_all"] or {}))
    # Repeating a put makes nothing twice, so an interrupted one needs no looking for.
    return {"VersionId": answer.get("VersionId"), "ETag": answer.get("ETag")}


def _read(context: Context, attributes: Attributes) -> Api | None:
    where = {"Bucket": attributes["bucket"], "Key": key_of(attributes)}
    found = context.find("head_object", **where, ChecksumMode="ENABLED")
    if found is None:
        return None
    own = {name: attributes[name] for name in ("content", "content_base64", "source")}
    if attributes["etag"] and bare_etag(found) != attributes["etag"]:
        own |= content_now(context, attributes, found)
    found["Own"] = own
    tags = context.find("get_object_tagging", missing=("MethodNotAllowed",), **where) or {}
    return found | {
        "TagSet": tags.get("TagSet", []),
        "Bucket": attributes["bucket"],
        "Key": attributes["key"],
    }


def _replaced(context: Context, change: Change) -> None:
    """Upload it again; what other calls set is sent along."""
    if change.changed.intersection(WHOLE):
        upload(context, change.planned, dict(change.planned["tags_all"] or {}))
        return
    where = {"Bucket": change.planned["bucket"], "Key": key_of(change.planned)}
    if "acl" in change.changed and change.planned["acl"]:
        context.call("put_object_acl", **where, ACL=change.planned["acl"])
    if "object_lock_legal_hold_status" in change.changed:
        status = change.planned["object_lock_legal_hold_status"] or "OFF"
        context.call("put_object_legal_hold", **where, LegalHold={"Status": status})
    if change.changed.intersection(("object_lock_mode", "object_lock_retain_until_date")):
        mode, until = change.planned["object_lock_mode"], change.planned["object_lock_retain_until_date"]
        retention = {"Mode": mode, "RetainUntilDate": until} if mode and until else {}
        context.call("put_object_retention", **where, Retention=retention, BypassGovernanceRetention=True)


def _delete(context: Context, attributes: Attributes) -> None:
    where = {"Bucket": attributes["bucket"], "Key": key_of(attributes)}
    versioned = attributes["version_id"] not in (None, "", "null")
    if not versioned:
        context.call("delete_object", **where)
        return
    force = bool(attributes["force_destroy"])
    for kind in ("Versions", "DeleteMarkers"):
        for one in context.pages("list_object_versions", kind, Bucket=where["Bucket"], Prefix=where["Key"]):
            if one["Key"] != where["Key"]:
                continue
            if force and kind == "Versions":
                context.find(
                    "put_object_legal_hold",
                    missing=("InvalidRequest", "MethodNotAllowed"),
                    **where,
                    VersionId=one["VersionId"],
                    LegalHold={"Status": "OFF"},
                )
            context.call(
                "delete_object",
                **where,
                VersionId=one["VersionId"],
                BypassGovernanceRetention=True if force else None,
            )


def _set_tags(
    context: Context, attributes: Attributes, set_: dict[str, str], remove: list[str], every: dict[str, str]
) -> None:
    where = {"Bucket": attributes["bucket"], "Key": key_of(attributes)}
    if every:
        context.call("put_object_tagging", **where, Tagging={"TagSet": tag_list(every)})
    else:
        context.call("delete_object_tagging", **where)


def _own(name: str) -> Any:
    """Reads a content field: what is there now where somebody else changed it, else what was applied."""

    def read(found: Api, _: Context) -> Any:
        return found.get("Own", {}).get(name)

    return read


def _imported(context: Context, attributes: Attributes) -> Attributes:
    given = str(attributes["id"]).removeprefix("s3://")
    bucket, _, key = given.partition("/")
    return attributes | {"bucket": bucket, "key": key, "id": key}


def _storage_class(found: Api, _: Context) -> str:
    return str(found.get("StorageClass") or "STANDARD")


def _kms_key(found: Api, _: Context) -> str | None:
    return found.get("SSEKMSKeyId")


def _arn(found: Api, context: Context) -> str:
    return f"arn:{context.partition}:s3:::{found['Bucket']}/{found['Key']}"


def _plan(draft: Draft) -> None:
    if draft.given("override_provider"):
        # Only default tags can be overridden, and only by none: S3 allows ten tags on an object.
        draft.planned["tags_all"] = _overridden(draft)
        if draft.prior is not None and draft.planned["tags_all"] != draft.prior.get("tags_all"):
            draft.changed.add("tags_all")
    if draft.prior is None:
        key = draft.config.get("key")
        if isinstance(key, str):
            draft.set("id", key)
        return
    if draft.changed.intersection(CONTENT) and not draft.given("etag"):
        draft.set_unknown("etag")
    if draft.changed.intersection(WHOLE):
        draft.set_unknown("version_id", *_CHECKSUMS)


def _overridden(draft: Draft) -> Any:
    from dataclasses import replace

    tags: dict[str, Any] = {}
    for one in draft.config["override_provider"]:
        for inner in one.get("default_tags") or ():
            tags |= inner.get("tags") or {}
    own = draft.planned.get("tags")
    return (
        Unknown(TAGS["tags"].type)
        if type(own) is Unknown
        else planned_tags(own, replace(draft.settings, default_tags=tags))
    )


_CHECKSUMS: dict[str, Field] = {
    "checksum_crc32": output(STRING, "ChecksumCRC32", about="Checksum, where that algorithm was asked for."),
    "checksum_crc32c": output(
        STRING, "ChecksumCRC32C", about="Checksum, where that algorithm was asked for."
    ),
    "checksum_crc64nvme": output(
        STRING, "ChecksumCRC64NVME", about="Checksum, where that algorithm was asked for."
    ),
    "checksum_sha1": output(STRING, "ChecksumSHA1", about="Checksum, where that algorithm was asked for."),
    "checksum_sha256": output(
        STRING, "ChecksumSHA256", about="Checksum, where that algorithm was asked for."
    ),
}

RESOURCE = Resource(
    name="aws_s3_object",
    service="s3",
    about="An object in a bucket, from a text, a file, or nothing.",
    fields={
        "bucket": string("", required=True, force_new=True, about="The bucket's name."),
        "key": string(
            "", required=True, force_new=True, checks=(length(1, 1024),), about="Its name in the bucket."
        ),
        "content": string(
            "", read=_own("content"), conflicts=("source", "content_base64"), about="Its content, as text."
        ),
        "content_base64": string(
            "",
            read=_own("content_base64"),
            conflicts=("source", "content"),
            checks=(base64_text,),
            about="Its content, in base 64.",
        ),
        "source": string(
            "", read=_own("source"), conflicts=("content", "content_base64"), about="A file with its content."
        ),
        "source_hash": string(
            "", about="A value, such as a hash of the source, whose change uploads it again."
        ),
        "etag": string(
            "",
            read=lambda found, _: bare_etag(found),
            computed=True,
            about="Its ETag; given, a change uploads it again.",
        ),
        "acl": string(
            "", allowed=(*CANNED, "bucket-owner-read", "bucket-owner-full-control"), about="A canned ACL."
        ),
        "bucket_key_enabled": boolean(
            "", read="BucketKeyEnabled", computed=True, about="Whether the bucket's key encrypts it."
        ),
        "cache_control": string("", read="CacheControl", about="How it may be cached."),
        "checksum_algorithm": string(
            "",
            allowed=("CRC32", "CRC32C", "CRC64NVME", "SHA1", "SHA256"),
            about="A checksum to keep with it.",
        ),
        "content_disposition": string("", read="ContentDisposition", about="How it is presented."),
        "content_encoding": string("", read="ContentEncoding", about="How it is encoded."),
        "content_language": string("", read="ContentLanguage", about="Its language."),
        "content_type": string(
            "",
            read="ContentType",
            computed=True,
            about="Its media type; guessed from the source's name where not given.",
        ),
        "force_destroy": boolean("", default=False, about="Whether a legal hold is lifted to delete it."),
        "kms_key_id": string("", read=_kms_key, computed=True, about="Key to encrypt it with."),
        "metadata": string_map("", read="Metadata", about="Metadata, with lower case names."),
        "object_lock_legal_hold_status": string(
            "", read="ObjectLockLegalHoldStatus", allowed=("ON", "OFF"), about="Whether it is held."
        ),
        "object_lock_mode": string(
            "",
            read="ObjectLockMode",
            allowed=("GOVERNANCE", "COMPLIANCE"),
            about="How strictly it is retained.",
            requires=("object_lock_retain_until_date",),
        ),
        "object_lock_retain_until_date": string(
            "",
            read="ObjectLockRetainUntilDate",
            equal=same_time,
            about="Until when, as RFC 3339.",
            requires=("object_lock_mode",),
        ),
        "override_provider": one_block(
            {"default_tags": one_block({"tags": string_map("", about="Default tags for this object.")})},
            read="",
            about="Default tags in place of the provider's.",
        ),
        "server_side_encryption": string(
            "",
            read="ServerSideEncryption",
            computed=True,
            allowed=("AES256", "aws:kms", "aws:kms:dsse"),
            about="How it is encrypted.",
        ),
        "storage_class": string("", read=_storage_class, computed=True, about="Its storage class."),
        "website_redirect": string(
            "", read="WebsiteRedirectLocation", about="Where a web site sends those who ask for it."
        ),
        "arn": output(STRING, _arn, about="Its ARN."),
        "version_id": output(
            STRING,
            lambda found, _: found.get("VersionId") or "",
            about="Its version, in a bucket that keeps versions.",
        ),
        **_CHECKSUMS,
        **TAGS,
    },
    identifiers=("version_id",),
    volatile=(
        "checksum_crc32 if content",
        "checksum_crc32c if content",
        "checksum_crc64nvme if content",
        "checksum_sha1 if content",
        "checksum_sha256 if content",
        "etag if content",
    ),
    id="{key}",
    id_about="Its key.",
    create=_create,
    read=_read,
    updates=(
        Update(
            fields=(
                *WHOLE,
                "acl",
                "object_lock_legal_hold_status",
                "object_lock_mode",
                "object_lock_retain_until_date",
            ),
            call=_replaced,
        ),
    ),
    delete=_delete,
    tags=Tagging(at_create="Tagging", read="TagSet", change=_set_tags),
    not_found=(*BUCKET_GONE, "NoSuchKey"),
    retry_create=BUCKET_NEW,
    imported=_imported,
    plan=_plan,
    planned_from={"id": ("key",), "tags_all": ("override_provider",)},
    notes=("Import with the bucket's name and the key: bucket/some/key or s3://bucket/some/key.",),
)
