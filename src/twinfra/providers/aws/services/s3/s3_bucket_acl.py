"""The access control list of a bucket."""

from __future__ import annotations

from twinfra.providers.aws.comparison import has_unknown
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import Field, block_set, one_block, string
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.s3._acl import CANNED, acls_disabled, canned_of, put_canned
from twinfra.providers.aws.services.s3._bucket import (
    BUCKET_GONE,
    BUCKET_NEW,
    bucket_fields,
    bucket_id,
    of_bucket,
)

_GRANTEE: dict[str, Field] = {
    "email_address": string("EmailAddress", about="Address of its account, for AmazonCustomerByEmail."),
    "id": string("ID", about="Canonical user id."),
    "type": string("Type", required=True, allowed=("CanonicalUser", "AmazonCustomerByEmail", "Group")),
    "uri": string("URI", about="URI of a group."),
}

_POLICY: dict[str, Field] = {
    "grant": block_set(
        {
            "grantee": one_block(_GRANTEE, "Grantee"),
            "permission": string(
                "Permission",
                required=True,
                allowed=("FULL_CONTROL", "WRITE", "WRITE_ACP", "READ", "READ_ACP"),
            ),
        },
        "Grants",
    ),
    "owner": one_block(
        {"display_name": string("DisplayName", computed=True), "id": string("ID", required=True)},
        "Owner",
        required=True,
    ),
}


def _put(context: Context, attributes: Attributes) -> Api:
    if attributes["acl"]:
        put_canned(context, attributes["bucket"], attributes["acl"], attributes["expected_bucket_owner"])
        return {}
    policy = request_of(_POLICY, attributes["access_control_policy"][0])
    policy["Owner"].pop("DisplayName", None)
    try:
        context.call("put_bucket_acl", AccessControlPolicy=policy, **of_bucket(attributes))
    except ApiError as problem:
        if problem.code != "AccessControlListNotSupported":
            raise
        raise acls_disabled(attributes["bucket"], "grants", "access_control_policy") from problem
    return {}


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.call("get_bucket_acl", **of_bucket(attributes))
    canned = canned_of(found) if attributes["acl"] else None
    return {
        "Canned": canned,
        "Policy": {"Grants": found.get("Grants", []), "Owner": found["Owner"]},
    }


def _delete(context: Context, attributes: Attributes) -> None:
    """There is nothing to delete: a bucket always has an ACL, and it stays as it is."""


def _id(attributes: Attributes) -> str:
    canned = attributes.get("acl")
    return bucket_id(attributes) + (f",{canned}" if canned else "")


def _plan(draft: Draft) -> None:
    if draft.prior is not None and "acl" in draft.changed:
        draft.set_unknown("access_control_policy")
        if has_unknown((draft.planned["acl"], draft.planned["bucket"])):
            draft.set_unknown("id")
        else:
            draft.set("id", _id(draft.planned))


RESOURCE = Resource(
    name="aws_s3_bucket_acl",
    service="s3",
    about="The access control list of a bucket whose ACLs are not disabled.",
    fields={
        **bucket_fields(),
        "acl": string(
            "",
            read="Canned",
            allowed=CANNED,
            exactly_one=("acl", "access_control_policy"),
            about="A canned ACL.",
        ),
        "access_control_policy": one_block(_POLICY, "Policy", computed=True, about="Grants one by one."),
    },
    id=_id,
    import_id=("{bucket},{expected_bucket_owner},{acl}", "{bucket},{acl}", "{bucket}"),
    create=_put,
    read=_read,
    updates=(Update(fields=("acl", "access_control_policy"), call=_update),),
    delete=_delete,
    not_found=BUCKET_GONE,
    retry_create=BUCKET_NEW,
    plan=_plan,
    notes=("Destroying it leaves the bucket's ACL as it is.",),
)
