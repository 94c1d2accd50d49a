"""Arguments and attributes of a load balancer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.providers.aws.checks import at_least, between, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block_set,
    boolean,
    number,
    one_block,
    output,
    string,
    string_set,
)
from twinfra.providers.aws.resource import Api
from twinfra.providers.aws.services.elbv2._reading import (
    ATTRIBUTES,
    HELD,
    Attribute,
    attribute,
    text,
)
from twinfra.values.types import STRING

_APPLICATION, _NETWORK, _GATEWAY = ("application",), ("network",), ("gateway",)

SETTINGS: dict[str, Attribute] = {
    "client_keep_alive": Attribute("client_keep_alive.seconds", _APPLICATION),
    "desync_mitigation_mode": Attribute("routing.http.desync_mitigation_mode", _APPLICATION),
    "dns_record_client_routing_policy": Attribute("dns_record.client_routing_policy", _NETWORK),
    "drop_invalid_header_fields": Attribute("routing.http.drop_invalid_header_fields.enabled", _APPLICATION),
    "enable_cross_zone_load_balancing": Attribute("load_balancing.cross_zone.enabled", _NETWORK + _GATEWAY),
    "enable_deletion_protection": Attribute("deletion_protection.enabled"),
    "enable_http2": Attribute("routing.http2.enabled", _APPLICATION),
    "enable_tls_version_and_cipher_suite_headers": Attribute(
        "routing.http.x_amzn_tls_version_and_cipher_suite.enabled", _APPLICATION
    ),
    "enable_waf_fail_open": Attribute("waf.fail_open.enabled", _APPLICATION),
    "enable_xff_client_port": Attribute("routing.http.xff_client_port.enabled", _APPLICATION),
    "enable_zonal_shift": Attribute("zonal_shift.config.enabled", _APPLICATION + _NETWORK),
    "idle_timeout": Attribute("idle_timeout.timeout_seconds", _APPLICATION),
    "preserve_host_header": Attribute("routing.http.preserve_host_header.enabled", _APPLICATION),
    "secondary_ips_auto_assigned_per_subnet": Attribute("secondary_ips.auto_assigned.per_subnet", _NETWORK),
    "xff_header_processing_mode": Attribute("routing.http.xff_header_processing.mode", _APPLICATION),
}
"""Arguments that are attributes, and the kinds of load balancers that have them."""

LOGS = {
    "access_logs": "access_logs.s3",
    "connection_logs": "connection_logs.s3",
    "health_check_logs": "health_check_logs.s3",
}
"""Blocks that are three attributes each."""


def wanted(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Attributes of the API for those of a resource, as far as they apply to its kind."""
    kind = attributes["load_balancer_type"]
    found = {
        one.key: text(attributes[name])
        for name, one in SETTINGS.items()
        if attributes.get(name) is not None and (not one.kinds or kind in one.kinds)
    }
    for name, prefix in LOGS.items():
        logs: dict[str, Any] = next(iter(attributes.get(name) or ()), {})
        found[f"{prefix}.enabled"] = text(bool(logs.get("enabled")))
        if logs.get("enabled"):
            found[f"{prefix}.bucket"] = text(logs["bucket"])
            found[f"{prefix}.prefix"] = text(logs["prefix"])
    return found


def untouched(kind: str) -> dict[str, str]:
    """Attributes of a new load balancer that nothing was said about."""
    return wanted({"load_balancer_type": kind, **{name: FIELDS[name].default for name in SETTINGS}})


def misplaced(attributes: Mapping[str, Any]) -> list[str]:
    """Arguments that say something which this kind of load balancer does not have."""
    kind = attributes.get("load_balancer_type")
    if not isinstance(kind, str):
        return []
    return [
        name
        for name, one in SETTINGS.items()
        if one.kinds
        and kind not in one.kinds
        and attributes.get(name) is not None
        and attributes[name] != ALWAYS.get((kind, name), FIELDS[name].default)
    ]


ALWAYS = {("application", "enable_cross_zone_load_balancing"): True}
"""What a kind does without being told."""


def _setting(make: Any, name: str, **options: Any) -> Field:
    one = SETTINGS[name]
    return attribute(make, name, one.key, one.kinds, **options)


