"""Dashboards."""

from __future__ import annotations

from twinfra.providers.aws.checks import length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.fields import json_text, output, string
from twinfra.providers.aws.recovery import made_since
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update, call
from twinfra.values.types import STRING


def _listed(context: Context, name: str) -> Api | None:
    for one in context.pages("list_dashboards", "DashboardEntries", DashboardNamePrefix=name):
        if one["DashboardName"] == name:
            found: Api = one
            return found
    return None


def _create(context: Context, attributes: Attributes) -> Api:
    """Putting one replaces what has the name already, without a word: look before."""
    name = attributes["dashboard_name"]
    if _listed(context, name) is not None:
        raise ApiError(
            "cloudwatch", "put_dashboard", "DashboardAlreadyExists", f"there is a dashboard {name} already"
        )
    _put(context, attributes)
    return {"DashboardName": name}


def _put(context: Context, attributes: Attributes) -> None:
    context.call(
        "put_dashboard",
        DashboardName=attributes["dashboard_name"],
        DashboardBody=attributes["dashboard_body"],
    )


def _update(context: Context, change: Change) -> None:
    _put(context, change.planned)


def _recover(context: Context, attributes: Attributes, token: str) -> Api | None:
    found = _listed(context, attributes["dashboard_name"])
    return found if found is not None and made_since(found["LastModified"], token) else None


def _delete(context: Context, attributes: Attributes) -> None:
    context.call("delete_dashboards", DashboardNames=[attributes["id"]])


RESOURCE = Resource(
    name="aws_cloudwatch_dashboard",
    service="cloudwatch",
    about="A dashboard of metrics, logs and texts.",
    fields={
        "dashboard_name": string(
            "",
            read="DashboardName",
            required=True,
            force_new=True,
            checks=(length(1, 255), matches(r"[A-Za-z0-9_-]+", "have only letters, digits, - and _")),
            about="Its name.",
        ),
        "dashboard_body": json_text(
            "", read="DashboardBody", required=True, about="What it shows, as JSON; compared by content."
        ),
        "dashboard_arn": output(STRING, "DashboardArn", about="Its ARN."),
    },
    id="DashboardName",
    id_about="Its name.",
    create=_create,
    read=call("get_dashboard", DashboardName="id"),
    updates=(Update(fields=("dashboard_body",), call=_update),),
    delete=_delete,
    not_found=("ResourceNotFound", "DashboardNotFoundError"),
    exists=("DashboardAlreadyExists",),
    recover=_recover,
    notes=("One that has the name already is not overwritten: import it instead.",),
)
