"""Security groups, with the rules declared in them."""

from __future__ import annotations

from twinfra.providers.aws.checks import between, cidr, each, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block_set,
    boolean,
    number,
    string,
    string_set,
    unordered_list,
)
from twinfra.providers.aws.naming import name_to_create, prefixed_name
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import by_trace, drop_trace
from twinfra.providers.aws.resource import Api, Attributes, Change, Describe, Resource, Retry, Update, Wait
from twinfra.providers.aws.services.ec2._permissions import (
    Permissions,
    blocks_of,
    permissions_of_blocks,
    permissions_read,
    request,
    same_protocol,
)
from twinfra.providers.aws.services.ec2._shared import arn_field, clear_emptied, owner_field, patiently
from twinfra.providers.aws.tagging import ec2_tags, request_tags

_TAGS = ec2_tags("security-group", trace=True)

_DIRECTIONS = {"ingress": "IpPermissions", "egress": "IpPermissionsEgress"}

_UNSEEN = (Retry("InvalidGroup.NotFound", seconds=30), Retry("InvalidGroupId.Malformed", seconds=30))


def _create(context: Context, attributes: Attributes) -> Api:
    name = name_to_create(context.token, attributes)
    answer = context.call(
        "create_security_group",
        GroupName=name,
        Description=attributes["description"],
        VpcId=attributes["vpc_id"] or None,
        **request_tags(_TAGS, attributes, context.token),
    )
    return {"GroupId": answer["GroupId"], "GroupName": name}


def _extend(_: Context, attributes: Attributes, found: Api) -> Api:
    """Adds its rules, grouped as they are known to have been declared."""
    group, owner = found["GroupId"], found.get("OwnerId", "")
    shown = {
        name: blocks_of(permissions_read(found.get(member), owner), attributes.get(name), group)
        for name, member in _DIRECTIONS.items()
    }
    return found | {"Rules": shown}


def _begin(context: Context, change: Change) -> None:
    """A new group lets everything out: that goes, unless it is declared, and what is declared comes."""
    if change.prior.get("id") is not None:
        return
    group = change.planned["id"]
    listed = context.retry(
        lambda: context.call("describe_security_groups", GroupIds=[group])["SecurityGroups"], _UNSEEN
    )
    for direction, member in _DIRECTIONS.items():
        before = permissions_read(listed[0].get(member), listed[0].get("OwnerId", ""))
        after = permissions_of_blocks(change.planned.get(direction), group)
        # Described otherwise than the group was born with, a rule is made anew: that takes no third call.
        _bring(context, group, direction, before, after, told=False)


def _set_rules(context: Context, change: Change) -> None:
    if change.prior.get("id") is None:
        return
    group = change.planned["id"]
    for direction in _DIRECTIONS:
        if direction in change.changed:
            before = permissions_of_blocks(change.prior[direction], group)
            after = permissions_of_blocks(change.planned[direction], group)
            _bring(context, group, direction, before, after)


def _bring(
    context: Context, group: str, direction: str, before: Permissions, after: Permissions, told: bool = True
) -> None:
    """Bring one direction's rules to what they should be; where `told`, one that is only described otherwise stays."""
    other = {one: text for one, text in after.items() if one in before and before[one] != text}
    anew = {} if told else other
    gone = {one: "" for one in before if one not in after or one in anew}
    new = {one: text for one, text in after.items() if one not in before or one in anew}
    if gone:
        context.find(
            f"revoke_security_group_{direction}",
            missing=("InvalidPermission.NotFound",),
            GroupId=group,
            IpPermissions=request(gone, described=False),
        )
    if new:
        context.retry(
            lambda: context.call(
                f"authorize_security_group_{direction}", GroupId=group, IpPermissions=request(new)
            ),
            _UNSEEN,
        )
    if other and told:
        context.call(
            f"update_security_group_rule_descriptions_{direction}",
            GroupId=group,
            IpPermissions=request(other),
        )


def _delete(context: Context, attributes: Attributes) -> None:
    group = attributes["id"]
    if attributes["revoke_rules_on_delete"]:
        _revoke_all(context, group)
    patiently(context, lambda: context.call("delete_security_group", GroupId=group), 15, ("group-id", group))


