"""S3 as it is since 2023: new buckets are encrypted, closed to the public and without access control lists.

Rules: https://docs.aws.amazon.com/AmazonS3/latest/userguide/about-object-ownership.html and
https://docs.aws.amazon.com/AmazonS3/latest/userguide/access-control-block-public-access.html
"""

from __future__ import annotations

import json
from typing import Any

from moto.s3.exceptions import S3ClientError
from moto.s3.models import FakeBucket, PublicAccessBlock, S3Backend
from moto.s3.responses import S3Response

from twinfra.sandbox.overlay import graft

_ENFORCED = "BucketOwnerEnforced"
_HARMLESS_OBJECT_ACLS = frozenset({"", "private", "bucket-owner-full-control"})
_PUBLIC_ACLS = ("public-read", "public-read-write", "authenticated-read")
_ALL_USERS = "http://acs.amazonaws.com/groups/"


def _no_lists() -> S3ClientError:
    return S3ClientError("AccessControlListNotSupported", "The bucket does not allow ACLs")


def _denied(operation: str) -> S3ClientError:
    return S3ClientError(
        "AccessDenied",
        f"The public access block of the bucket does not permit s3:{operation} with public access.",
    )


def _default_encryption() -> dict[str, Any]:
    return {
        "Rule": {
            "ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"},
            "BucketKeyEnabled": "false",
        }
    }


def _is_public(policy: bytes) -> bool:
    """Whether a policy lets everybody in, as far as that shows without weighing conditions."""
    try:
        statements = json.loads(policy)["Statement"]
    except (ValueError, KeyError, TypeError):
        return False
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        accounts = principal.get("AWS", []) if isinstance(principal, dict) else principal
        everybody = accounts == "*" or (isinstance(accounts, list) and "*" in accounts)
        if statement.get("Effect") == "Allow" and everybody and not statement.get("Condition"):
            return True
    return False


class _Bucket:
    def __init__(self: Any, *arguments: Any, **named: Any) -> None:
        _original_bucket(self, *arguments, **named)
        self.encryption = _default_encryption()
        self.public_access_block = PublicAccessBlock(True, True, True, True)
        self.ownership_rule = _ENFORCED

    def get_permission(self: Any, action: str, resource: str) -> Any:
        """moto weighs no conditions; a statement that has one must not be taken as if it had none."""
        whole = self.policy
        if whole is not None:
            document = json.loads(whole)
            statements = document.get("Statement", [])
            statements = statements if isinstance(statements, list) else [statements]
            document["Statement"] = [one for one in statements if not one.get("Condition")]
            self.policy = json.dumps(document).encode() if document["Statement"] else None
        try:
            return _original_permission(self, action, resource)
        finally:
            self.policy = whole


class _Backend:
    def put_bucket_acl(self: Any, bucket_name: str, acl: Any) -> None:
        bucket = self.get_bucket(bucket_name)
        if bucket.ownership_rule == _ENFORCED:
            raise _no_lists()
        block = bucket.public_access_block
        public = acl is not None and any(
            (grantee.uri or "").startswith(_ALL_USERS) and not grantee.uri.endswith("LogDelivery")
            for grant in acl.grants
            for grantee in grant.grantees
        )
        if public and block is not None and block.block_public_acls:
            raise _denied("PutBucketAcl")
        bucket.set_acl(acl)

    def put_bucket_policy(self: Any, bucket_name: str, policy: bytes) -> None:
        bucket = self.get_bucket(bucket_name)
        block = bucket.public_access_block
        if block is not None and block.block_public_policy and _is_public(policy):
            raise _denied("PutBucketPolicy")
        bucket.policy = policy

    def put_bucket_ownership_controls(self: Any, bucket_name: str, ownership: Any) -> None:
        bucket = self.get_bucket(bucket_name)
        if ownership == _ENFORCED and bucket.acl is not None and len(bucket.acl.grants) > 1:
            raise S3ClientError(
                "InvalidBucketAclWithObjectOwnership",
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            )
        bucket.ownership_rule = ownership

    def delete_bucket_encryption(self: Any, bucket_name: str) -> None:
        self.get_bucket(bucket_name).encryption = _default_encryption()


class _Response:
    def _bucket_response_put(self: Any, request: Any, bucket_name: str, querystring: dict[str, Any]) -> Any:
        listed = request.headers.get("x-amz-acl", "")
        is_new = not querystring and bucket_name not in self.backend.buckets
        if not is_new or not listed:
            return _original_put(self, request, bucket_name, querystring)
        ownership = request.headers.get("x-amz-object-ownership", _ENFORCED)
        if ownership == _ENFORCED and listed != "private":
            raise S3ClientError(
                "InvalidBucketAclWithObjectOwnership",
                "Bucket cannot have ACLs set with ObjectOwnership's BucketOwnerEnforced setting",
            )
        if listed in _PUBLIC_ACLS:
            raise _denied("CreateBucket")  # every new bucket is closed to the public
        wanted = self._acl_from_headers(request.headers)
        del request.environ["HTTP_X_AMZ_ACL"]
        answer = _original_put(self, request, bucket_name, querystring)
        self.backend.get_bucket(bucket_name).set_acl(wanted)
        return answer

    def put_object_acl(self: Any) -> Any:
        if self.backend.get_bucket(self.bucket_name).ownership_rule == _ENFORCED:
            raise _no_lists()
        return _original_object_acl(self)

    def put_object(self: Any) -> Any:
        self._refuse_object_acl()
        return _original_put_object(self)

    def copy_object(self: Any) -> Any:
        self._refuse_object_acl()
        return _original_copy_object(self)

    def _refuse_object_acl(self: Any) -> None:
        bucket = self.backend.get_bucket(self.bucket_name)
        if bucket.ownership_rule == _ENFORCED:
            listed = self.headers.get("x-amz-acl", "") not in _HARMLESS_OBJECT_ACLS
            granted = any(name.lower().startswith("x-amz-grant-") for name, _ in self.headers.items())
            if listed or granted:
                raise _no_lists()


_original_bucket = FakeBucket.__init__
_original_permission = FakeBucket.get_permission
_original_object_acl = S3Response.put_object_acl
_original_put = S3Response._bucket_response_put
_original_put_object = S3Response.put_object
_original_copy_object = S3Response.copy_object


def install() -> None:
    """Graft onto moto's classes."""
    graft(FakeBucket, _Bucket)
    graft(S3Backend, _Backend)
    graft(S3Response, _Response)
