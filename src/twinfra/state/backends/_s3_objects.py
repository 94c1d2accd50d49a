"""Objects in one bucket: read whole, replaced under a condition, with what to believe when no answer came."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends._s3_settings import Objects
from twinfra.state.backends.protocol import NOTHING, Content
from twinfra.state.history import Version, serial_of

if TYPE_CHECKING:
    from twinfra.providers.aws.failures import ApiError
    from twinfra.providers.aws.session import Session

_ABSENT = ("NoSuchKey", "404", "NotFound")
_ONCE_MORE = ("ConditionalRequestConflict", "OperationAborted")
_KNOWS_NO_CONDITIONS = ("NotImplemented", "501", "UnsupportedOperation", "XNotImplemented")
_CONFLICTS = 10
_PAUSE = 0.05
_START = 4096
"""Bytes of a state that tell its serial."""


class Bucket:
    """A bucket and how objects are stored in it."""

    def __init__(self, session: Session, objects: Objects) -> None:
        self._session = session
        self._objects = objects
        self._conditions = True
        self.unversioned = False
        self._client: Any = None

    def account(self) -> str:
        """The account of the credentials."""
        from twinfra.providers.aws.failures import ApiError

        try:
            return self._session.caller()[0]
        except ApiError as problem:
            raise self.problem(problem, "ask which account it is") from None

    def keys(self, prefix: str, doing: str = "list the workspaces") -> Iterator[str]:
        """The keys of all objects that begin with a prefix."""
        from twinfra.providers.aws.failures import ApiError

        request = {"Bucket": self._objects.bucket, "Prefix": prefix}
        try:
            pages = self._session.pages("s3", self._session.region, "list_objects_v2", request)
        except ApiError as problem:
            raise self.problem(problem, doing) from None
        for page in pages:
            for item in page.get("Contents") or ():
                yield item["Key"]

    def get(self, key: str, doing: str) -> Content | None:
        """An object; None where there is none."""
        from twinfra.providers.aws.failures import ApiError, translate

        request = {"Bucket": self._objects.bucket, "Key": key, **self._decryption()}
        for last in (False, False, True):
            try:
                answer = self._call("get_object", request)
            except ApiError as problem:
                if problem.code in _ABSENT:
                    return None
                raise self.problem(problem, doing) from None
            try:
                # Read by botocore's own wrapper, which compares length and checksum.
                data = answer["Body"].read()
            except Exception as cut:
                # The connection broke while the object came.
                answer["Body"].close()
                if last:
                    raise self.problem(translate(cut, "s3", "get_object"), doing) from None
                continue
            return Content(data, answer["ETag"])
        raise AssertionError("the last attempt returns or raises")

    def put(self, key: str, data: bytes, expected: str | None, doing: str) -> str | None:
        """Replace an object; its new ETag, or None when another than `expected` is there (see `Backend.write`)."""
        from twinfra.providers.aws.failures import ApiError

        for attempt in range(_CONFLICTS):
            if expected is not None and not self._conditions:
                now = self.get(key, doing)
                if (NOTHING if now is None else now.version) != expected:
                    return None
            try:
                return self._put(key, data, expected)
            except ApiError as problem:
                if problem.code in _ONCE_MORE and attempt + 1 < _CONFLICTS:
                    # Another writer is at it this very moment; S3 wants the request once more.
                    time.sleep(_PAUSE * attempt)
                    continue
                if expected is not None and self._conditions and problem.code in _KNOWS_NO_CONDITIONS:
                    self._conditions = False
                    continue
                refused = problem.status == 412 or (problem.code in _ABSENT and expected)
                if refused and not problem.unsure:
                    return None
                if problem.unsure:
                    # Of several attempts, or of one without an answer, any may have been carried out.
                    now = self.get(key, doing)
                    if now is not None and now.data == data:
                        return now.version
                if refused:
                    return None
                raise self.problem(problem, doing) from None
        raise AssertionError("the last attempt returns or raises")

    def versions(self, key: str, most: int) -> list[Version]:
        """The versions of an object before the present one, the newest first; none where the bucket keeps none."""
        from twinfra.providers.aws.failures import ApiError

        request = {"Bucket": self._objects.bucket, "Prefix": key}
        try:
            pages = self._session.pages("s3", self._session.region, "list_object_versions", request)
            older = [
                one
                for page in pages
                for one in page.get("Versions") or ()
                if one["Key"] == key and not one["IsLatest"] and one["Size"]
            ]
        except ApiError as problem:
            raise self.problem(problem, "list the versions of the state") from None
        older.sort(key=lambda one: one["LastModified"], reverse=True)
        return [
            Version(one["VersionId"], one["LastModified"], serial_of(self._start(key, one["VersionId"])))
            for one in older[:most]
        ]

    def version(self, key: str, id: str) -> bytes | None:
        """One version of an object; None where it is gone."""
        return self._older(key, {"VersionId": id})

    def _start(self, key: str, id: str) -> bytes:
        return self._older(key, {"VersionId": id, "Range": f"bytes=0-{_START - 1}"}) or b""

    def _older(self, key: str, which: dict[str, str]) -> bytes | None:
        from twinfra.providers.aws.failures import ApiError

        request = {"Bucket": self._objects.bucket, "Key": key, **which, **self._decryption()}
        try:
            return bytes(self._call("get_object", request)["Body"].read())
        except ApiError as problem:
            if problem.code in (*_ABSENT, "NoSuchVersion"):
                return None
            raise self.problem(problem, "read an earlier state") from None

    @property
    def conditions(self) -> bool:
        """Whether the service knows conditional writes, as far as was seen."""
        return self._conditions

    def delete(self, key: str, doing: str, etag: str = "") -> bool:
        """Remove an object, or only this very one; False when another is there."""
        from twinfra.providers.aws.failures import ApiError

        request = {"Bucket": self._objects.bucket, "Key": key}
        try:
            try:
                self._call("delete_object", {**request, "IfMatch": etag} if etag else request)
            except ApiError as problem:
                if not etag or problem.code not in _KNOWS_NO_CONDITIONS:
                    raise
                now = self.get(key, doing)
                if now is not None and now.version != etag:
                    return False
                self._call("delete_object", request)
        except ApiError as problem:
            if problem.status == 412:
                return False
            if problem.code not in _ABSENT:
                raise self.problem(problem, doing) from None
        return True

    def problem(self, problem: ApiError, doing: str) -> DiagnosticError:
        """A failed call in words."""
        from twinfra.providers.aws.failures import describe

        if problem.code == "NoSuchBucket":
            return DiagnosticError(
                error(
                    "No such bucket",
                    f"There is no bucket {self._objects.bucket} to {doing}.",
                    mend="Correct the bucket's name, or make the bucket first.",
                )
            )
        found = describe(problem, f"trying to {doing}")
        if problem.code == "AccessDenied" and problem.operation == "get_object":
            found = replace(
                found,
                mend="Allow s3:GetObject on the object and s3:ListBucket on the bucket to these credentials: without "
                "the latter S3 says this also where there is no object yet.",
            )
        if problem.status >= 500 and not found.mend:
            found = replace(found, mend="The service has a problem of its own: run the command again later.")
        return DiagnosticError(found)

    def _put(self, key: str, data: bytes, expected: str | None) -> str:
        request: dict[str, Any] = {
            "Bucket": self._objects.bucket,
            "Key": key,
            "Body": data,
            "ContentType": "application/json",
            **self._encryption(),
        }
        if self._objects.acl:
            request["ACL"] = self._objects.acl
        if self._objects.checksums:
            request["ChecksumAlgorithm"] = "SHA256"
        if expected is not None and self._conditions:
            if expected == NOTHING:
                request["IfNoneMatch"] = "*"
            else:
                request["IfMatch"] = expected
        answer = self._call("put_object", request)
        # A bucket whose versioning is suspended calls every version "null", and keeps one.
        self.unversioned = answer.get("VersionId", "null") == "null"
        return str(answer["ETag"])

    def _call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        if self._client is None:
            self._client = self._session.client("s3")
            if not self._objects.checksums:
                self._client.meta.config.request_checksum_calculation = "when_required"
        return self._session.call("s3", self._session.region, operation, request)

    def _decryption(self) -> dict[str, Any]:
        if not self._objects.customer_key:
            return {}
        return {"SSECustomerAlgorithm": "AES256", "SSECustomerKey": self._objects.customer_key}

    def _encryption(self) -> dict[str, Any]:
        if not self._objects.encrypt:
            return {}
        if self._objects.kms_key:
            return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": self._objects.kms_key}
        return self._decryption() or {"ServerSideEncryption": "AES256"}
