"""Access control lists: canned ones told apart by their grants, and what a bucket without ACLs answers."""

from __future__ import annotations

from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.resource import Api, Change
from twinfra.providers.protocol import ProviderError
from twinfra.values.value import GetAttr

CANNED = (
    "private",
    "public-read",
    "public-read-write",
    "authenticated-read",
    "aws-exec-read",
    "log-delivery-write",
)

ALL_USERS = "http://acs.amazonaws.com/groups/global/AllUsers"
AUTHENTICATED = "http://acs.amazonaws.com/groups/global/AuthenticatedUsers"
LOG_DELIVERY = "http://acs.amazonaws.com/groups/s3/LogDelivery"

_EXTRA: dict[str, frozenset[tuple[str, str]]] = {
    "private": frozenset(),
    "public-read": frozenset({(ALL_USERS, "READ")}),
    "public-read-write": frozenset({(ALL_USERS, "READ"), (ALL_USERS, "WRITE")}),
    "authenticated-read": frozenset({(AUTHENTICATED, "READ")}),
    "log-delivery-write": frozenset({(LOG_DELIVERY, "WRITE"), (LOG_DELIVERY, "READ_ACP")}),
}


def canned_of(answer: Api) -> str:
    """The canned ACL that the grants of a GetBucketAcl answer amount to; empty where none does."""
    owner = answer.get("Owner", {}).get("ID")
    rest: set[tuple[str, str]] = set()
    execs = 0
    for grant in answer.get("Grants", ()):
        grantee = grant.get("Grantee", {})
        if grantee.get("ID") == owner and grant["Permission"] == "FULL_CONTROL":
            continue
        if grantee.get("Type") == "CanonicalUser" and grant["Permission"] == "READ":
            execs += 1
            continue
        rest.add((str(grantee.get("URI", grantee.get("ID"))), grant["Permission"]))
    if execs:
        return "aws-exec-read" if execs == 1 and not rest else ""
    return next((name for name, extra in _EXTRA.items() if extra == rest), "")


def put_canned(
    context: Context, bucket: str, acl: str, owner: str | None = None, attribute: str = "acl"
) -> None:
    """Set a canned ACL. Where ACLs are disabled `private` holds already; any other is an error that names the
    mend.
    """
    try:
        context.call("put_bucket_acl", Bucket=bucket, ACL=acl, ExpectedBucketOwner=owner or None)
    except ApiError as problem:
        if problem.code != "AccessControlListNotSupported":
            raise
        if acl != "private":
            raise acls_disabled(bucket, f'the ACL "{acl}"', attribute) from problem


def acls_disabled(bucket: str, wanted: str, attribute: str) -> ProviderError:
    """The error of wanting an ACL on a bucket that has them disabled."""
    return ProviderError(
        error(
            "The bucket has ACLs disabled",
            f"Buckets are made with ACLs disabled (object ownership BucketOwnerEnforced), so {wanted} "
            f'cannot be set on "{bucket}".',
            mend="Give access with an aws_s3_bucket_policy instead; or add aws_s3_bucket_ownership_controls "
            'with object_ownership = "BucketOwnerPreferred", and an aws_s3_bucket_acl that depends on it.',
            path=(GetAttr(attribute),),
        )
    )


def acl_read(context: Context, bucket: str) -> str:
    """The canned ACL that a bucket has; empty where it has none of them."""
    return canned_of(context.call("get_bucket_acl", Bucket=bucket))


def acl_set(context: Context, change: Change) -> None:
    """Bring a bucket's own `acl` to what is planned; a new bucket is private without a call."""
    wanted = change.planned.get("acl")
    if wanted and not (wanted == "private" and not change.prior.get("id")):
        put_canned(context, change.planned["bucket"], wanted)


def grants_read(context: Context, bucket: str) -> list[Api]:
    """Grants as the `grant` blocks of a bucket say them: permissions by grantee."""
    answer = context.call("get_bucket_acl", Bucket=bucket)
    found: dict[tuple[str, str, str], list[str]] = {}
    for grant in answer.get("Grants", ()):
        grantee = grant["Grantee"]
        key = (grantee.get("Type", ""), grantee.get("ID", ""), grantee.get("URI", ""))
        found.setdefault(key, []).append(grant["Permission"])
    return [
        {"type": kind, "id": id, "uri": uri, "permissions": permissions}
        for (kind, id, uri), permissions in found.items()
    ]


def grants_set(context: Context, change: Change) -> None:
    """Bring a bucket's grants to what is planned."""
    bucket = change.planned["bucket"]
    wanted = change.planned.get("grant")
    if not wanted:
        put_canned(context, bucket, "private")
        return
    owner = context.call("get_bucket_acl", Bucket=bucket)["Owner"]
    grants: list[dict[str, Any]] = []
    for one in wanted:
        grantee = {"Type": one["type"]}
        if one["id"]:
            grantee["ID"] = one["id"]
        if one["uri"]:
            grantee["URI"] = one["uri"]
        grants.extend({"Grantee": grantee, "Permission": permission} for permission in one["permissions"])
    try:
        context.call("put_bucket_acl", Bucket=bucket, AccessControlPolicy={"Grants": grants, "Owner": owner})
    except ApiError as problem:
        if problem.code != "AccessControlListNotSupported":
            raise
        raise acls_disabled(bucket, "grants", "grant") from problem
