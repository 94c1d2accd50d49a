"""Launch templates: each change makes a new version."""

from __future__ import annotations

from twinfra.providers.aws.checks import at_least, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, boolean, number, output, string
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Describe, Resource, Update, call
from twinfra.providers.aws.services.ec2._shared import arn_field
from twinfra.providers.aws.services.ec2._template_data import (
    DESCRIPTION,
    TEMPLATE,
    as_attributes,
    template_data,
)
from twinfra.providers.aws.tagging import ec2_tags, request_tags
from twinfra.values.types import NUMBER

_TAGS = ec2_tags("launch-template")
_VERSIONED = (*TEMPLATE, "description")
_GONE = (
    "InvalidLaunchTemplateId.NotFound",
    "InvalidLaunchTemplateId.VersionNotFound",
    "InvalidLaunchTemplateName.NotFoundException",
)


def _create(context: Context, attributes: Attributes) -> Api:
    answer = context.call(
        "create_launch_template",
        LaunchTemplateName=name_to_create(context.token, attributes),
        VersionDescription=attributes["description"] or None,
        LaunchTemplateData=template_data(attributes),
        ClientToken=context.token or None,
        **request_tags(_TAGS, attributes),
    )
    made: Api = answer["LaunchTemplate"]
    return made


def _by_name(context: Context, attributes: Attributes) -> Api | None:
    found = context.find(
        "describe_launch_templates", LaunchTemplateNames=[name_to_create(context.token, attributes)]
    )
    return found["LaunchTemplates"][0] if found and found["LaunchTemplates"] else None


def _extend(context: Context, _: Attributes, found: Api) -> Api:
    """Adds what the newest version says."""
    answer = context.call(
        "describe_launch_template_versions", LaunchTemplateId=found["LaunchTemplateId"], Versions=["$Latest"]
    )
    return found | {"Version": answer["LaunchTemplateVersions"][0]}


def _new_version(context: Context, change: Change) -> None:
    planned = change.planned
    newest = change.prior["latest_version"]
    if change.changed.intersection(_VERSIONED):
        made = context.call(
            "create_launch_template_version",
            LaunchTemplateId=planned["id"],
            VersionDescription=planned["description"] or None,
            LaunchTemplateData=template_data(planned),
        )
        newest = made["LaunchTemplateVersion"]["VersionNumber"]
    if planned["update_default_version"] and newest != change.prior["default_version"]:
        _set_default(context, planned["id"], newest)


def _set_default(context: Context, template: str, version: int) -> None:
    context.call("modify_launch_template", LaunchTemplateId=template, DefaultVersion=str(version))


def _choose_default(context: Context, change: Change) -> None:
    if change.planned["default_version"]:
        _set_default(context, change.planned["id"], change.planned["default_version"])


def _plan(draft: Draft) -> None:
    """The default version follows the newest one where so declared."""
    prefixed_name(draft)
    if draft.prior is None or not draft.config.get("update_default_version"):
        return
    if draft.changed.intersection(_VERSIONED):
        draft.set_unknown("default_version")
    elif draft.prior["default_version"] != draft.prior["latest_version"]:
        draft.set("default_version", draft.prior["latest_version"])


_FORM = matches(r"[a-zA-Z0-9()./_\-]+", "have only letters, digits and the characters ()./_-")

_FIELDS: dict[str, Field] = {
    "name": string(
        "",
        read="LaunchTemplateName",
        computed=True,
        force_new=True,
        conflicts=("name_prefix",),
        checks=(length(3, 128), _FORM),
        about="Its name; made up where neither this nor name_prefix is given.",
    ),
    "name_prefix": string(
        "",
        read="",
        computed=True,
        force_new=True,
        checks=(length(1, 102), _FORM),
        about="A beginning for a name that is unique.",
    ),
    "description": DESCRIPTION,
    "default_version": number(
        "",
        read="DefaultVersionNumber",
        computed=True,
        conflicts=("update_default_version",),
        checks=(at_least(1),),
        about="The version that is used where none is named.",
    ),
    "update_default_version": boolean("", read="", about="Whether each new version becomes the default one."),
    **as_attributes(),
    "arn": arn_field("launch-template", "LaunchTemplateId", owner=""),
    "latest_version": output(NUMBER, "LatestVersionNumber", follows=_VERSIONED, about="The newest version."),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_launch_template",
    service="ec2",
    about="What instances are launched with, in versions.",
    fields=_FIELDS,
    identifiers=("id", "name if name_prefix"),
    volatile=("default_version", "latest_version"),
    id="LaunchTemplateId",
    create=_create,
    read=Describe(
        operation="describe_launch_templates",
        items="LaunchTemplates",
        key="LaunchTemplateId",
        ids="LaunchTemplateIds",
    ),
    extend=_extend,
    delete=call("delete_launch_template", LaunchTemplateId="id"),
    updates=(
        Update(fields=_VERSIONED, call=_new_version),
        Update(fields=("default_version",), call=_choose_default, after_create=True),
    ),
    tags=_TAGS,
    not_found=_GONE,
    plan=_plan,
    recover=by_name(_by_name, "CreateTime"),
)
