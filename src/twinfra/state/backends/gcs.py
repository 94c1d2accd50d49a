"""The `gcs` backend: states as objects in a bucket of Google Cloud Storage, locked by an object beside them.

Written is on condition of the object's generation (`ifGenerationMatch`), so that no update is lost even
without the lock. The lock is the object `WORKSPACE.tflock`, which can be made only where there is none; names
and contents are stock Terraform's. The requests are of the JSON API:
https://cloud.google.com/storage/docs/json_api/v1.
"""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from twinfra.diagnostics import DiagnosticError, error
from twinfra.schema import Attribute, Block
from twinfra.state.backends import _remote
from twinfra.state.backends._http import Answer, Elsewhere, NoAnswer, Retries, Transport
from twinfra.state.backends.local import check_workspace_name
from twinfra.state.backends.protocol import (
    DEFAULT_WORKSPACE,
    NOTHING,
    Backend,
    Conflict,
    Content,
    Locked,
    Place,
)
from twinfra.state.backends.records import at_once, check_record_name
from twinfra.state.history import MOST, Version, serial_of
from twinfra.state.locks import LockInfo
from twinfra.values.types import STRING, ListType


def _text(description: str, sensitive: bool = False) -> Attribute:
    return Attribute(STRING, optional=True, sensitive=sensitive, description=description)


SCHEMA = Block(
    {
        "bucket": Attribute(STRING, required=True, description="The bucket's name."),
        "prefix": _text("The directory in the bucket; its top by default."),
        "credentials": _text("A key file of a service account or its JSON text.", sensitive=True),
        "access_token": _text("An OAuth 2.0 access token, instead of credentials.", sensitive=True),
        "impersonate_service_account": _text("The service account to act as."),
        "impersonate_service_account_delegates": Attribute(
            ListType(STRING), optional=True, description="The service accounts between, in order."
        ),
        "encryption_key": _text("A key of your own for the objects: 32 bytes in base64.", sensitive=True),
        "kms_encryption_key": _text("A key of Cloud KMS for the objects: projects/.../cryptoKeys/NAME."),
        "storage_custom_endpoint": _text("The URL of another endpoint, with the path /storage/v1/b."),
    }
)

_STATE, _LOCK = ".tfstate", ".tflock"
_RETRIES = Retries(4, 0.5, 15.0)
_START = 4096
"""Bytes of a state that tell its serial."""


def connect(config: Mapping[str, Any], place: Place) -> Backend:
    """The backend of a `backend "gcs"` block."""
    from twinfra.state.backends._gcs_access import Access, endpoint_of

    key = _key(_remote.text_setting(config, "encryption_key", "GOOGLE_ENCRYPTION_KEY"))
    managed = _remote.text_setting(config, "kms_encryption_key", "GOOGLE_KMS_ENCRYPTION_KEY")
    if key and managed:
        raise _remote.wrong(
            "kms_encryption_key",
            "encryption_key and kms_encryption_key exclude each other.",
            "Give one of the two.",
        )
    bucket = str(config["bucket"])
    if not bucket or "/" in bucket:
        raise _remote.wrong("bucket", f'"{bucket}" is no name of a bucket.')
    transport = Transport(retries=_RETRIES)
    endpoint, anonymous = endpoint_of(config)
    access = Access(config, transport, anonymous)
    prefix = str(config.get("prefix") or "").strip("/")
    return GcsBackend(bucket, prefix, endpoint, access.header, transport, place, key, managed)


