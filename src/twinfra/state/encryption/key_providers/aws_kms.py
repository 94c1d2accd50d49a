"""`key_provider "aws_kms"`: data keys of AWS KMS. The service keeps the key that they are encrypted with."""

from __future__ import annotations

import base64
import os
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from twinfra.diagnostics import DiagnosticError
from twinfra.schema import Attribute, Block, NestedBlock, Nesting
from twinfra.state.backends import _remote
from twinfra.state.backends._s3_settings import SCHEMA as _S3
from twinfra.state.backends._s3_settings import access_of
from twinfra.state.encryption.key_providers.protocol import Meta, UnfitMeta, wrong
from twinfra.values.types import STRING, MapType

if TYPE_CHECKING:
    from twinfra.providers.aws.session import Session

_ACCESS = (
    "access_key",
    "allowed_account_ids",
    "assume_role",
    "assume_role_with_web_identity",
    "custom_ca_bundle",
    "ec2_metadata_service_endpoint",
    "ec2_metadata_service_endpoint_mode",
    "forbidden_account_ids",
    "http_proxy",
    "https_proxy",
    "insecure",
    "max_retries",
    "no_proxy",
    "profile",
    "region",
    "retry_mode",
    "secret_key",
    "shared_config_files",
    "shared_credentials_files",
    "skip_credentials_validation",
    "skip_metadata_api_check",
    "skip_requesting_account_id",
    "sts_region",
    "token",
    "use_dualstack_endpoint",
    "use_fips_endpoint",
)


def _url(service: str) -> Attribute:
    return Attribute(STRING, optional=True, description=f"Another URL of {service}.")


SCHEMA = Block(
    {
        "kms_key_id": Attribute(STRING, required=True, description="The KMS key's ID, ARN or alias."),
        "key_spec": Attribute(STRING, required=True, description="AES_256 or AES_128."),
        "encryption_context": Attribute(
            MapType(STRING), optional=True, description="What KMS binds the keys to, and records."
        ),
        **{name: _S3.attributes[name] for name in _ACCESS},
    },
    {
        "endpoints": NestedBlock(
            Block({"iam": _url("IAM"), "kms": _url("KMS"), "sts": _url("STS")}), Nesting.SINGLE
        )
    },
)

_SPECS = ("AES_256", "AES_128")


def provider(settings: Mapping[str, Any]) -> AwsKms:
    """The provider with these settings."""
    if not settings["kms_key_id"]:
        raise wrong("kms_key_id", "kms_key_id is empty.")
    if settings["key_spec"] not in _SPECS:
        raise wrong("key_spec", f"key_spec must be {' or '.join(_SPECS)}.")
    try:
        import botocore  # noqa: F401
    except ImportError:
        raise _remote.needs_package("aws", "botocore") from None
    return AwsKms(
        _session(settings),
        str(settings["kms_key_id"]),
        str(settings["key_spec"]),
        dict(settings.get("encryption_context") or {}),
    )


def _session(settings: Mapping[str, Any]) -> Session:
    from twinfra.providers.aws.session import Session

    if not _remote.text_setting(settings, "region", "AWS_REGION", "AWS_DEFAULT_REGION"):
        raise wrong("region", "There is no region.", "Set region, or AWS_REGION in the environment.")
    try:
        access = access_of({name: value for name, value in settings.items() if name != "endpoints"})
    except DiagnosticError as refused:
        raise DiagnosticError(
            replace(one, summary=one.summary.replace("of a backend", "of a key provider"))
            for one in refused.diagnostics
        ) from None
    own = {
        name: url if "://" in url else f"https://{url}"
        for name, url in (settings.get("endpoints") or {}).items()
        if url
    }
    kms = own.get("kms") or os.environ.get("AWS_ENDPOINT_URL_KMS")
    return Session(replace(access, endpoints={**access.endpoints, **own, **({"kms": kms} if kms else {})}))


class AwsKms:
    """Asks KMS for data keys."""

    def __init__(self, session: Session, key: str, spec: str, context: dict[str, str]) -> None:
        self._session = session
        self._key = key
        self._spec = spec
        self._context = context
        self._allowed = False

    def new(self, chained: bytes | None) -> tuple[bytes, Meta]:
        request: dict[str, Any] = {"KeyId": self._key, "KeySpec": self._spec}
        if self._context:
            request["EncryptionContext"] = self._context
        answer = self._call("generate_data_key", request, "make a data key")
        meta: Meta = {"ciphertext_blob": base64.b64encode(answer["CiphertextBlob"]).decode()}
        if self._context:
            meta["encryption_context"] = self._context
        return bytes(answer["Plaintext"]), meta

    def old(self, meta: Meta, chained: bytes | None) -> bytes:
        try:
            blob = base64.b64decode(meta["ciphertext_blob"], validate=True)
        except (LookupError, TypeError, ValueError):
            blob = b""
        if not blob:
            raise UnfitMeta("it has no usable ciphertext_blob")
        request: dict[str, Any] = {"KeyId": self._key, "CiphertextBlob": blob}
        context = meta.get("encryption_context")
        if context:
            request["EncryptionContext"] = context
        return bytes(self._call("decrypt", request, "decrypt a data key")["Plaintext"])

    def _call(self, operation: str, request: dict[str, Any], doing: str) -> dict[str, Any]:
        from twinfra.providers.aws.failures import ApiError, describe

        try:
            self._check_account()
            return self._session.call("kms", self._session.region, operation, request)
        except ApiError as problem:
            if problem.code in ("InvalidCiphertextException", "IncorrectKeyException"):
                raise UnfitMeta("KMS did not encrypt it with this key") from None
            raise DiagnosticError(describe(problem, f"trying to {doing} with KMS")) from None

    def _check_account(self) -> None:
        settings = self._session.settings
        if self._allowed or not (settings.allowed_accounts or settings.forbidden_accounts):
            return
        account = self._session.caller()[0]
        if account in settings.forbidden_accounts or (
            settings.allowed_accounts and account not in settings.allowed_accounts
        ):
            name = "forbidden_account_ids" if settings.forbidden_accounts else "allowed_account_ids"
            raise wrong(name, f"The credentials are of the account {account}, which {name} rules out.")
        self._allowed = True