def _revoke_all(context: Context, group: str) -> None:
    """Revoke its own rules, and those of other groups that name it."""
    own = [{"Name": "group-id", "Values": [group]}]
    naming = [{"Name": "ip-permission.group-id", "Values": [group]}]
    naming_egress = [{"Name": "egress.ip-permission.group-id", "Values": [group]}]
    groups: dict[str, Api] = {}
    for filters in (own, naming, naming_egress):
        for one in context.pages("describe_security_groups", "SecurityGroups", Filters=filters):
            groups[one["GroupId"]] = one
    for other, found in groups.items():
        for direction, member in _DIRECTIONS.items():
            there = permissions_read(found.get(member), found.get("OwnerId", ""))
            gone = {one: text for one, text in there.items() if other == group or one.target == group}
            if gone:
                context.find(
                    f"revoke_security_group_{direction}",
                    missing=("InvalidPermission.NotFound",),
                    GroupId=other,
                    IpPermissions=request(gone, described=False),
                )


def _plan(draft: Draft) -> None:
    prefixed_name(draft)
    clear_emptied(*_DIRECTIONS)(draft)


_DESCRIPTION = matches(
    r"[A-Za-z0-9. _\-:/()#,@\[\]+=&;{}!$*]*", "have only letters, digits, spaces and ._-:/()#,@[]+=&;{}!$*"
)


def _rule(side: str) -> dict[str, Field]:
    fields = {
        "from_port": number(
            "", required=True, checks=(between(-1, 65535),), about="First port, or type of ICMP."
        ),
        "to_port": number(
            "", required=True, checks=(between(-1, 65535),), about="Last port, or code of ICMP."
        ),
        "protocol": string(
            "", required=True, equal=same_protocol, about="Protocol, by name or number; -1 for all."
        ),
        "cidr_blocks": unordered_list("", checks=(each(cidr(4)),), about=f"IPv4 networks {side}."),
        "ipv6_cidr_blocks": unordered_list("", checks=(each(cidr(6)),), about=f"IPv6 networks {side}."),
        "prefix_list_ids": unordered_list("", about=f"Prefix lists {side}."),
        "security_groups": string_set("", about=f"Security groups {side}."),
        "self": boolean("", about="Whether the group itself is meant too."),
        "description": string("", checks=(length(0, 255), _DESCRIPTION), about="What the rule is for."),
    }
    return {name: field.reading(name) for name, field in fields.items()}


_FORM = matches(r"(?!sg-).*", "not begin with sg-")

_FIELDS: dict[str, Field] = {
    "name": string(
        "",
        read="GroupName",
        computed=True,
        force_new=True,
        conflicts=("name_prefix",),
        checks=(length(1, 255), _FORM),
        about="Its name; made up where neither this nor name_prefix is given.",
    ),
    "name_prefix": string(
        "",
        read="",
        computed=True,
        force_new=True,
        checks=(length(1, 229), _FORM),
        about="A beginning for a name that is unique.",
    ),
    "description": string(
        "",
        read="Description",
        default="Managed by Terraform",
        force_new=True,
        checks=(length(0, 255), _DESCRIPTION),
        about="What it is for.",
    ),
    "vpc_id": string(
        "",
        read="VpcId",
        computed=True,
        force_new=True,
        about="Its network; the region's default one where not given.",
    ),
    "ingress": block_set(
        _rule("that may come in"), "", read="Rules.ingress", computed=True, about="What may come in."
    ),
    "egress": block_set(
        _rule("that may be reached"), "", read="Rules.egress", computed=True, about="What may go out."
    ),
    "revoke_rules_on_delete": boolean(
        "",
        read="",
        default=False,
        about="Whether deleting it first revokes its rules and those of others that name it.",
    ),
    "arn": arn_field("security-group", "GroupId"),
    "owner_id": owner_field(),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_security_group",
    version=1,
    service="ec2",
    about="What may come in and go out; rules are declared inside, or each as a resource, but not both.",
    fields=_FIELDS,
    identifiers=("id", "name if name_prefix"),
    volatile=(
        "ingress if aws_vpc_security_group_ingress_rule.security_group_id",
        "egress if aws_vpc_security_group_egress_rule.security_group_id",
    ),
    id="GroupId",
    create=_create,
    retry_create=(Retry("InvalidVpcID.NotFound", seconds=30),),
    read=Describe(
        operation="describe_security_groups", items="SecurityGroups", key="GroupId", filter="group-id"
    ),
    extend=_extend,
    delete=_delete,
    updates=(
        # This one always has a value, so that it runs after every creation.
        Update(fields=("revoke_rules_on_delete",), call=_begin, after_create=True),
        Update(fields=tuple(_DIRECTIONS), call=_set_rules),
    ),
    tags=_TAGS,
    created=Wait(noun="security group", minutes=10),
    not_found=("InvalidGroup.NotFound", "InvalidSecurityGroupID.NotFound"),
    timeouts=("create", "delete"),
    plan=_plan,
    recover=by_trace("describe_security_groups", "SecurityGroups"),
    confirm=drop_trace,
)
