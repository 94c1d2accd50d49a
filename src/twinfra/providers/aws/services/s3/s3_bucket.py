"""Buckets. One call refreshes a bucket whose configuration declares no more than its name and tags."""

from __future__ import annotations

import re
import time
from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.checks import length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import TAGS, Field, boolean, output, string
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import made_since
from twinfra.providers.aws.resource import Api, Attributes, Resource, Retry
from twinfra.providers.aws.services.s3._bucket import BUCKET_GONE
from twinfra.providers.aws.services.s3._bucket_fields import FEATURE_FIELDS
from twinfra.providers.aws.services.s3._emptying import empty_bucket
from twinfra.providers.aws.services.s3._features import feature_updates, read_features
from twinfra.providers.aws.services.s3._zones import HOSTED_ZONES, website_domain
from twinfra.providers.aws.tagging import Tagging, tag_list
from twinfra.providers.protocol import ProviderError
from twinfra.values.types import STRING
from twinfra.values.value import GetAttr

_LIST_SECONDS = 120.0
"""For how long a list of our buckets is good enough to see that a name is taken."""

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*[a-z0-9]")


def _check_name(value: Any) -> str:
    """General purpose bucket names
    (https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html).
    """
    if not _NAME.fullmatch(value):
        return (
            f'"{value}" is no bucket name: those have lowercase letters, digits, dots and hyphens, and start '
            "and end with a letter or digit."
        )
    if ".." in value or re.fullmatch(r"\d+\.\d+\.\d+\.\d+", value):
        return f'"{value}" is no bucket name: it must not have two dots in a row nor look like an IP address.'
    return ""


# Creating


def _create(context: Context, attributes: Attributes) -> Api:
    bucket = name_to_create(context.token, attributes, "bucket", "bucket_prefix")
    region = context.region
    _refuse_taken(context, bucket)
    request: dict[str, Any] = {"Bucket": bucket}
    if region != "us-east-1":
        request["CreateBucketConfiguration"] = {"LocationConstraint": region}
    if attributes["object_lock_enabled"] or attributes["object_lock_configuration"]:
        request["ObjectLockEnabledForBucket"] = True
    try:
        context.call("create_bucket", **request)
    except ApiError:
        _forget_name(context, bucket)
        raise
    return _made(bucket, region)


def _made(bucket: str, region: str) -> Api:
    return {"Bucket": bucket, "BucketRegion": region}


def _refuse_taken(context: Context, bucket: str) -> None:
    """In us-east-1 creating a bucket that one has already answers as if it had been made: look before.

    One list of our buckets serves all creates of a run; without the permission for it the bucket is asked
    for.
    """
    if context.region != "us-east-1":
        return
    with context.session.shared_lock:
        at, names = context.session.shared.get("s3 buckets", (0.0, None))
        if names is None or time.monotonic() - at > _LIST_SECONDS:
            try:
                names = {one["Name"] for one in context.pages("list_buckets", "Buckets")}
            except ApiError as problem:
                if problem.code != "AccessDenied":
                    raise
                names = set()
                if context.find("head_bucket", Bucket=bucket) is not None:
                    names.add(bucket)
            else:
                context.session.shared["s3 buckets"] = (time.monotonic(), names)
        if bucket not in names:
            names.add(bucket)
            return
    raise ApiError(
        "s3", "create_bucket", "BucketAlreadyOwnedByYou", f"there is a bucket {bucket} of this account", 409
    )


def _forget_name(context: Context, bucket: str) -> None:
    with context.session.shared_lock:
        _, names = context.session.shared.get("s3 buckets", (0.0, None))
        if names:
            names.discard(bucket)


def _recover(context: Context, attributes: Attributes, token: str) -> Api | None:
    bucket = name_to_create(token, attributes, "bucket", "bucket_prefix")
    for one in context.pages("list_buckets", "Buckets"):
        if one["Name"] == bucket and made_since(one["CreationDate"], token):
            return _made(bucket, context.region)
    return None


# Reading


def _read(context: Context, attributes: Attributes) -> Api | None:
    bucket = attributes["id"]
    region = attributes["bucket_region"]
    every = region is None
    found: Api = _made(bucket, region or "") | {"ObjectLocked": attributes["object_lock_enabled"]}
    if every:
        head = context.find("head_bucket", Bucket=bucket)
        if head is None:
            return None
        headers = head["ResponseMetadata"]["HTTPHeaders"]
        found["BucketRegion"] = (
            head.get("BucketRegion") or headers.get("x-amz-bucket-region") or context.region
        )
        lock = context.find(
            "get_object_lock_configuration",
            missing=(
                "ObjectLockConfigurationNotFoundError",
                "ObjectLockConfigurationNotFound",
                "MethodNotAllowed",
            ),
            Bucket=bucket,
        )
        found["ObjectLocked"] = lock is not None and "ObjectLockConfiguration" in lock
    try:
        found["TagSet"] = context.call("get_bucket_tagging", Bucket=bucket)["TagSet"]
    except ApiError as problem:
        if problem.code in BUCKET_GONE:
            return None
        if problem.code != "NoSuchTagSet":
            raise
    return found | read_features(context, bucket, attributes, every)


def _object_locked(found: Api, _: Context) -> Any:
    return found.get("ObjectLocked")


# Deleting


