"""A small server of states and locks, as the `http` backend expects one: for tests, on loopback only."""

from __future__ import annotations

import base64
import hashlib
import json
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit


class StateServer(ThreadingHTTPServer):
    """States and locks by path. `auth`: the Authorization header that it wants, if any.

    `stores`: what it makes of a state that is sent; a bad server damages it.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, context: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.states: dict[str, bytes] = {}
        self.locks: dict[str, bytes] = {}
        self.auth = ""
        self.stores: Callable[[bytes], bytes] = bytes
        self.redirects: dict[str, tuple[int, str]] = {}
        self.requests: list[tuple[str, str, dict[str, str]]] = []
        self.turn = threading.Lock()
        self.scheme = "http"
        if context is not None:
            self.socket = context.wrap_socket(self.socket, server_side=True)
            self.scheme = "https"
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"{self.scheme}://127.0.0.1:{self.server_address[1]}"

    def stop(self) -> None:
        self.shutdown()
        self.server_close()

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: StateServer

    def handle_one(self) -> None:
        parts = urlsplit(self.path)
        path, query = parts.path, parse_qs(parts.query)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with self.server.turn:
            self.server.requests.append((self.command, self.path, dict(self.headers.items())))
            if path in self.server.redirects:
                status, target = self.server.redirects[path]
                self._answer(status, b"", Location=target)
            elif self.server.auth and self.headers.get("Authorization") != self.server.auth:
                self._answer(401, b"who are you?")
            else:
                self._serve(path, query.get("ID", [""])[0], body)

    do_GET = do_POST = do_PUT = do_DELETE = do_LOCK = do_UNLOCK = handle_one  # noqa: N815

    def _serve(self, path: str, id: str, body: bytes) -> None:
        server = self.server
        state, lock = server.states.get(path), server.locks.get(path)
        holder = json.loads(lock)["ID"] if lock else ""
        match self.command:
            case "GET" if state is None:
                self._answer(404, b"")
            case "GET":
                self._answer(200, state, ETag=_etag(state), Content_MD5=_md5(state))
            case "LOCK" if lock:
                self._answer(423, lock)
            case "LOCK":
                server.locks[path] = body
                self._answer(200, b"")
            case "UNLOCK" if lock and holder != json.loads(body)["ID"]:
                self._answer(409, lock)
            case "UNLOCK":
                server.locks.pop(path, None)
                self._answer(200, b"")
            case "POST" | "PUT" if lock and holder != id:
                self._answer(423, lock)
            case "POST" | "PUT" if self._is_refused(state):
                self._answer(412, b"")
            case "POST" | "PUT":
                assert self.headers["Content-MD5"] == _md5(body)
                server.states[path] = server.stores(body)
                self._answer(200, b"")
            case _:
                self._answer(405, b"")

    def _is_refused(self, state: bytes | None) -> bool:
        if self.headers.get("If-None-Match") == "*":
            return state is not None
        wanted = self.headers.get("If-Match")
        return bool(wanted) and (state is None or wanted != _etag(state))

    def _answer(self, status: int, body: bytes | None, **headers: str) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body or b"")))
        self.end_headers()
        self.wfile.write(body or b"")

    def log_message(self, *_: Any) -> None:
        pass


def _etag(data: bytes) -> str:
    return f'"{hashlib.sha256(data).hexdigest()}"'


def _md5(data: bytes) -> str:
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
