"""Internet gateways."""

from __future__ import annotations

from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, string
from twinfra.providers.aws.recovery import by_trace, drop_trace
from twinfra.providers.aws.resource import (
    Api,
    Attributes,
    Change,
    Describe,
    Resource,
    Retry,
    Update,
    Wait,
    call,
)
from twinfra.providers.aws.services.ec2._shared import arn_field, owner_field, patiently
from twinfra.providers.aws.tagging import ec2_tags

_UNSEEN = tuple(
    Retry(code, seconds=60) for code in ("InvalidInternetGatewayID.NotFound", "InvalidVpcID.NotFound")
)


def _network(found: Api) -> str | None:
    """The network that it is attached to."""
    for one in found.get("Attachments", ()):
        if one.get("State") in ("available", "attached", "attaching"):
            return str(one["VpcId"])
    return None


def _attach(context: Context, change: Change) -> None:
    number = change.planned["id"]
    before, wanted = change.prior.get("vpc_id"), change.planned.get("vpc_id")
    if before:
        _detach(context, number, before)
    if not wanted:
        return
    context.retry(
        lambda: context.call("attach_internet_gateway", InternetGatewayId=number, VpcId=wanted), _UNSEEN
    )

    def look() -> Api | None:
        found = context.pages(
            "describe_internet_gateways",
            "InternetGateways",
            Filters=[{"Name": "internet-gateway-id", "Values": [number]}],
        )
        return found[0] if found else None

    context.wait(_ATTACHED, look, action="create" if change.prior.get("id") is None else "update")


def _attachment_state(found: Api) -> str:
    states = [one.get("State") for one in found.get("Attachments", ())]
    return str(states[0]) if states else "detached"


_ATTACHED = Wait(
    status=_attachment_state, target=("available", "attached"), noun="internet gateway", minutes=20
)


def _detach(context: Context, number: str, network: str) -> None:
    """Detach it, which waits for public addresses of the network to go."""
    patiently(
        context,
        lambda: context.find(
            "detach_internet_gateway",
            missing=("Gateway.NotAttached",),
            InternetGatewayId=number,
            VpcId=network,
        ),
        20,
    )


def _delete(context: Context, attributes: Attributes) -> None:
    if attributes["vpc_id"]:
        _detach(context, attributes["id"], attributes["vpc_id"])
    patiently(
        context, lambda: context.call("delete_internet_gateway", InternetGatewayId=attributes["id"]), 20
    )


RESOURCE = Resource(
    name="aws_internet_gateway",
    service="ec2",
    about="A network's way to the internet.",
    fields={
        "vpc_id": string(
            "",
            read=lambda found, _: _network(found),
            computed=True,
            about="The network that it is attached to.",
        ),
        "arn": arn_field("internet-gateway", "InternetGatewayId"),
        "owner_id": owner_field(),
        **TAGS,
    },
    identifiers=("id",),
    id="InternetGatewayId",
    create=call("create_internet_gateway", "InternetGateway"),
    read=Describe(
        operation="describe_internet_gateways",
        items="InternetGateways",
        key="InternetGatewayId",
        filter="internet-gateway-id",
    ),
    delete=_delete,
    updates=(Update(fields=("vpc_id",), call=_attach, after_create=True),),
    tags=ec2_tags("internet-gateway", trace=True),
    not_found=("InvalidInternetGatewayID.NotFound",),
    timeouts=("create", "update", "delete"),
    recover=by_trace("describe_internet_gateways", "InternetGateways"),
    confirm=drop_trace,
)
