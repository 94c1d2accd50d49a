"""When the objects of a bucket move to other storage, or expire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.providers.aws.checks import at_least, length
from twinfra.providers.aws.comparison import is_empty, same_time
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    Field,
    block,
    block_set,
    boolean,
    number,
    one_block,
    string,
    string_map,
)
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.s3._bucket import (
    BUCKET_GONE,
    BUCKET_IDS,
    BUCKET_NEW,
    bucket_fields,
    bucket_id,
    of_bucket,
)

_CLASSES = ("GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR")


def _days(api: str, **options: Any) -> Field:
    return number(api, checks=(at_least(0),), **options)


def _date() -> Field:
    return string("Date", equal=same_time, about="A moment as RFC 3339, at midnight UTC.")


def _tag_list(value: Mapping[str, str]) -> Mapping[str, Any]:
    return {"Tags": [{"Key": key, "Value": text} for key, text in sorted(value.items())]}


_FILTER: dict[str, Field] = {
    "prefix": string("Prefix", about="Only keys that start so."),
    "object_size_greater_than": _days("ObjectSizeGreaterThan", about="Only objects with more bytes."),
    "object_size_less_than": _days("ObjectSizeLessThan", about="Only objects with fewer bytes."),
    "tag": one_block(
        {"key": string("Key", required=True), "value": string("Value", required=True)},
        "Tag",
        about="Only objects with this tag.",
    ),
    "and": one_block(
        {
            "prefix": string("Prefix"),
            "object_size_greater_than": _days("ObjectSizeGreaterThan"),
            "object_size_less_than": _days("ObjectSizeLessThan"),
            "tags": string_map("", read="Tags", write=_tag_list),
        },
        "And",
        about="Only objects for which all of these hold.",
    ),
}

_RULE: dict[str, Field] = {
    "id": string("ID", required=True, checks=(length(1, 255),), about="Its name."),
    "status": string("Status", required=True, allowed=("Enabled", "Disabled"), about="Whether it applies."),
    "prefix": string("Prefix", deprecated="Use filter instead.", about="Only keys that start so."),
    "filter": one_block(
        _FILTER, "Filter", hollow=True, about="Which objects it is for; all of them where empty."
    ),
    "abort_incomplete_multipart_upload": one_block(
        {"days_after_initiation": _days("DaysAfterInitiation")},
        "AbortIncompleteMultipartUpload",
        about="When unfinished uploads go.",
    ),
    "expiration": one_block(
        {
            "date": _date(),
            "days": _days("Days"),
            "expired_object_delete_marker": boolean(
                "ExpiredObjectDeleteMarker", about="Whether lone delete markers go."
            ),
        },
        "Expiration",
        about="When objects expire.",
    ),
    "noncurrent_version_expiration": one_block(
        {
            "newer_noncurrent_versions": _days(
                "NewerNoncurrentVersions", about="How many are kept all the same."
            ),
            "noncurrent_days": _days("NoncurrentDays", required=True),
        },
        "NoncurrentVersionExpiration",
        about="When old versions go.",
    ),
    "noncurrent_version_transition": block_set(
        {
            "newer_noncurrent_versions": _days("NewerNoncurrentVersions"),
            "noncurrent_days": _days("NoncurrentDays", required=True),
            "storage_class": string("StorageClass", required=True, allowed=_CLASSES),
        },
        "NoncurrentVersionTransitions",
        about="When old versions move to other storage.",
    ),
    "transition": block_set(
        {
            "date": _date(),
            "days": _days("Days"),
            "storage_class": string("StorageClass", required=True, allowed=_CLASSES),
        },
        "Transitions",
        about="When objects move to other storage.",
    ),
}


def _put(context: Context, attributes: Attributes) -> Api:
    rules = []
    for rule in attributes["rule"]:
        sent = request_of(_RULE, rule)
        if "Prefix" not in sent:
            # The API wants to be told either way: an empty prefix stands for all objects.
            narrowed = sent.get("Filter") or {"Prefix": ""}
            sent["Filter"] = narrowed
        rules.append(sent)
    context.call(
        "put_bucket_lifecycle_configuration",
        LifecycleConfiguration={"Rules": rules},
        TransitionDefaultMinimumObjectSize=attributes["transition_default_minimum_object_size"],
        **of_bucket(attributes),
    )
    return {}


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("get_bucket_lifecycle_configuration", **of_bucket(attributes))
    if found is None:
        return None
    held = {rule["id"]: (at, rule) for at, rule in enumerate(attributes.get("rule") or ())}
    rules = [
        _as_held(rule, held[rule["ID"]][1] if rule.get("ID") in held else None) for rule in found["Rules"]
    ]
    rules.sort(key=lambda rule: held[rule["ID"]][0] if rule.get("ID") in held else len(held))
    return {
        "Rules": rules,
        # Not told where it is as usual.
        "TransitionDefaultMinimumObjectSize": found.get(
            "TransitionDefaultMinimumObjectSize", "all_storage_classes_128K"
        ),
    }


def _as_held(rule: Api, held: Mapping[str, Any] | None) -> Api:
    """A rule without a filter where the state has none, and with an empty one where it has one."""
    narrowed = rule.get("Filter")
    if narrowed in (None, {}, {"Prefix": ""}):
        rest = {name: value for name, value in rule.items() if name != "Filter"}
        return rest if held is not None and is_empty(held.get("filter")) else rest | {"Filter": {}}
    return rule


def _delete(context: Context, attributes: Attributes) -> None:
    context.call("delete_bucket_lifecycle", **of_bucket(attributes))


RESOURCE = Resource(
    name="aws_s3_bucket_lifecycle_configuration",
    service="s3",
    about="When the objects of a bucket move to other storage, or expire.",
    fields={
        **bucket_fields(),
        "rule": block(_RULE, "Rules", about="What happens when, and to which objects."),
        "transition_default_minimum_object_size": string(
            "TransitionDefaultMinimumObjectSize",
            write="",
            computed=True,
            allowed=("all_storage_classes_128K", "varies_by_storage_class"),
            about="Below which size objects are not moved unless a rule says so.",
        ),
    },
    id=bucket_id,
    import_id=BUCKET_IDS,
    create=_put,
    read=_read,
    updates=(Update(fields=("rule", "transition_default_minimum_object_size"), call=_update),),
    delete=_delete,
    not_found=(*BUCKET_GONE, "NoSuchLifecycleConfiguration"),
    retry_create=BUCKET_NEW,
    timeouts=("create", "update"),
)
