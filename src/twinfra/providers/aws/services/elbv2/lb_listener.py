"""Listeners: on which port a load balancer listens, and what it does with requests there."""

from __future__ import annotations

from typing import Any

from twinfra.diagnostics import error
from twinfra.providers.aws.checks import arn, between
from twinfra.providers.aws.comparison import has_unknown, is_empty
from twinfra.providers.aws.context import Context
from twinfra.providers.aws.fields import TAGS, Field, boolean, number, one_block, output, string
from twinfra.providers.aws.mapping import request_of
from twinfra.providers.aws.planning import Draft
from twinfra.providers.aws.resource import Api, Attributes, Change, Resource, Retry, Update, call
from twinfra.providers.aws.services.elbv2._actions import NEEDS, actions, as_declared, numbered
from twinfra.providers.aws.services.elbv2._reading import (
    Listing,
    attribute,
    drop_trace,
    elb_tags,
    extended,
    pairs,
    text,
    traced,
)
from twinfra.providers.aws.tagging import request_tags
from twinfra.providers.protocol import ProviderError
from twinfra.values.types import STRING
from twinfra.values.value import GetAttr, Index

_LISTING = Listing("describe_listeners", "Listeners", "ListenerArns", "ListenerArn")

_TAGS = elb_tags(trace=True)

_REQUEST, _RESPONSE = "routing_http_request_x_amzn_", "routing_http_response_"

_HEADERS: dict[str, tuple[str, str]] = {
    f"{_REQUEST}mtls_clientcert_header_name": (
        "routing.http.request.x_amzn_mtls_clientcert.header_name", "the client's certificate"),
    f"{_REQUEST}mtls_clientcert_issuer_header_name": (
        "routing.http.request.x_amzn_mtls_clientcert_issuer.header_name", "the issuer of the client's certificate"),
    f"{_REQUEST}mtls_clientcert_leaf_header_name": (
        "routing.http.request.x_amzn_mtls_clientcert_leaf.header_name", "the client's certificate without its chain"),
    f"{_REQUEST}mtls_clientcert_serial_number_header_name": (
        "routing.http.request.x_amzn_mtls_clientcert_serial_number.header_name",
        "the serial number of the client's certificate"),
    f"{_REQUEST}mtls_clientcert_subject_header_name": (
        "routing.http.request.x_amzn_mtls_clientcert_subject.header_name", "whom the client's certificate names"),
    f"{_REQUEST}mtls_clientcert_validity_header_name": (
        "routing.http.request.x_amzn_mtls_clientcert_validity.header_name",
        "how long the client's certificate is valid"),
    f"{_REQUEST}tls_cipher_suite_header_name": (
        "routing.http.request.x_amzn_tls_cipher_suite.header_name", "the cipher suite"),
    f"{_REQUEST}tls_version_header_name": (
        "routing.http.request.x_amzn_tls_version.header_name", "the TLS version"),
    f"{_RESPONSE}access_control_allow_credentials_header_value": (
        "routing.http.response.access_control_allow_credentials.header_value", "Access-Control-Allow-Credentials"),
    f"{_RESPONSE}access_control_allow_headers_header_value": (
        "routing.http.response.access_control_allow_headers.header_value", "Access-Control-Allow-Headers"),
    f"{_RESPONSE}access_control_allow_methods_header_value": (
        "routing.http.response.access_control_allow_methods.header_value", "Access-Control-Allow-Methods"),
    f"{_RESPONSE}access_control_allow_origin_header_value": (
        "routing.http.response.access_control_allow_origin.header_value", "Access-Control-Allow-Origin"),
    f"{_RESPONSE}access_control_expose_headers_header_value": (
        "routing.http.response.access_control_expose_headers.header_value", "Access-Control-Expose-Headers"),
    f"{_RESPONSE}access_control_max_age_header_value": (
        "routing.http.response.access_control_max_age.header_value", "Access-Control-Max-Age"),
    f"{_RESPONSE}content_security_policy_header_value": (
        "routing.http.response.content_security_policy.header_value", "Content-Security-Policy"),
    f"{_RESPONSE}strict_transport_security_header_value": (
        "routing.http.response.strict_transport_security.header_value", "Strict-Transport-Security"),
    f"{_RESPONSE}x_content_type_options_header_value": (
        "routing.http.response.x_content_type_options.header_value", "X-Content-Type-Options"),
    f"{_RESPONSE}x_frame_options_header_value": (
        "routing.http.response.x_frame_options.header_value", "X-Frame-Options"),
}  # fmt: skip
"""Arguments about headers: the attribute, and what the header says or which it is."""

