"""Sessions with the cloud: credentials by botocore's own chain, one client per service and region, made once.

botocore loads here and only when the first client is asked for.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from typing import Any

from twinfra import log
from twinfra.providers.aws.endpoints import partition_of
from twinfra.providers.aws.failures import ApiError, translate
from twinfra.providers.aws.settings import Settings

POOL = 64
"""Connections kept per client: no less than calls made at a time."""

_REFUSED_AFTER = 3
"""How often a connection that is refused or a name that is not found is tried."""


class Session:
    """Clients of one provider configuration. Safe to use from several threads.

    `environment`: variables to heed instead of the process's own (see `settings.take`). `shared`: what
    several operations may use, such as a list fetched once; to be used under `shared_lock`.
    """

    def __init__(self, settings: Settings, environment: Mapping[str, str] | None = None) -> None:
        self.settings = settings
        self._variables: Mapping[str, str] = os.environ if environment is None else environment
        self._bound = settings.sandbox
        self._lock = threading.RLock()
        self._botocore: Any = None
        self._credentials: Any = None
        self._clients: dict[tuple[str, str, bool], Any] = {}
        self._account: tuple[str, str, str] | None = None
        self._region = ""
        self.shared: dict[Any, Any] = {}
        self.shared_lock = threading.Lock()

    @property
    def region(self) -> str:
        """The region of the provider block, of the environment, or of the profile; raises `ApiError` for
        none.
        """
        if not self._region:
            found = (
                self.settings.region
                or self._variables.get("AWS_REGION")
                or self._variables.get("AWS_DEFAULT_REGION")
            )
            if not found and not self._bound:
                found = self._session().get_config_variable("region")
            if not found:
                raise ApiError("aws", "configure", "Region", "no region is set")
            self._region = found
        return self._region

    def client(self, service: str, region: str = "", once: bool = False) -> Any:
        """The botocore client of a service, in the provider's region unless told otherwise.

        `once`: it does not try again by itself.
        """
        key = (service, region or self.region, once)
        found = self._clients.get(key)
        if found is None:
            with self._lock:
                found = self._clients.get(key)
                if found is None:
                    found = self._clients[key] = self._make(*key)
        return found

    def call(
        self, service: str, region: str, operation: str, request: Mapping[str, Any], once: bool = False
    ) -> dict[str, Any]:
        """One API call; raises `ApiError`. `once`: it is not tried again by itself."""
        try:
            client = self.client(service, region, once)
            answer: dict[str, Any] = getattr(client, operation)(**request)
        except ApiError:
            raise
        except Exception as problem:
            raise translate(problem, service, operation) from problem
        return answer

    def pages(
        self, service: str, region: str, operation: str, request: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        """All pages of a list call (one where the API has no pages); raises `ApiError`."""
        try:
            client = self.client(service, region)
            if client.can_paginate(operation):
                return list(client.get_paginator(operation).paginate(**request))
            return [getattr(client, operation)(**request)]
        except ApiError:
            raise
        except Exception as problem:
            raise translate(problem, service, operation) from problem

    def caller(self) -> tuple[str, str, str]:
        """(account, ARN, user id) of whoever acts; asked once."""
        if self._account is None:
            with self._lock:
                if self._account is None:
                    answer = self.call(
                        "sts", self.settings.sts_region or self.region, "get_caller_identity", {}
                    )
                    self._account = (answer["Account"], answer["Arn"], answer["UserId"])
        return self._account

    def credentials(self) -> Any:
        """What requests are signed with now: `access_key`, `secret_key`, `token`; raises `ApiError`."""
        from botocore.credentials import ReadOnlyCredentials

        keys = self._keys()
        if keys:
            return ReadOnlyCredentials(
                keys["aws_access_key_id"], keys["aws_secret_access_key"], keys.get("aws_session_token")
            )
        try:
            found = self._session().get_credentials()
            if found is not None:
                return found.get_frozen_credentials()
        except Exception as problem:
            raise translate(problem, "sts", "get_caller_identity") from problem
        raise _nothing_to_sign_with()

    def look_for_credentials(self) -> None:
        """Raise `ApiError` where there is nothing to sign requests with.

        AWS itself is not asked: whether it takes them shows when they are used.
        """
        settings = self.settings
        chosen = settings.profile or self._profile()
        if self._bound or settings.web_role or settings.access_key:
            return
        if not chosen and self._variables.get("AWS_ACCESS_KEY_ID"):
            return
        try:
            found = self._session().get_credentials()
        except Exception as problem:
            raise translate(problem, "sts", "get_caller_identity") from problem
        if found is None:
            raise _nothing_to_sign_with()

    @property
    def partition(self) -> str:
        """The partition of the region."""
        return partition_of(self.region)

    @property
    def endpoint(self) -> str:
        """The URL that stands for the whole cloud, if one is set."""
        return self._variables.get("AWS_ENDPOINT_URL", "")

    def close(self) -> None:
        """Close connections."""
        with self._lock:
            clients, self._clients = self._clients, {}
        for client in clients.values():
            client.close()

    def _session(self) -> Any:
        with self._lock:
            if self._botocore is None:
                import botocore.session

                settings = self.settings
                session = botocore.session.Session(profile=settings.profile or self._profile() or None)
                if settings.shared_config_files:
                    session.set_config_variable(
                        "config_file", os.path.expanduser(settings.shared_config_files[0])
                    )
                if settings.shared_credentials_files:
                    session.set_config_variable(
                        "credentials_file", os.path.expanduser(settings.shared_credentials_files[0])
                    )
                if settings.metadata_endpoint:
                    session.set_config_variable("ec2_metadata_service_endpoint", settings.metadata_endpoint)
                if settings.metadata_mode:
                    session.set_config_variable(
                        "ec2_metadata_service_endpoint_mode", settings.metadata_mode.lower()
                    )
                if settings.skip_metadata:
                    session.set_config_variable("metadata_service_num_attempts", 0)
                self._botocore = session
            return self._botocore

    def _profile(self) -> str:
        return "" if self._bound else self._variables.get("AWS_PROFILE", "")

    def _make(self, service: str, region: str, once: bool) -> Any:
        """A new client. Called with the lock held: botocore's sessions are for one thread at a time."""
        from botocore.config import Config

        settings = self.settings
        session = self._session()
        config: dict[str, Any] = {
            "retries": {
                "total_max_attempts": 1 if once else settings.max_retries + 1,
                "mode": settings.retry_mode,
            },
            "max_pool_connections": POOL,
            "connect_timeout": 20,
            "read_timeout": 90,
            "tcp_keepalive": True,
            "user_agent_extra": " ".join(("twinfra", *settings.user_agent)),
            "parameter_validation": True,
        }
        proxies = self._proxies(service, region)
        if proxies:
            config["proxies"] = proxies
        if settings.dualstack:
            config["use_dualstack_endpoint"] = True
        if settings.fips:
            config["use_fips_endpoint"] = True
        if service == "s3":
            config["s3"] = {
                "us_east_1_regional_endpoint": "legacy" if settings.s3_legacy_us_east_1 else "regional"
            }
            if settings.path_style or self._endpoint_of(service):
                config["s3"]["addressing_style"] = (
                    "path" if settings.path_style or self._is_local(service) else "auto"
                )
        keys = self._keys()
        verify: Any = None
        if settings.insecure:
            verify = False
        elif settings.ca_bundle or self._variables.get("AWS_CA_BUNDLE"):
            verify = settings.ca_bundle or self._variables.get("AWS_CA_BUNDLE")
        client = session.create_client(
            service, region_name=region, endpoint_url=self._endpoint_of(service) or None, verify=verify,
            config=Config(**config), **keys,
        )  # fmt: skip
        client.meta.events.register_first(
            f"needs-retry.{client.meta.service_model.service_id.hyphenize()}", _give_up_early
        )
        if log.wanted(log.DEBUG):
            client.meta.events.register("after-call", _log_answer)
            client.meta.events.register("after-call-error", _log_failure)
        return client

    def _endpoint_of(self, service: str) -> str:
        """The endpoint set for a service: in the block, else in AWS_ENDPOINT_URL_SERVICE or
        AWS_ENDPOINT_URL.
        """
        if not self._bound and (own := self.settings.endpoints.get(service)):
            return own
        name = service.upper().replace("-", "_")
        return self._variables.get(f"AWS_ENDPOINT_URL_{name}", "") or self._variables.get(
            "AWS_ENDPOINT_URL", ""
        )

    def _is_local(self, service: str) -> bool:
        from urllib.parse import urlsplit

        host = urlsplit(self._endpoint_of(service)).hostname or ""
        return host == "localhost" or host.replace(".", "").isdigit() or ":" in host

    def _proxies(self, service: str, region: str) -> dict[str, str]:
        """Proxies by scheme for a service; none for hosts that `no_proxy` names."""
        from urllib.parse import urlsplit

        settings = self.settings
        host = urlsplit(self._endpoint_of(service)).hostname or f"{service}.{region}.amazonaws.com"
        for name in (one.strip().lstrip("*.") for one in settings.no_proxy.split(",")):
            if name and (host == name or host.endswith("." + name)):
                return {}
        found = {"http": settings.http_proxy, "https": settings.https_proxy or settings.http_proxy}
        return {scheme: proxy for scheme, proxy in found.items() if proxy}

    def _keys(self) -> dict[str, str]:
        """Credentials to hand to `create_client`; none for botocore's own chain."""
        if self._bound:
            return {
                "aws_access_key_id": self._variables.get("AWS_ACCESS_KEY_ID", "test"),
                "aws_secret_access_key": self._variables.get("AWS_SECRET_ACCESS_KEY", "test"),
            }
        settings = self.settings
        if settings.roles or settings.web_role:
            if self._credentials is None:
                from twinfra.providers.aws.roles import role_credentials

                self._credentials = role_credentials(
                    self._session(), settings, self.region, self._endpoint_of("sts")
                )
                self._session()._credentials = self._credentials
            return {}
        if settings.access_key or settings.secret_key:
            keys = {"aws_access_key_id": settings.access_key, "aws_secret_access_key": settings.secret_key}
            return keys | ({"aws_session_token": settings.token} if settings.token else {})
        return {}