def _logs(name: str, about: str) -> Field:
    prefix = LOGS[name]

    def read(found: Api, _: Context) -> Any:
        told = found.get(ATTRIBUTES)
        if told is None:
            return None
        if told.get(f"{prefix}.enabled") != "true":
            # Switched off the API has no more to tell; so declared, it is what was declared.
            held = found[HELD].get(name)
            return held if held and held[0]["bucket"] and not held[0]["enabled"] else []
        return [
            {
                "enabled": True,
                "bucket": told.get(f"{prefix}.bucket"),
                "prefix": told.get(f"{prefix}.prefix") or None,
            }
        ]

    return one_block(
        {
            "bucket": string("", required=True, about="Bucket that they go to."),
            "enabled": boolean("", default=False, about="Whether they are written."),
            "prefix": string("", about="What their names start with."),
        },
        "",
        read=read,
        about=about,
    )


# What the describing call tells


def _zones(found: Api) -> list[Any]:
    return found.get("AvailabilityZones") or []


def _mappings(found: Api, _: Context) -> list[dict[str, Any]]:
    mappings = []
    for zone in _zones(found):
        addresses = zone.get("LoadBalancerAddresses") or [{}]
        mappings.append(
            {
                "subnet_id": zone.get("SubnetId"),
                "allocation_id": addresses[0].get("AllocationId"),
                "private_ipv4_address": addresses[0].get("PrivateIPv4Address"),
                "ipv6_address": addresses[0].get("IPv6Address"),
                "outpost_id": zone.get("OutpostId"),
            }
        )
    return mappings


def _subnets(found: Api, _: Context) -> list[str]:
    return [zone["SubnetId"] for zone in _zones(found)]


def arn_suffix(arn: str) -> str:
    """The part of an ARN that metrics name it by."""
    return arn.partition(":loadbalancer/")[2]


_MAPPING: dict[str, Field] = {
    "subnet_id": string("SubnetId", required=True, about="A subnet."),
    "allocation_id": string("AllocationId", about="An elastic address in it."),
    "private_ipv4_address": string("PrivateIPv4Address", about="A private address in it."),
    "ipv6_address": string("IPv6Address", about="An IPv6 address in it."),
    "outpost_id": output(STRING, "OutpostId", about="The Outpost that it lies on."),
}

