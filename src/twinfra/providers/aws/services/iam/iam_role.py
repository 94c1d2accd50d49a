"""Roles."""

from __future__ import annotations

from twinfra.providers.aws.checks import arn, between, each, length
from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block_set,
    boolean,
    number,
    output,
    policy_text,
    string,
    string_set,
)
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Retry, Update
from twinfra.providers.aws.services.iam._names import name_fields, policy_document
from twinfra.providers.aws.tagging import arn_tags, request_tags
from twinfra.values.types import STRING

_TAGS = arn_tags("tag_role", "untag_role", member="RoleName", source="name")

_PRINCIPAL_UNSEEN = (Retry("MalformedPolicyDocument", "principal", seconds=60),)
"""A principal that was made a moment ago is not known everywhere yet."""


def _create(context: Context, attributes: Attributes) -> Api:
    made: Api = context.call(
        "create_role",
        RoleName=name_to_create(context.token, attributes),
        Path=attributes["path"],
        AssumeRolePolicyDocument=attributes["assume_role_policy"],
        Description=attributes["description"] or None,
        MaxSessionDuration=attributes["max_session_duration"],
        PermissionsBoundary=attributes["permissions_boundary"] or None,
        **request_tags(_TAGS, attributes),
    )["Role"]
    return _shown(made)


def _shown(role: Api) -> Api:
    return role | {"Trust": policy_document(role["AssumeRolePolicyDocument"])}


