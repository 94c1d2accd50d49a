"""S3: lifecycle rules as they were put, with sizes of objects, numbers of kept versions and the default size.

https://docs.aws.amazon.com/AmazonS3/latest/API/API_PutBucketLifecycleConfiguration.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from copy import deepcopy
from typing import Any

from moto.core.responses import ActionResult
from moto.s3.exceptions import NoSuchLifecycleConfiguration
from moto.s3.models import FakeBucket
from moto.s3.responses import S3Response

from twinfra.sandbox.overlay import graft

_HEADER = "x-amz-transition-default-minimum-object-size"
_DEFAULT = "all_storage_classes_128K"
_MANY = {
    "Transition": "Transitions",
    "NoncurrentVersionTransition": "NoncurrentVersionTransitions",
    "Tag": "Tags",
}
"""What may stand several times in the text of a rule, and what the list of it is called in the API."""


class _Bucket:
    def set_lifecycle(self: Any, rules: list[dict[str, Any]]) -> None:
        written = deepcopy(rules)
        _original_set(self, rules)
        self.rules_as_written = written

    def delete_lifecycle(self: Any) -> None:
        _original_delete(self)
        self.rules_as_written = []


class _Response:
    def _bucket_response_put(self: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        answer = _original_put(self, request, bucket_name, querystring)
        if "lifecycle" in querystring:
            bucket = self.backend.get_bucket(bucket_name)
            bucket.lifecycle_default_size = request.headers.get(_HEADER) or _DEFAULT
        return answer

    def get_bucket_lifecycle(self: Any) -> Any:
        bucket = self.backend.get_bucket(self.bucket_name)
        written = getattr(bucket, "rules_as_written", None)
        if written is None:  # a bucket out of an older snapshot, or without rules so far
            return _original_get(self)
        self.data["Action"] = "GetBucketLifecycleConfiguration"
        if not written:
            raise NoSuchLifecycleConfiguration(bucket_name=self.bucket_name)
        return self.serialized(
            ActionResult(
                {
                    "Rules": [_rule(one) for one in written],
                    "TransitionDefaultMinimumObjectSize": getattr(bucket, "lifecycle_default_size", _DEFAULT),
                }
            )
        )


def _rule(written: Mapping[str, Any]) -> dict[str, Any]:
    rule = _named(written)
    narrowed: Mapping[str, Any] = written.get("Filter") or {}
    if "Filter" in written:
        rule["Filter"] = _named(narrowed, several=("And",))
        if narrowed.get("Tag"):
            rule["Filter"]["Tag"] = rule["Filter"].pop("Tags")[0]
        if isinstance(narrowed.get("And"), Mapping):
            rule["Filter"]["And"] = _named(narrowed["And"])
    return rule


def _named(written: Mapping[str, Any], several: Sequence[str] = ()) -> dict[str, Any]:
    """The members by their names in the API, without empty ones but for the empty prefix."""
    found: dict[str, Any] = {}
    for name, value in written.items():
        if name.startswith("@") or name in several:
            continue
        if name in _MANY:
            found[_MANY[name]] = value if isinstance(value, list) else [value]
        elif name == "Prefix":
            found[name] = value or ""
        elif value is not None:
            found[name] = value
    return found


_original_set = FakeBucket.set_lifecycle
_original_delete = FakeBucket.delete_lifecycle
_original_get = S3Response.get_bucket_lifecycle
_original_put = S3Response._bucket_response_put
"""That of the other extension of S3, which is installed before."""


def install() -> None:
    """Graft onto moto's classes."""
    graft(FakeBucket, _Bucket)
    graft(S3Response, _Response)
