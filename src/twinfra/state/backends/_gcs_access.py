"""Who acts on Google Cloud Storage, and where it answers: credentials by Google's own library."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from twinfra.diagnostics import DiagnosticError, error
from twinfra.state.backends import _remote
from twinfra.state.backends._http import Elsewhere, NoAnswer, Transport

_ENDPOINT = "https://storage.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/devstorage.read_write",)
_PLATFORM = ("https://www.googleapis.com/auth/cloud-platform",)


def endpoint_of(config: Mapping[str, Any]) -> tuple[str, bool]:
    """The URL of the service up to the host, and whether it is an emulator, which wants no credentials."""
    name = "storage_custom_endpoint"
    given = _remote.text_setting(
        config, name, "GOOGLE_BACKEND_STORAGE_CUSTOM_ENDPOINT", "GOOGLE_STORAGE_CUSTOM_ENDPOINT"
    )
    emulator = os.environ.get("STORAGE_EMULATOR_HOST", "")
    if not given and not emulator:
        return _ENDPOINT, False
    url = given or (emulator if "://" in emulator else f"http://{emulator}")
    try:
        parts = urlsplit(url)
        host = parts.hostname
    except ValueError:
        host = None
    path = parts.path.strip("/") if host else ""
    if not host or parts.scheme not in ("http", "https") or path not in ("", "storage/v1", "storage/v1/b"):
        raise _remote.wrong(
            name, f"{name} must be a URL such as https://storage-x.p.googleapis.com/storage/v1/b."
        )
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}", not given


class Access:
    """Makes the Authorization header from the settings, with tokens that renew themselves.

    `anonymous`: without settings there is nobody to act as, instead of whom the machine acts as. `scopes`:
    what the tokens are for.
    """

    def __init__(
        self,
        config: Mapping[str, Any],
        transport: Transport,
        anonymous: bool = False,
        scopes: tuple[str, ...] = _SCOPES,
    ) -> None:
        self._transport = transport
        self._scopes = scopes
        self._anonymous = anonymous
        self._token = _remote.text_setting(config, "access_token", "GOOGLE_OAUTH_ACCESS_TOKEN")
        self._given = _remote.text_setting(
            config, "credentials", "GOOGLE_BACKEND_CREDENTIALS", "GOOGLE_CREDENTIALS"
        )
        self._target = _remote.text_setting(
            config,
            "impersonate_service_account",
            "GOOGLE_BACKEND_IMPERSONATE_SERVICE_ACCOUNT",
            "GOOGLE_IMPERSONATE_SERVICE_ACCOUNT",
        )
        delegates = [str(one) for one in config.get("impersonate_service_account_delegates") or ()]
        # https://cloud.google.com/iam/docs/reference/credentials/rest/v1/projects.serviceAccounts/generateAccessToken
        self._delegates = [
            one if one.startswith("projects/") else f"projects/-/serviceAccounts/{one}" for one in delegates
        ]
        if self._delegates and not self._target:
            raise _remote.wrong(
                "impersonate_service_account_delegates",
                "impersonate_service_account_delegates needs impersonate_service_account.",
                "Name the service account to act as in the end.",
            )
        self._credentials: Any = None

    def header(self) -> str:
        """The header's value now; empty where nobody acts. Raises `DiagnosticError`."""
        if not self._target:
            if self._token:
                return f"Bearer {self._token}"
            if self._anonymous and not self._given:
                return ""
        try:
            from google.auth import exceptions
        except ImportError:
            raise _remote.needs_package("gcs", "google-auth") from None
        try:
            if self._credentials is None:
                self._credentials = self._find()
            if not self._credentials.valid:
                self._credentials.refresh(self._request)
        except exceptions.DefaultCredentialsError:
            if self._given:
                raise _nobody(
                    "The credentials that were given are not those of a Google key file.",
                    "Give the key file as it was downloaded, or its whole content.",
                ) from None
            raise _nobody(
                "There are no Google credentials on this machine.",
                "Run gcloud auth application-default login; or set credentials, GOOGLE_CREDENTIALS or "
                "GOOGLE_APPLICATION_CREDENTIALS.",
            ) from None
        except (exceptions.GoogleAuthError, ValueError) as reason:
            raise _nobody(
                f"Google gives no access token for these credentials ({type(reason).__name__}).",
                "Check that they are whole and still valid, and that impersonate_service_account may be used "
                "by them.",
            ) from None
        return f"Bearer {self._credentials.token}"

    def _find(self) -> Any:
        import google.auth
        from google.auth import impersonated_credentials
        from google.oauth2.credentials import Credentials

        scopes = _PLATFORM if self._target else self._scopes
        if self._token:
            found: Any = Credentials(token=self._token)  # type: ignore[no-untyped-call]
        elif self._given:
            found = self._from_key(_key_of(self._given), scopes)
        else:
            found, _ = google.auth.default(scopes=scopes, request=cast(Any, self._request))
        if self._target:
            found = impersonated_credentials.Credentials(  # type: ignore[no-untyped-call]
                found, self._target, list(self._scopes), delegates=self._delegates or None
            )
        return found

    def _from_key(self, key: dict[str, Any], scopes: tuple[str, ...]) -> Any:
        """The credentials of a key file's content."""
        import warnings

        import google.auth
        from google.oauth2 import credentials, service_account

        if key.get("type") == "service_account":
            return service_account.Credentials.from_service_account_info(key, scopes=scopes)  # type: ignore[no-untyped-call]
        if key.get("type") == "authorized_user":
            return credentials.Credentials.from_authorized_user_info(key, scopes=scopes)  # type: ignore[no-untyped-call]
        with warnings.catch_warnings():
            # Deprecated for keys from strangers; these are the person's own, of any type there is.
            warnings.simplefilter("ignore", DeprecationWarning)
            found, _ = google.auth.load_credentials_from_dict(  # type: ignore[no-untyped-call]
                key, scopes=scopes, request=self._request
            )
        return found

    def _request(
        self,
        url: str,
        method: str = "GET",
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        timeout: float | None = None,
        **_: Any,
    ) -> _Response:
        """Google's library asks by this; see `google.auth.transport.Request`."""
        from google.auth import exceptions

        if isinstance(body, str):
            body = body.encode()
        try:
            answer = self._transport.send(method, url, headers, body)
        except (NoAnswer, Elsewhere):
            raise exceptions.TransportError("no answer") from None  # type: ignore[no-untyped-call]
        return _Response(answer.status, dict(answer.headers.items()), answer.body)


class _Response:
    """As `google.auth.transport.Response`."""

    def __init__(self, status: int, headers: Mapping[str, str], data: bytes) -> None:
        self.status = status
        self.headers = headers
        self.data = data


def _key_of(given: str) -> dict[str, Any]:
    """The content of a key file: given as its path, or itself."""
    text = given
    if not given.lstrip().startswith("{"):
        try:
            text = Path(given).expanduser().read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError, ValueError):
            raise _remote.wrong(
                "credentials", "credentials is neither a file that can be read nor the JSON of one."
            ) from None
    try:
        found = json.loads(text)
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise _remote.wrong("credentials", "credentials is not the JSON of a Google key file.")
    return found


def _nobody(why: str, mend: str) -> DiagnosticError:
    return DiagnosticError(error("No usable Google credentials", why, mend=mend))
