"""Arguments and attributes of a target group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.providers.aws.checks import between, length, matches
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import (
    TAGS,
    Field,
    block,
    boolean,
    number,
    one_block,
    output,
    string,
)
from twinfra.providers.aws.resource import Api
from twinfra.providers.aws.services.elbv2._reading import ATTRIBUTES, HELD, attribute, text
from twinfra.values.types import STRING, SetType

SETTINGS = {
    "connection_termination": "deregistration_delay.connection_termination.enabled",
    "deregistration_delay": "deregistration_delay.timeout_seconds",
    "lambda_multi_value_headers_enabled": "lambda.multi_value_headers.enabled",
    "load_balancing_algorithm_type": "load_balancing.algorithm.type",
    "load_balancing_anomaly_mitigation": "load_balancing.algorithm.anomaly_mitigation",
    "load_balancing_cross_zone_enabled": "load_balancing.cross_zone.enabled",
    "preserve_client_ip": "preserve_client_ip.enabled",
    "proxy_protocol_v2": "proxy_protocol_v2.enabled",
    "slow_start": "slow_start.duration_seconds",
}
"""Arguments that are attributes."""

_HEALTH = "target_group_health"

BLOCKS: dict[str, dict[str, str]] = {
    "target_failover": {
        "on_deregistration": "target_failover.on_deregistration",
        "on_unhealthy": "target_failover.on_unhealthy",
    },
    "target_health_state": {
        "enable_unhealthy_connection_termination": "target_health_state.unhealthy.connection_termination.enabled",
        "unhealthy_draining_interval": "target_health_state.unhealthy.draining_interval_seconds",
    },
}
"""Blocks whose arguments are attributes each."""

HEALTH: dict[str, dict[str, str]] = {
    "dns_failover": {
        "minimum_healthy_targets_count": f"{_HEALTH}.dns_failover.minimum_healthy_targets.count",
        "minimum_healthy_targets_percentage": f"{_HEALTH}.dns_failover.minimum_healthy_targets.percentage",
    },
    "unhealthy_state_routing": {
        "minimum_healthy_targets_count": f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.count",
        "minimum_healthy_targets_percentage": (
            f"{_HEALTH}.unhealthy_state_routing.minimum_healthy_targets.percentage"
        ),
    },
}
"""Blocks inside of target_group_health."""

_COOKIES = {"lb_cookie": "stickiness.lb_cookie", "app_cookie": "stickiness.app_cookie"}

_COOKIE_SECONDS = 86400


def wanted(attributes: Mapping[str, Any]) -> dict[str, str]:
    """Attributes of the API for those of a resource, whether or not they apply to its kind."""
    found = {
        key: text(attributes[name]) for name, key in SETTINGS.items() if attributes.get(name) is not None
    }
    for name, keys in BLOCKS.items():
        found |= _inside(attributes.get(name), keys)
    health = attributes.get(_HEALTH)
    for name, keys in HEALTH.items():
        found |= _inside(health[0][name] if health else None, keys)
    return found | _stickiness(attributes.get("stickiness"))


def _inside(blocks: Any, keys: Mapping[str, str]) -> dict[str, str]:
    if not blocks:
        return {}
    return {key: text(blocks[0][name]) for name, key in keys.items() if blocks[0][name] is not None}


def _stickiness(blocks: Any) -> dict[str, str]:
    if not blocks:
        return {}
    one = blocks[0]
    found = {"stickiness.enabled": text(one["enabled"]), "stickiness.type": one["type"]}
    prefix = _COOKIES.get(one["type"])
    if prefix is not None and one["cookie_duration"] is not None:
        found[f"{prefix}.duration_seconds"] = text(one["cookie_duration"])
    if one["type"] == "app_cookie" and one["cookie_name"]:
        found[f"{prefix}.cookie_name"] = one["cookie_name"]
    return found


# Reading


def _block_of(name: str, keys: Mapping[str, str]) -> Any:
    def read(found: Api, _: Context) -> Any:
        told = found.get(ATTRIBUTES)
        if told is None:
            return None
        held = found[HELD].get(name)
        return _told(told, keys, held)

    return read


def _told(told: Mapping[str, str], keys: Mapping[str, str], held: Any) -> Any:
    """A block of what is told; what was declared where nothing is."""
    if not any(key in told for key in keys.values()):
        return held or []
    inner = held[0] if held else {}
    return [{name: told.get(key, inner.get(name)) for name, key in keys.items()}]


def _read_health(found: Api, _: Context) -> Any:
    told = found.get(ATTRIBUTES)
    if told is None:
        return None
    held = found[HELD].get(_HEALTH)
    if not any(key.startswith(f"{_HEALTH}.") for key in told):
        return held or []
    return [{name: _told(told, keys, held[0][name] if held else None) for name, keys in HEALTH.items()}]


def _read_stickiness(found: Api, _: Context) -> Any:
    told = found.get(ATTRIBUTES)
    if told is None:
        return None
    held = found[HELD].get("stickiness")
    inner = held[0] if held else {}
    kind = told.get("stickiness.type")
    if kind is None:
        return held or []
    prefix = _COOKIES.get(kind)
    seconds = None if prefix is None else told.get(f"{prefix}.duration_seconds")
    return [
        {
            "enabled": told.get("stickiness.enabled") == "true",
            "type": kind,
            "cookie_duration": seconds or inner.get("cookie_duration") or (_COOKIE_SECONDS if prefix else 0),
            "cookie_name": told.get("stickiness.app_cookie.cookie_name") if kind == "app_cookie" else None,
        }
    ]


def _checked(member: str, name: str, default: Any = None) -> Any:
    """A health check's setting; what was declared where the kind of target has none."""

    def read(found: Api, _: Context) -> Any:
        value = found.get(member)
        if value is not None:
            return value
        held = found.get(HELD, {}).get("health_check")
        declared = held[0].get(name) if held else None
        return default if declared is None else declared

    return read