FIELDS: dict[str, Field] = {
    "name": string(
        "",
        read="LoadBalancerName",
        computed=True,
        force_new=True,
        conflicts=("name_prefix",),
        checks=(
            length(1, 32),
            matches(
                r"(?!internal-)[0-9A-Za-z](?:[0-9A-Za-z-]*[0-9A-Za-z])?",
                "have letters, digits and hyphens, neither start nor end with a hyphen, and not start "
                "with internal-",
            ),
        ),
        about="Its name; made up where neither this nor name_prefix is given.",
    ),
    "name_prefix": string(
        "",
        read="",
        computed=True,
        force_new=True,
        checks=(length(1, 6), matches(r"(?!internal-)[0-9A-Za-z][0-9A-Za-z-]*", "be the start of a name")),
        about="A beginning for a name that is unique.",
    ),
    "load_balancer_type": string(
        "Type",
        default="application",
        force_new=True,
        allowed=("application", "network", "gateway"),
        about="Its kind.",
    ),
    "internal": boolean(
        "",
        read=lambda found, _: found.get("Scheme") == "internal",
        write=lambda value: {"Scheme": "internal" if value else "internet-facing"},
        computed=True,
        force_new=True,
        about="Whether it has private addresses only.",
    ),
    "ip_address_type": string(
        "IpAddressType",
        computed=True,
        allowed=("ipv4", "dualstack", "dualstack-without-public-ipv4"),
        about="Kinds of addresses it has.",
    ),
    "subnets": string_set(
        "Subnets",
        read=_subnets,
        computed=True,
        follows=("subnet_mapping",),
        exactly_one=("subnets", "subnet_mapping"),
        about="Subnets that it lies in.",
    ),
    "subnet_mapping": block_set(
        _MAPPING,
        "SubnetMappings",
        read=_mappings,
        computed=True,
        follows=("subnets",),
        about="Subnets that it lies in, each with its addresses.",
    ),
    "security_groups": string_set("SecurityGroups", computed=True, about="Its security groups."),
    "enforce_security_group_inbound_rules_on_private_link_traffic": string(
        "",
        read="EnforceSecurityGroupInboundRulesOnPrivateLinkTraffic",
        computed=True,
        allowed=("on", "off"),
        about="Whether inbound rules hold for traffic through PrivateLink; network load balancers.",
    ),
    "customer_owned_ipv4_pool": string(
        "CustomerOwnedIpv4Pool", force_new=True, about="Address pool of an Outpost."
    ),
    "ipam_pools": one_block(
        {"ipv4_ipam_pool_id": string("Ipv4IpamPoolId", required=True, about="Pool of IPv4 addresses.")},
        "IpamPools",
        about="Pools that its public addresses come from.",
    ),
    "minimum_load_balancer_capacity": one_block(
        {"capacity_units": number("CapacityUnits", required=True, checks=(at_least(1),), about="How much.")},
        "",
        read="Capacity",
        about="Capacity that is reserved; read where it is declared.",
    ),
    "access_logs": _logs("access_logs", "Logs of requests."),
    "connection_logs": _logs("connection_logs", "Logs of connections; application load balancers."),
    "health_check_logs": _logs("health_check_logs", "Logs of health checks; application load balancers."),
    "client_keep_alive": _setting(
        number,
        "client_keep_alive",
        default=3600,
        checks=(between(60, 604800),),
        about="For how many seconds connections are kept.",
    ),
    "desync_mitigation_mode": _setting(
        string,
        "desync_mitigation_mode",
        default="defensive",
        allowed=("monitor", "defensive", "strictest"),
        about="What it does with requests that others could take for several.",
    ),
    "dns_record_client_routing_policy": _setting(
        string,
        "dns_record_client_routing_policy",
        default="any_availability_zone",
        allowed=("any_availability_zone", "availability_zone_affinity", "partial_availability_zone_affinity"),
        about="Whether clients find addresses in their own zone; network load balancers.",
    ),
    "drop_invalid_header_fields": _setting(
        boolean,
        "drop_invalid_header_fields",
        default=False,
        about="Whether invalid header fields are left out.",
    ),
    "enable_cross_zone_load_balancing": _setting(
        boolean,
        "enable_cross_zone_load_balancing",
        default=False,
        about="Whether it sends to targets in other zones; an application load balancer always does.",
    ),
    "enable_deletion_protection": _setting(
        boolean,
        "enable_deletion_protection",
        default=False,
        about="Whether it cannot be deleted.",
    ),
    "enable_http2": _setting(
        boolean,
        "enable_http2",
        default=True,
        about="Whether HTTP/2 is spoken.",
    ),
    "enable_tls_version_and_cipher_suite_headers": _setting(
        boolean,
        "enable_tls_version_and_cipher_suite_headers",
        default=False,
        about="Whether headers tell targets of the encryption.",
    ),
    "enable_waf_fail_open": _setting(
        boolean,
        "enable_waf_fail_open",
        default=False,
        about="Whether requests pass when the firewall does not answer.",
    ),
    "enable_xff_client_port": _setting(
        boolean,
        "enable_xff_client_port",
        default=False,
        about="Whether X-Forwarded-For has the client's port.",
    ),
    "enable_zonal_shift": _setting(
        boolean,
        "enable_zonal_shift",
        default=False,
        about="Whether traffic may be shifted away from a zone in trouble.",
    ),
    "idle_timeout": _setting(
        number,
        "idle_timeout",
        default=60,
        checks=(between(1, 4000),),
        about="After how many idle seconds connections are closed.",
    ),
    "preserve_host_header": _setting(
        boolean,
        "preserve_host_header",
        default=False,
        about="Whether targets get the Host header as it came.",
    ),
    "secondary_ips_auto_assigned_per_subnet": _setting(
        number,
        "secondary_ips_auto_assigned_per_subnet",
        computed=True,
        checks=(between(0, 7),),
        about="More private addresses in each subnet; network load balancers.",
    ),
    "xff_header_processing_mode": _setting(
        string,
        "xff_header_processing_mode",
        default="append",
        allowed=("append", "preserve", "remove"),
        about="What is done with X-Forwarded-For.",
    ),
    "arn": output(STRING, "LoadBalancerArn", about="Its ARN."),
    "arn_suffix": output(
        STRING, lambda found, _: arn_suffix(found["LoadBalancerArn"]), about="Part of its ARN for metrics."
    ),
    "dns_name": output(STRING, "DNSName", about="Its name in DNS."),
    "vpc_id": output(STRING, "VpcId", about="VPC that it lies in."),
    "zone_id": output(STRING, "CanonicalHostedZoneId", about="Route 53 zone of its name, for alias records."),
    **TAGS,
}
"""All of them, with the members of the API."""
