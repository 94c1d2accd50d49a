"""The `http` backend: one state behind a URL, with URLs that lock and unlock it where they are given.

The requests are those of stock Terraform: GET, POST and DELETE of the state, LOCK and UNLOCK with the lock's
JSON; a server answers 423 or 409 with the holder's JSON when somebody else has it. HTTP has no agreed way to
write under a condition, so that the state is read and compared before it is written; with `update_method`
PUT and a server that gives strong ETags, If-Match closes the gap that remains.
"""

from __future__ import annotations

import base64
import hashlib
import os
import ssl
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, error
from twinfra.schema import Attribute, Block
from twinfra.state.backends import _remote
from twinfra.state.backends._http import Answer, Elsewhere, NoAnswer, Retries, Transport
from twinfra.state.backends.protocol import (
    DEFAULT_WORKSPACE,
    NOTHING,
    Backend,
    Conflict,
    Content,
    Locked,
    Place,
)
from twinfra.state.locks import LockInfo, new_lock
from twinfra.values.types import BOOL, NUMBER, STRING, Type


def _setting(type: Type, description: str, sensitive: bool = False) -> Attribute:
    return Attribute(type, optional=True, sensitive=sensitive, description=description)


SCHEMA = Block(
    {
        "address": _setting(STRING, "The URL of the state; else TF_HTTP_ADDRESS."),
        "update_method": _setting(STRING, "The method that writes the state; POST by default."),
        "lock_address": _setting(STRING, "The URL that locks; without it there are no locks."),
        "lock_method": _setting(STRING, "The method that locks; LOCK by default."),
        "unlock_address": _setting(STRING, "The URL that unlocks."),
        "unlock_method": _setting(STRING, "The method that unlocks; UNLOCK by default."),
        "username": _setting(STRING, "The user for HTTP basic authentication."),
        "password": _setting(STRING, "The password for HTTP basic authentication.", sensitive=True),
        "skip_cert_verification": _setting(BOOL, "Whether to accept any certificate; false by default."),
        "retry_max": _setting(NUMBER, "How often a failed request is repeated; 2 by default."),
        "retry_wait_min": _setting(NUMBER, "The shortest pause between requests, in seconds; 1 by default."),
        "retry_wait_max": _setting(NUMBER, "The longest pause between requests, in seconds; 30 by default."),
        "client_ca_certificate_pem": _setting(STRING, "The certificates that sign the server's, PEM."),
        "client_certificate_pem": _setting(STRING, "The certificate to show to the server, PEM."),
        "client_private_key_pem": _setting(STRING, "The key of that certificate, PEM.", sensitive=True),
    }
)

_DONE = (200, 201, 202, 204)
_TAKEN = (409, 423)


def connect(config: Mapping[str, Any], place: Place) -> Backend:
    """The backend of a `backend "http"` block."""
    text = {name: _remote.text_setting(config, name, f"TF_HTTP_{name.upper()}") for name in SCHEMA.attributes}
    if not text["address"]:
        raise _remote.missing("http", "address", "TF_HTTP_ADDRESS")
    if bool(text["lock_address"]) != bool(text["unlock_address"]):
        raise _remote.wrong(
            "unlock_address" if text["lock_address"] else "lock_address",
            "lock_address and unlock_address must be given both, else a lock could not be released.",
            "Give both, or neither to work without locks.",
        )
    state, auth = _url(text["address"], "address")
    locks = tuple(
        _url(text[name], name)[0] if text[name] else "" for name in ("lock_address", "unlock_address")
    )
    if text["username"]:
        auth = f"{text['username']}:{text['password']}"
    elif text["password"]:
        raise _remote.wrong("password", "A password is given without a username.", "Give username too.")
    addresses = Addresses(
        state,
        locks[0],
        locks[1],
        text["update_method"] or "POST",
        text["lock_method"] or "LOCK",
        text["unlock_method"] or "UNLOCK",
    )
    retries = Retries(
        int(_number(text, "retry_max", 2)),
        _number(text, "retry_wait_min", 1),
        _number(text, "retry_wait_max", 30),
    )
    skip = _remote.flag_setting(config, "skip_cert_verification", "TF_HTTP_SKIP_CERT_VERIFICATION")
    return HttpBackend(addresses, auth, Transport(_context(text, skip), retries), place)


@dataclass(frozen=True, slots=True)
class Addresses:
    """Where the state is read and written, locked and unlocked (empty for no locks), and by which methods."""

    state: str
    lock: str = ""
    unlock: str = ""
    update_method: str = "POST"
    lock_method: str = "LOCK"
    unlock_method: str = "UNLOCK"


