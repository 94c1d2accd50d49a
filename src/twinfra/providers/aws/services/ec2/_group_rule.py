"""Rules of security groups, each a resource of its own: what the two directions have in common."""

from __future__ import annotations

from twinfra.providers.aws.checks import between, cidr, length
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, number, output, string
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.recovery import by_trace, drop_trace
from twinfra.providers.aws.resource import Api, Attributes, Change, Describe, Resource, Retry, Update, call
from twinfra.providers.aws.services.ec2._permissions import same_protocol
from twinfra.providers.aws.services.ec2._routes import same_cidr
from twinfra.providers.aws.services.ec2._shared import arn_field
from twinfra.providers.aws.tagging import ec2_tags, request_tags
from twinfra.values.types import STRING

_TAGS = ec2_tags("security-group-rule", trace=True)

_SOURCES = ("cidr_ipv4", "cidr_ipv6", "prefix_list_id", "referenced_security_group_id")
_MODIFIED = (*_SOURCES, "description", "from_port", "ip_protocol", "to_port")
_UNSEEN = (Retry("InvalidGroup.NotFound", seconds=30),)


def rule_resource(direction: str, about: str, meant: str) -> Resource:
    """The resource type of one direction; `meant` says what its source or destination is."""

    def create(context: Context, attributes: Attributes) -> Api:
        answer = context.call(
            f"authorize_security_group_{direction}",
            GroupId=attributes["security_group_id"],
            IpPermissions=[_permission(attributes)],
            **request_tags(_TAGS, attributes, context.token),
        )
        made: Api = answer["SecurityGroupRules"][0]
        return made

    def recover(context: Context, attributes: Attributes, token: str) -> Api | None:
        return by_trace("describe_security_group_rules", "SecurityGroupRules")(context, attributes, token)

    return Resource(
        name=f"aws_vpc_security_group_{direction}_rule",
        service="ec2",
        about=about,
        fields=_fields(meant),
        identifiers=("id", "security_group_rule_id"),
        id="SecurityGroupRuleId",
        create=create,
        retry_create=_UNSEEN,
        read=Describe(
            operation="describe_security_group_rules",
            items="SecurityGroupRules",
            key="SecurityGroupRuleId",
            filter="security-group-rule-id",
            gone=lambda found: bool(found.get("IsEgress")) is not (direction == "egress"),
        ),
        extend=_extend,
        delete=call(
            f"revoke_security_group_{direction}", GroupId="security_group_id", SecurityGroupRuleIds=["id"]
        ),
        updates=(Update(fields=_MODIFIED, call=_modify),),
        tags=_TAGS,
        not_found=(
            "InvalidSecurityGroupRuleId.NotFound",
            "InvalidPermission.NotFound",
            "InvalidGroup.NotFound",
        ),
        plan=_plan,
        recover=recover,
        confirm=drop_trace,
    )


def _permission(attributes: Attributes) -> Api:
    """The rule as a request to authorize it has it."""
    told = {"Description": attributes["description"]} if attributes["description"] else {}
    found: Api = {"IpProtocol": attributes["ip_protocol"]}
    for name, member in (("from_port", "FromPort"), ("to_port", "ToPort")):
        if attributes[name] is not None:
            found[member] = attributes[name]
    if attributes["cidr_ipv4"]:
        found["IpRanges"] = [{"CidrIp": attributes["cidr_ipv4"], **told}]
    elif attributes["cidr_ipv6"]:
        found["Ipv6Ranges"] = [{"CidrIpv6": attributes["cidr_ipv6"], **told}]
    elif attributes["prefix_list_id"]:
        found["PrefixListIds"] = [{"PrefixListId": attributes["prefix_list_id"], **told}]
    else:
        user, _, group = attributes["referenced_security_group_id"].rpartition("/")
        found["UserIdGroupPairs"] = [{"GroupId": group, **({"UserId": user} if user else {}), **told}]
    return found


def _extend(_: Context, attributes: Attributes, found: Api) -> Api:
    """Adds the group referred to as it is declared, and leaves out ports that nobody gave."""
    referenced = found.get("ReferencedGroupInfo") or {}
    group = referenced.get("GroupId")
    user = referenced.get("UserId")
    named_with_user = "/" in str(attributes.get("referenced_security_group_id") or "")
    if group and user and (named_with_user or user != found.get("GroupOwnerId", user)):
        group = f"{user}/{group}"
    shown = {**found, "Referenced": group}
    for name, member in (("from_port", "FromPort"), ("to_port", "ToPort")):
        icmp = str(found.get("IpProtocol")).startswith("icmp")
        if found.get(member) == -1 and attributes.get(name) is None and not icmp:
            shown[member] = None
    return shown


def _modify(context: Context, change: Change) -> None:
    planned = change.planned
    rule = {
        "IpProtocol": planned["ip_protocol"],
        "FromPort": planned["from_port"],
        "ToPort": planned["to_port"],
        "CidrIpv4": planned["cidr_ipv4"] or None,
        "CidrIpv6": planned["cidr_ipv6"] or None,
        "PrefixListId": planned["prefix_list_id"] or None,
        "ReferencedGroupId": (planned["referenced_security_group_id"] or "").rpartition("/")[2] or None,
        "Description": planned["description"] or "",
    }
    context.call(
        "modify_security_group_rules",
        GroupId=planned["security_group_id"],
        SecurityGroupRules=[
            {
                "SecurityGroupRuleId": planned["id"],
                "SecurityGroupRule": {name: value for name, value in rule.items() if value is not None},
            }
        ],
    )


def _plan(draft: Draft) -> None:
    """A rule cannot become one for another kind of source."""
    if draft.prior is None:
        return
    for name in _SOURCES:
        if name in draft.changed and not draft.prior.get(name):
            draft.force_replacement(name)


def _fields(meant: str) -> dict[str, Field]:
    return {
        "security_group_id": string(
            "", read="GroupId", required=True, force_new=True, about="The group that it is a rule of."
        ),
        "ip_protocol": string(
            "",
            read="IpProtocol",
            required=True,
            equal=same_protocol,
            about="Protocol, by name or number; -1 for all of them.",
        ),
        "from_port": number(
            "", read="FromPort", checks=(between(-1, 65535),), about="First port, or type of ICMP."
        ),
        "to_port": number(
            "", read="ToPort", checks=(between(-1, 65535),), about="Last port, or code of ICMP."
        ),
        "cidr_ipv4": string(
            "", read="CidrIpv4", exactly_one=_SOURCES, checks=(cidr(4),), about=f"IPv4 network {meant}."
        ),
        "cidr_ipv6": string(
            "",
            read="CidrIpv6",
            exactly_one=_SOURCES,
            equal=same_cidr,
            checks=(cidr(6),),
            about=f"IPv6 network {meant}.",
        ),
        "prefix_list_id": string(
            "", read="PrefixListId", exactly_one=_SOURCES, about=f"Prefix list {meant}."
        ),
        "referenced_security_group_id": string(
            "", read="Referenced", exactly_one=_SOURCES, about=f"Security group {meant}."
        ),
        "description": string(
            "", read="Description", checks=(length(0, 255),), about="What the rule is for."
        ),
        "arn": arn_field("security-group-rule", "SecurityGroupRuleId", owner="GroupOwnerId"),
        "security_group_rule_id": output(STRING, "SecurityGroupRuleId", about="Its id."),
        **TAGS,
    }
