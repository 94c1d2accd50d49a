"""A managed policy attached to a role."""

from __future__ import annotations

from twinfra.providers.aws.checks import arn, length
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import string
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Api, Attributes, Resource, call
from twinfra.providers.aws.services.iam._unseen import ROLE_UNSEEN
from twinfra.values.value import Unknown


def _create(context: Context, attributes: Attributes) -> Api:
    # Attaching it again changes nothing: an interrupted create needs no looking for.
    context.call("attach_role_policy", RoleName=attributes["role"], PolicyArn=attributes["policy_arn"])
    return {"PolicyArn": attributes["policy_arn"]}


def _read(context: Context, attributes: Attributes) -> Api | None:
    for one in context.pages("list_attached_role_policies", "AttachedPolicies", RoleName=attributes["role"]):
        if one["PolicyArn"] == attributes["policy_arn"]:
            return {**one}
    return None


def _plan(draft: Draft) -> None:
    role, policy = draft.planned["role"], draft.planned["policy_arn"]
    if draft.prior is None and type(role) is not Unknown and type(policy) is not Unknown:
        draft.set("id", f"{role}/{policy}")


RESOURCE = Resource(
    name="aws_iam_role_policy_attachment",
    service="iam",
    about="A managed policy attached to a role.",
    regional=False,
    fields={
        "role": string("", required=True, force_new=True, checks=(length(1, 64),), about="The role's name."),
        "policy_arn": string(
            "", required=True, force_new=True, checks=(arn("iam"),), about="The policy's ARN."
        ),
    },
    id="{role}/{policy_arn}",
    import_id="{role}/{policy_arn}",
    create=_create,
    complete_create=True,
    retry_create=ROLE_UNSEEN,
    read=_read,
    delete=call("detach_role_policy", RoleName="role", PolicyArn="policy_arn"),
    not_found=("NoSuchEntity",),
    plan=_plan,
    planned_from={"id": ("role", "policy_arn")},
)