def _read(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("get_role", RoleName=attributes["id"] or attributes["name"])
    return None if found is None else _shown(found["Role"])


def _by_name(context: Context, attributes: Attributes) -> Api | None:
    found = context.find("get_role", RoleName=name_to_create(context.token, attributes))
    return None if found is None else _shown(found["Role"])


def _with_policies(context: Context, attributes: Attributes, found: Api) -> Api:
    """Adds what the deprecated arguments say, only where they are used: each costs calls."""
    more: Api = {}
    name = found["RoleName"]
    if not is_empty(attributes["inline_policy"]):
        more["Inline"] = [
            {"name": one, "policy": _inline(context, name, one)}
            for one in context.pages("list_role_policies", "PolicyNames", RoleName=name)
        ]
    if not is_empty(attributes["managed_policy_arns"]):
        more["Managed"] = _attached(context, name)
    return found | more


def _inline(context: Context, role: str, name: str) -> str:
    return policy_document(context.call("get_role_policy", RoleName=role, PolicyName=name)["PolicyDocument"])


def _attached(context: Context, role: str) -> list[str]:
    listed = context.pages("list_attached_role_policies", "AttachedPolicies", RoleName=role)
    return [one["PolicyArn"] for one in listed]


# Changing


def _set_trust(context: Context, change: Change) -> None:
    context.retry(
        lambda: context.call(
            "update_assume_role_policy",
            RoleName=change.planned["name"],
            PolicyDocument=change.planned["assume_role_policy"],
        ),
        _PRINCIPAL_UNSEEN,
    )


def _set_boundary(context: Context, change: Change) -> None:
    boundary = change.planned["permissions_boundary"]
    if boundary:
        context.call(
            "put_role_permissions_boundary", RoleName=change.planned["name"], PermissionsBoundary=boundary
        )
    else:
        context.call("delete_role_permissions_boundary", RoleName=change.planned["name"])


def _set_rest(context: Context, change: Change) -> None:
    context.call(
        "update_role",
        RoleName=change.planned["name"],
        Description=change.planned["description"] or "",
        MaxSessionDuration=change.planned["max_session_duration"],
    )


def _set_inline(context: Context, change: Change) -> None:
    name = change.planned["name"]
    wanted = {one["name"]: one["policy"] for one in change.planned["inline_policy"] or () if one["name"]}
    there = {one["name"]: one["policy"] for one in change.prior["inline_policy"] or () if one["name"]}
    for gone in sorted(there.keys() - wanted.keys()):
        context.find("delete_role_policy", RoleName=name, PolicyName=gone)
    for one, document in sorted(wanted.items()):
        if there.get(one) != document:
            context.call("put_role_policy", RoleName=name, PolicyName=one, PolicyDocument=document)


def _set_managed(context: Context, change: Change) -> None:
    name = change.planned["name"]
    wanted, there = (
        set(change.planned["managed_policy_arns"] or ()),
        set(change.prior["managed_policy_arns"] or ()),
    )
    for one in sorted(there - wanted):
        context.find("detach_role_policy", RoleName=name, PolicyArn=one)
    for one in sorted(wanted - there):
        context.call("attach_role_policy", RoleName=name, PolicyArn=one)


# Deleting


def _delete(context: Context, attributes: Attributes) -> None:
    """Delete it, without the policies declared inside it; with everything on it where so declared."""
    name = attributes["name"]
    forced = bool(attributes["force_detach_policies"])
    try:
        context.call("delete_role", RoleName=name)
        return
    except ApiError as problem:
        inside = not is_empty(attributes["inline_policy"]) or not is_empty(attributes["managed_policy_arns"])
        if problem.code != "DeleteConflict" or not (forced or inside):
            raise
    if forced:
        for profile in context.pages("list_instance_profiles_for_role", "InstanceProfiles", RoleName=name):
            context.find(
                "remove_role_from_instance_profile",
                RoleName=name,
                InstanceProfileName=profile["InstanceProfileName"],
            )
    if forced or not is_empty(attributes["managed_policy_arns"]):
        for one in _attached(context, name):
            context.find("detach_role_policy", RoleName=name, PolicyArn=one)
    if forced or not is_empty(attributes["inline_policy"]):
        for one in context.pages("list_role_policies", "PolicyNames", RoleName=name):
            context.find("delete_role_policy", RoleName=name, PolicyName=one)
    context.call("delete_role", RoleName=name)


_INLINE: dict[str, Field] = {
    "name": string("name", checks=(length(1, 128),), about="Its name."),
    "policy": policy_text("policy", about="The document, as JSON."),
}

RESOURCE = Resource(
    name="aws_iam_role",
    service="iam",
    about="A role: permissions that those its trust policy names can take on.",
    regional=False,
    fields={
        **name_fields(64),
        "name": name_fields(64)["name"].reading("RoleName"),
        "assume_role_policy": policy_text(
            "", read="Trust", required=True, about="Who may take it on: a policy, as JSON."
        ),
        "description": string("", read="Description", checks=(length(0, 1000),), about="What it is for."),
        "force_detach_policies": boolean(
            "", default=False, about="Whether deleting it first detaches what others attached to it."
        ),
        "inline_policy": block_set(
            _INLINE,
            "",
            read="Inline",
            computed=True,
            deprecated="Use the resource aws_iam_role_policy instead.",
            about="Policies of its own.",
        ),
        "managed_policy_arns": string_set(
            "",
            read="Managed",
            computed=True,
            checks=(each(arn("iam")),),
            deprecated="Use the resource aws_iam_role_policy_attachment instead.",
            about="Managed policies attached to it.",
        ),
        "max_session_duration": number(
            "",
            read="MaxSessionDuration",
            default=3600,
            checks=(between(3600, 43200),),
            about="How long a session may last, in seconds.",
        ),
        "permissions_boundary": string(
            "",
            read="PermissionsBoundary.PermissionsBoundaryArn",
            about="Managed policy that bounds what it may do.",
        ),
        "arn": output(STRING, "Arn", about="Its ARN."),
        "create_date": output(STRING, "CreateDate", about="When it was made."),
        "unique_id": output(STRING, "RoleId", about="The id by which AWS knows it."),
        **TAGS,
    },
    identifiers=("name if name_prefix", "unique_id"),
    volatile=("create_date",),
    id="RoleName",
    id_about="Its name.",
    create=_create,
    complete_create=True,
    retry_create=_PRINCIPAL_UNSEEN,
    read=_read,
    extend=_with_policies,
    updates=(
        Update(fields=("assume_role_policy",), call=_set_trust),
        Update(fields=("description", "max_session_duration"), call=_set_rest),
        Update(fields=("permissions_boundary",), call=_set_boundary),
        Update(fields=("inline_policy",), call=_set_inline, after_create=True),
        Update(fields=("managed_policy_arns",), call=_set_managed, after_create=True),
    ),
    delete=_delete,
    tags=_TAGS,
    not_found=("NoSuchEntity",),
    exists=("EntityAlreadyExists",),
    plan=prefixed_name,
    recover=by_name(_by_name, "CreateDate"),
    notes=(
        "inline_policy and managed_policy_arns are read where they are declared; else they are empty.",
        "Where inline_policy or managed_policy_arns are declared, what others added is removed.",
    ),
)
