"""The settings of the `s3` backend: those of stock Terraform 1.11, checked before anything is asked of a cloud."""

from __future__ import annotations

import base64
import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from twinfra.dataclass import dataclass
from twinfra.schema import Attribute, Block
from twinfra.state.backends._remote import flag_setting, missing, text_setting, wrong
from twinfra.values.types import BOOL, NUMBER, STRING, MapType, ObjectType, SetType, Type

if TYPE_CHECKING:
    from twinfra.providers.aws.settings import Settings

_ENDPOINTS = ("dynamodb", "iam", "s3", "sso", "sts")
_ROLE: dict[str, Type] = {
    "role_arn": STRING,
    "duration": STRING,
    "policy": STRING,
    "policy_arns": SetType(STRING),
    "session_name": STRING,
}
_ASSUMED: dict[str, Type] = {
    **_ROLE,
    "external_id": STRING,
    "source_identity": STRING,
    "tags": MapType(STRING),
    "transitive_tag_keys": SetType(STRING),
}
_WEB: dict[str, Type] = {**_ROLE, "web_identity_token": STRING, "web_identity_token_file": STRING}
_REGION = re.compile(r"[a-z]{2,4}(-[a-z]+)+-\d")


def _one(type: Type, description: str, sensitive: bool = False, deprecated: str = "") -> Attribute:
    return Attribute(type, optional=True, sensitive=sensitive, deprecated=deprecated, description=description)


def _object(attributes: dict[str, Type], required: tuple[str, ...] = ()) -> ObjectType:
    return ObjectType(attributes, frozenset(attributes) - frozenset(required))


SCHEMA = Block(
    {
        "bucket": Attribute(STRING, required=True, description="The bucket's name."),
        "key": Attribute(STRING, required=True, description="The path of the state in the bucket."),
        "region": _one(STRING, "The region of bucket and table; else AWS_REGION or AWS_DEFAULT_REGION."),
        "workspace_key_prefix": _one(STRING, "Where states of other workspaces begin; env: by default."),
        "use_lockfile": _one(BOOL, "Whether to lock by an object beside the state."),
        "dynamodb_table": _one(STRING, "The DynamoDB table for locks and digests."),
        "encrypt": _one(BOOL, "Whether the service encrypts state and lock."),
        "kms_key_id": _one(STRING, "The KMS key to encrypt with."),
        "sse_customer_key": _one(STRING, "A key of your own to encrypt with: 32 bytes in base64.", True),
        "acl": _one(STRING, "The canned ACL of state and lock."),
        "access_key": _one(STRING, "The access key."),
        "secret_key": _one(STRING, "The secret key.", True),
        "token": _one(STRING, "The session token.", True),
        "profile": _one(STRING, "The profile in AWS's shared files."),
        "shared_config_files": _one(SetType(STRING), "AWS's shared configuration file."),
        "shared_credentials_files": _one(SetType(STRING), "AWS's shared credentials file."),
        "shared_credentials_file": _one(
            STRING, "AWS's shared credentials file.", deprecated="Use shared_credentials_files instead."
        ),
        "assume_role": _one(_object(_ASSUMED, ("role_arn",)), "A role to assume."),
        "assume_role_with_web_identity": _one(
            _object(_WEB, ("role_arn",)), "A role to assume with a token of another identity provider."
        ),
        "endpoints": _one(_object(dict.fromkeys(_ENDPOINTS, STRING)), "Other URLs of the services."),
        "endpoint": _one(STRING, "The URL of S3.", deprecated="Use endpoints.s3 instead."),
        "dynamodb_endpoint": _one(
            STRING, "The URL of DynamoDB.", deprecated="Use endpoints.dynamodb instead."
        ),
        "iam_endpoint": _one(STRING, "The URL of IAM.", deprecated="Use endpoints.iam instead."),
        "sts_endpoint": _one(STRING, "The URL of STS.", deprecated="Use endpoints.sts instead."),
        "sts_region": _one(STRING, "The region for STS."),
        "allowed_account_ids": _one(SetType(STRING), "The accounts that may be used."),
        "forbidden_account_ids": _one(SetType(STRING), "The accounts that must not be used."),
        "use_path_style": _one(BOOL, "Whether the bucket is in the URL's path."),
        "force_path_style": _one(
            BOOL, "Whether the bucket is in the URL's path.", deprecated="Use use_path_style instead."
        ),
        "use_dualstack_endpoint": _one(BOOL, "Whether to use endpoints with IPv6 too."),
        "use_fips_endpoint": _one(BOOL, "Whether to use FIPS endpoints."),
        "max_retries": _one(NUMBER, "How often a failed request is repeated; 5 by default."),
        "retry_mode": _one(STRING, "How it is repeated: standard or adaptive."),
        "http_proxy": _one(STRING, "The proxy for http; else HTTP_PROXY."),
        "https_proxy": _one(STRING, "The proxy for https; else HTTPS_PROXY."),
        "no_proxy": _one(STRING, "Hosts that need no proxy, with commas between; else NO_PROXY."),
        "insecure": _one(BOOL, "Whether to accept any certificate."),
        "custom_ca_bundle": _one(STRING, "The file of the certificates to trust; else AWS_CA_BUNDLE."),
        "ec2_metadata_service_endpoint": _one(STRING, "The URL of EC2's metadata service."),
        "ec2_metadata_service_endpoint_mode": _one(STRING, "How it is reached: IPv4 or IPv6."),
        "skip_credentials_validation": _one(BOOL, "Never ask STS whether the credentials are valid."),
        "skip_region_validation": _one(BOOL, "Accept any name of a region."),
        "skip_requesting_account_id": _one(BOOL, "Never ask which account it is."),
        "skip_metadata_api_check": _one(BOOL, "Never ask EC2's metadata service for credentials."),
        "skip_s3_checksum": _one(BOOL, "Send no checksum with objects, for services that know none."),
    }
)