_SETTINGS: dict[str, str] = {
    **{name: key for name, (key, _) in _HEADERS.items()},
    f"{_RESPONSE}server_enabled": "routing.http.response.server.enabled",
    "tcp_idle_timeout_seconds": "tcp.idle_timeout.seconds",
}
"""Arguments that are attributes."""

_CALLED = (
    "port",
    "protocol",
    "ssl_policy",
    "certificate_arn",
    "alpn_policy",
    "default_action",
    "mutual_authentication",
)
"""Arguments that the creating and the modifying call take."""


# Creating and reading


def _create(context: Context, attributes: Attributes) -> Api:
    request = numbered(request_of(_FIELDS, attributes, ("load_balancer_arn", *_CALLED)))
    if "Protocol" not in request and ":loadbalancer/app/" in attributes["load_balancer_arn"]:
        request["Protocol"] = "HTTP"
    made: list[Api] = context.call(
        "create_listener", **request, **request_tags(_TAGS, attributes, context.token)
    )["Listeners"]
    return made[0]


_with_attributes = extended("describe_listener_attributes", "ListenerArn")


def _extend(context: Context, held: Attributes, found: Api) -> Api:
    more = _with_attributes(context, held, found)
    if found.get("AlpnPolicy") == ["None"] and held.get("alpn_policy") is None:
        more["AlpnPolicy"] = []
    more["DefaultActions"] = as_declared(found["DefaultActions"], held.get("default_action"))
    return more


def _recover(context: Context, attributes: Attributes, token: str) -> Api | None:
    try_these = context.pages(
        "describe_listeners", "Listeners", LoadBalancerArn=attributes["load_balancer_arn"]
    )
    return traced(context, try_these, "ListenerArn", token)


# Changing


def _modify(context: Context, change: Change) -> None:
    names = [name for name in _CALLED if name in change.changed]
    context.call(
        "modify_listener",
        ListenerArn=change.planned["id"],
        **numbered(request_of(_FIELDS, change.planned, names, clear=True)),
    )


def _set_attributes(context: Context, change: Change) -> None:
    wanted, before = (
        {key: text(one[name]) for name, key in _SETTINGS.items() if one.get(name) is not None}
        for one in (change.planned, change.prior)
    )
    differing = pairs(wanted, before)
    if differing:
        context.call("modify_listener_attributes", ListenerArn=change.planned["id"], Attributes=differing)


def _plan(draft: Draft) -> None:
    given = draft.config.get("default_action")
    for at, one in enumerate(given if isinstance(given, tuple) else ()):
        if not isinstance(one, dict):
            continue
        needed = NEEDS.get(one["type"]) if isinstance(one["type"], str) else None
        if needed is None or any(has_unknown(one[name]) or not is_empty(one[name]) for name in needed):
            continue
        raise ProviderError(
            error(
                "Missing argument",
                f"An action of the type {one['type']} needs {' or '.join(needed)}.",
                path=(GetAttr("default_action"), Index(at)),
                mend=f"Add {needed[-1]} to the action.",
            )
        )


def _certificate(found: Api, _: Context) -> Any:
    listed = found.get("Certificates") or []
    return listed[0].get("CertificateArn") if listed else None


def _header(name: str) -> Field:
    key, what = _HEADERS[name]
    about = (
        f"Name of the header that tells targets {what}."
        if name.startswith(_REQUEST)
        else f"What the header {what} of answers is set to."
    )
    return attribute(string, name, key, computed=True, about=about)


