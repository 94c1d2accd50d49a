"""What all settings of a bucket share: the bucket they are of, and the errors that say it is gone."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import length, matches
from twinfra.providers.aws.fields import Field, string
from twinfra.providers.aws.resource import Attributes, Retry

BUCKET_GONE = ("NoSuchBucket", "404")
"""Codes that say there is no such bucket."""

BUCKET_NEW = (Retry("NoSuchBucket", seconds=30), Retry("OperationAborted", seconds=60))
"""Errors that pass when a bucket has just been made, or is being changed by another call."""

BUCKET_IDS = ("{bucket},{expected_bucket_owner}", "{bucket}")
"""Forms of import ids of settings that may name the bucket's owner."""


def bucket_fields(owner: bool = True) -> dict[str, Field]:
    """`bucket`, and `expected_bucket_owner` where `owner`."""
    found = {
        "bucket": string(
            "", required=True, force_new=True, read="", checks=(length(1, 63),), about="Name of the bucket."
        )
    }
    if owner:
        found["expected_bucket_owner"] = string(
            "",
            read="",
            force_new=True,
            checks=(matches(r"\d{12}", "be an account id of 12 digits"),),
            about="Account that has to own the bucket.",
        )
    return found


def bucket_id(attributes: Attributes) -> str:
    """The id of a setting: the bucket's name, and the owner's account where one is expected."""
    parts = [attributes["bucket"], attributes.get("expected_bucket_owner")]
    return ",".join(part for part in parts if part)


def of_bucket(attributes: Attributes) -> dict[str, Any]:
    """The request members that say which bucket, and whose it has to be."""
    return {
        "Bucket": attributes["bucket"],
        "ExpectedBucketOwner": attributes.get("expected_bucket_owner") or None,
    }