@dataclass(frozen=True, slots=True)
class Objects:
    """Where the objects are and how they are stored. `customer_key` is 32 bytes, or none."""

    bucket: str
    key: str
    workspace_prefix: str
    lock_file: bool
    table: str
    encrypt: bool
    kms_key: str
    customer_key: bytes
    acl: str
    checksums: bool


def objects_of(config: Mapping[str, Any]) -> Objects:
    """The settings of objects and locks. Raises `DiagnosticError`."""
    key = str(config["key"])
    if not key or key.startswith("/") or key.endswith("/") or "//" in key:
        raise wrong("key", "key must not be empty, begin or end with a slash, or have two in a row.")
    prefix = config.get("workspace_key_prefix")
    prefix = "env:" if prefix is None else str(prefix)
    if prefix.startswith("/") or prefix.endswith("/"):
        raise wrong("workspace_key_prefix", "workspace_key_prefix must not begin or end with a slash.")
    encrypt = bool(config.get("encrypt"))
    kms = str(config.get("kms_key_id") or "")
    given = config.get("sse_customer_key")
    customer = _customer_key(str(given or ("" if kms else os.environ.get("AWS_SSE_CUSTOMER_KEY", ""))))
    if kms and customer:
        raise wrong(
            "sse_customer_key", "kms_key_id and sse_customer_key exclude each other.", "Give one of them."
        )
    if not encrypt and (kms or given):
        name = "kms_key_id" if kms else "sse_customer_key"
        raise wrong(name, f"{name} has an effect only with encrypt = true.", "Set encrypt = true.")
    return Objects(
        bucket=str(config["bucket"]),
        key=key,
        workspace_prefix=prefix,
        lock_file=bool(config.get("use_lockfile")),
        table=str(config.get("dynamodb_table") or ""),
        encrypt=encrypt,
        kms_key=kms,
        customer_key=customer if encrypt else b"",
        acl=str(config.get("acl") or ""),
        checksums=not config.get("skip_s3_checksum"),
    )


def access_of(config: Mapping[str, Any]) -> Settings:
    """The settings of who acts and where, in the AWS provider's form. Raises `DiagnosticError`."""
    from twinfra.providers.aws.settings import Settings

    def text(name: str) -> str:
        return str(config.get(name) or "")

    def names(name: str) -> frozenset[str]:
        return frozenset(str(one) for one in config.get(name) or ())

    region = text_setting(config, "region", "AWS_REGION", "AWS_DEFAULT_REGION")
    if not region:
        raise missing("s3", "region", "AWS_REGION")
    if not _REGION.fullmatch(region) and not config.get("skip_region_validation"):
        raise wrong(
            "region",
            f'"{region}" is no name of a region, such as "eu-west-1".',
            "Correct it; or set skip_region_validation = true if it is one of a cloud of your own.",
        )
    if bool(text("access_key")) != bool(text("secret_key")):
        name = "secret_key" if text("access_key") else "access_key"
        raise wrong(name, "access_key and secret_key belong together.", f"Give {name} too, or neither.")
    allowed, forbidden = names("allowed_account_ids"), names("forbidden_account_ids")
    if allowed and forbidden:
        raise wrong(
            "forbidden_account_ids", "allowed_account_ids and forbidden_account_ids exclude each other."
        )
    if (allowed or forbidden) and config.get("skip_requesting_account_id"):
        name = "allowed_account_ids" if allowed else "forbidden_account_ids"
        raise wrong(name, f"{name} cannot be heeded with skip_requesting_account_id.", "Remove one of them.")
    role, web = config.get("assume_role"), config.get("assume_role_with_web_identity")
    if web is not None and not (
        web.get("web_identity_token") or web.get("web_identity_token_file") or _token_file()
    ):
        raise wrong(
            "assume_role_with_web_identity",
            "assume_role_with_web_identity needs web_identity_token or web_identity_token_file.",
            "Give one of them, or set AWS_WEB_IDENTITY_TOKEN_FILE.",
        )
    if web is not None:
        web = {**web, "web_identity_token_file": web.get("web_identity_token_file") or _token_file()}
    mode = text("retry_mode") or os.environ.get("AWS_RETRY_MODE") or "standard"
    if mode not in ("standard", "adaptive"):
        raise wrong("retry_mode", 'retry_mode must be "standard" or "adaptive".')
    retries = config.get("max_retries")
    if retries is not None and (retries < 0 or retries != int(retries)):
        raise wrong("max_retries", "max_retries must be a whole number that is not negative.")
    metadata_mode = text("ec2_metadata_service_endpoint_mode")
    if metadata_mode.lower() not in ("", "ipv4", "ipv6"):
        raise wrong("ec2_metadata_service_endpoint_mode", "It must be IPv4 or IPv6.")
    if None not in (config.get("use_path_style"), config.get("force_path_style")):
        why = "force_path_style and use_path_style exclude each other."
        raise wrong("force_path_style", why, "Remove force_path_style.")
    bundle = text_setting(config, "custom_ca_bundle", "AWS_CA_BUNDLE")
    if bundle and not os.access(bundle, os.R_OK):
        raise wrong(
            "custom_ca_bundle",
            f"The file {bundle} cannot be read.",
            "Name a file of certificates in PEM form.",
        )
    http_proxy, https_proxy, no_proxy = _proxies(config)
    return Settings(
        region=region,
        access_key=text("access_key"),
        secret_key=text("secret_key"),
        token=text("token"),
        profile=text("profile"),
        shared_config_files=_file(config, "shared_config_files"),
        shared_credentials_files=_file(config, "shared_credentials_files", "shared_credentials_file"),
        roles=() if role is None else (dict(role),),
        web_role=web,
        endpoints=_endpoints(config),
        max_retries=5 if retries is None else int(retries),
        retry_mode=mode,
        ca_bundle=bundle,
        insecure=bool(config.get("insecure")),
        http_proxy=http_proxy,
        https_proxy=https_proxy,
        no_proxy=no_proxy,
        path_style=bool(config.get("use_path_style") or config.get("force_path_style")),
        skip_metadata=bool(config.get("skip_metadata_api_check")),
        metadata_endpoint=text("ec2_metadata_service_endpoint"),
        metadata_mode=metadata_mode,
        sts_region=text("sts_region"),
        dualstack=flag_setting(config, "use_dualstack_endpoint", "AWS_USE_DUALSTACK_ENDPOINT"),
        fips=flag_setting(config, "use_fips_endpoint", "AWS_USE_FIPS_ENDPOINT"),
        allowed_accounts=allowed,
        forbidden_accounts=forbidden,
    )


