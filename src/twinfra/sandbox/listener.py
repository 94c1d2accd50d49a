"""The HTTP side: one thread a connection, connections kept open, whole requests in and whole replies out."""

from __future__ import annotations

import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote_to_bytes, urlsplit

from twinfra.sandbox.gateway import Gateway
from twinfra.sandbox.replies import Reply

LOOPBACK = "127.0.0.1"
_NO_BODY = frozenset({204, 304})


class Listener(ThreadingHTTPServer):
    """Listens on loopback, on `port` if that is free and else on any. Knows only the gateway."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 256

    def __init__(self, gateway: Gateway, port: int) -> None:
        self.gateway = gateway
        try:
            super().__init__((LOOPBACK, port), _Handler)
        except OSError:
            super().__init__((LOOPBACK, 0), _Handler)

    def server_bind(self) -> None:
        """Bind without asking a name server for our own name."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self.socket.bind(self.server_address)
        self.server_address = self.socket.getsockname()
        self.server_name, self.server_port = LOOPBACK, self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is no event."""


class _Lines:
    """Reads lines, and knows the last one."""

    def __init__(self, source: Any) -> None:
        self.source = source
        self.last = b""

    def readline(self, limit: int = -1) -> bytes:
        self.last = self.source.readline(limit)
        return self.last


class _Handler(BaseHTTPRequestHandler):
    server: Listener
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def parse_request(self) -> bool:
        """Read the headers; False where the client went away before their end."""
        source, lines = self.rfile, _Lines(self.rfile)
        self.rfile = lines  # type: ignore[assignment]
        try:
            understood = super().parse_request()
        finally:
            self.rfile = source
        return understood and not lines.last.strip() and bool(lines.last)

    def handle_expect_100(self) -> bool:
        """Let the client send its body at once: what waits for an answer would wait a whole second."""
        super().handle_expect_100()
        self.wfile.flush()
        return True

    def _answer(self) -> None:
        chunked = "chunked" in self.headers.get("Transfer-Encoding", "").lower()
        try:
            body = self._chunks() if chunked else self._whole(int(self.headers.get("Content-Length") or 0))
        except EOFError:
            # Half a request is none: what a killed client was sending is not carried out.
            self.close_connection = True
            return
        reply = self.server.gateway.handle(self._variables(), body)
        if reply is None:
            self.close_connection = True
            return
        self._send(reply)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_OPTIONS = _answer  # noqa: N815

    def _whole(self, length: int) -> bytes:
        """So many bytes of the body; raises `EOFError` where the client went away before."""
        found = self.rfile.read(length)
        if len(found) < length:
            raise EOFError
        return found

    def _chunks(self) -> bytes:
        """A body in chunks: https://www.rfc-editor.org/rfc/rfc9112#section-7.1"""
        parts = []
        while True:
            head = self.rfile.readline(100)
            if not head:
                raise EOFError
            length = int(head.partition(b";")[0], 16)
            if not length:
                break
            parts.append(self._whole(length))
            self.rfile.readline(3)
        while self.rfile.readline(65536).strip():
            pass
        return b"".join(parts)

    def _variables(self) -> dict[str, Any]:
        """The WSGI variables of the request, as moto's own server makes them."""
        split = urlsplit(self.path if not self.path.startswith("//") else "/." + self.path)
        path = split.path.removeprefix("/.") if self.path.startswith("//") else split.path
        variables: dict[str, Any] = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": split.query,
            "REQUEST_URI": self.path,
            "RAW_URI": self.path,
            "REMOTE_ADDR": LOOPBACK,
            "SERVER_NAME": LOOPBACK,
            "SERVER_PORT": str(self.server.server_port),
            "SERVER_PROTOCOL": self.request_version,
            "wsgi.url_scheme": "http",
        }
        spellings: dict[str, str] = {}
        for name, value in self.headers.items():
            key = name.upper().replace("-", "_")
            if "_" in name:
                # Only S3's own metadata may have underscores; moto wants to know how they were written.
                if not name.lower().startswith("x-amz-meta-"):
                    continue
                spellings["HTTP_" + key] = name
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = "HTTP_" + key
            if key in variables:
                value = f"{variables[key]},{value}"
            variables[key] = value
        variables["moto.preserved_header_names"] = spellings
        return variables

    def _send(self, reply: Reply) -> None:
        self.send_response_only(reply.status)
        names = set()
        for name, value in reply.headers:
            lowered = name.lower()
            if lowered in ("connection", "transfer-encoding"):
                continue
            if lowered == "content-length" and self.command != "HEAD":
                continue
            names.add(lowered)
            self.send_header(name, str(value).replace("\r", "").replace("\n", ""))
        if "date" not in names:
            self.send_header("Date", self.date_time_string())
        if "content-length" not in names and reply.status not in _NO_BODY:
            self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        if self.command != "HEAD" and reply.status not in _NO_BODY:
            self.wfile.write(reply.body)
        self.wfile.flush()

    def log_message(self, format: str, *arguments: Any) -> None:
        """Requests are not logged: their paths may hold what is nobody's business."""
