"""Assumed roles: credentials that renew themselves, each role assumed from the one before."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from twinfra.providers.aws.mapping import plain
from twinfra.providers.aws.settings import Settings
from twinfra.providers.aws.waiting import seconds_of


def role_credentials(session: Any, settings: Settings, region: str, endpoint: str) -> Any:
    """botocore credentials of the last role in the provider block."""
    from botocore.credentials import (
        AssumeRoleCredentialFetcher,
        AssumeRoleWithWebIdentityCredentialFetcher,
        Credentials,
        DeferredRefreshableCredentials,
    )
    from botocore.exceptions import NoCredentialsError

    options: dict[str, Any] = {"region_name": settings.sts_region or region}
    if endpoint:
        options["endpoint_url"] = endpoint

    def create(service: str, **given: Any) -> Any:
        return session.create_client(service, **(options | given))

    if settings.web_role is not None:
        web = settings.web_role
        token = web.get("web_identity_token")
        loader = (lambda: token) if token else _token_in(str(web.get("web_identity_token_file") or ""))
        fetcher: Any = AssumeRoleWithWebIdentityCredentialFetcher(
            client_creator=create,
            web_identity_token_loader=loader,
            role_arn=web["role_arn"],
            extra_args=_arguments(web),
        )
        current: Any = DeferredRefreshableCredentials(
            fetcher.fetch_credentials, "assume-role-with-web-identity"
        )
    elif settings.access_key:
        current = Credentials(settings.access_key, settings.secret_key, settings.token or None)
    else:
        current = session.get_credentials()
        if current is None:
            raise NoCredentialsError()
    for role in settings.roles:
        fetcher = AssumeRoleCredentialFetcher(
            client_creator=create,
            source_credentials=current,
            role_arn=role["role_arn"],
            extra_args=_arguments(role),
        )
        current = DeferredRefreshableCredentials(fetcher.fetch_credentials, "assume-role")
    return current


def _token_in(file: str) -> Callable[[], str]:
    """Reads the token when credentials are needed: whoever issues it writes it anew from time to time."""

    def load() -> str:
        from botocore.exceptions import CredentialRetrievalError

        try:
            return Path(file).expanduser().read_text(encoding="utf-8").strip()
        except (OSError, ValueError) as problem:
            why = getattr(problem, "strerror", None) or "it is no text"
            raise CredentialRetrievalError(
                provider="assume_role_with_web_identity", error_msg=f"{file} cannot be read: {why}"
            ) from problem

    return load


def _arguments(role: dict[str, Any]) -> dict[str, Any]:
    """Members of AssumeRole (https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html)."""
    found: dict[str, Any] = {}
    for name, member in (
        ("session_name", "RoleSessionName"), ("external_id", "ExternalId"), ("policy", "Policy"),
        ("source_identity", "SourceIdentity"), ("transitive_tag_keys", "TransitiveTagKeys"),
    ):  # fmt: skip
        if role.get(name):
            found[member] = plain(role[name])
    if role.get("duration"):
        found["DurationSeconds"] = int(seconds_of(role["duration"]))
    if role.get("policy_arns"):
        found["PolicyArns"] = [{"arn": one} for one in role["policy_arns"]]
    if role.get("tags"):
        found["Tags"] = [{"Key": key, "Value": value} for key, value in sorted(role["tags"].items())]
    return found