_FIELDS: dict[str, Field] = {
    "load_balancer_arn": string(
        "LoadBalancerArn",
        required=True,
        force_new=True,
        checks=(arn("elasticloadbalancing"),),
        about="ARN of the load balancer.",
    ),
    "port": number("Port", checks=(between(1, 65535),), about="Port that it listens on."),
    "protocol": string(
        "Protocol",
        computed=True,
        allowed=("HTTP", "HTTPS", "TCP", "TLS", "UDP", "TCP_UDP", "GENEVE", "QUIC", "TCP_QUIC"),
        about="What is spoken there; HTTP where an application load balancer is not told.",
    ),
    "ssl_policy": string(
        "SslPolicy", computed=True, follows=("protocol",), about="Policy that says which encryption it takes."
    ),
    "certificate_arn": string(
        "",
        read=_certificate,
        write=lambda value: {"Certificates": [{"CertificateArn": value}]},
        checks=(arn(),),
        about="ARN of its certificate.",
    ),
    "alpn_policy": string(
        "",
        read=lambda found, _: next(iter(found.get("AlpnPolicy") or ()), None),
        write=lambda value: {"AlpnPolicy": [value]},
        clear="None",
        allowed=("HTTP1Only", "HTTP2Only", "HTTP2Optional", "HTTP2Preferred", "None"),
        about="How the protocol above TLS is agreed on.",
    ),
    "default_action": actions("DefaultActions", "What it does with requests that no rule is about."),
    "mutual_authentication": one_block(
        {
            "mode": string(
                "Mode",
                required=True,
                allowed=("off", "passthrough", "verify"),
                about="Whether clients are asked.",
            ),
            "trust_store_arn": string(
                "TrustStoreArn", about="ARN of what their certificates are checked with."
            ),
            "ignore_client_certificate_expiry": boolean(
                "IgnoreClientCertificateExpiry", default=False, about="Whether expired ones pass."
            ),
            "advertise_trust_store_ca_names": string(
                "AdvertiseTrustStoreCaNames",
                computed=True,
                allowed=("on", "off"),
                about="Whether clients are told which issuers are trusted.",
            ),
        },
        "MutualAuthentication",
        computed=True,
        about="Certificates of clients.",
    ),
    **{name: _header(name) for name in _HEADERS},
    f"{_RESPONSE}server_enabled": attribute(
        boolean,
        f"{_RESPONSE}server_enabled",
        _SETTINGS[f"{_RESPONSE}server_enabled"],
        computed=True,
        about="Whether answers have the header Server.",
    ),
    "tcp_idle_timeout_seconds": attribute(
        number,
        "tcp_idle_timeout_seconds",
        _SETTINGS["tcp_idle_timeout_seconds"],
        computed=True,
        checks=(between(60, 6000),),
        about="After how many idle seconds TCP connections are closed.",
    ),
    "arn": output(STRING, "ListenerArn", about="Its ARN."),
    **TAGS,
}

RESOURCE = Resource(
    name="aws_lb_listener",
    service="elbv2",
    about="A listener of a load balancer: a port, and what is done with requests there.",
    fields=_FIELDS,
    identifiers=("id", "arn"),
    id="ListenerArn",
    id_about="Its ARN.",
    create=_create,
    retry_create=(
        Retry("CertificateNotFound", seconds=60.0),
        Retry("LoadBalancerNotFound", seconds=30.0),
        Retry("TargetGroupNotFound", seconds=30.0),
    ),
    read=_LISTING.one,
    read_many=_LISTING.many,
    extend=_extend,
    updates=(
        Update(fields=_CALLED, call=_modify),
        Update(fields=tuple(_SETTINGS), call=_set_attributes, after_create=True),
    ),
    delete=call("delete_listener", ListenerArn="id"),
    timeouts=("create", "update"),
    tags=_TAGS,
    not_found=(
        "ListenerNotFound",
        "ListenerNotFoundException",
        "LoadBalancerNotFound",
        "LoadBalancerNotFoundException",
    ),
    exists=("DuplicateListener",),
    plan=_plan,
    recover=_recover,
    confirm=drop_trace,
)
