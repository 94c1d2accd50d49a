"""Managed policies: a document under a name, in up to five versions of which the newest is in force."""

from __future__ import annotations

from twinfra.providers.aws.checks import length
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, output, policy_text, string
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.iam._names import name_fields, policy_document
from twinfra.providers.aws.tagging import arn_tags, request_tags
from twinfra.values.types import NUMBER, STRING

_VERSIONS = 5
"""How many versions a policy may have."""


def _create(context: Context, attributes: Attributes) -> Api:
    made: Api = context.call(
        "create_policy",
        PolicyName=name_to_create(context.token, attributes),
        Path=attributes["path"],
        Description=attributes["description"] or None,
        PolicyDocument=attributes["policy"],
        **request_tags(_TAGS, attributes),
    )["Policy"]
    return made


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("get_policy", PolicyArn=attributes["arn"] or attributes["id"])
    return None if found is None else {**found["Policy"]}


def _with_document(context: Context, _: Attributes, found: Api) -> Api:
    version = context.call("get_policy_version", PolicyArn=found["Arn"], VersionId=found["DefaultVersionId"])
    return found | {"Document": policy_document(version["PolicyVersion"]["Document"])}


def _new_version(context: Context, change: Change) -> None:
    arn = change.planned["arn"]
    versions = context.pages("list_policy_versions", "Versions", PolicyArn=arn)
    if len(versions) >= _VERSIONS:
        oldest = min(
            (one for one in versions if not one["IsDefaultVersion"]), key=lambda one: one["CreateDate"]
        )
        context.call("delete_policy_version", PolicyArn=arn, VersionId=oldest["VersionId"])
    context.call(
        "create_policy_version", PolicyArn=arn, PolicyDocument=change.planned["policy"], SetAsDefault=True
    )


def _delete(context: Context, attributes: Attributes) -> None:
    arn = attributes["arn"]
    for version in context.pages("list_policy_versions", "Versions", PolicyArn=arn):
        if not version["IsDefaultVersion"]:
            context.call("delete_policy_version", PolicyArn=arn, VersionId=version["VersionId"])
    context.call("delete_policy", PolicyArn=arn)


def _by_arn(context: Context, attributes: Attributes) -> Api | None:
    name = name_to_create(context.token, attributes)
    arn = context.arn(f"policy{attributes['path']}{name}", region="")
    return _read(context, {"arn": arn})


_TAGS = arn_tags("tag_policy", "untag_policy", member="PolicyArn")

RESOURCE = Resource(
    name="aws_iam_policy",
    service="iam",
    about="A managed policy, to be attached to roles, users and groups.",
    regional=False,
    fields={
        **name_fields(128),
        "name": name_fields(128)["name"].reading("PolicyName"),
        "description": string(
            "Description",
            force_new=True,
            checks=(length(0, 1000),),
            about="What it is for; it cannot change later.",
        ),
        "policy": policy_text("", read="Document", required=True, about="The document, as JSON."),
        "arn": output(STRING, "Arn", about="Its ARN."),
        "attachment_count": output(
            NUMBER, "AttachmentCount", about="How many roles, users and groups it is attached to."
        ),
        "policy_id": output(STRING, "PolicyId", about="The id by which AWS knows it."),
        **TAGS,
    },
    identifiers=("name if name_prefix", "policy_id"),
    volatile=("attachment_count",),
    id="Arn",
    id_about="Its ARN.",
    create=_create,
    read=_read,
    extend=_with_document,
    updates=(Update(fields=("policy",), call=_new_version),),
    delete=_delete,
    tags=_TAGS,
    not_found=("NoSuchEntity",),
    exists=("EntityAlreadyExists",),
    plan=prefixed_name,
    recover=by_name(_by_arn, "CreateDate"),
)
