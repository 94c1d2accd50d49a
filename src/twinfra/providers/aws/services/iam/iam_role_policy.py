"""A policy inside a role."""

from __future__ import annotations

from twinfra.providers.aws.checks import length
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import policy_text, string
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update, call
from twinfra.providers.aws.services.iam._names import name_fields, policy_document
from twinfra.providers.aws.services.iam._unseen import ROLE_UNSEEN

_NAMES = name_fields(128)


def _create(context: Context, attributes: Attributes) -> Api:
    # Putting it again makes nothing twice: an interrupted create needs no looking for.
    name = name_to_create(context.token, attributes)
    context.call(
        "put_role_policy",
        RoleName=attributes["role"],
        PolicyName=name,
        PolicyDocument=attributes["policy"],
    )
    return {"PolicyName": name, "RoleName": attributes["role"], "Document": attributes["policy"]}


def _update(context: Context, change: Change) -> None:
    _create(context, change.planned)


def _read(context: Context, attributes: Attributes) -> Api | None:
    role, name = str(attributes["id"]).split(":", 1)
    found = context.find("get_role_policy", RoleName=role, PolicyName=name)
    return None if found is None else found | {"Document": policy_document(found["PolicyDocument"])}


RESOURCE = Resource(
    name="aws_iam_role_policy",
    service="iam",
    about="A policy inside a role, which goes with the role.",
    regional=False,
    fields={
        "name": _NAMES["name"].reading("PolicyName"),
        "name_prefix": _NAMES["name_prefix"],
        "policy": policy_text("", read="Document", required=True, about="The document, as JSON."),
        "role": string(
            "",
            read="RoleName",
            required=True,
            force_new=True,
            checks=(length(1, 64),),
            about="The role's name.",
        ),
    },
    identifiers=("name if name_prefix",),
    id="{role}:{name}",
    import_id="{role}:{name}",
    create=_create,
    complete_create=True,
    retry_create=ROLE_UNSEEN,
    read=_read,
    updates=(Update(fields=("policy",), call=_update),),
    delete=call("delete_role_policy", RoleName="role", PolicyName="name"),
    not_found=("NoSuchEntity",),
    plan=prefixed_name,
)