class GcsBackend:
    """States in a bucket under a prefix.

    `endpoint` is the URL up to the host, `header` makes the Authorization header (empty for none). `key`: 32
    bytes to encrypt with, or none; `managed_key`: the name of a Cloud KMS key, or empty.
    """

    def __init__(
        self,
        bucket: str,
        prefix: str,
        endpoint: str,
        header: Callable[[], str],
        transport: Transport,
        place: Place,
        key: bytes = b"",
        managed_key: str = "",
    ) -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""
        self._endpoint = endpoint
        self._header = header
        self._transport = transport
        self._place = place
        self._encryption = _encryption_headers(key)
        self._managed_key = managed_key
        self._held: dict[str, tuple[LockInfo, str]] = {}
        self._replaced = ("", "")

    def label(self, workspace: str) -> str:
        return f"gs://{self._bucket}/{self._name(workspace, _STATE)}"

    def workspaces(self) -> list[str]:
        names = self._list("list the workspaces", self._prefix)
        found = {name.removesuffix(_STATE) for name in names if name.endswith(_STATE)}
        return [DEFAULT_WORKSPACE, *sorted(found - {DEFAULT_WORKSPACE})]

    def create(self, workspace: str) -> None:
        check_workspace_name(workspace)

    def read(self, workspace: str) -> Content | None:
        content = self._get("read the state", self._name(workspace, _STATE))
        return content if content is not None and content.data else None

    def write(self, workspace: str, pieces: Iterable[bytes], expected: str | None) -> str:
        check_workspace_name(workspace)
        name, data, doing = self._name(workspace, _STATE), _remote.join(pieces), "write the state"
        version = self._replace(doing, name, data, expected)
        if version is None and expected == NOTHING and (empty := self._empty_object(name)):
            version = self._replace(doing, name, data, empty)
        if version is None:
            raise Conflict
        self._replaced = name, expected or ""
        return version

    def _replace(self, doing: str, name: str, data: bytes, expected: str | None) -> str | None:
        """Replace an object; its new version, or None when another than `expected` is there."""
        condition = None if expected is None else expected or "0"
        try:
            answer = self._put(doing, name, data, condition)
        except NoAnswer as problem:
            if problem.connected and (version := self._version_if_same(name, data)):
                return version
            raise self._unreachable(doing, problem) from None
        if answer.status == 200:
            return str(_fields(answer).get("generation", ""))
        if answer.status == 412 or answer.stumbled or answer.status == 404:
            # An earlier one of several attempts may have been carried out though its answer was lost.
            unsure = answer.stumbled or answer.sent > 1
            if unsure and (version := self._version_if_same(name, data)):
                return version
            if answer.status == 412:
                return None
        raise self._refused(doing, answer)

    def delete(self, workspace: str) -> None:
        if workspace == DEFAULT_WORKSPACE:
            raise ValueError("the default workspace cannot be deleted")
        doing = "delete the workspace"
        records = [self._record(workspace, name) for name in self.list_records(workspace)]
        for name in (self._name(workspace, _STATE), *records):
            answer = self._send(doing, "DELETE", self._url(name))
            if answer.status not in (200, 204, 404):
                raise self._refused(doing, answer)
        self.journal_path(workspace).unlink(missing_ok=True)

    def lock(self, workspace: str, lock: LockInfo) -> None:
        check_workspace_name(workspace)
        name, doing = self._name(workspace, _LOCK), "lock the state"
        try:
            answer = self._put(doing, name, lock.to_json(), "0")
        except NoAnswer as problem:
            raise self._unreachable(doing, problem) from None
        if answer.status == 200:
            self._held[workspace] = lock, str(_fields(answer).get("generation", ""))
            return
        if answer.status != 412 and not answer.stumbled:
            raise self._refused(doing, answer)
        found = self._lock_object(workspace)
        if found is not None and found[0] is not None and found[0].id == lock.id:
            self._held[workspace] = lock, found[1]
            return
        if answer.status == 412:
            raise Locked(found[0] if found is not None else None)
        raise self._refused(doing, answer)

    def unlock(self, workspace: str, id: str) -> None:
        held = self._held.get(workspace)
        if held is not None:
            lock, generation = held
            if lock.id != id:
                raise Locked(lock)
        else:
            found = self._lock_object(workspace)
            if found is None:
                return
            generation = found[1]
            # Stock Terraform calls a lock by its object's generation.
            if generation != id and (found[0] is None or found[0].id != id):
                raise Locked(found[0])
        doing = "unlock the state"
        url = self._url(self._name(workspace, _LOCK), {"ifGenerationMatch": generation})
        answer = self._send(doing, "DELETE", url)
        self._held.pop(workspace, None)
        if answer.status == 412:
            raise Locked(self.holder(workspace))
        if answer.status not in (200, 204, 404):
            raise self._refused(doing, answer)

    def holder(self, workspace: str) -> LockInfo | None:
        found = self._lock_object(workspace)
        if found is None:
            return None
        return found[0] or LockInfo(found[1], path=self.label(workspace))

    def journal_path(self, workspace: str) -> Path:
        return _remote.journal_path(self._place, self.label(workspace), workspace)

    def history(self, workspace: str) -> list[Version]:
        name, doing = self._name(workspace, _STATE), "list the versions of the state"
        query = {
            "prefix": name,
            "versions": "true",
            "fields": "items(name,generation,timeCreated,timeDeleted)",
        }
        answer = self._send(doing, "GET", self._url("", query))
        if answer.status != 200:
            raise self._refused(doing, answer)
        items = [one for one in _fields(answer).get("items") or () if one.get("name") == name]
        items.sort(key=lambda one: int(one["generation"]), reverse=True)
        older = (items if not items or items[0].get("timeDeleted") else items[1:])[:MOST]
        starts = at_once(lambda one: self._start(name, str(one["generation"])), older)
        return [
            Version(str(one["generation"]), datetime.fromisoformat(one["timeCreated"]), serial_of(start))
            for one, start in zip(older, starts, strict=True)
        ]

    def _start(self, name: str, generation: str) -> bytes:
        """The first bytes of an earlier state, which tell its serial; none where it is gone or empty."""
        url = self._url(name, {"alt": "media", "generation": generation})
        doing, wanted = "read an earlier state", {"Range": f"bytes=0-{_START - 1}"}
        answer = self._send(doing, "GET", url, wanted)
        if answer.status in (404, 416):
            return b""
        if answer.status not in (200, 206):
            raise self._refused(doing, answer)
        return answer.body

    def read_version(self, workspace: str, id: str) -> bytes | None:
        doing = "read an earlier state"
        url = self._url(self._name(workspace, _STATE), {"alt": "media", "generation": id})
        answer = self._send(doing, "GET", url, accept=_is_whole)
        if answer.status == 404:
            return None
        if answer.status != 200:
            raise self._refused(doing, answer)
        return answer.body

    def kept_version(self) -> bool:
        name, generation = self._replaced
        if not generation:
            return False
        # Whether the bucket has object versioning may only its administrators ask; this needs no more than reading.
        query = {"generation": generation, "fields": "generation"}
        try:
            answer = self._send("look for the earlier state", "GET", self._url(name, query))
        except DiagnosticError:
            return False
        return answer.status == 200

    def list_records(self, workspace: str) -> list[str]:
        return sorted(self._list("list the records", self._record(workspace, "")))

    def read_record(self, workspace: str, name: str) -> Content | None:
        check_record_name(name)
        return self._get("read the record", self._record(workspace, name))

    def read_records(self, workspace: str, names: Sequence[str]) -> list[Content | None]:
        return at_once(lambda name: self.read_record(workspace, name), names)

    def write_record(self, workspace: str, name: str, data: bytes, expected: str | None) -> str:
        check_workspace_name(workspace)
        check_record_name(name)
        version = self._replace("write the record", self._record(workspace, name), data, expected)
        if version is None:
            raise Conflict
        return version

    def close(self) -> None:
        pass

    # -- objects

    def _name(self, workspace: str, suffix: str) -> str:
        return f"{self._prefix}{workspace}{suffix}"

    def _record(self, workspace: str, name: str) -> str:
        return f"{self._prefix}{workspace}.records/{name}"

    def _list(self, doing: str, prefix: str) -> Iterator[str]:
        """The names of the objects in a directory, without the prefix."""
        page = ""
        while True:
            query = {"prefix": prefix, "delimiter": "/", "fields": "items/name,nextPageToken"}
            if page:
                query["pageToken"] = page
            answer = self._send(doing, "GET", self._url("", query))
            if answer.status != 200:
                raise self._refused(doing, answer)
            content = _fields(answer)
            for item in content.get("items") or ():
                yield str(item.get("name", "")).removeprefix(prefix)
            page = content.get("nextPageToken") or ""
            if not page:
                return

    def _get(self, doing: str, name: str) -> Content | None:
        answer = self._send(doing, "GET", self._url(name, {"alt": "media"}), accept=_is_whole)
        if answer.status == 404:
            # No such object, or no such bucket: only a listing tells.
            listing = self._send(doing, "GET", self._url("", {"maxResults": "1", "fields": "kind"}))
            if listing.status != 200:
                raise self._refused(doing, listing)
            return None
        if answer.status != 200:
            raise self._refused(doing, answer)
        return Content(answer.body, answer.header("x-goog-generation"))

    def _put(self, doing: str, name: str, data: bytes, generation: str | None) -> Answer:
        query = {"uploadType": "multipart"}
        if generation is not None:
            query["ifGenerationMatch"] = generation
        if self._managed_key:
            query["kmsKeyName"] = self._managed_key
        url = f"{self._endpoint}/upload/storage/v1/b/{quote(self._bucket, safe='')}/o?{urlencode(query)}"
        boundary, body = _multipart(name, data)
        headers = {**self._headers(), "Content-Type": f"multipart/related; boundary={boundary}"}
        try:
            return self._transport.send("POST", url, headers, body)
        except Elsewhere as moved:
            raise self._moved(doing, moved) from None

    def _empty_object(self, name: str) -> str:
        """The generation of an object without content, which is no state yet: stock Terraform makes such."""
        now = self._get("write the state", name)
        return now.version if now is not None and not now.data else NOTHING

    def _version_if_same(self, name: str, data: bytes) -> str:
        now = self._get("read back what was written", name)
        return now.version if now is not None and now.data == data else NOTHING

    def _lock_object(self, workspace: str) -> tuple[LockInfo | None, str] | None:
        content = self._get("look for the lock of the state", self._name(workspace, _LOCK))
        return None if content is None else (LockInfo.from_json(content.data), content.version)

    # -- requests

    def _headers(self) -> dict[str, str]:
        header = self._header()
        return {**self._encryption, **({"Authorization": header} if header else {})}

    def _url(self, name: str, query: Mapping[str, str] | None = None) -> str:
        url = f"{self._endpoint}/storage/v1/b/{quote(self._bucket, safe='')}/o"
        if name:
            url += f"/{quote(name, safe='')}"
        return f"{url}?{urlencode(query)}" if query else url

    def _send(
        self, doing: str, method: str, url: str, headers: Mapping[str, str] | None = None, **more: Any
    ) -> Answer:
        try:
            return self._transport.send(method, url, {**self._headers(), **(headers or {})}, **more)
        except NoAnswer as problem:
            raise self._unreachable(doing, problem) from None
        except Elsewhere as moved:
            raise self._moved(doing, moved) from None

    # -- messages

    def _refused(self, doing: str, answer: Answer) -> DiagnosticError:
        mends = {
            400: "If the object is encrypted with a key of its own, set encryption_key to that key.",
            401: "Get new credentials (gcloud auth application-default login), then run the command again.",
            403: "Give these credentials the role Storage Object Admin on the bucket.",
            404: "Correct the bucket's name, or make the bucket first.",
        }
        said = _message(answer)
        return DiagnosticError(
            error(
                f"Cloud Storage refused to {doing}",
                f"For the bucket {self._bucket} it answered {answer.status}"
                + (f": {said}." if said else "."),
                mend="Run the command again later." if answer.stumbled else mends.get(answer.status, ""),
            )
        )

    def _unreachable(self, doing: str, problem: NoAnswer) -> DiagnosticError:
        return DiagnosticError(
            error(
                "Cloud Storage not reachable",
                f"{_remote.without_secrets(self._endpoint)} could not be asked to {doing}: {problem}.",
                mend="Check the network, and storage_custom_endpoint if you set it.",
            )
        )

    def _moved(self, doing: str, moved: Elsewhere) -> DiagnosticError:
        return DiagnosticError(
            error(
                "Cloud Storage is elsewhere",
                f"Asked to {doing}, {_remote.without_secrets(self._endpoint)} points to "
                f"{_remote.without_secrets(moved.url)}; credentials and states are not sent on.",
                mend="Correct storage_custom_endpoint, or the proxy in between.",
            )
        )


