"""Bad networks: proxies that spoil chosen requests on their way to a server and back.

What can go wrong with a request (`Fault`):
- `refuse`: the server answers 500 and does nothing; `refuse-after`: it does it, and answers 500;
- `drop`: the connection breaks before the request arrives; `drop-after`: before the answer does;
- `cut`: half of the answer arrives;
- `stale`: the answer is the one that the same request got the first time (HTTP only);
- `hang`: it is carried out, but the answer never comes.
"""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Fault:
    """What goes wrong with the next `times` requests that `concerns` says yes to."""

    kind: str
    concerns: Callable[[str], bool]
    times: int = 1


_NOT_IMPLEMENTED = (
    b"<Error><Code>NotImplemented</Code><Message>A header is not implemented.</Message></Error>"
)


class Proxy:
    """What both proxies share: which fault hits a request, and requests seen so far. By itself it does nothing."""

    def __init__(self) -> None:
        self.faults: list[Fault] = []
        self.seen: list[str] = []
        self.over = threading.Event()
        self.lines: set[socket.socket] = set()
        self._turn = threading.Lock()

    @property
    def port(self) -> int:
        """Where it listens, on 127.0.0.1; nowhere."""
        return 0

    def stop(self) -> None:
        """Listen no more, and break every connection."""

    def spoil(self, kind: str, concerns: Callable[[str], bool], times: int = 1) -> None:
        with self._turn:
            self.faults.append(Fault(kind, concerns, times))

    def break_all(self) -> None:
        """Break every connection, as a network does."""
        for line in list(self.lines):
            _shut(line)

    def strike(self, request: str) -> str:
        """The kind of fault that hits a request; empty for none."""
        with self._turn:
            self.seen.append(request)
            for fault in self.faults:
                if fault.times and fault.concerns(request):
                    fault.times -= 1
                    return fault.kind
        return ""