class HttpBackend:
    """One state at a URL. `auth` is `user:password` or empty."""

    def __init__(self, addresses: Addresses, auth: str, transport: Transport, place: Place) -> None:
        self._addresses = addresses
        self._transport = transport
        self._place = place
        self._headers = {"Authorization": f"Basic {_base64(auth.encode())}"} if auth else {}
        self._held: LockInfo | None = None
        self._etag = ""

    def label(self, workspace: str) -> str:
        return _remote.without_secrets(self._addresses.state)

    def workspaces(self) -> list[str]:
        return [DEFAULT_WORKSPACE]

    def create(self, workspace: str) -> None:
        _only_default(workspace)

    def read(self, workspace: str) -> Content | None:
        _only_default(workspace)
        answer = self._send("read the state", "GET", self._addresses.state, accept=_is_whole)
        if answer.status in (204, 404):
            self._etag = ""
            return None
        if answer.status != 200:
            raise self._refused("read the state", answer)
        etag = answer.header("ETag")
        self._etag = etag if etag.startswith('"') else ""
        if not answer.body:
            return None
        return Content(answer.body, _version(answer.body))

    def write(self, workspace: str, pieces: Iterable[bytes], expected: str | None) -> str:
        _only_default(workspace)
        data = _remote.join(pieces)
        version = _version(data)
        if expected is not None:
            now = self.read(workspace)
            if (NOTHING if now is None else now.version) != expected:
                raise Conflict
        try:
            answer = self._transport.send(
                self._addresses.update_method, self._with_lock(), self._writing(data, expected), data
            )
        except Elsewhere as moved:
            raise self._moved("write the state", moved) from None
        except NoAnswer as problem:
            if not problem.connected or not self._has(workspace, version):
                raise self._unreachable("write the state", problem) from None
            return version
        if answer.status in _DONE:
            return version
        if answer.status == 412:
            # The first of two requests may have been carried out though its answer was lost.
            if answer.sent > 1 and self._has(workspace, version):
                return version
            raise Conflict
        if answer.stumbled and self._has(workspace, version):
            return version
        if answer.status in _TAKEN:
            raise DiagnosticError(
                error(
                    "State not written",
                    f"The server of {self.label(workspace)} says that somebody else holds the lock now.",
                    mend="See who works on it and why the lock was lost; then run the command again.",
                )
            )
        raise self._refused("write the state", answer)

    def delete(self, workspace: str) -> None:
        raise ValueError("the default workspace cannot be deleted, and there is no other one")

    def lock(self, workspace: str, lock: LockInfo) -> None:
        _only_default(workspace)
        if not self._addresses.lock:
            return
        answer = self._lock_request(self._addresses.lock_method, self._addresses.lock, lock, "lock the state")
        if answer.status in _TAKEN:
            holder = LockInfo.from_json(answer.body)
            # The answer to a first request was lost, and the second one finds what that did.
            if holder is None or holder.id != lock.id:
                raise Locked(holder)
        elif answer.status not in _DONE:
            raise self._refused("lock the state", answer)
        self._held = lock

    def unlock(self, workspace: str, id: str) -> None:
        _only_default(workspace)
        if not self._addresses.unlock:
            return
        lock = self._held
        if lock is None:
            # Servers differ in whether they compare: so we do.
            lock = self.holder(workspace)
            if lock is None:
                return
        if lock.id != id:
            raise Locked(lock)
        answer = self._lock_request(
            self._addresses.unlock_method, self._addresses.unlock, lock, "unlock the state"
        )
        if answer.status in _TAKEN:
            self._held = None
            raise Locked(LockInfo.from_json(answer.body))
        if answer.status not in (*_DONE, 404):
            raise self._refused("unlock the state", answer)
        self._held = None

    def holder(self, workspace: str) -> LockInfo | None:
        """Found out by asking for the lock, since there is no request that only looks; it is let go at once."""
        if self._held is not None:
            return self._held
        probe = new_lock("look for the lock", self.label(workspace))
        try:
            self.lock(workspace, probe)
        except Locked as locked:
            return locked.holder
        self.unlock(workspace, probe.id)
        return None

    def journal_path(self, workspace: str) -> Path:
        return _remote.journal_path(self._place, self._addresses.state, workspace)

    def close(self) -> None:
        pass

    # -- requests

    def _send(self, doing: str, method: str, url: str, **more: Any) -> Answer:
        try:
            return self._transport.send(method, url, self._headers, **more)
        except NoAnswer as problem:
            raise self._unreachable(doing, problem) from None
        except Elsewhere as moved:
            raise self._moved(doing, moved) from None

    def _lock_request(self, method: str, url: str, lock: LockInfo, doing: str) -> Answer:
        body = lock.to_json()
        headers = {**self._headers, "Content-Type": "application/json", "Content-MD5": _md5(body)}
        try:
            return self._transport.send(method, url, headers, body)
        except NoAnswer as problem:
            raise self._unreachable(doing, problem) from None
        except Elsewhere as moved:
            raise self._moved(doing, moved) from None

    def _writing(self, data: bytes, expected: str | None) -> dict[str, str]:
        headers = {**self._headers, "Content-Type": "application/json", "Content-MD5": _md5(data)}
        if expected is not None and self._addresses.update_method == "PUT":
            # An empty body with an ETag is no state yet, but something to replace.
            if self._etag:
                headers["If-Match"] = self._etag
            elif expected == NOTHING:
                headers["If-None-Match"] = "*"
        return headers

    def _with_lock(self) -> str:
        """The state's URL with the lock's ID, as servers expect it that check who writes."""
        if self._held is None:
            return self._addresses.state
        parts = urlsplit(self._addresses.state)
        query = [*parse_qsl(parts.query, keep_blank_values=True), ("ID", self._held.id)]
        return urlunsplit(parts._replace(query=urlencode(query)))

    def _has(self, workspace: str, version: str) -> bool:
        """Whether the state is the one that was sent, after all."""
        now = self.read(workspace)
        return now is not None and now.version == version

    # -- messages

    def _refused(self, doing: str, answer: Answer) -> DiagnosticError:
        mends = {
            401: "Set username and password (or TF_HTTP_USERNAME and TF_HTTP_PASSWORD).",
            403: "Allow that user to do this on the server.",
            404: "Correct the address.",
            405: "Set the method that the server takes: update_method, lock_method or unlock_method.",
        }
        mend = mends.get(answer.status, "")
        if answer.stumbled:
            mend = "See the server's own log; then run the command again."
        reason = f" {answer.reason}" if answer.reason else ""
        return DiagnosticError(
            error(
                f"Server refused to {doing}",
                f"The server of {self.label(DEFAULT_WORKSPACE)} answered {answer.status}{reason}.",
                mend=mend,
            )
        )

    def _unreachable(self, doing: str, problem: NoAnswer) -> DiagnosticError:
        return DiagnosticError(
            error(
                "Server not reachable",
                f"{self.label(DEFAULT_WORKSPACE)} could not be asked to {doing}: {problem}.",
                mend="Check the address, the network, and whether the server runs.",
            )
        )

    def _moved(self, doing: str, moved: Elsewhere) -> DiagnosticError:
        return DiagnosticError(
            error(
                "State is elsewhere",
                f"Asked to {doing}, the server of {self.label(DEFAULT_WORKSPACE)} points to "
                f"{_remote.without_secrets(moved.url)}; credentials and states are not sent on.",
                mend="If that is right, make it the address.",
            )
        )


