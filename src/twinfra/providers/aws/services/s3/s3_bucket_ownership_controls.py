"""Who owns the objects of a bucket, and whether ACLs count."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import one_block, string
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update, call
from twinfra.providers.aws.services.s3._bucket import BUCKET_GONE, BUCKET_NEW, bucket_fields


def _put(context: Context, attributes: Attributes) -> Api:
    rules = [{"ObjectOwnership": attributes["rule"][0]["object_ownership"]}]
    context.call(
        "put_bucket_ownership_controls", Bucket=attributes["bucket"], OwnershipControls={"Rules": rules}
    )
    return {"Rules": rules}


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


RESOURCE = Resource(
    name="aws_s3_bucket_ownership_controls",
    service="s3",
    about="Who owns the objects of a bucket, and whether ACLs count.",
    fields={
        **bucket_fields(owner=False),
        "rule": one_block(
            {
                "object_ownership": string(
                    "ObjectOwnership",
                    required=True,
                    allowed=("BucketOwnerPreferred", "ObjectWriter", "BucketOwnerEnforced"),
                    about="BucketOwnerEnforced disables ACLs, as for new buckets.",
                )
            },
            "Rules",
            required=True,
        ),
    },
    id="{bucket}",
    import_id="{bucket}",
    create=_put,
    complete_create=True,
    read=call("get_bucket_ownership_controls", "OwnershipControls", Bucket="bucket"),
    updates=(Update(fields=("rule",), call=_update),),
    delete=call("delete_bucket_ownership_controls", Bucket="bucket"),
    not_found=(*BUCKET_GONE, "OwnershipControlsNotFoundError"),
    retry_create=BUCKET_NEW,
)  # fmt: skip