class HttpProxy(Proxy, ThreadingHTTPServer):
    """Between clients and an HTTP server. `sent`: the headers of all requests, their names in small letters.

    Without `knows_conditions` it stands for a service that has no conditional requests. A request is known as
    its method, its path, and what else tells.
    """

    daemon_threads = True
    request_queue_size = 512

    def __init__(self, target: str) -> None:
        Proxy.__init__(self)
        ThreadingHTTPServer.__init__(self, ("127.0.0.1", 0), _Passing)
        parts = urlsplit(target)
        self.sent: list[dict[str, str]] = []
        self.knows_conditions = True
        self.first: dict[str, tuple[int, list[tuple[str, str]], bytes]] = {}
        self.target = (str(parts.hostname), int(parts.port or 80))
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self) -> int:
        return int(self.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def stop(self) -> None:
        self.over.set()
        self.shutdown()
        self.server_close()
        self.break_all()

    def get_request(self) -> Any:
        line, address = super().get_request()
        self.lines.add(line)
        return line, address

    def shutdown_request(self, request: Any) -> None:
        self.lines.discard(request)
        super().shutdown_request(request)

    def handle_error(self, *_: object) -> None:
        """Clients that go away are what these tests are about."""


class _Passing(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: HttpProxy

    def handle_one(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = self.server.strike(self._request(body))
        self.server.sent.append({name.lower(): value for name, value in self.headers.items()})
        if not self.server.knows_conditions and (
            "If-Match" in self.headers or "If-None-Match" in self.headers
        ):
            self._answer(501, [("Content-Type", "application/xml")], _NOT_IMPLEMENTED)
            return
        if fault == "drop":
            self.close_connection = True
            return
        if fault == "refuse":
            self._answer(500, [], b"")
            return
        status, headers, content = self._pass(body)
        if self.command == "GET" and status == 200:
            first = self.server.first.setdefault(self.path, (status, headers, content))
            if fault == "stale":
                status, headers, content = first
        if fault == "hang":
            self.server.over.wait(60)
        if fault in ("hang", "drop-after"):
            self.close_connection = True
        elif fault == "refuse-after":
            self._answer(500, [], b"")
        elif fault == "cut":
            self._answer(status, headers, content, len(content) // 2)
            self.close_connection = True
        else:
            self._answer(status, headers, content)

    do_GET = do_HEAD = do_POST = do_PUT = do_DELETE = do_LOCK = do_UNLOCK = handle_one  # noqa: N815

    def _request(self, body: bytes) -> str:
        """What it is: an upload's name is in its body, what STS is asked too, and DynamoDB's operation in a header."""
        form = "form-urlencoded" in (self.headers.get("Content-Type") or "")
        told = body if form else body[:300] if "multipart" in self.path else b""
        about = told.decode("utf-8", "replace")
        return f"{self.command} {self.path} {self.headers.get('X-Amz-Target') or about}"

    def _pass(self, body: bytes) -> tuple[int, list[tuple[str, str]], bytes]:
        if self.command == "DELETE" and "ifGenerationMatch=" in self.path and not self._is_met():
            return 412, [], b"{}"
        connection = HTTPConnection(*self.server.target, timeout=60)
        try:
            connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in ("connection", "expect", "content-length", "transfer-encoding"):
                    connection.putheader(name, value)
            connection.putheader("Content-Length", str(len(body)))
            connection.endheaders(body)
            answer = connection.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        finally:
            connection.close()

    def _is_met(self) -> bool:
        """Whether the object has the generation that must be there: the emulator does not ask for deletes."""
        path, _, wanted = self.path.partition("?ifGenerationMatch=")
        connection = HTTPConnection(*self.server.target, timeout=60)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            found = json.loads(answer.read()) if answer.status == 200 else {}
        finally:
            connection.close()
        return bool(found.get("generation") in (None, wanted))

    def _answer(
        self, status: int, headers: list[tuple[str, str]], body: bytes, sent: int | None = None
    ) -> None:
        self.send_response_only(status)
        for name, value in headers:
            if name.lower() not in ("connection", "content-length", "transfer-encoding"):
                self.send_header(name, value)
        if self.command != "HEAD" and status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[:sent])

    def log_message(self, *_: Any) -> None:
        pass


class TcpProxy(Proxy):
    """Between clients and a PostgreSQL server. A request is known as the text of what the client sends."""

    def __init__(self, port: int) -> None:
        super().__init__()
        self._target = port
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=300)
        self._port = int(self._listener.getsockname()[1])
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def port(self) -> int:
        return self._port

    def stop(self) -> None:
        self.over.set()
        # A thread that waits in accept keeps the port open.
        _shut(self._listener)
        self._listener.close()
        self.break_all()

    def _accept(self) -> None:
        while not self.over.is_set():
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        server = socket.create_connection(("127.0.0.1", self._target))
        self.lines |= {client, server}
        fault = [""]
        back = threading.Thread(target=self._back, args=(server, client, fault), daemon=True)
        back.start()
        try:
            while data := client.recv(1 << 16):
                fault[0] = fault[0] or self.strike(data.decode("utf-8", "replace"))
                if fault[0] == "drop":
                    break
                server.sendall(data)
        except OSError:
            pass
        _shut(client)
        _shut(server)
        back.join()
        client.close()
        server.close()
        self.lines -= {client, server}

    def _back(self, server: socket.socket, client: socket.socket, fault: list[str]) -> None:
        try:
            while data := server.recv(1 << 16):
                if fault[0] == "hang":
                    self.over.wait(60)
                if fault[0] == "cut":
                    client.sendall(data[: len(data) // 2])
                if fault[0] in ("hang", "drop-after", "cut"):
                    break
                client.sendall(data)
        except OSError:
            pass
        _shut(client)
        _shut(server)


def _shut(line: socket.socket) -> None:
    with suppress(OSError):
        line.shutdown(socket.SHUT_RDWR)
