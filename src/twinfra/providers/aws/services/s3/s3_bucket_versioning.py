"""Versioning of a bucket."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import one_block, string
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.s3._bucket import (
    BUCKET_GONE,
    BUCKET_IDS,
    BUCKET_NEW,
    bucket_fields,
    bucket_id,
    of_bucket,
)


def _put(context: Context, attributes: Attributes) -> Api:
    settings = attributes["versioning_configuration"][0]
    if settings["status"] == "Disabled":
        return {}
    request = {"Status": settings["status"]}
    if settings["mfa_delete"]:
        request["MFADelete"] = settings["mfa_delete"]
    context.call(
        "put_bucket_versioning",
        VersioningConfiguration=request,
        MFA=attributes["mfa"],
        **of_bucket(attributes),
    )
    return {}


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.call("get_bucket_versioning", **of_bucket(attributes))
    return {"Status": found.get("Status", "Disabled"), "MFADelete": found.get("MFADelete")}


def _delete(context: Context, attributes: Attributes) -> None:
    if attributes["versioning_configuration"][0]["status"] == "Disabled":
        return
    try:
        context.call(
            "put_bucket_versioning",
            VersioningConfiguration={"Status": "Suspended"},
            **of_bucket(attributes),
        )
    except ApiError as problem:
        # A bucket with object lock keeps its versioning for good.
        if problem.code != "InvalidBucketState":
            raise


RESOURCE = Resource(
    name="aws_s3_bucket_versioning",
    service="s3",
    about="Versioning of a bucket: whether overwritten and deleted objects are kept.",
    fields={
        **bucket_fields(),
        "mfa": string("", about="Serial number and code of the second factor, needed to change mfa_delete."),
        "versioning_configuration": one_block(
            {
                "status": string(
                    "Status",
                    required=True,
                    allowed=("Enabled", "Suspended", "Disabled"),
                    about="Disabled only for a bucket that never had versions.",
                ),
                "mfa_delete": string(
                    "MFADelete",
                    computed=True,
                    allowed=("Enabled", "Disabled"),
                    about="Whether deleting versions needs a second factor.",
                ),
            },
            read=lambda found, _: [{"status": found["Status"], "mfa_delete": found["MFADelete"]}],
            required=True,
        ),
    },
    id=bucket_id,
    import_id=BUCKET_IDS,
    create=_put,
    read=_read,
    updates=(Update(fields=("versioning_configuration",), call=_update),),
    delete=_delete,
    not_found=BUCKET_GONE,
    retry_create=BUCKET_NEW,
)
