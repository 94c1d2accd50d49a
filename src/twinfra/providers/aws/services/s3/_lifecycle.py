"""Lifecycle rules in the form of `aws_s3_bucket`'s own `lifecycle_rule`, and dates as S3 has them."""

from __future__ import annotations

import datetime
from typing import Any

from twinfra.providers.aws.fields import Field, block_set, boolean, number, one_block, string, string_map
from twinfra.providers.aws.resource import Api

_CLASSES = ("GLACIER", "STANDARD_IA", "ONEZONE_IA", "INTELLIGENT_TIERING", "DEEP_ARCHIVE", "GLACIER_IR")


def day_of(value: Any) -> str | None:
    """A date of the API as "2006-01-02"."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d")
    return None if value is None else str(value)[:10]


def _date() -> Field:
    return string("Date", read=lambda found, _: day_of(found.get("Date")), about="A day, such as 2030-01-31.")


def _prefix(found: Api, _: Any) -> str | None:
    narrowed = found.get("Filter") or {}
    prefix = found.get("Prefix") or narrowed.get("Prefix") or narrowed.get("And", {}).get("Prefix")
    return None if prefix is None else str(prefix)


def _tags(found: Api, _: Any) -> Any:
    narrowed = found.get("Filter") or {}
    if "Tag" in narrowed:
        return [narrowed["Tag"]]
    return narrowed.get("And", {}).get("Tags")


OLD_RULE: dict[str, Field] = {
    "id": string("ID", computed=True, about="Its name."),
    "enabled": boolean(
        "Status",
        required=True,
        read=lambda found, _: found.get("Status") == "Enabled",
        write=lambda value: {"Status": "Enabled" if value else "Disabled"},
    ),
    "prefix": string(
        "", read=_prefix, write=lambda value: {"prefix": value}, about="Only keys that start so."
    ),
    "tags": string_map("", read=_tags, write=lambda value: {"tags": value}, about="Only objects with these."),
    "abort_incomplete_multipart_upload_days": number("AbortIncompleteMultipartUpload.DaysAfterInitiation"),
    "expiration": one_block(
        {
            "date": _date(),
            "days": number("Days"),
            "expired_object_delete_marker": boolean("ExpiredObjectDeleteMarker"),
        },
        "Expiration",
    ),
    "noncurrent_version_expiration": one_block(
        {"days": number("NoncurrentDays")}, "NoncurrentVersionExpiration"
    ),
    "noncurrent_version_transition": block_set(
        {
            "days": number("NoncurrentDays"),
            "storage_class": string("StorageClass", required=True, allowed=_CLASSES),
        },
        "NoncurrentVersionTransitions",
    ),
    "transition": block_set(
        {
            "date": _date(),
            "days": number("Days"),
            "storage_class": string("StorageClass", required=True, allowed=_CLASSES),
        },
        "Transitions",
    ),
}
"""The fields of one `lifecycle_rule`."""


def rules_to_send(rules: list[Api]) -> list[Api]:
    """Rules made from `OLD_RULE`, with what narrows them put where the API wants it, and a name."""
    found = []
    for number_, rule in enumerate(rules):
        made = dict(rule)
        prefix, tags = made.pop("prefix", ""), made.pop("tags", None)
        if tags:
            pairs = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
            made["Filter"] = {"And": {"Prefix": prefix, "Tags": pairs}}
        else:
            made["Filter"] = {"Prefix": prefix}
        made.setdefault("ID", f"rule-{number_ + 1}")
        found.append(made)
    return found
