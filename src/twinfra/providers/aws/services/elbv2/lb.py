"""Load balancers: application, network and gateway."""

from __future__ import annotations

from typing import Any

from twinfra.diagnostics import warning
from twinfra.providers.aws.comparison import has_unknown, is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.failures import ApiError
from twinfra.providers.aws.mapping import request_of, same_field
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import made_since
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Retry, Update, Wait, call
from twinfra.providers.aws.services.elbv2._lb_fields import (
    ALWAYS,
    FIELDS,
    LOGS,
    SETTINGS,
    misplaced,
    untouched,
    wanted,
)
from twinfra.providers.aws.services.elbv2._reading import Listing, elb_tags, extended, named, pairs
from twinfra.providers.aws.tagging import request_tags
from twinfra.values.value import GetAttr

_LISTING = Listing("describe_load_balancers", "LoadBalancers", "LoadBalancerArns", "LoadBalancerArn")

_TAGS = elb_tags()

_AT_CREATE = (
    "load_balancer_type",
    "internal",
    "ip_address_type",
    "subnets",
    "subnet_mapping",
    "security_groups",
    "customer_owned_ipv4_pool",
    "ipam_pools",
)


# Creating and reading


def _create(context: Context, attributes: Attributes) -> Api:
    """Creating one under a name that another has with the same settings answers with that one: look before."""
    name = name_to_create(context.token, attributes)
    if named(context, "describe_load_balancers", "LoadBalancers", name) is not None:
        raise ApiError(
            "elbv2", "create_load_balancer", "DuplicateLoadBalancerName", f"there is a load balancer {name}"
        )
    request = request_of(FIELDS, attributes, _AT_CREATE)
    made: list[Api] = context.call(
        "create_load_balancer", Name=name, **request, **request_tags(_TAGS, attributes)
    )["LoadBalancers"]
    return made[0]


def _recover(context: Context, attributes: Attributes, token: str) -> Api | None:
    found = named(context, "describe_load_balancers", "LoadBalancers", name_to_create(token, attributes))
    return found if found is not None and made_since(found["CreatedTime"], token) else None


_with_attributes = extended("describe_load_balancer_attributes", "LoadBalancerArn")


def _extend(context: Context, held: Attributes, found: Api) -> Api:
    more = _with_attributes(context, held, found)
    if not is_empty(held.get("minimum_load_balancer_capacity")):
        answer = context.call("describe_capacity_reservation", LoadBalancerArn=found["LoadBalancerArn"])
        more["Capacity"] = answer.get("MinimumLoadBalancerCapacity")
    return more


# Changing


def _set_attributes(context: Context, change: Change) -> None:
    new = change.prior["load_balancer_type"] is None
    before = untouched(change.planned["load_balancer_type"]) if new else wanted(change.prior)
    differing = pairs(wanted(change.planned), before)
    if differing:
        context.call(
            "modify_load_balancer_attributes", LoadBalancerArn=change.planned["id"], Attributes=differing
        )


def _set_groups(context: Context, change: Change) -> None:
    """After creation only what the creating call did not take."""
    enforce = change.planned["enforce_security_group_inbound_rules_on_private_link_traffic"]
    if change.prior["arn"] is None and not enforce:
        return
    context.call(
        "set_security_groups",
        LoadBalancerArn=change.planned["id"],
        SecurityGroups=sorted(change.planned["security_groups"] or ()),
        EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic=enforce or None,
    )


def _set_subnets(context: Context, change: Change) -> None:
    """By what is declared: the other one follows, and is as it was while this runs."""
    name = "subnet_mapping" if "subnet_mapping" in change.changed else "subnets"
    context.call(
        "set_subnets", LoadBalancerArn=change.planned["id"], **request_of(FIELDS, change.planned, (name,))
    )


def _set_address_type(context: Context, change: Change) -> None:
    context.call(
        "set_ip_address_type",
        LoadBalancerArn=change.planned["id"],
        IpAddressType=change.planned["ip_address_type"],
    )


def _set_pools(context: Context, change: Change) -> None:
    request = request_of(FIELDS, change.planned, ("ipam_pools",)) or {"RemoveIpamPools": ["ipv4"]}
    context.call("modify_ip_pools", LoadBalancerArn=change.planned["id"], **request)