def _give_up_early(attempts: int = 0, caught_exception: Exception | None = None, **_: Any) -> None:
    """Do not try for minutes what nobody answers: a refused connection, a host name that does not exist."""
    if caught_exception is None or attempts < _REFUSED_AFTER:
        return
    from botocore.exceptions import EndpointConnectionError

    if isinstance(caught_exception, EndpointConnectionError):
        raise caught_exception


def _log_answer(http_response: Any, parsed: Any, model: Any, **others: Any) -> None:
    """Which call was answered, and how. botocore's own log has whole requests and answers, and is never used."""
    told = parsed.get("ResponseMetadata", {}) if isinstance(parsed, dict) else {}
    log.say(
        log.DEBUG,
        "call answered",
        service=model.service_model.service_name,
        operation=model.name,
        status=http_response.status_code,
        retries=told.get("RetryAttempts", 0),
        request=told.get("RequestId"),
    )


def _log_failure(exception: Any, model: Any = None, **others: Any) -> None:
    log.say(
        log.WARN,
        "call failed",
        service=None if model is None else model.service_model.service_name,
        operation=None if model is None else model.name,
        kind=type(exception).__name__,
    )


def _nothing_to_sign_with() -> ApiError:
    return ApiError(
        "sts", "get_caller_identity", "Credentials", "There are no credentials to sign requests with"
    )
