"""EC2: rules of security groups that keep their description whatever they let in, and that can be modified."""

from __future__ import annotations

from typing import Any

from moto.core.responses import ActionResult
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.models.security_groups import GroupedSecurityRuleView, SecurityGroup, SecurityGroupRule
from moto.ec2.responses import EC2Response

from twinfra.sandbox.overlay import graft

_SOURCES = {
    "CidrIpv4": "an IPv4 CIDR",
    "CidrIpv6": "an IPv6 CIDR",
    "PrefixListId": "a prefix list",
    "ReferencedGroupId": "a security group",
}


def _identity(rule: Any) -> tuple[Any, ...]:
    """What two rules of a group may not share: all but the description."""
    ports = (rule.from_port, rule.to_port) if rule.ip_protocol != "-1" else ()
    source = (rule.ip_range.get("CidrIp"), rule.ip_range.get("CidrIpv6"), rule.source_group.get("GroupId"))
    return (rule.ip_protocol, ports, *source, rule.prefix_list_id)


class _Rule:
    def __init__(
        self: Any,
        ec2_backend: Any,
        ip_protocol: str,
        group_id: str,
        from_port: str | None,
        to_port: str | None,
        *rest: Any,
        **named: Any,
    ) -> None:
        if ip_protocol and (from_port is None or to_port is None):
            # Protocols without ports.
            _original_rule(self, ec2_backend, "-1", group_id, None, None, *rest, **named)
            self.ip_protocol = str(ip_protocol)
        else:
            _original_rule(self, ec2_backend, ip_protocol, group_id, from_port, to_port, *rest, **named)
        listed = named.get("prefix_list_id", rest[2] if len(rest) > 2 else None)
        self.list_description = (listed or {}).get("Description")

    def __eq__(self: Any, other: object) -> bool:
        return isinstance(other, SecurityGroupRule) and _identity(self) == _identity(other)

    @property
    def description(self: Any) -> str | None:
        found: str | None = self.list_description
        for source in (self.ip_range, self.source_group):
            found = source.get("Description") or found
        return found

    @property
    def group_owner_id(self: Any) -> str:
        return str(self.ec2_backend.account_id)

    @property
    def security_group_rule_arn(self: Any) -> str:
        backend = self.ec2_backend
        return f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:security-group-rule/{self.id}"


class _Group:
    def _flattened_rules(self: Any, rules: list[Any]) -> list[Any]:
        views: dict[tuple[Any, ...], Any] = {}
        for rule in rules:
            ports = (rule.from_port, rule.to_port, rule.ip_protocol)
            view = views.setdefault(ports, GroupedSecurityRuleView(*ports))
            if rule.ip_range:
                view.all_ip_ranges.append(rule.ip_range)
            if rule.source_group:
                view.source_groups.append(rule.source_group)
            if rule.prefix_list_id:
                told = {"Description": rule.list_description} if rule.list_description else {}
                view.prefix_list_ids.append({"PrefixListId": rule.prefix_list_id, **told})
        return list(views.values())


class _Groups:
    def modify_security_group_rules(self: Any) -> ActionResult:
        self.error_on_dryrun()
        group = self.ec2_backend.get_security_group_from_id(self._get_param("GroupId"))
        if group is None:
            raise EC2ClientError("InvalidGroup.NotFound", "The security group does not exist")
        for change in self._get_param("SecurityGroupRules", []):
            rule = group.get_rule(change["SecurityGroupRuleId"])
            if rule is None:
                raise EC2ClientError(
                    "InvalidSecurityGroupRuleId.NotFound",
                    f"The security group rule ID '{change['SecurityGroupRuleId']}' does not exist",
                )
            _modify(rule, change["SecurityGroupRule"])
        return ActionResult({"Return": True})


def _modify(rule: Any, wanted: dict[str, Any]) -> None:
    given = [name for name in _SOURCES if wanted.get(name)]
    before = next(name for name, value in _shown(rule).items() if value)
    if given != [before]:
        said = _SOURCES[given[0]] if given else "nothing"
        raise EC2ClientError(
            "InvalidParameterValue", f"You may not specify {said} for a rule of {_SOURCES[before]}."
        )
    told = {"Description": wanted["Description"]} if wanted.get("Description") else {}
    value = wanted[before]
    rule.ip_range, rule.source_group, rule.prefix_list_id, rule.list_description = {}, {}, None, None
    if before == "CidrIpv4":
        rule.ip_range = {"CidrIp": value, **told}
    elif before == "CidrIpv6":
        rule.ip_range = {"CidrIpv6": value, **told}
    elif before == "ReferencedGroupId":
        rule.source_group = {"GroupId": value, "UserId": rule.ec2_backend.account_id, **told}
    else:
        rule.prefix_list_id, rule.list_description = value, told.get("Description")
    rule.ip_protocol = wanted["IpProtocol"]
    rule.from_port = None if wanted["IpProtocol"] == "-1" else wanted.get("FromPort")
    rule.to_port = None if wanted["IpProtocol"] == "-1" else wanted.get("ToPort")


def _shown(rule: Any) -> dict[str, Any]:
    return {
        "CidrIpv4": rule.ip_range.get("CidrIp"),
        "CidrIpv6": rule.ip_range.get("CidrIpv6"),
        "PrefixListId": rule.prefix_list_id,
        "ReferencedGroupId": rule.source_group.get("GroupId"),
    }


_original_rule = SecurityGroupRule.__init__


def install() -> None:
    """Graft onto moto's classes."""
    graft(SecurityGroupRule, _Rule)
    graft(SecurityGroup, _Group)
    graft(EC2Response, _Groups)