def _only_default(workspace: str) -> None:
    if workspace != DEFAULT_WORKSPACE:
        raise DiagnosticError(
            error(
                "No workspaces in this backend",
                f'The "http" backend keeps one state, so that there is no workspace "{workspace}".',
                mend="Work in the workspace default, or use another backend.",
            )
        )


def _is_whole(answer: Answer) -> bool:
    """Whether the answer has the digest that it says, if it says one."""
    told = answer.header("Content-MD5")
    return not told or answer.status != 200 or told == _md5(answer.body)


def _version(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest() if data else NOTHING


def _md5(data: bytes) -> str:
    return _base64(hashlib.md5(data, usedforsecurity=False).digest())


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _url(text: str, name: str) -> tuple[str, str]:
    """A URL without its user and password, and these."""
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
        parts = urlsplit("")
    if parts.scheme not in ("http", "https") or not host:
        raise _remote.wrong(name, f"{name} is not an http or https URL.")
    auth = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}" if parts.username else ""
    bare = parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment="")
    return urlunsplit(bare), auth


def _number(text: Mapping[str, str], name: str, default: float) -> float:
    try:
        value = float(text[name]) if text[name] else default
    except ValueError:
        value = -1
    if not 0 <= value < float("inf"):
        raise _remote.wrong(name, f"{name} must be a number that is not negative.")
    return value


def _context(text: Mapping[str, str], skip: bool) -> ssl.SSLContext | None:
    """How https is spoken where not in the usual way.

    Raises `DiagnosticError` for certificates and keys that cannot be used.
    """
    authority = text["client_ca_certificate_pem"]
    certificate, key = text["client_certificate_pem"], text["client_private_key_pem"]
    if bool(certificate) != bool(key):
        name = "client_private_key_pem" if certificate else "client_certificate_pem"
        raise _remote.wrong(name, f"{name} is needed too: a certificate and its key go together.")
    if not (authority or certificate or skip):
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if authority else ssl.create_default_context()
    if authority:
        try:
            context.load_verify_locations(cadata=authority)
        except (ssl.SSLError, ValueError):
            name = "client_ca_certificate_pem"
            raise _remote.wrong(name, f"{name} holds no certificates in PEM form.") from None
    if certificate:
        try:
            _load_pair(context, certificate, key)
        except (ssl.SSLError, ValueError):
            raise _remote.wrong(
                "client_certificate_pem",
                "client_certificate_pem and client_private_key_pem are not a certificate and its unencrypted "
                "key in PEM form.",
            ) from None
    if skip:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _load_pair(context: ssl.SSLContext, certificate: str, key: str) -> None:
    """Give a context a certificate and key; it takes them from files only, so from one that has no name."""
    content = f"{certificate.rstrip()}\n{key.rstrip()}\n".encode()
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("certificate", os.MFD_CLOEXEC)
        try:
            os.write(descriptor, content)
            context.load_cert_chain(f"/proc/self/fd/{descriptor}", password=_no_password)
        finally:
            os.close(descriptor)
        return
    import tempfile

    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        context.load_cert_chain(file.name, password=_no_password)


def _no_password() -> str:
    raise ValueError("the key is encrypted")
