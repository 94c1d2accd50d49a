"""Requests to a forge's API, tried again where that helps. The token goes to the API's own host, and to no message."""

from __future__ import annotations

import http.client
import json
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import field
from typing import IO, Any

from twinfra.dataclass import dataclass
from twinfra.diagnostics import Diagnostic, DiagnosticError, error

_TRIES = 4
_LONGEST_WAIT = 30.0
_TIMEOUT = 30.0
_AGAIN = (429, 500, 502, 503, 504)
_LARGEST = 512 * 1024 * 1024
_REFUSED, _MISSING = (401, 403), 404


class Refused(Exception):
    """The API answered with an error. `status` is HTTP's; `problem` says it for people."""

    def __init__(self, status: int, problem: Diagnostic) -> None:
        super().__init__(status)
        self.status = status
        self.problem = problem

    @property
    def missing(self) -> bool:
        """Whether there is no such thing."""
        return self.status == _MISSING


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirects are followed by hand: another host must not be sent the token."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        return None


@dataclass(frozen=True, slots=True)
class Api:
    """An API at `url`. `headers` go with every request to it, the token among them; `wait` waits some seconds.

    `token_from` tells people where the token comes from.
    """

    url: str
    headers: Mapping[str, str] = field(repr=False)
    token_from: str
    wait: Callable[[float], None] = time.sleep

    def get(self, path: str) -> Any:
        """JSON. Raises `Refused`, and `DiagnosticError` where the API cannot be reached."""
        return _json(self._send("GET", path, None), path)

    def send(self, method: str, path: str, document: Any) -> Any:
        """Send JSON, and what comes back. Raises as `get` does."""
        return _json(self._send(method, path, json.dumps(document).encode()), path)

    def sent(self, method: str, path: str, document: Any) -> bool:
        """Send JSON to a thing; False where there is none, or it is not for us. Raises `DiagnosticError`."""
        try:
            self.send(method, path, document)
        except Refused as refused:
            if refused.status in (403, _MISSING):
                return False
            raise DiagnosticError(refused.problem) from None
        return True

    def pages(self, path: str, size: int = 100) -> Iterator[Any]:
        """The elements of a list that comes in pages."""
        mark = "&" if "?" in path else "?"
        number = 1
        while True:
            page = self.get(f"{path}{mark}per_page={size}&page={number}")
            if not isinstance(page, list):
                raise DiagnosticError(_unreadable(path))
            yield from page
            if len(page) < size:
                return
            number += 1

    def download(self, path: str) -> bytes:
        """A file, wherever the API says that it lies. Raises as `get` does."""
        return self._send("GET", path, None)

    def _send(self, method: str, path: str, data: bytes | None) -> bytes:
        url = urllib.parse.urljoin(self.url.rstrip("/") + "/", path)
        last = ""
        for number in range(_TRIES):
            try:
                return self._once(method, url, data)
            except urllib.error.HTTPError as answer:
                with answer:
                    if answer.code not in _AGAIN or number + 1 == _TRIES:
                        raise Refused(answer.code, self._refusal(method, path, answer)) from None
                    pause = _pause(number, answer.headers.get("Retry-After"))
            except (OSError, http.client.HTTPException) as reason:
                last = _reason(reason)
                # What may have been done already is not asked for twice, but for a change that overwrites.
                if number + 1 == _TRIES or (method == "POST" and not _not_sent(reason)):
                    break
                pause = _pause(number, None)
            self.wait(pause)
        raise DiagnosticError(
            error(
                "The forge cannot be reached",
                f"{method} {_plain(url)}: {last}.",
                mend="Run the job again when it can.",
            )
        )

    def _once(self, method: str, url: str, data: bytes | None) -> bytes:
        opener = urllib.request.build_opener(_Stay)
        own = _origin(self.url)
        for _ in range(5):
            headers = {"User-Agent": "twinfra", "Accept": "application/json"}
            if _origin(url) == own:
                headers |= self.headers
            if data is not None:
                headers["Content-Type"] = "application/json"
            request = urllib.request.Request(url, data, headers, method=method)
            try:
                with opener.open(request, timeout=_TIMEOUT) as answer:
                    return _whole(answer)
            except urllib.error.HTTPError as answer:
                target = answer.headers.get("Location")
                if answer.code not in (301, 302, 303, 307, 308) or not target or method != "GET":
                    raise
                answer.close()
                url = urllib.parse.urljoin(url, target)
                if not url.startswith(("https://", "http://")):
                    raise OSError("it redirects to what is no web address") from None
        raise OSError("it redirects too often")

    def _refusal(self, method: str, path: str, answer: urllib.error.HTTPError) -> Diagnostic:
        if answer.code in _REFUSED:
            mend = f"The token comes from {self.token_from}: it must be valid, and may do this."
        elif answer.code == _MISSING:
            mend = f"Either there is none, or the token (from {self.token_from}) may not see it."
        else:
            mend = "Run the job again; the forge's own status page may tell more."
        said = _message(answer)
        return error(
            "The forge refused",
            f"{method} {_plain(path)}: HTTP {answer.code}" + (f", {said}" if said else "") + ".",
            mend=mend,
        )


def _whole(answer: IO[bytes]) -> bytes:
    content = answer.read(_LARGEST + 1)
    if len(content) > _LARGEST:
        raise OSError("the answer is larger than 512 MiB")
    return content


def _json(content: bytes, path: str) -> Any:
    if not content:
        return None
    try:
        return json.loads(content)
    except ValueError:
        raise DiagnosticError(_unreadable(path)) from None


def _unreadable(path: str) -> Diagnostic:
    return error(
        "The forge answers in a way that cannot be read",
        f"What {_plain(path)} answers is not the JSON that was expected.",
        mend="Is the address of the API right, or does a proxy answer in its place?",
    )


def _message(answer: urllib.error.HTTPError) -> str:
    """What an API says about an error, in its own words; never what was sent."""
    try:
        said = json.loads(answer.read(65536))["message"]
    except (ValueError, KeyError, TypeError, OSError, http.client.HTTPException):
        return ""
    return " ".join(str(said).split())[:200].rstrip(".")


def _pause(number: int, told: str | None) -> float:
    if told is not None and told.strip().isdigit():
        return min(float(told), _LONGEST_WAIT)
    return float(2**number)


def _not_sent(reason: Exception) -> bool:
    """Whether a request that failed did surely not arrive."""
    inner = getattr(reason, "reason", reason)
    return isinstance(inner, ConnectionRefusedError)


def _reason(reason: Exception) -> str:
    inner = getattr(reason, "reason", reason)
    return str(getattr(inner, "strerror", None) or inner or type(inner).__name__)


def _origin(url: str) -> tuple[str, str]:
    parts = urllib.parse.urlsplit(url)
    return parts.scheme, parts.netloc


def _plain(url: str) -> str:
    """An address without what may be a secret in it."""
    parts = urllib.parse.urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urllib.parse.urlunsplit((parts.scheme, host, parts.path, "", ""))
