"""Default encryption of a bucket."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import Field, block_set, boolean, one_block, string, string_list
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.s3._bucket import (
    BUCKET_GONE,
    BUCKET_IDS,
    BUCKET_NEW,
    bucket_fields,
    bucket_id,
    of_bucket,
)

_RULE: dict[str, Field] = {
    "apply_server_side_encryption_by_default": one_block(
        {
            "kms_master_key_id": string("KMSMasterKeyID", about="Key to encrypt with; for aws:kms."),
            "sse_algorithm": string(
                "SSEAlgorithm", required=True, allowed=("AES256", "aws:kms", "aws:kms:dsse")
            ),
        },
        "ApplyServerSideEncryptionByDefault",
        about="What is done to objects that do not ask for another encryption.",
    ),
    "blocked_encryption_types": string_list(
        "BlockedEncryptionTypes.EncryptionType",
        computed=True,
        about="Encryption that uploads may not ask for: SSE-C or NONE.",
    ),
    "bucket_key_enabled": boolean(
        "BucketKeyEnabled", about="Whether a key of the bucket saves calls of the key service."
    ),
}


def _put(context: Context, attributes: Attributes) -> Api:
    rules = [request_of(_RULE, rule) for rule in attributes["rule"]]
    context.call(
        "put_bucket_encryption",
        ServerSideEncryptionConfiguration={"Rules": rules},
        **of_bucket(attributes),
    )
    return {}


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("get_bucket_encryption", **of_bucket(attributes))
    return None if found is None else {**found["ServerSideEncryptionConfiguration"]}


def _delete(context: Context, attributes: Attributes) -> None:
    context.call("delete_bucket_encryption", **of_bucket(attributes))


RESOURCE = Resource(
    name="aws_s3_bucket_server_side_encryption_configuration",
    service="s3",
    about="Default encryption of a bucket. Without it objects are encrypted with AES256 by keys of S3.",
    fields={
        **bucket_fields(),
        "rule": block_set(_RULE, "Rules", min_items=1, about="How objects are encrypted."),
    },
    id=bucket_id,
    import_id=BUCKET_IDS,
    create=_put,
    read=_read,
    updates=(Update(fields=("rule",), call=_update),),
    delete=_delete,
    not_found=(*BUCKET_GONE, "ServerSideEncryptionConfigurationNotFoundError"),
    retry_create=BUCKET_NEW,
)
