"""Instance profiles: how a role gets to an instance."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, output, string
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update
from twinfra.providers.aws.services.iam._names import name_fields
from twinfra.providers.aws.services.iam._unseen import ROLE_UNSEEN
from twinfra.providers.aws.tagging import arn_tags, request_tags
from twinfra.values.types import STRING

_TAGS = arn_tags(
    "tag_instance_profile", "untag_instance_profile", member="InstanceProfileName", source="name"
)
_NAMES = name_fields(128)


def _create(context: Context, attributes: Attributes) -> Api:
    made: Api = context.call(
        "create_instance_profile",
        InstanceProfileName=name_to_create(context.token, attributes),
        Path=attributes["path"],
        **request_tags(_TAGS, attributes),
    )["InstanceProfile"]
    return made


def _read(context: Context, attributes: Attributes) -> Api | None:
    return _named(context, attributes["id"] or attributes["name"])


def _named(context: Context, name: str) -> Api | None:
    found = context.find("get_instance_profile", InstanceProfileName=name)
    return None if found is None else {**found["InstanceProfile"]}


def _by_name(context: Context, attributes: Attributes) -> Api | None:
    return _named(context, name_to_create(context.token, attributes))


def _set_role(context: Context, change: Change) -> None:
    name, before, after = change.planned["name"], change.prior["role"], change.planned["role"]
    if before:
        context.find("remove_role_from_instance_profile", InstanceProfileName=name, RoleName=before)
    if after:
        context.retry(
            lambda: context.call("add_role_to_instance_profile", InstanceProfileName=name, RoleName=after),
            ROLE_UNSEEN,
        )


def _delete(context: Context, attributes: Attributes) -> None:
    name = attributes["name"]
    if attributes["role"]:
        context.find(
            "remove_role_from_instance_profile", InstanceProfileName=name, RoleName=attributes["role"]
        )
    context.call("delete_instance_profile", InstanceProfileName=name)


RESOURCE = Resource(
    name="aws_iam_instance_profile",
    service="iam",
    about="An instance profile, which hands a role to EC2 instances.",
    regional=False,
    fields={
        **_NAMES,
        "name": _NAMES["name"].reading("InstanceProfileName"),
        "role": string("", read="Roles.RoleName", about="The role's name."),
        "arn": output(STRING, "Arn", about="Its ARN."),
        "create_date": output(STRING, "CreateDate", about="When it was made."),
        "unique_id": output(STRING, "InstanceProfileId", about="The id by which AWS knows it."),
        **TAGS,
    },
    identifiers=("name if name_prefix", "unique_id"),
    volatile=("create_date",),
    id="InstanceProfileName",
    id_about="Its name.",
    create=_create,
    read=_read,
    updates=(Update(fields=("role",), call=_set_role, after_create=True),),
    delete=_delete,
    tags=_TAGS,
    not_found=("NoSuchEntity",),
    exists=("EntityAlreadyExists",),
    plan=prefixed_name,
    recover=by_name(_by_name, "CreateDate"),
)
