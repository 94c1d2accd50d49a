"""Emptying a bucket: every object, version and delete marker, and every unfinished upload."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError

_BATCH = 1000
"""Keys that one DeleteObjects takes."""


def empty_bucket(context: Context, bucket: str, bypass: bool = False) -> None:
    """Delete all that is in it; `bypass`: also what governance mode retains. Raises `ApiError`."""
    done = 0
    while True:
        # Always from the beginning: what was listed is gone by then, and nothing is kept in memory.
        page = context.call("list_object_versions", Bucket=bucket, MaxKeys=_BATCH)
        keys = [
            {"Key": one["Key"], "VersionId": one["VersionId"]}
            for kind in ("Versions", "DeleteMarkers")
            for one in page.get(kind, ())
        ]
        if not keys:
            break
        _delete(context, bucket, keys, bypass)
        done += len(keys)
        context.progress(f"emptying, {done} versions deleted")
    for upload in context.pages("list_multipart_uploads", "Uploads", Bucket=bucket):
        context.call("abort_multipart_upload", Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])


def _delete(context: Context, bucket: str, keys: list[dict[str, Any]], bypass: bool) -> None:
    answer = context.call(
        "delete_objects",
        Bucket=bucket,
        Delete={"Objects": keys, "Quiet": True},
        BypassGovernanceRetention=True if bypass else None,
    )
    for problem in answer.get("Errors", ()):
        if problem.get("Code") not in ("NoSuchKey", "NoSuchVersion"):
            raise ApiError(
                "s3",
                "delete_objects",
                problem["Code"],
                f"{problem['Key']}: {problem.get('Message', '')}",
                400,
            )