def _token_file() -> str:
    return os.environ.get("AWS_WEB_IDENTITY_TOKEN_FILE", "")


def _customer_key(text: str) -> bytes:
    if not text:
        return b""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise wrong("sse_customer_key", "sse_customer_key must be 32 bytes in base64.")
    return key


def _file(config: Mapping[str, Any], name: str, older: str = "") -> tuple[str, ...]:
    """The one file of a setting that could name several."""
    files = tuple(str(one) for one in config.get(name) or ())
    if older and config.get(older):
        if files:
            raise wrong(older, f"{older} and {name} exclude each other.", f"Remove {older}.")
        files = (str(config[older]),)
    if len(files) > 1:
        raise wrong(name, f"{name} takes one file here; {len(files)} are given.", "Put them into one file.")
    return files


def _endpoints(config: Mapping[str, Any]) -> dict[str, str]:
    """URLs by service."""
    found: dict[str, str] = {}
    own = config.get("endpoints") or {}
    for service in _ENDPOINTS:
        older = {"s3": "endpoint", "sso": ""}.get(service, f"{service}_endpoint")
        url = own.get(service)
        if older and config.get(older):
            if url:
                raise wrong(older, f"{older} and endpoints.{service} exclude each other.", f"Remove {older}.")
            url = config[older]
        if not url and service != "sso":
            named = os.environ.get(f"AWS_ENDPOINT_URL_{service.upper()}")
            url = named or os.environ.get(f"AWS_{service.upper()}_ENDPOINT")
        if not url:
            continue
        if not str(url).startswith(("http://", "https://")):
            raise wrong("endpoints", f"The endpoint of {service} is not a URL.", "Begin it with https://.")
        if service == "sso":
            raise wrong(
                "endpoints", "endpoints.sso is not supported here.", "Set AWS_ENDPOINT_URL_SSO instead."
            )
        found[service] = str(url)
    return found


def _proxies(config: Mapping[str, Any]) -> tuple[str, str, str]:
    """The proxies for http and https and the hosts without; empty where the environment alone counts."""
    given = [str(config.get(name) or "") for name in ("http_proxy", "https_proxy")]
    without = text_setting(config, "no_proxy", "NO_PROXY", "no_proxy")
    if not any(given):
        if config.get("no_proxy"):
            raise wrong(
                "no_proxy",
                "no_proxy has an effect only with http_proxy or https_proxy.",
                "Set NO_PROXY in the environment where the proxy comes from there.",
            )
        return "", "", ""
    parts = [one.strip() for one in without.split(",") if one.strip()]
    if "*" in parts:
        return "", "", ""
    if config.get("no_proxy") and any("/" in one or re.search(r"[^:]:\d+$", one) for one in parts):
        raise wrong("no_proxy", "no_proxy takes names and addresses of hosts here, no CIDR and no port.")
    return given[0], given[1], ",".join(parts)
