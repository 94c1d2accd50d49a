"""The policy of a bucket."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import policy_text
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Retry, Update, call
from twinfra.providers.aws.services.s3._bucket import BUCKET_GONE, BUCKET_NEW, bucket_fields


def _put(context: Context, attributes: Attributes) -> Api:
    context.call("put_bucket_policy", Bucket=attributes["bucket"], Policy=attributes["policy"])
    return {"Policy": attributes["policy"]}


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


RESOURCE = Resource(
    name="aws_s3_bucket_policy",
    service="s3",
    about="The policy of a bucket: who may do what with it.",
    fields={
        **bucket_fields(owner=False),
        "policy": policy_text("", read="Policy", required=True, about="The document, as JSON."),
    },
    id="{bucket}",
    import_id="{bucket}",
    create=_put,
    complete_create=True,
    read=call("get_bucket_policy", Bucket="bucket"),
    updates=(Update(fields=("policy",), call=_update),),
    delete=call("delete_bucket_policy", Bucket="bucket"),
    not_found=(*BUCKET_GONE, "NoSuchBucketPolicy"),
    # A principal that was made a moment ago is not known everywhere yet.
    retry_create=(*BUCKET_NEW, Retry("MalformedPolicy", "principal", seconds=60)),
)
