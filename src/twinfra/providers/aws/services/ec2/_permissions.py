"""What a security group lets through: rules as blocks that name many sources, and as the API keeps them, one
by one.

The API forgets how rules were grouped into blocks; they are put together again as they are known to have
been.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal, TypeAlias

from twinfra.dataclass import dataclass
from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.resource import Api

Kind: TypeAlias = Literal["cidr_blocks", "ipv6_cidr_blocks", "prefix_list_ids", "security_groups"]

_NUMBERS = {"1": "icmp", "6": "tcp", "17": "udp", "58": "icmpv6", "all": "-1"}
_WITH_PORTS = frozenset({"tcp", "udp", "icmp", "icmpv6"})

_MEMBERS: dict[Kind, tuple[str, str]] = {
    "cidr_blocks": ("IpRanges", "CidrIp"),
    "ipv6_cidr_blocks": ("Ipv6Ranges", "CidrIpv6"),
    "prefix_list_ids": ("PrefixListIds", "PrefixListId"),
    "security_groups": ("UserIdGroupPairs", "GroupId"),
}


@dataclass(frozen=True, slots=True, order=True)
class Permission:
    """One protocol and range of ports, and one source or destination: what the API counts as a rule."""

    protocol: str
    from_port: int
    to_port: int
    kind: Kind
    target: str


Permissions: TypeAlias = dict[Permission, str]
"""Each with its description, which is no part of what it is."""


def protocol_of(given: Any) -> str:
    """A protocol by the name that the API answers with."""
    text = str(given).lower()
    return _NUMBERS.get(text, text)


def same_protocol(one: Any, other: Any) -> bool:
    """Whether two names or numbers are of one protocol."""
    return protocol_of(one) == protocol_of(other)


def permissions_of_block(block: Mapping[str, Any], group: str) -> Permissions:
    """What a block of the group with the id `group` says."""
    protocol = protocol_of(block.get("protocol"))
    ports = (int(block.get("from_port") or 0), int(block.get("to_port") or 0))
    if protocol not in _WITH_PORTS:
        ports = (0, 0)
    found: Permissions = {}
    for kind in _MEMBERS:
        for target in block.get(kind) or ():
            found[Permission(protocol, *ports, kind, _normal(kind, str(target)))] = str(
                block.get("description") or ""
            )
    if block.get("self"):
        found[Permission(protocol, *ports, "security_groups", group)] = str(block.get("description") or "")
    return found


def permissions_of_blocks(blocks: Iterable[Mapping[str, Any]] | None, group: str) -> Permissions:
    """What all blocks say together."""
    found: Permissions = {}
    for block in blocks or ():
        found |= permissions_of_block(block, group)
    return found


def _normal(kind: Kind, target: str) -> str:
    if kind != "ipv6_cidr_blocks":
        return target
    import ipaddress

    try:
        return str(ipaddress.ip_network(target, strict=False))
    except ValueError:
        return target


def permissions_read(listed: Iterable[Api] | None, owner: str) -> Permissions:
    """What the API answers; groups of other accounts are named with the account."""
    found: Permissions = {}
    for one in listed or ():
        protocol = protocol_of(one["IpProtocol"])
        told = (int(one.get("FromPort", 0)), int(one.get("ToPort", 0)))
        first, last = told if protocol in _WITH_PORTS else (0, 0)
        for kind, (member, key) in _MEMBERS.items():
            for source in one.get(member, ()):
                target = source.get(key) or source.get("GroupName", "")
                user = source.get("UserId")
                if kind == "security_groups" and user and user != owner:
                    target = f"{user}/{target}"
                found[Permission(protocol, first, last, kind, _normal(kind, target))] = (
                    source.get("Description") or ""
                )
    return found


def request(permissions: Permissions, described: bool = True) -> list[Api]:
    """Permissions as a request has them, grouped by protocol and ports."""
    grouped: dict[tuple[str, int, int], Api] = {}
    for one in sorted(permissions):
        ports = {} if one.protocol == "-1" else {"FromPort": one.from_port, "ToPort": one.to_port}
        group = grouped.setdefault(
            (one.protocol, one.from_port, one.to_port), {"IpProtocol": one.protocol, **ports}
        )
        member, key = _MEMBERS[one.kind]
        user, slash, target = one.target.rpartition("/") if one.kind == "security_groups" else ("", "", "")
        source: Api = {key: target if slash else one.target} | ({"UserId": user} if slash else {})
        if described and permissions[one]:
            source["Description"] = permissions[one]
        group.setdefault(member, []).append(source)
    return list(grouped.values())


def blocks_of(found: Permissions, held: Iterable[Mapping[str, Any]] | None, group: str) -> list[Any]:
    """What is there as blocks: those `held` that hold still, and for the rest one for each protocol, ports
    and description.
    """
    left = dict(found)
    blocks: list[Any] = []
    for block in held or ():
        said = permissions_of_block(block, group)
        there = {one for one, description in said.items() if left.get(one) == description}
        if said and len(there) == len(said):
            blocks.append(block)
        elif there:
            blocks.append(_reduced(block, there, group))
        for one in there:
            del left[one]
    grouped: dict[tuple[str, int, int, str], Any] = {}
    for one in sorted(left):
        key = (one.protocol, one.from_port, one.to_port, left[one])
        block = grouped.setdefault(
            key,
            {
                "protocol": one.protocol,
                "from_port": one.from_port,
                "to_port": one.to_port,
                "description": left[one] or None,
                "self": False,
            },
        )
        if one.kind == "security_groups" and one.target == group:
            block["self"] = True
        else:
            block.setdefault(one.kind, []).append(one.target)
    return blocks + list(grouped.values())


def _reduced(block: Mapping[str, Any], there: set[Permission], group: str) -> dict[str, Any]:
    """A block without the sources that are gone."""
    targets = {(one.kind, one.target) for one in there}
    result = dict(block)
    for kind in _MEMBERS:
        if not is_empty(block.get(kind)):
            result[kind] = [one for one in block[kind] if (kind, _normal(kind, str(one))) in targets] or None
    result["self"] = bool(block.get("self")) and ("security_groups", group) in targets
    return result
