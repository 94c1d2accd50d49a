"""Identity providers by OpenID Connect, such as that of a Kubernetes cluster."""

from __future__ import annotations

from typing import Any

from twinfra.providers.aws.checks import each, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, output, string, string_list, string_set
from twinfra.providers.aws.recovery import by_name
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Update, call
from twinfra.providers.aws.tagging import arn_tags, request_tags
from twinfra.values.types import STRING

_TAGS = arn_tags(
    "tag_open_id_connect_provider", "untag_open_id_connect_provider", member="OpenIDConnectProviderArn"
)


def _bare(url: Any) -> str:
    return str(url).removeprefix("https://").rstrip("/")


def _same_url(one: Any, other: Any) -> bool:
    return _bare(one) == _bare(other)


def _create(context: Context, attributes: Attributes) -> Api:
    made = context.call(
        "create_open_id_connect_provider",
        Url="https://" + _bare(attributes["url"]),
        ClientIDList=list(attributes["client_id_list"]),
        ThumbprintList=list(attributes["thumbprint_list"] or ()) or None,
        **request_tags(_TAGS, attributes),
    )
    return {"Arn": made["OpenIDConnectProviderArn"]}


def _read(context: Context, attributes: Attributes) -> Api | None:
    arn = attributes["id"] or attributes["arn"]
    found = context.find("get_open_id_connect_provider", OpenIDConnectProviderArn=arn)
    return None if found is None else found | {"Arn": arn}


def _by_url(context: Context, attributes: Attributes) -> Api | None:
    arn = context.arn(f"oidc-provider/{_bare(attributes['url'])}", region="")
    return _read(context, {"id": arn})


def _set_clients(context: Context, change: Change) -> None:
    arn = change.planned["id"]
    wanted, there = set(change.planned["client_id_list"]), set(change.prior["client_id_list"])
    for one in sorted(wanted - there):
        context.call("add_client_id_to_open_id_connect_provider", OpenIDConnectProviderArn=arn, ClientID=one)
    for one in sorted(there - wanted):
        context.call(
            "remove_client_id_from_open_id_connect_provider", OpenIDConnectProviderArn=arn, ClientID=one
        )


def _set_thumbprints(context: Context, change: Change) -> None:
    context.call(
        "update_open_id_connect_provider_thumbprint",
        OpenIDConnectProviderArn=change.planned["id"],
        ThumbprintList=list(change.planned["thumbprint_list"]),
    )


RESOURCE = Resource(
    name="aws_iam_openid_connect_provider",
    service="iam",
    about="An identity provider by OpenID Connect, whose tokens roles can trust.",
    regional=False,
    fields={
        "url": string(
            "",
            read="Url",
            required=True,
            force_new=True,
            equal=_same_url,
            checks=(matches(r"(https://)?[^\s:]+", "be a URL that starts with https://"),),
            about="Its URL, the iss of its tokens.",
        ),
        "client_id_list": string_set(
            "",
            read="ClientIDList",
            required=True,
            checks=(each(length(1, 255)),),
            about="Audiences of its tokens.",
        ),
        "thumbprint_list": string_list(
            "",
            read="ThumbprintList",
            computed=True,
            checks=(each(matches(r"[0-9a-fA-F]{40}", "have 40 hexadecimal digits")),),
            about="Fingerprints of the certificates of its server; found by AWS where not given.",
        ),
        "arn": output(STRING, "Arn", about="Its ARN."),
        **TAGS,
    },
    id="Arn",
    id_about="Its ARN.",
    create=_create,
    read=_read,
    updates=(
        Update(fields=("client_id_list",), call=_set_clients),
        Update(fields=("thumbprint_list",), call=_set_thumbprints),
    ),
    delete=call("delete_open_id_connect_provider", OpenIDConnectProviderArn="id"),
    tags=_TAGS,
    not_found=("NoSuchEntity",),
    exists=("EntityAlreadyExists",),
    recover=by_name(_by_url, "CreateDate"),
)
