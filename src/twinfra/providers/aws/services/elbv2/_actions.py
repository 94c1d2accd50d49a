"""Actions of a listener: what it does with requests, in order."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from twinfra.providers.aws.checks import between, length, matches
from twinfra.providers.aws.comparison import is_empty
from twinfra.providers.aws.fields import (
    Field,
    block,
    block_set,
    boolean,
    number,
    one_block,
    string,
    string_map,
    string_set,
)
from twinfra.providers.aws.resource import Api

_UNAUTHENTICATED = ("deny", "allow", "authenticate")

_SESSION: dict[str, Field] = {
    "authentication_request_extra_params": string_map(
        "AuthenticationRequestExtraParams", about="More query parameters for the redirect to it."
    ),
    "on_unauthenticated_request": string(
        "OnUnauthenticatedRequest",
        computed=True,
        allowed=_UNAUTHENTICATED,
        about="What is done with who is not authenticated.",
    ),
    "scope": string("Scope", computed=True, about="What is asked for about the user."),
    "session_cookie_name": string("SessionCookieName", computed=True, about="Name of the session's cookie."),
    "session_timeout": number(
        "SessionTimeout", computed=True, checks=(between(1, 604800),), about="Seconds that a session lasts."
    ),
}

_COGNITO: dict[str, Field] = {
    "user_pool_arn": string("UserPoolArn", required=True, about="ARN of the user pool."),
    "user_pool_client_id": string("UserPoolClientId", required=True, about="Id of its client."),
    "user_pool_domain": string("UserPoolDomain", required=True, about="Its domain."),
    **_SESSION,
}

_OIDC: dict[str, Field] = {
    "authorization_endpoint": string("AuthorizationEndpoint", required=True, about="Where users log in."),
    "client_id": string("ClientId", required=True, about="Id of the client."),
    "client_secret": string(
        "ClientSecret", read="", required=True, sensitive=True, about="Its secret, which no API tells."
    ),
    "issuer": string("Issuer", required=True, about="Who issues tokens."),
    "token_endpoint": string("TokenEndpoint", required=True, about="Where tokens are fetched."),
    "user_info_endpoint": string("UserInfoEndpoint", required=True, about="Where users are described."),
    **_SESSION,
}

_FORWARD: dict[str, Field] = {
    "target_group": block_set(
        {
            "arn": string("TargetGroupArn", required=True, about="ARN of a target group."),
            "weight": number("Weight", default=1, checks=(between(0, 999),), about="Its share."),
        },
        "TargetGroups",
        min_items=1,
        max_items=5,
        about="Target groups, up to five.",
    ),
    "stickiness": one_block(
        {
            "duration": number(
                "DurationSeconds", required=True, checks=(between(1, 604800),), about="For how many seconds."
            ),
            "enabled": boolean("Enabled", default=False, about="Whether it does."),
        },
        "TargetGroupStickinessConfig",
        computed=True,
        about="Whether a client stays with its target group.",
    ),
}

_FIXED: dict[str, Field] = {
    "content_type": string(
        "ContentType",
        required=True,
        allowed=("text/plain", "text/css", "text/html", "application/javascript", "application/json"),
        about="Type of the answer.",
    ),
    "message_body": string("MessageBody", checks=(length(0, 1024),), about="The answer."),
    "status_code": string(
        "StatusCode",
        computed=True,
        checks=(matches(r"[245]\d\d|[245]XX", "be a code from 200, 400 or 500 on"),),
        about="Code of the answer.",
    ),
}

_REDIRECT: dict[str, Field] = {
    "host": string("Host", default="#{host}", checks=(length(1, 128),), about="Host to go to."),
    "path": string("Path", default="/#{path}", checks=(length(1, 128),), about="Path to go to."),
    "port": string("Port", default="#{port}", about="Port to go to."),
    "protocol": string(
        "Protocol", default="#{protocol}", allowed=("#{protocol}", "HTTP", "HTTPS"), about="Protocol to use."
    ),
    "query": string("Query", default="#{query}", checks=(length(0, 128),), about="Query, without the `?`."),
    "status_code": string(
        "StatusCode", required=True, allowed=("HTTP_301", "HTTP_302"), about="For good, or for now."
    ),
}

_JWT: dict[str, Field] = {
    "issuer": string("Issuer", required=True, about="Who issues tokens."),
    "jwks_endpoint": string("JwksEndpoint", required=True, about="Where the keys are."),
    "additional_claim": block_set(
        {
            "format": string(
                "Format",
                required=True,
                allowed=("single-string", "string-array", "space-separated-values"),
                about="Form of the claim.",
            ),
            "name": string("Name", required=True, about="Its name."),
            "values": string_set("Values", required=True, about="What it may be."),
        },
        "AdditionalClaims",
        max_items=10,
        about="Claims that are checked too.",
    ),
}

ACTION: dict[str, Field] = {
    "type": string(
        "Type",
        required=True,
        allowed=(
            "forward",
            "redirect",
            "fixed-response",
            "authenticate-cognito",
            "authenticate-oidc",
            "jwt-validation",
        ),
        about="What it does.",
    ),
    "order": number("Order", computed=True, checks=(between(1, 50000),), about="Its place among actions."),
    "target_group_arn": string(
        "TargetGroupArn", about="ARN of the one target group to forward to; instead of forward."
    ),
    "forward": one_block(_FORWARD, "ForwardConfig", about="For forward: to target groups by weight."),
    "redirect": one_block(_REDIRECT, "RedirectConfig", about="For redirect: where to."),
    "fixed_response": one_block(_FIXED, "FixedResponseConfig", about="For fixed-response: what is answered."),
    "authenticate_cognito": one_block(
        _COGNITO, "AuthenticateCognitoConfig", about="For authenticate-cognito: by which user pool."
    ),
    "authenticate_oidc": one_block(
        _OIDC, "AuthenticateOidcConfig", about="For authenticate-oidc: by which identity provider."
    ),
    "jwt_validation": one_block(_JWT, "JwtValidationConfig", about="For jwt-validation: which tokens pass."),
}
"""An action, with the members of the API."""

NEEDS: Mapping[str, tuple[str, ...]] = {
    "forward": ("target_group_arn", "forward"),
    "redirect": ("redirect",),
    "fixed-response": ("fixed_response",),
    "authenticate-cognito": ("authenticate_cognito",),
    "authenticate-oidc": ("authenticate_oidc",),
    "jwt-validation": ("jwt_validation",),
}
"""For each type of action the arguments of which one must be given."""


def actions(api: str, about: str) -> Field:
    """Blocks of actions in the member `api`."""
    return block(ACTION, api, min_items=1, about=about)


def numbered(request: dict[str, Any]) -> dict[str, Any]:
    """A request in which actions without a number have that of their place."""
    for at, one in enumerate(request.get("DefaultActions") or ()):
        one.setdefault("Order", at + 1)
    return request


def as_declared(told: list[Api], held: Any) -> list[Api]:
    """Actions read, each saying where it forwards to in the way that the declaration (`held`) does.

    The API tells of a single target group twice: as such, and as a list of one.
    """
    ordered = sorted(told, key=lambda one: one.get("Order") or 0)
    return [
        _as_declared(one, held[at] if isinstance(held, tuple) and at < len(held) else {})
        for at, one in enumerate(ordered)
    ]


def _as_declared(told: Api, held: Mapping[str, Any]) -> Api:
    if told.get("Type") != "forward":
        return told
    listed = told.get("ForwardConfig") or {}
    groups = listed.get("TargetGroups") or []
    single = told.get("TargetGroupArn") or (groups[0]["TargetGroupArn"] if len(groups) == 1 else None)
    sticky = (listed.get("TargetGroupStickinessConfig") or {}).get("Enabled")
    by_list, by_arn = not is_empty(held.get("forward")), not is_empty(held.get("target_group_arn"))
    if not by_list and (single is None or len(groups) > 1 or sticky):
        by_list = True
        by_arn = False
    shown = {name: value for name, value in told.items() if name not in ("TargetGroupArn", "ForwardConfig")}
    if by_list:
        shown["ForwardConfig"] = listed or {"TargetGroups": [{"TargetGroupArn": single, "Weight": 1}]}
    if single is not None and (by_arn or not by_list):
        shown["TargetGroupArn"] = single
    return shown
