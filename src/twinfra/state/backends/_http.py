"""HTTP requests of backends: repeated where a server stumbles, never sent on to another host, honest about
what is not known.

Proxies come from the environment (HTTPS_PROXY, NO_PROXY and the like), as everywhere.
"""

from __future__ import annotations

import http.client
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import field
from email.message import Message
from typing import Any
from urllib.error import URLError
from urllib.parse import urljoin, urlsplit
from urllib.request import (
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from twinfra import __version__, log
from twinfra.dataclass import dataclass

_SECONDS = 60.0
_REDIRECTS = 5
_STUMBLED = frozenset({408, 425, 429, 500, 502, 503, 504})


@dataclass(frozen=True, slots=True)
class Retries:
    """How often a request is repeated, and how long the pauses are (in seconds, doubling)."""

    times: int = 2
    shortest: float = 1.0
    longest: float = 30.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server said. `sent` is how often the request was sent to get it."""

    status: int
    reason: str
    headers: Message
    body: bytes
    sent: int = 1

    @property
    def stumbled(self) -> bool:
        """Whether the server failed, so that nobody knows what it did."""
        return self.status in _STUMBLED or self.status >= 500

    def header(self, name: str) -> str:
        """A header's value; empty where there is none."""
        return str(self.headers.get(name) or "")


class NoAnswer(Exception):
    """No whole answer came. `connected` is False where the request certainly never reached a server.

    `final`: it will be the same however often it is tried.
    """

    def __init__(self, why: str, connected: bool, final: bool = False) -> None:
        super().__init__(why)
        self.connected = connected
        self.final = final


class Elsewhere(Exception):
    """The server sends the request on to another place, where it is not repeated. `url` is that place."""

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.url = url


@dataclass(slots=True)
class Transport:
    """Sends requests. `context` is for https; `pause` waits between attempts."""

    context: ssl.SSLContext | None = None
    retries: Retries = field(default_factory=Retries)
    seconds: float = field(default_factory=lambda: _SECONDS)
    pause: Callable[[float], None] = time.sleep
    _opener: OpenerDirector | None = None

    def send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        accept: Callable[[Answer], bool] = lambda answer: True,
    ) -> Answer:
        """Send a request that may be sent twice; the last answer where the server stumbles every time.

        An answer that `accept` refuses (such as a damaged one) counts as none. Raises `NoAnswer`,
        `Elsewhere`.
        """
        reached = False
        for attempt in range(self.retries.times + 1):
            last = attempt == self.retries.times
            try:
                begun = log.timer()
                answer = self._once(method, url, headers or {}, body, attempt + 1)
                reached = True
                log.say(
                    log.DEBUG,
                    "request",
                    method=method,
                    host=urlsplit(url).hostname,
                    status=answer.status,
                    attempt=attempt + 1,
                    sent=len(body or b""),
                    received=len(answer.body),
                    seconds=log.since(begun),
                )
                if not answer.stumbled and accept(answer):
                    return answer
                if last and answer.stumbled:
                    return answer
                if last:
                    raise NoAnswer("the answer was damaged on its way", True)
                self.pause(self._wait(attempt, answer))
            except NoAnswer as problem:
                log.say(
                    log.WARN, "no answer", method=method, host=urlsplit(url).hostname, attempt=attempt + 1
                )
                reached = reached or problem.connected
                if last or problem.final:
                    raise NoAnswer(str(problem), reached) from None
                self.pause(self._wait(attempt, None))
        raise AssertionError("the last attempt returns or raises")

    def _wait(self, attempt: int, answer: Answer | None) -> float:
        told = answer.header("Retry-After") if answer is not None else ""
        if told.isdigit():
            return min(float(told), self.retries.longest)
        return min(self.retries.shortest * 2.0**attempt, self.retries.longest)

    def _once(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, sent: int
    ) -> Answer:
        for _ in range(_REDIRECTS):
            answer = self._request(method, url, headers, body, sent)
            target = answer.header("Location")
            if answer.status not in (301, 302, 303, 307, 308) or not target:
                return answer
            target = urljoin(url, target)
            # What changes something is repeated only where the server says so, and nothing elsewhere.
            if _origin(target) != _origin(url) or (method != "GET" and answer.status < 307):
                raise Elsewhere(target)
            url = target
        raise Elsewhere(url)

    def _request(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, sent: int
    ) -> Answer:
        own = {"User-Agent": f"twinfra/{__version__}", "Accept": "*/*"}
        request = Request(url, data=body, headers={**own, **headers}, method=method)
        try:
            with self._opening().open(request, timeout=self.seconds) as response:
                content = response.read()
                return Answer(response.status, response.reason or "", response.headers, content, sent)
        except URLError as problem:
            distrusted = isinstance(problem.reason, ssl.SSLCertVerificationError)
            raise NoAnswer(_why(problem.reason), not _never_reached(problem.reason), distrusted) from None
        except http.client.IncompleteRead:
            raise NoAnswer("the answer was cut off", True) from None
        except (OSError, http.client.HTTPException) as problem:
            raise NoAnswer(_why(problem), True) from None

    def _opening(self) -> OpenerDirector:
        if self._opener is None:
            opener = OpenerDirector()
            for handler in (ProxyHandler(), HTTPHandler(), HTTPSHandler(context=self.context), _AsItIs()):
                opener.add_handler(handler)
            self._opener = opener
        return self._opener


class _AsItIs(HTTPErrorProcessor):
    """Every status is an answer, none an exception."""

    def http_response(self, request: Request, response: Any) -> Any:
        return response

    https_response = http_response


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _never_reached(reason: Any) -> bool:
    import socket

    return isinstance(reason, ConnectionRefusedError | socket.gaierror | ssl.SSLCertVerificationError)


def _why(reason: Any) -> str:
    if isinstance(reason, ssl.SSLCertVerificationError):
        return f"its certificate is not accepted ({reason.verify_message})"
    if isinstance(reason, TimeoutError):
        return "no answer came in time"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror.lower()
    return (str(reason) or type(reason).__name__).rstrip(".")