def _matcher(found: Api, _: Context) -> Any:
    codes = found.get("Matcher") or {}
    return codes.get("GrpcCode") or codes.get("HttpCode")


def _read_check(found: Api, context: Context) -> Any:
    return [
        {
            name: (field.read(found, context) if callable(field.read) else found.get(str(field.reads)))
            for name, field in HEALTH_CHECK.items()
        }
    ]


def arn_suffix(arn: str) -> str:
    """The part of an ARN that metrics name it by."""
    return arn.rpartition(":")[2]


_CODES = matches(
    r"\d{1,3}([,-]\d{1,3})*", 'be a code, several, or a range, such as "200", "200,202" or "200-299"'
)

_PROTOCOLS = ("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC")


def _port(value: Any) -> str:
    if value == "traffic-port" or (value.isdigit() and 1 <= int(value) <= 65535):
        return ""
    return f'it must be a port from 1 to 65535 or "traffic-port", not "{value}".'


def _number_text(low: int, high: int, *words: str) -> Any:
    """A number in a string, or one of the words."""

    def check(value: Any) -> str:
        if value in words or (value.isdigit() and low <= int(value) <= high):
            return ""
        also = "".join(f' or "{word}"' for word in words)
        return f'it must be a number from {low} to {high}{also}, not "{value}".'

    return check


def _slow_start(value: Any) -> str:
    return "" if value == 0 or 30 <= value <= 900 else f"it must be 0 or from 30 to 900, not {value}."


HEALTH_CHECK: dict[str, Field] = {
    "enabled": boolean("HealthCheckEnabled", default=True, about="Whether there is one."),
    "healthy_threshold": number(
        "HealthyThresholdCount",
        default=3,
        checks=(between(2, 10),),
        about="Successes after which it is healthy.",
    ),
    "interval": number(
        "HealthCheckIntervalSeconds", default=30, checks=(between(5, 300),), about="Seconds between checks."
    ),
    "matcher": string("", read=_matcher, computed=True, checks=(_CODES,), about="Codes that mean success."),
    "path": string("HealthCheckPath", computed=True, checks=(length(1, 1024),), about="What is asked for."),
    "port": string(
        "HealthCheckPort",
        read=_checked("HealthCheckPort", "port", "traffic-port"),
        default="traffic-port",
        checks=(_port,),
        about="Port that is asked.",
    ),
    "protocol": string(
        "HealthCheckProtocol",
        read=_checked("HealthCheckProtocol", "protocol", "HTTP"),
        default="HTTP",
        allowed=("HTTP", "HTTPS", "TCP"),
        about="How it is asked.",
    ),
    "timeout": number(
        "HealthCheckTimeoutSeconds", computed=True, checks=(between(2, 120),), about="Seconds to answer in."
    ),
    "unhealthy_threshold": number(
        "UnhealthyThresholdCount",
        default=3,
        checks=(between(2, 10),),
        about="Failures after which it is not.",
    ),
}
"""The health check's settings: members of the calls that create and change a target group."""