def _delete(context: Context, attributes: Attributes) -> None:
    bucket = attributes["id"]
    try:
        context.call("delete_bucket", Bucket=bucket)
    except ApiError as problem:
        if problem.code != "BucketNotEmpty":
            raise
        if not attributes["force_destroy"]:
            raise ProviderError(
                error(
                    "The bucket is not empty",
                    f'"{bucket}" still holds objects or versions of objects, so it cannot be deleted.',
                    mend="Empty it; or set force_destroy = true, apply, and destroy it with what is in it.",
                    path=(GetAttr("force_destroy"),),
                )
            ) from problem
        empty_bucket(context, bucket)
        context.call("delete_bucket", Bucket=bucket)
    _forget_name(context, bucket)


# Tags: S3 takes all of them at once


def _set_tags(
    context: Context, attributes: Attributes, set_: dict[str, str], remove: list[str], every: dict[str, str]
) -> None:
    bucket = attributes["id"]
    kept = {}
    if context.settings.ignored_keys or context.settings.ignored_prefixes:
        found = context.find("get_bucket_tagging", missing=("NoSuchTagSet",), Bucket=bucket) or {}
        kept = {
            one["Key"]: one["Value"]
            for one in found.get("TagSet", ())
            if context.settings.ignores(one["Key"])
        }
    if kept or every:
        context.call("put_bucket_tagging", Bucket=bucket, Tagging={"TagSet": tag_list(kept | every)})
    else:
        context.call("delete_bucket_tagging", Bucket=bucket)


# Addresses


def _arn(found: Api, context: Context) -> str:
    return f"arn:{context.partition}:s3:::{found['Bucket']}"


def _domain(found: Api, context: Context) -> str:
    return f"{found['Bucket']}.s3.{context.dns_suffix}"


def _regional_domain(found: Api, context: Context) -> str:
    return f"{found['Bucket']}.s3.{found['BucketRegion']}.{context.dns_suffix}"


def _website_domain(found: Api, context: Context) -> str | None:
    return website_domain(found["BucketRegion"], context.dns_suffix) if found.get("Website") else None


def _website_endpoint(found: Api, context: Context) -> str | None:
    domain = _website_domain(found, context)
    return None if domain is None else f"{found['Bucket']}.{domain}"


def _plan(draft: Draft) -> None:
    prefixed_name(draft, "bucket", "bucket_prefix")
    if draft.prior is None:
        bucket = draft.config.get("bucket")
        if isinstance(bucket, str) and bucket:
            # A bucket's id and addresses follow from its name: references to them are known when planning.
            draft.set("id", bucket)
    if not draft.given("object_lock_enabled"):
        if draft.prior is None:
            draft.planned["object_lock_enabled"] = draft.given("object_lock_configuration")
        elif draft.prior.get("object_lock_enabled") is None:
            draft.planned["object_lock_enabled"] = False


_FIELDS: dict[str, Field] = {
    "bucket": string(
        "",
        read="Bucket",
        computed=True,
        force_new=True,
        conflicts=("bucket_prefix",),
        checks=(length(1, 63), _check_name),
        about="Its name, unique in the whole world; made up where not given.",
    ),
    "bucket_prefix": string(
        "",
        read="",
        computed=True,
        force_new=True,
        checks=(length(1, 37), matches(r"[a-z0-9][a-z0-9.-]*", "be the start of a bucket name")),
        about="A beginning for a name that is unique.",
    ),
    "force_destroy": boolean(
        "",
        read="",
        default=False,
        about="Whether to delete it with everything in it. Applies once it is in the state.",
    ),
    "object_lock_enabled": boolean(
        "",
        read=_object_locked,
        write="",
        computed=True,
        force_new=True,
        about="Whether objects can be locked.",
    ),
    **FEATURE_FIELDS,
    "arn": output(STRING, _arn, about="Its ARN."),
    "bucket_domain_name": output(STRING, _domain, about="Its domain name."),
    "bucket_region": output(STRING, "BucketRegion", about="Region it lies in."),
    "bucket_regional_domain_name": output(STRING, _regional_domain, about="Its domain name with the region."),
    "hosted_zone_id": output(
        STRING,
        lambda found, _: HOSTED_ZONES.get(found["BucketRegion"], ""),
        about="Route 53 zone of its region.",
    ),
    "website_domain": output(
        STRING, _website_domain, follows=("website",), about="Domain of its region's web sites."
    ),
    "website_endpoint": output(
        STRING, _website_endpoint, follows=("website",), about="Address of its web site."
    ),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_s3_bucket",
    service="s3",
    about="A bucket, which holds objects.",
    fields=_FIELDS,
    identifiers=("bucket if bucket_prefix",),
    id="Bucket",
    id_about="Its name.",
    create=_create,
    read=_read,
    updates=feature_updates(_FIELDS),
    delete=_delete,
    tags=Tagging(at_create="", read="TagSet", change=_set_tags),
    complete_create=True,
    retry_create=(Retry("OperationAborted", seconds=180),),
    not_found=BUCKET_GONE,
    exists=("BucketAlreadyOwnedByYou", "BucketAlreadyExists"),
    timeouts=("create", "read", "update", "delete"),
    plan=_plan,
    planned_from={"id": ("bucket",)},
    recover=_recover,
    notes=(
        "Settings with a resource of their own, such as versioning, are read where the bucket declares them.",
        "Elsewhere their attributes are empty; an import reads all of them once.",
    ),
)
