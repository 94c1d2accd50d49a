"""Log groups."""

from __future__ import annotations

from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.checks import length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, boolean, number, output, string
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import made_since
from twinfra.providers.aws.resource import Api, Attributes, Change, Describe, Resource, Update
from twinfra.providers.aws.tagging import arn_tags, request_tags
from twinfra.providers.protocol import ProviderError
from twinfra.values.types import STRING
from twinfra.values.value import GetAttr

_DAYS = (
    1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653,
)  # fmt: skip
"""For how many days events may be kept
(https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutRetentionPolicy.html).
"""

_DELIVERY_DAYS = 2
"""What a group of the class DELIVERY keeps, whatever is asked for."""

_FORM = matches(r"[.\-_/#A-Za-z0-9]+", "have only letters, digits and the characters .-_/#")


def _known_days(value: Any) -> str:
    if value == 0 or value in _DAYS:
        return ""
    nearest = min(_DAYS, key=lambda days: abs(days - value))
    return f"events cannot be kept for {value} days; {nearest} is nearest, and 0 keeps them for ever."


# Creating and reading


def _create(context: Context, attributes: Attributes) -> Api:
    name = name_to_create(context.token, attributes)
    context.call(
        "create_log_group",
        logGroupName=name,
        kmsKeyId=attributes["kms_key_id"] or None,
        logGroupClass=attributes["log_group_class"] or None,
        deletionProtectionEnabled=attributes["deletion_protection_enabled"],
        **request_tags(_TAGS, attributes),
    )
    return {"logGroupName": name}


def _with_tags(context: Context, _: Attributes, found: Api) -> Api:
    answer = context.call("list_tags_for_resource", resourceArn=_arn(found, context))
    return found | {"Tags": answer.get("tags", {})}


def _arn(found: Api, context: Context) -> str:
    return context.arn(f"log-group:{found['logGroupName']}")


def _recover(context: Context, attributes: Attributes, token: str) -> Api | None:
    name = name_to_create(token, attributes)
    for one in context.pages("describe_log_groups", "logGroups", logGroupNamePrefix=name):
        if one["logGroupName"] == name and made_since(one["creationTime"] / 1000, token):
            found: Api = one
            return found
    return None


# Changing and deleting


def _set_retention(context: Context, change: Change) -> None:
    name, days = change.planned["id"], change.planned["retention_in_days"]
    if change.planned["log_group_class"] == "DELIVERY":
        return
    if days:
        context.call("put_retention_policy", logGroupName=name, retentionInDays=days)
    elif change.prior["retention_in_days"]:
        context.call("delete_retention_policy", logGroupName=name)


def _set_key(context: Context, change: Change) -> None:
    name, key = change.planned["id"], change.planned["kms_key_id"]
    if key:
        context.call("associate_kms_key", logGroupName=name, kmsKeyId=key)
    else:
        context.call("disassociate_kms_key", logGroupName=name)


def _set_protection(context: Context, change: Change) -> None:
    context.call(
        "put_log_group_deletion_protection",
        logGroupIdentifier=change.planned["id"],
        deletionProtectionEnabled=change.planned["deletion_protection_enabled"],
    )


def _delete(context: Context, attributes: Attributes) -> None:
    if not attributes["skip_destroy"]:
        context.call("delete_log_group", logGroupName=attributes["id"])


def _plan(draft: Draft) -> None:
    prefixed_name(draft)
    if draft.config.get("log_group_class") != "DELIVERY":
        return
    if not draft.given("retention_in_days"):
        draft.planned["retention_in_days"] = _DELIVERY_DAYS
    elif draft.config["retention_in_days"] in (0, *_DAYS) and draft.config["retention_in_days"] != 2:
        raise ProviderError(
            error(
                "Invalid value",
                f"A log group of the class DELIVERY keeps events for {_DELIVERY_DAYS} days.",
                path=(GetAttr("retention_in_days"),),
                mend=f"Set retention_in_days to {_DELIVERY_DAYS}, or remove it.",
            )
        )


_TAGS = arn_tags(
    member="resourceArn", source="arn", tags="tags", keys="tagKeys", shape="map", at_create="tags"
)

RESOURCE = Resource(
    name="aws_cloudwatch_log_group",
    service="logs",
    about="A log group: streams of log events that are kept and encrypted alike.",
    fields={
        "name": string(
            "",
            read="logGroupName",
            computed=True,
            force_new=True,
            conflicts=("name_prefix",),
            checks=(length(1, 512), _FORM),
            about="Its name; made up where neither this nor name_prefix is given.",
        ),
        "name_prefix": string(
            "",
            read="",
            computed=True,
            force_new=True,
            checks=(length(1, 486), _FORM),
            about="A beginning for a name that is unique.",
        ),
        "retention_in_days": number(
            "",
            read=lambda found, _: found.get("retentionInDays", 0),
            default=0,
            checks=(_known_days,),
            about="For how many days events are kept; 0 keeps them for ever.",
        ),
        "kms_key_id": string("", read="kmsKeyId", about="ARN of the key that encrypts it."),
        "log_group_class": string(
            "",
            read=lambda found, _: found.get("logGroupClass", "STANDARD"),
            computed=True,
            force_new=True,
            allowed=("STANDARD", "INFREQUENT_ACCESS", "DELIVERY"),
            about="What can be done with its events, and for which price.",
        ),
        "deletion_protection_enabled": boolean(
            "",
            read=lambda found, _: found.get("deletionProtectionEnabled", False),
            computed=True,
            about="Whether it cannot be deleted.",
        ),
        "skip_destroy": boolean(
            "", read="", default=False, about="Whether destroying it only forgets it and keeps its events."
        ),
        "arn": output(STRING, _arn, about="Its ARN, without `:*` at the end."),
        **TAGS,
    },
    identifiers=("name if name_prefix",),
    id="logGroupName",
    id_about="Its name.",
    create=_create,
    read=Describe(
        operation="describe_log_groups",
        items="logGroups",
        key="logGroupName",
        ids="logGroupIdentifiers",
        chunk=50,
    ),
    extend=_with_tags,
    updates=(
        Update(fields=("retention_in_days",), call=_set_retention, after_create=True),
        Update(fields=("kms_key_id",), call=_set_key),
        Update(fields=("deletion_protection_enabled",), call=_set_protection),
    ),
    delete=_delete,
    tags=_TAGS,
    not_found=("ResourceNotFoundException",),
    exists=("ResourceAlreadyExistsException",),
    plan=_plan,
    recover=_recover,
)
