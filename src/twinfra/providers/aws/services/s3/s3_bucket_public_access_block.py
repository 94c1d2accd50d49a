"""What keeps a bucket from being public."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import Field, boolean
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.s3._bucket import BUCKET_GONE, BUCKET_NEW, bucket_fields

_SWITCHES: dict[str, Field] = {
    "block_public_acls": boolean("BlockPublicAcls", default=False, about="Whether public ACLs are refused."),
    "block_public_policy": boolean(
        "BlockPublicPolicy", default=False, about="Whether public policies are refused."
    ),
    "ignore_public_acls": boolean(
        "IgnorePublicAcls", default=False, about="Whether public ACLs have no effect."
    ),
    "restrict_public_buckets": boolean(
        "RestrictPublicBuckets",
        default=False,
        about="Whether a public policy lets in only this account and services.",
    ),
}


def _put(context: Context, attributes: Attributes) -> Api:
    switches = request_of(_SWITCHES, attributes)
    context.call(
        "put_public_access_block",
        Bucket=attributes["bucket"],
        PublicAccessBlockConfiguration=switches,
    )
    return switches


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("get_public_access_block", Bucket=attributes["bucket"])
    return None if found is None else {**found["PublicAccessBlockConfiguration"]}


def _delete(context: Context, attributes: Attributes) -> None:
    if not attributes["skip_destroy"]:
        context.call("delete_public_access_block", Bucket=attributes["bucket"])


RESOURCE = Resource(
    name="aws_s3_bucket_public_access_block",
    service="s3",
    about="What keeps a bucket from being public, whatever its policy and ACLs say.",
    fields={
        **bucket_fields(owner=False),
        **_SWITCHES,
        "skip_destroy": boolean(
            "", about="Whether destroying this leaves the bucket's settings as they are."
        ),
    },
    id="{bucket}",
    import_id="{bucket}",
    create=_put,
    complete_create=True,
    read=_read,
    updates=(Update(fields=tuple(_SWITCHES), call=_update),),
    delete=_delete,
    not_found=(*BUCKET_GONE, "NoSuchPublicAccessBlockConfiguration"),
    retry_create=BUCKET_NEW,
)
