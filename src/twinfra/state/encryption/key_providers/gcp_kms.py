"""`key_provider "gcp_kms"`: random keys, encrypted by Google Cloud KMS. The requests are of its REST API:
https://cloud.google.com/kms/docs/reference/rest.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from twinfra.diagnostics import DiagnosticError, error
from twinfra.schema import Attribute, Block
from twinfra.state.backends._http import Answer, Elsewhere, NoAnswer, Retries, Transport
from twinfra.state.encryption.key_providers.protocol import Meta, UnfitMeta, whole, wrong
from twinfra.values.types import NUMBER, STRING, ListType

SCHEMA = Block(
    {
        "kms_encryption_key": Attribute(
            STRING, required=True, description="The key: projects/.../cryptoKeys/NAME."
        ),
        "key_length": Attribute(NUMBER, required=True, description="The length of the keys in bytes."),
        "additional_authenticated_data": Attribute(
            STRING, optional=True, description="What KMS binds the keys to, in base64."
        ),
        "credentials": Attribute(
            STRING,
            optional=True,
            sensitive=True,
            description="A key file of a service account or its JSON text.",
        ),
        "access_token": Attribute(
            STRING, optional=True, sensitive=True, description="An OAuth 2.0 access token."
        ),
        "impersonate_service_account": Attribute(
            STRING, optional=True, description="The service account to act as."
        ),
        "impersonate_service_account_delegates": Attribute(
            ListType(STRING), optional=True, description="The service accounts between, in order."
        ),
    }
)

_ENDPOINT = "https://cloudkms.googleapis.com"
_SCOPES = ("https://www.googleapis.com/auth/cloudkms",)
_LARGEST_DATA = 64 * 1024


def provider(settings: Mapping[str, Any]) -> GcpKms:
    """The provider with these settings."""
    from twinfra.state.backends._gcs_access import Access

    name = str(settings["kms_encryption_key"])
    if not name.startswith("projects/") or "/cryptoKeys/" not in name:
        raise wrong(
            "kms_encryption_key",
            "kms_encryption_key is not the full name of a key.",
            "Write it like projects/P/locations/L/keyRings/R/cryptoKeys/K.",
        )
    transport = Transport(retries=Retries(4, 0.5, 15.0))
    # An endpoint of one's own is an emulator's: without credentials in the settings there is nobody to act as.
    own = os.environ.get("GOOGLE_KMS_CUSTOM_ENDPOINT", "").rstrip("/").removesuffix("/v1")
    access = Access(settings, transport, anonymous=bool(own), scopes=_SCOPES)
    return GcpKms(
        name,
        whole(settings, "key_length", 32, 1, 1024),
        _authenticated(settings.get("additional_authenticated_data")),
        own or _ENDPOINT,
        access.header,
        transport,
    )


def _authenticated(text: Any) -> bytes:
    if text is None:
        return b""
    name = "additional_authenticated_data"
    try:
        data = base64.b64decode(str(text), validate=True)
    except ValueError:
        raise wrong(name, f"{name} is no base64.") from None
    if len(data) > _LARGEST_DATA:
        raise wrong(name, f"{name} has more than 64 KiB.")
    return data


class GcpKms:
    """Makes random keys and lets KMS encrypt them. `header` makes the Authorization header."""

    def __init__(
        self,
        name: str,
        key_length: int,
        authenticated: bytes,
        endpoint: str,
        header: Callable[[], str],
        transport: Transport,
    ) -> None:
        self._name = name
        self._key_length = key_length
        self._authenticated = authenticated
        self._endpoint = endpoint
        self._header = header
        self._transport = transport

    def new(self, chained: bytes | None) -> tuple[bytes, Meta]:
        key = secrets.token_bytes(self._key_length)
        answer = self._ask("encrypt", "plaintext", base64.b64encode(key).decode())
        ciphertext = answer.get("ciphertext")
        if type(ciphertext) is not str or not ciphertext:
            raise self._failed("encrypt", "its answer has no ciphertext")
        return key, {"ciphertext": ciphertext}

    def old(self, meta: Meta, chained: bytes | None) -> bytes:
        ciphertext = meta.get("ciphertext")
        if type(ciphertext) is not str or not ciphertext:
            raise UnfitMeta("it has no usable ciphertext")
        answer = self._ask("decrypt", "ciphertext", ciphertext)
        try:
            return base64.b64decode(answer["plaintext"], validate=True)
        except (LookupError, TypeError, ValueError):
            raise self._failed("decrypt", "its answer has no plaintext") from None

    def _ask(self, operation: str, name: str, text: str) -> dict[str, Any]:
        fields = {name: text}
        if self._authenticated:
            fields["additionalAuthenticatedData"] = base64.b64encode(self._authenticated).decode()
        headers = {"Content-Type": "application/json"}
        if authorization := self._header():
            headers["Authorization"] = authorization
        url = f"{self._endpoint}/v1/{self._name}:{operation}"
        try:
            answer = self._transport.send("POST", url, headers, json.dumps(fields).encode())
        except (NoAnswer, Elsewhere) as problem:
            why = str(problem) if isinstance(problem, NoAnswer) else "it sends the request elsewhere"
            raise self._failed(operation, why) from None
        found = _fields(answer)
        if answer.status == 200:
            return found
        if answer.status == 400 and operation == "decrypt":
            raise UnfitMeta("KMS did not encrypt it with this key")
        told = found.get("error")
        message = told.get("message") if type(told) is dict else ""
        raise self._failed(operation, f"{answer.status} {message or answer.reason}".strip().rstrip("."))

    def _failed(self, operation: str, why: str) -> DiagnosticError:
        return DiagnosticError(
            error(
                "Google Cloud KMS refused",
                f"It was asked to {operation} a key with {self._name}: {why}.",
                mend="Check the key's name, and that these credentials may encrypt and decrypt with it.",
                path=("kms_encryption_key",),
            )
        )


def _fields(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if type(found) is dict else {}
