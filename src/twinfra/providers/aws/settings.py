"""The provider block: what may be set there, and its values in the form the rest of the provider uses.

Settings of the public provider that mean nothing here are errors that say so, never ignored.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import field
from functools import cache
from typing import Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, error
from twinfra.providers.aws.endpoints import ENDPOINT_NAMES, botocore_service
from twinfra.providers.aws.setting_rules import blocks, broken
from twinfra.providers.protocol import Object, ProviderError
from twinfra.schema import Attribute, Block, NestedBlock, Nesting
from twinfra.values.types import BOOL, NUMBER, STRING, ListType, MapType, SetType, Type
from twinfra.values.value import GetAttr, Index, Unknown


def _optional(type: Type, about: str, *, sensitive: bool = False, deprecated: str = "") -> Attribute:
    return Attribute(type, optional=True, sensitive=sensitive, deprecated=deprecated, description=about)


_ROLE: dict[str, Attribute] = {
    "duration": _optional(STRING, "For how long the role's credentials hold, such as 1h."),
    "external_id": _optional(STRING, "The external id that the role asks for."),
    "policy": _optional(STRING, "A policy, as JSON, that narrows what the role may do."),
    "policy_arns": _optional(SetType(STRING), "Managed policies that narrow what the role may do."),
    "role_arn": _optional(STRING, "The role to act as."),
    "session_name": _optional(STRING, "A name for the session, seen in the cloud's records."),
    "source_identity": _optional(STRING, "Who acts, seen in the cloud's records."),
    "tags": _optional(MapType(STRING), "Session tags."),
    "transitive_tag_keys": _optional(SetType(STRING), "Session tags that pass on to further roles."),
}

_WEB_ROLE: dict[str, Attribute] = {
    **{name: _ROLE[name] for name in ("duration", "policy", "policy_arns", "role_arn", "session_name")},
    "web_identity_token": _optional(STRING, "The token itself.", sensitive=True),
    "web_identity_token_file": _optional(STRING, "A file that holds the token."),
}


@cache
def provider_block() -> Block:
    """The schema of `provider "aws"`."""
    return Block(
        attributes={
            "access_key": _optional(STRING, "Access key id."),
            "secret_key": _optional(STRING, "Secret access key.", sensitive=True),
            "token": _optional(STRING, "Session token of temporary credentials.", sensitive=True),
            "profile": _optional(STRING, "Profile in the shared configuration files."),
            "region": _optional(STRING, "Region to act in."),
            "shared_config_files": _optional(
                ListType(STRING), "Shared configuration file, instead of ~/.aws/config."
            ),
            "shared_credentials_files": _optional(
                ListType(STRING), "Shared credentials file, instead of ~/.aws/credentials."
            ),
            "allowed_account_ids": _optional(SetType(STRING), "The only accounts to act on."),
            "forbidden_account_ids": _optional(SetType(STRING), "Accounts never to act on."),
            "max_retries": _optional(NUMBER, "How often a call is tried again; 9 where not given."),
            "retry_mode": _optional(
                STRING,
                "`standard`, or `adaptive`, which also slows down when throttled (where not given).",
            ),
            "token_bucket_rate_limiter_capacity": _optional(NUMBER, "Not supported."),
            "custom_ca_bundle": _optional(STRING, "File with the certificates to trust."),
            "ec2_metadata_service_endpoint": _optional(STRING, "Address of the instance metadata service."),
            "ec2_metadata_service_endpoint_mode": _optional(STRING, "`IPv4` or `IPv6`."),
            "http_proxy": _optional(STRING, "Proxy for http, and for https where https_proxy is not given."),
            "https_proxy": _optional(STRING, "Proxy for https."),
            "no_proxy": _optional(STRING, "Hosts, separated by commas, that are reached without a proxy."),
            "insecure": _optional(BOOL, "Whether to trust any certificate."),
            "s3_use_path_style": _optional(
                BOOL, "Whether buckets go in the path of a request, not in the host name."
            ),
            "s3_force_path_style": _optional(
                BOOL, "The same under its older name.", deprecated="Use s3_use_path_style instead."
            ),
            "s3_us_east_1_regional_endpoint": _optional(STRING, "`legacy` or `regional`."),
            "skip_credentials_validation": _optional(
                BOOL,
                "Whether not to look for credentials before the first call that needs them.",
            ),
            "skip_metadata_api_check": _optional(
                STRING, "Whether not to ask the instance metadata service for credentials."
            ),
            "skip_region_validation": _optional(BOOL, "Whether to accept a region that is not known."),
            "skip_requesting_account_id": _optional(BOOL, "Whether never to ask for the account."),
            "sts_region": _optional(STRING, "Region of the token service."),
            "tag_policy_compliance": _optional(STRING, "Not supported."),
            "use_dualstack_endpoint": _optional(BOOL, "Whether to use endpoints that answer on IPv6 too."),
            "use_fips_endpoint": _optional(BOOL, "Whether to use FIPS endpoints."),
            "user_agent": _optional(ListType(STRING), "Product names to add to the user agent."),
        },
        blocks={
            "assume_role": NestedBlock(
                Block(dict(_ROLE), description="Roles to act as, each assumed from the one before."),
                Nesting.LIST,
            ),
            "assume_role_with_web_identity": NestedBlock(Block(dict(_WEB_ROLE)), Nesting.LIST, max_items=1),
            "default_tags": NestedBlock(
                Block({"tags": _optional(MapType(STRING), "Tags for everything this provider makes.")}),
                Nesting.LIST,
                max_items=1,
            ),
            "ignore_tags": NestedBlock(
                Block(
                    {
                        "keys": _optional(SetType(STRING), "Tag keys to leave alone."),
                        "key_prefixes": _optional(SetType(STRING), "Beginnings of tag keys to leave alone."),
                    }
                ),
                Nesting.LIST,
                max_items=1,
            ),
            "endpoints": NestedBlock(
                Block({name: _optional(STRING, f"URL to use for {name}.") for name in ENDPOINT_NAMES}),
                Nesting.SET,
            ),
        },
        description="Amazon Web Services",
    )


_REFUSED: dict[str, str] = {
    "token_bucket_rate_limiter_capacity": 'Calls are slowed down by retry_mode "adaptive" instead.',
    "tag_policy_compliance": "Tag policies are checked by the cloud itself.",
}

TRACE_TAG = "twinfra:operation"
"""A tag that exists from a create until its result is recorded (see `recovery`)."""

_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")

_FLAG = ("true", "false", "")


@dataclass(frozen=True, slots=True)
class Settings:
    """The provider block's values, None or empty where not given, and the environment's where those count.

    `roles`: each assume_role block's values. `sandbox`: the environment was handed in, so that endpoint and
    credentials are those in it whatever the block says.
    """

    region: str = ""
    access_key: str = ""
    secret_key: str = ""
    token: str = ""
    profile: str = ""
    shared_config_files: tuple[str, ...] = ()
    shared_credentials_files: tuple[str, ...] = ()
    roles: tuple[Object, ...] = ()
    web_role: Object | None = None
    endpoints: Mapping[str, str] = field(default_factory=dict)
    default_tags: Mapping[str, Any] = field(default_factory=dict)
    ignored_keys: frozenset[str] = frozenset()
    ignored_prefixes: tuple[str, ...] = ()
    max_retries: int = 9
    retry_mode: str = "adaptive"
    ca_bundle: str = ""
    insecure: bool = False
    http_proxy: str = ""
    https_proxy: str = ""
    no_proxy: str = ""
    path_style: bool = False
    s3_legacy_us_east_1: bool = False
    skip_metadata: bool = False
    skip_region_check: bool = False
    skip_account: bool = False
    skip_credentials_check: bool = False
    metadata_endpoint: str = ""
    metadata_mode: str = ""
    sts_region: str = ""
    dualstack: bool = False
    fips: bool = False
    user_agent: tuple[str, ...] = ()
    allowed_accounts: frozenset[str] = frozenset()
    forbidden_accounts: frozenset[str] = frozenset()
    unknown: tuple[str, ...] = ()
    sandbox: bool = False

    def ignores(self, key: str) -> bool:
        """Whether a tag key is left alone: the cloud's own, our trace of an operation, or one that
        `ignore_tags` names.
        """
        return (
            key.startswith(("aws:", *self.ignored_prefixes)) or key == TRACE_TAG or key in self.ignored_keys
        )


def take(config: Object, environment: Mapping[str, str] | None) -> Settings:
    """The settings out of the provider block's value; raises `ProviderError` for what is refused.

    `environment`: the variables to heed, None for the process's own. Handed-in variables with an endpoint are
    binding: no endpoint, credentials, profile or role of the block is used then.
    """
    problems: list[Diagnostic] = []
    unknown: list[str] = []

    def value(name: str) -> Any:
        found = config.get(name)
        if type(found) is Unknown:
            unknown.append(name)
            return None
        return found

    problems.extend(
        error(
            "Unsupported provider setting",
            f"{name} is not supported. {why}",
            path=(GetAttr(name),),
            mend=f"Remove {name}.",
        )
        for name, why in _REFUSED.items()
        if config.get(name) is not None
    )
    variables = os.environ if environment is None else environment
    bound = environment is not None and bool(environment.get("AWS_ENDPOINT_URL"))
    problems.extend(broken(config, None if bound else variables))
    mode = value("retry_mode") or variables.get("AWS_RETRY_MODE") or "adaptive"
    if mode not in ("standard", "adaptive", "legacy"):
        problems.append(
            error(
                "Invalid provider setting",
                f'retry_mode must be "standard" or "adaptive", not "{mode}".',
                path=(GetAttr("retry_mode"),),
            )
        )
    skip_metadata = value("skip_metadata_api_check")
    if skip_metadata is not None and str(skip_metadata) not in _FLAG:
        problems.append(
            error(
                "Invalid provider setting",
                "skip_metadata_api_check must be true or false.",
                path=(GetAttr("skip_metadata_api_check"),),
            )
        )
    problems.extend(
        error(
            "Unsupported provider setting",
            f"{name} takes one file here; {len(config[name])} are given.",
            path=(GetAttr(name),),
        )
        for name in ("shared_config_files", "shared_credentials_files")
        if len(value(name) or ()) > 1
    )
    allowed, forbidden = value("allowed_account_ids") or (), value("forbidden_account_ids") or ()
    if allowed and forbidden:
        problems.append(
            error(
                "Conflicting provider settings",
                "allowed_account_ids and forbidden_account_ids cannot both be given.",
                path=(GetAttr("forbidden_account_ids"),),
            )
        )
    roles: list[Object] = []
    for at, role in enumerate(blocks(value("assume_role"))):
        if any(type(one) is Unknown for one in role.values()):
            unknown.append("assume_role")
        elif not role.get("role_arn"):
            problems.append(
                error("Missing role", "assume_role needs role_arn.", path=(GetAttr("assume_role"), Index(at)))
            )
        else:
            roles.append(role)
    web = [
        one if one.get("web_identity_token") or one.get("web_identity_token_file")
        else {**one, "web_identity_token_file": variables.get("AWS_WEB_IDENTITY_TOKEN_FILE", "")}
        for one in blocks(value("assume_role_with_web_identity"))
    ]  # fmt: skip
    endpoints = _endpoints(blocks(value("endpoints")), problems)
    default_tags: dict[str, Any] = {}
    for one in blocks(value("default_tags")):
        tags = one.get("tags")
        if type(tags) is Unknown:
            unknown.append("default_tags")
        else:
            default_tags |= tags or {}
    ignored = blocks(value("ignore_tags"))
    region = value("region") or ""
    if region and not _REGION.fullmatch(region) and not value("skip_region_validation"):
        problems.append(
            error(
                "Invalid region",
                f'"{region}" is no name of a region, such as "eu-west-1".',
                path=(GetAttr("region"),),
                mend="Correct it; or set skip_region_validation = true if it is one of a cloud of your own.",
            )
        )
    if problems:
        raise ProviderError(problems)
    return Settings(
        region=region,
        access_key="" if bound else value("access_key") or "",
        secret_key="" if bound else value("secret_key") or "",
        token="" if bound else value("token") or "",
        profile="" if bound else value("profile") or "",
        shared_config_files=tuple(value("shared_config_files") or ()),
        shared_credentials_files=tuple(value("shared_credentials_files") or ()),
        roles=() if bound else tuple(roles),
        web_role=None if bound or not web else web[0],
        endpoints={} if bound else endpoints,
        default_tags=default_tags,
        ignored_keys=frozenset(key for one in ignored for key in one.get("keys") or ()),
        ignored_prefixes=tuple(key for one in ignored for key in one.get("key_prefixes") or ()),
        max_retries=9 if value("max_retries") is None else int(value("max_retries")),
        retry_mode=mode,
        ca_bundle=value("custom_ca_bundle") or "",
        insecure=bool(value("insecure")),
        http_proxy=value("http_proxy") or "",
        https_proxy=value("https_proxy") or "",
        no_proxy=value("no_proxy") or "",
        path_style=bool(value("s3_use_path_style") or value("s3_force_path_style")),
        s3_legacy_us_east_1=value("s3_us_east_1_regional_endpoint") == "legacy",
        skip_metadata=str(skip_metadata) == "true",
        skip_region_check=bool(value("skip_region_validation")),
        skip_account=bool(value("skip_requesting_account_id")),
        skip_credentials_check=bool(value("skip_credentials_validation")),
        metadata_endpoint=value("ec2_metadata_service_endpoint") or "",
        metadata_mode=value("ec2_metadata_service_endpoint_mode") or "",
        sts_region=value("sts_region") or "",
        dualstack=bool(value("use_dualstack_endpoint")),
        fips=bool(value("use_fips_endpoint")),
        user_agent=tuple(value("user_agent") or ()),
        allowed_accounts=frozenset(allowed),
        forbidden_accounts=frozenset(forbidden),
        unknown=tuple(dict.fromkeys(unknown)),
        sandbox=bound,
    )


def _endpoints(given: list[Object], problems: list[Diagnostic]) -> dict[str, str]:
    """Service (botocore's name) to URL."""
    found: dict[str, str] = {}
    for block in given:
        for name, url in block.items():
            if not url or type(url) is Unknown:
                continue
            if not str(url).startswith(("http://", "https://")):
                problems.append(
                    error(
                        "Invalid endpoint",
                        f'The endpoint of {name}, "{url}", is not a URL.',
                        path=(GetAttr("endpoints"),),
                        mend="Write it with http:// or https:// at the start.",
                    )
                )
            service = botocore_service(name)
            if found.setdefault(service, url) != url:
                problems.append(
                    error(
                        "Conflicting endpoints",
                        f"Two endpoints are given for {service}.",
                        path=(GetAttr("endpoints"),),
                    )
                )
    return found