_TARGETS: dict[str, Field] = {
    "minimum_healthy_targets_count": string(
        "", computed=True, checks=(_number_text(1, 1000, "off"),), about="How many targets must be healthy."
    ),
    "minimum_healthy_targets_percentage": string(
        "", computed=True, checks=(_number_text(1, 100, "off"),), about="The same, in percent."
    ),
}

FIELDS: dict[str, Field] = {
    "name": string(
        "",
        read="TargetGroupName",
        computed=True,
        force_new=True,
        conflicts=("name_prefix",),
        checks=(
            length(1, 32),
            matches(
                r"[0-9A-Za-z](?:-?[0-9A-Za-z])*",
                "have letters, digits and single hyphens, and neither start nor end with a hyphen",
            ),
        ),
        about="Its name; made up where neither this nor name_prefix is given.",
    ),
    "name_prefix": string(
        "",
        read="",
        computed=True,
        force_new=True,
        checks=(length(1, 6), matches(r"[0-9A-Za-z](?:-?[0-9A-Za-z])*-?", "be the start of a name")),
        about="A beginning for a name that is unique.",
    ),
    "target_type": string(
        "TargetType",
        default="instance",
        force_new=True,
        allowed=("instance", "ip", "lambda", "alb"),
        about="What its targets are.",
    ),
    "protocol": string("Protocol", force_new=True, allowed=_PROTOCOLS, about="How targets are spoken to."),
    "protocol_version": string(
        "ProtocolVersion",
        computed=True,
        force_new=True,
        allowed=("HTTP1", "HTTP2", "GRPC"),
        about="Version of HTTP that targets speak.",
    ),
    "port": number("Port", force_new=True, checks=(between(1, 65535),), about="Port of targets."),
    "vpc_id": string("VpcId", force_new=True, about="VPC of its targets."),
    "ip_address_type": string(
        "IpAddressType",
        computed=True,
        force_new=True,
        allowed=("ipv4", "ipv6"),
        about="Addresses of targets.",
    ),
    "target_control_port": number(
        "TargetControlPort",
        force_new=True,
        checks=(between(1, 65535),),
        about="Port by which targets tell how much they bear.",
    ),
    "health_check": one_block(
        HEALTH_CHECK,
        "",
        read=_read_check,
        computed=True,
        about="How it is found out which targets are healthy.",
    ),
    "connection_termination": attribute(
        boolean,
        "connection_termination",
        SETTINGS["connection_termination"],
        computed=True,
        about="Whether connections end with the deregistration delay.",
    ),
    "deregistration_delay": attribute(
        string,
        "deregistration_delay",
        SETTINGS["deregistration_delay"],
        default="300",
        checks=(_number_text(0, 3600),),
        about="Seconds that a target leaving gets to finish.",
    ),
    "lambda_multi_value_headers_enabled": attribute(
        boolean,
        "lambda_multi_value_headers_enabled",
        SETTINGS["lambda_multi_value_headers_enabled"],
        default=False,
        about="Whether headers have lists of values; for functions.",
    ),
    "load_balancing_algorithm_type": attribute(
        string,
        "load_balancing_algorithm_type",
        SETTINGS["load_balancing_algorithm_type"],
        computed=True,
        allowed=("round_robin", "least_outstanding_requests", "weighted_random"),
        about="How targets are chosen.",
    ),
    "load_balancing_anomaly_mitigation": attribute(
        string,
        "load_balancing_anomaly_mitigation",
        SETTINGS["load_balancing_anomaly_mitigation"],
        computed=True,
        allowed=("on", "off"),
        about="Whether strange targets get less, with weighted_random.",
    ),
    "load_balancing_cross_zone_enabled": attribute(
        string,
        "load_balancing_cross_zone_enabled",
        SETTINGS["load_balancing_cross_zone_enabled"],
        computed=True,
        allowed=("true", "false", "use_load_balancer_configuration"),
        about="Whether targets in other zones get some.",
    ),
    "preserve_client_ip": attribute(
        string,
        "preserve_client_ip",
        SETTINGS["preserve_client_ip"],
        computed=True,
        allowed=("true", "false"),
        about="Whether targets see the client's address.",
    ),
    "proxy_protocol_v2": attribute(
        boolean,
        "proxy_protocol_v2",
        SETTINGS["proxy_protocol_v2"],
        default=False,
        about="Whether the proxy protocol tells targets of clients; network load balancers.",
    ),
    "slow_start": attribute(
        number,
        "slow_start",
        SETTINGS["slow_start"],
        default=0,
        checks=(_slow_start,),
        about="Seconds in which a new target gets up to its share.",
    ),
    "stickiness": one_block(
        {
            "cookie_duration": number(
                "",
                default=_COOKIE_SECONDS,
                checks=(between(0, 604800),),
                about="Seconds that the cookie lasts.",
            ),
            "cookie_name": string("", about="Name of the application's cookie."),
            "enabled": boolean("", default=True, about="Whether a client stays with its target."),
            "type": string(
                "",
                required=True,
                allowed=(
                    "lb_cookie",
                    "app_cookie",
                    "source_ip",
                    "source_ip_dest_ip",
                    "source_ip_dest_ip_proto",
                ),
                about="What a client is known by.",
            ),
        },
        "",
        read=_read_stickiness,
        computed=True,
        about="Whether requests of a client go to one target.",
    ),
    "target_failover": block(
        {
            "on_deregistration": string(
                "", required=True, allowed=("rebalance", "no_rebalance"), about="When a target leaves."
            ),
            "on_unhealthy": string(
                "",
                required=True,
                allowed=("rebalance", "no_rebalance"),
                about="When a target is not healthy.",
            ),
        },
        "",
        read=_block_of("target_failover", BLOCKS["target_failover"]),
        computed=True,
        max_items=1,
        about="What becomes of flows; gateway load balancers.",
    ),
    "target_group_health": one_block(
        {
            "dns_failover": one_block(_TARGETS, "", computed=True, about="When zones are taken out of DNS."),
            "unhealthy_state_routing": one_block(
                {
                    "minimum_healthy_targets_count": number(
                        "", default=1, checks=(between(1, 1000),), about="How many targets must be healthy."
                    ),
                    "minimum_healthy_targets_percentage": _TARGETS["minimum_healthy_targets_percentage"],
                },
                "",
                computed=True,
                about="When traffic goes to all targets, healthy or not.",
            ),
        },
        "",
        read=_read_health,
        computed=True,
        about="When too few of its targets are healthy.",
    ),
    "target_health_state": block(
        {
            "enable_unhealthy_connection_termination": boolean(
                "", required=True, about="Whether connections to a target end when it is not healthy."
            ),
            "unhealthy_draining_interval": number(
                "", computed=True, checks=(between(0, 360000),), about="Seconds until they end otherwise."
            ),
        },
        "",
        read=_block_of("target_health_state", BLOCKS["target_health_state"]),
        computed=True,
        max_items=1,
        about="Connections to targets that are not healthy; network load balancers.",
    ),
    "arn": output(STRING, "TargetGroupArn", about="Its ARN."),
    "arn_suffix": output(
        STRING, lambda found, _: arn_suffix(found["TargetGroupArn"]), about="Part of its ARN for metrics."
    ),
    "load_balancer_arns": output(
        SetType(STRING),
        lambda found, _: found.get("LoadBalancerArns") or [],
        about="ARNs of load balancers that send to it.",
    ),
    **TAGS,
}
"""All of them, with the members of the API."""