def _multipart(name: str, data: bytes) -> tuple[str, bytes]:
    """A boundary and the body of an upload: what the object is called, with its digest, and its content.

    The service refuses content that does not have the digest.
    """
    digest = base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
    about = json.dumps({"name": name, "contentType": "application/json", "md5Hash": digest}).encode()
    boundary = secrets.token_hex(16)
    line = f"--{boundary}".encode()
    kind = b"\r\nContent-Type: application/json\r\n\r\n"
    return boundary, b"".join((line, kind, about, b"\r\n", line, kind, data, b"\r\n", line, b"--\r\n"))


def _fields(answer: Answer) -> dict[str, Any]:
    try:
        found = json.loads(answer.body)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _message(answer: Answer) -> str:
    """The service's own words, shortened; never the body of anything but an error."""
    told = _fields(answer).get("error")
    message = told.get("message") if isinstance(told, dict) else None
    return " ".join(str(message).split())[:300].rstrip(".") if message else answer.reason


def _is_whole(answer: Answer) -> bool:
    """Whether the content has the MD5 digest that the answer says, if it says one."""
    for part in answer.header("x-goog-hash").split(","):
        kind, _, digest = part.strip().partition("=")
        if kind == "md5" and answer.status == 200:
            return (
                base64.b64encode(hashlib.md5(answer.body, usedforsecurity=False).digest()).decode() == digest
            )
    return True


def _key(text: str) -> bytes:
    """The customer's own key. Raises `DiagnosticError`."""
    if not text:
        return b""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        key = b""
    if len(key) != 32:
        raise _remote.wrong("encryption_key", "encryption_key must be 32 bytes in base64.")
    return key


def _encryption_headers(key: bytes) -> dict[str, str]:
    """https://cloud.google.com/storage/docs/encryption/customer-supplied-keys"""
    if not key:
        return {}
    return {
        "x-goog-encryption-algorithm": "AES256",
        "x-goog-encryption-key": base64.b64encode(key).decode(),
        "x-goog-encryption-key-sha256": base64.b64encode(hashlib.sha256(key).digest()).decode(),
    }
