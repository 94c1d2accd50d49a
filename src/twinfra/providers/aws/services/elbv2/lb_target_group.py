"""Target groups: where load balancers send to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.comparison import has_unknown, is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Retry, Update, call
from twinfra.providers.aws.services.elbv2._reading import (
    Listing,
    drop_trace,
    elb_tags,
    extended,
    named,
    pairs,
    traced,
)
from twinfra.providers.aws.services.elbv2._target_group_fields import (
    BLOCKS,
    FIELDS,
    HEALTH_CHECK,
    SETTINGS,
    wanted,
)
from twinfra.providers.aws.tagging import request_tags
from twinfra.providers.protocol import ProviderError
from twinfra.values.value import GetAttr, Index

_LISTING = Listing("describe_target_groups", "TargetGroups", "TargetGroupArns", "TargetGroupArn")

_TAGS = elb_tags(trace=True)

_AT_CREATE = (
    "target_type",
    "protocol",
    "protocol_version",
    "port",
    "vpc_id",
    "ip_address_type",
    "target_control_port",
)

_ATTRIBUTES = (*SETTINGS, *BLOCKS, "stickiness", "target_group_health")


# Creating and reading


def _create(context: Context, attributes: Attributes) -> Api:
    """Creating one under a name that another has with the same settings answers with that one: look before."""
    name = name_to_create(context.token, attributes)
    if named(context, "describe_target_groups", "TargetGroups", name) is not None:
        raise ApiError(
            "elbv2", "create_target_group", "DuplicateTargetGroupName", f"there is a target group {name}"
        )
    made: list[Api] = context.call(
        "create_target_group",
        Name=name,
        **request_of(FIELDS, attributes, _AT_CREATE),
        **_health_check(attributes),
        **request_tags(_TAGS, attributes, context.token),
    )["TargetGroups"]
    return made[0]


def _health_check(attributes: Attributes) -> dict[str, Any]:
    """Members for the health check, as far as the kind of target has them."""
    blocks = attributes["health_check"]
    if not blocks:
        return {}
    request = request_of(HEALTH_CHECK, blocks[0])
    if attributes["target_type"] == "lambda":
        request.pop("HealthCheckPort", None)
        request.pop("HealthCheckProtocol", None)
    elif blocks[0]["protocol"] == "TCP":
        request.pop("HealthCheckPath", None)
    codes = blocks[0]["matcher"]
    if codes and blocks[0]["protocol"] != "TCP":
        request["Matcher"] = {"GrpcCode" if attributes["protocol_version"] == "GRPC" else "HttpCode": codes}
    return request


def _recover(context: Context, attributes: Attributes, token: str) -> Api | None:
    found = named(context, "describe_target_groups", "TargetGroups", name_to_create(token, attributes))
    return None if found is None else traced(context, [found], "TargetGroupArn", token)


# Changing


def _set_health_check(context: Context, change: Change) -> None:
    request = _health_check(change.planned)
    if request:
        context.call("modify_target_group", TargetGroupArn=change.planned["id"], **request)


def _set_attributes(context: Context, change: Change) -> None:
    """A new one gets what differs from what is so anyway, an older one what differs from before."""
    new = change.prior["target_type"] is None
    before = _untouched(change.planned) if new else wanted(change.prior)
    differing = pairs(wanted(change.planned), before)
    if differing:
        context.call(
            "modify_target_group_attributes", TargetGroupArn=change.planned["id"], Attributes=differing
        )


def _untouched(attributes: Mapping[str, Any]) -> dict[str, str]:
    defaults = {name: FIELDS[name].default for name in SETTINGS}
    found = wanted(defaults)
    if not is_empty(attributes["stickiness"]) and not attributes["stickiness"][0]["enabled"]:
        # Off is what it is anyway, and the type may be one that its protocol does not have.
        found |= {key: value for key, value in wanted(attributes).items() if key.startswith("stickiness.")}
    return found


# Planning


def _plan(draft: Draft) -> None:
    prefixed_name(draft, default="tf-")
    planned = draft.planned
    kind = planned["target_type"]
    _check_blocks(draft, kind)
    if kind == "lambda" or has_unknown(kind):
        return
    for name in ("port", "protocol", "vpc_id"):
        if draft.config.get(name) is None:
            raise ProviderError(
                error(
                    "Missing argument",
                    f"A target group whose targets are of the type {kind} needs {name}.",
                    path=(GetAttr(name),),
                    mend=f"Add {name}.",
                )
            )


def _check_blocks(draft: Draft, kind: Any) -> None:
    """Arguments of blocks that could only be left unsent are refused."""
    given = _first(draft.config.get("stickiness"))
    sort = given.get("type")
    if given.get("cookie_name") and isinstance(sort, str) and sort != "app_cookie":
        _refuse("stickiness", "cookie_name", f"Stickiness of the type {sort}")
    given, planned = _first(draft.config.get("health_check")), _first(draft.planned["health_check"])
    if kind == "lambda":
        for name in ("port", "protocol"):
            if given.get(name):
                _refuse("health_check", name, "The health check of a function")
    elif planned.get("protocol") == "TCP":
        for name in ("path", "matcher"):
            if given.get(name):
                _refuse("health_check", name, "A health check of the protocol TCP")


def _first(blocks: Any) -> Mapping[str, Any]:
    return blocks[0] if isinstance(blocks, tuple) and blocks and isinstance(blocks[0], dict) else {}


def _refuse(block: str, name: str, what: str) -> None:
    raise ProviderError(
        error(
            "Argument without effect",
            f"{what} has no {name}.",
            path=(GetAttr(block), Index(0), GetAttr(name)),
            mend=f"Remove {name}.",
        )
    )


RESOURCE = Resource(
    name="aws_lb_target_group",
    service="elbv2",
    about="A target group: where a load balancer sends to, and how it checks that targets are well.",
    fields=FIELDS,
    identifiers=("id", "arn", "arn_suffix", "name if name_prefix"),
    volatile=("load_balancer_arns",),
    id="TargetGroupArn",
    id_about="Its ARN.",
    create=_create,
    read=_LISTING.one,
    read_many=_LISTING.many,
    extend=extended("describe_target_group_attributes", "TargetGroupArn"),
    updates=(
        Update(fields=("health_check",), call=_set_health_check),
        Update(fields=_ATTRIBUTES, call=_set_attributes, after_create=True),
    ),
    delete=call("delete_target_group", TargetGroupArn="id"),
    # A listener that is gone is not gone everywhere at once.
    retry_delete=(Retry("ResourceInUse", seconds=60.0),),
    tags=_TAGS,
    not_found=("TargetGroupNotFound", "TargetGroupNotFoundException"),
    exists=("DuplicateTargetGroupName",),
    plan=_plan,
    recover=_recover,
    confirm=drop_trace,
    notes=("One that has the name already is not overwritten: import it instead.",),
)