def _set_capacity(context: Context, change: Change) -> None:
    blocks = change.planned["minimum_load_balancer_capacity"]
    request: dict[str, Any] = (
        {"MinimumLoadBalancerCapacity": {"CapacityUnits": blocks[0]["capacity_units"]}}
        if blocks
        else {"ResetCapacityReservation": True}
    )
    context.call("modify_capacity_reservation", LoadBalancerArn=change.planned["id"], **request)


# Planning


def _plan(draft: Draft) -> None:
    prefixed_name(draft, default="tf-lb-")
    for name in misplaced(draft.config | {"load_balancer_type": draft.planned["load_balancer_type"]}):
        kind = draft.planned["load_balancer_type"]
        draft.warnings.append(
            warning(
                "Argument without effect",
                f"{name} means nothing to a load balancer of the type {kind}, and is not sent.",
                path=(GetAttr(name),),
                mend=f"Remove {name}.",
            )
        )
    kind = draft.planned["load_balancer_type"]
    for name, one in SETTINGS.items():
        if isinstance(kind, str) and one.kinds and kind not in one.kinds and not draft.given(name):
            # What means nothing is null, or stays as whoever made it noted it.
            noted = ALWAYS.get((kind, name)) if draft.prior is None else draft.prior.get(name)
            draft.planned[name] = noted
    if draft.prior is None:
        return
    _plan_mappings(draft)
    network = draft.prior.get("load_balancer_type") == "network"
    if network and draft.given("security_groups") and is_empty(draft.prior.get("security_groups")):
        # A network load balancer made without security groups cannot get any.
        draft.force_replacement("security_groups")


def _plan_mappings(draft: Draft) -> None:
    """Subnets may come and go; the addresses in one that stays cannot change."""
    mappings = draft.planned["subnet_mapping"]
    before = None if draft.prior is None else draft.prior.get("subnet_mapping")
    if not draft.given("subnet_mapping") or not isinstance(mappings, tuple):
        return
    known = {one["subnet_id"]: one for one in before or ()}
    nested = FIELDS["subnet_mapping"].fields or {}
    for one in mappings:
        old = None if has_unknown(one["subnet_id"]) else known.get(one["subnet_id"])
        if old is not None and any(
            one[name] is not None and not same_field(nested[name], one[name], old[name])
            for name in ("allocation_id", "private_ipv4_address", "ipv6_address")
        ):
            draft.force_replacement("subnet_mapping")


RESOURCE = Resource(
    name="aws_lb",
    service="elbv2",
    about="A load balancer: for HTTP (application), for connections (network), or for appliances (gateway).",
    fields=FIELDS,
    identifiers=("id", "arn", "arn_suffix", "dns_name", "name if name_prefix"),
    id="LoadBalancerArn",
    id_about="Its ARN.",
    create=_create,
    retry_create=(Retry("SubnetNotFound", seconds=30.0), Retry("InvalidSecurityGroup", seconds=30.0)),
    read=_LISTING.one,
    read_many=_LISTING.many,
    extend=_extend,
    created=Wait(
        status="State.Code",
        target=("active", "active_impaired"),
        failed=("failed",),
        reason="State.Reason",
        interval=10.0,
        minutes=10.0,
        noun="load balancer",
    ),
    updates=(
        Update(fields=("subnets", "subnet_mapping"), call=_set_subnets),
        Update(
            fields=("security_groups", "enforce_security_group_inbound_rules_on_private_link_traffic"),
            call=_set_groups,
            after_create=True,
        ),
        Update(fields=("ip_address_type",), call=_set_address_type),
        Update(fields=("ipam_pools",), call=_set_pools),
        Update(fields=("minimum_load_balancer_capacity",), call=_set_capacity, after_create=True),
        Update(fields=(*SETTINGS, *LOGS), call=_set_attributes, after_create=True),
    ),
    delete=call("delete_load_balancer", LoadBalancerArn="id"),
    retry_delete=(Retry("ResourceInUse", seconds=60.0),),
    deleted=Wait(noun="load balancer", interval=5.0, minutes=10.0),
    timeouts=("create", "update", "delete"),
    tags=_TAGS,
    not_found=("LoadBalancerNotFound", "LoadBalancerNotFoundException"),
    exists=("DuplicateLoadBalancerName",),
    plan=_plan,
    recover=_recover,
    notes=(
        "One that has the name already is not overwritten: import it instead.",
        "Arguments that mean nothing to its type are not sent, which a warning tells.",
    ),
)
