"""A server on loopback that speaks what pipelines ask of GitHub, GitLab and Jenkins, and refuses all else.

What a test says beforehand is in its attributes; what was said to it is in them, too.
"""

from __future__ import annotations

import io
import json
import re
import threading
import zipfile
from collections.abc import Callable, Mapping
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

TOKEN = "the-forge-token"


class ForgeServer:
    """`comments` by pull request, each a list of (id, body). `merged`: number and head by merged commit.

    `artifacts` are archives by GitHub's name of an artifact; `pipelines` of GitLab are dicts with `id`, `sha`, `request`
    and `jobs` (archives by name); `builds` has the files of Jenkins' last builds by path. `failures` are statuses with
    which the next requests are answered; `strangers` IDs of comments that are not ours.
    """

    def __init__(self) -> None:
        self.comments: dict[int, list[tuple[int, str]]] = {}
        self.merged: dict[str, tuple[int, str]] = {}
        self.artifacts: list[tuple[str, bytes]] = []
        self.pipelines: list[dict[str, Any]] = []
        self.builds: dict[str, bytes] = {}
        self.failures: list[int] = []
        self.strangers: set[int] = set()
        self.requests: list[tuple[str, str]] = []
        self.tokens: list[tuple[str, str]] = []
        self.before_comment: Callable[[], None] | None = None
        self._next = 100
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_one(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                content = self.rfile.read(length) if length else b""
                status, answer, headers = outer.answer(self.command, self.path, self.headers, content)
                body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = do_PUT = do_DELETE = handle_one  # noqa: N815

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # The same server under another name: where artifacts are kept.
        self.storage = f"http://localhost:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def bodies(self, number: int) -> list[str]:
        """What is said on a pull request."""
        return [body for _, body in self.comments.get(number, [])]

    def say(self, number: int, body: str) -> int:
        """A comment that somebody makes."""
        self._next += 1
        self.comments.setdefault(number, []).append((self._next, body))
        return self._next

    def answer(
        self, method: str, target: str, headers: Message, content: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        parts = urlsplit(target)
        path = parts.path
        self.requests.append((method, path))
        host = headers.get("Host", "").partition(":")[0]
        token = headers.get("Authorization") or headers.get("PRIVATE-TOKEN") or ""
        self.tokens.append((host, token))
        if self.failures:
            status = self.failures.pop(0)
            return status, {"message": "not now"}, {"Retry-After": "0"} if status == 429 else {}
        if path.startswith("/blob/"):
            return 200, self.artifacts[int(path.rpartition("/")[2])][1], {}
        if path.startswith("/job/"):
            found = self.builds.get(unquote(path))
            return (200, found, {}) if found is not None else (404, b"", {})
        if TOKEN not in token:
            return 401, {"message": "Bad credentials"}, {}
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        document = json.loads(content) if content else {}
        ask = self._gitlab if path.startswith("/projects/") else self._github
        status, answer, more = ask(method, path, query, document)
        if isinstance(answer, list):
            size, page = int(query.get("per_page", 30)), int(query.get("page", 1))
            answer = answer[(page - 1) * size : page * size]
        return status, answer, more

    # -- GitHub

    def _github(
        self, method: str, path: str, query: Mapping[str, str], document: Any
    ) -> tuple[int, Any, dict[str, str]]:
        if match := re.fullmatch(r"/repos/acme/infra/issues/(\d+)/comments", path):
            return self._comments(method, int(match[1]), document)
        if match := re.fullmatch(r"/repos/acme/infra/issues/comments/(\d+)", path):
            return self._comment(method, int(match[1]), document)
        if match := re.fullmatch(r"/repos/acme/infra/commits/(\w+)/pulls", path):
            found = self.merged.get(match[1])
            listed = (
                []
                if found is None
                else [{"number": found[0], "merged_at": "2026-11-26T00:00:00Z", "head": {"sha": found[1]}}]
            )
            return 200, listed, {}
        if path == "/repos/acme/infra/actions/artifacts":
            found_artifacts = [
                {"id": number, "name": name, "expired": False, "created_at": f"{number:09}"}
                for number, (name, _) in enumerate(self.artifacts)
                if name == query.get("name")
            ]
            return 200, {"total_count": len(found_artifacts), "artifacts": found_artifacts}, {}
        if match := re.fullmatch(r"/repos/acme/infra/actions/artifacts/(\d+)/zip", path):
            return 302, {}, {"Location": f"{self.storage}/blob/{match[1]}"}
        return 404, {"message": "Not Found"}, {}

    def _comments(self, method: str, number: int, document: Any) -> tuple[int, Any, dict[str, str]]:
        if method == "POST":
            if self.before_comment is not None:
                self.before_comment()
            return 201, {"id": self.say(number, document["body"])}, {}
        return 200, [{"id": id, "body": body} for id, body in self.comments.get(number, [])], {}

    def _comment(self, method: str, id: int, document: Any) -> tuple[int, Any, dict[str, str]]:
        if id in self.strangers:
            return 403, {"message": "Resource not accessible"}, {}
        for listed in self.comments.values():
            for at, (one, _) in enumerate(listed):
                if one == id:
                    if method == "DELETE":
                        del listed[at]
                        return 204, b"", {}
                    listed[at] = (id, document["body"])
                    return 200, {"id": id}, {}
        return 404, {"message": "Not Found"}, {}

    # -- GitLab

    def _gitlab(
        self, method: str, path: str, query: Mapping[str, str], document: Any
    ) -> tuple[int, Any, dict[str, str]]:
        path = path.removeprefix("/projects/42")
        if match := re.fullmatch(r"/merge_requests/(\d+)/notes", path):
            return self._comments(method, int(match[1]), document)
        if match := re.fullmatch(r"/merge_requests/(\d+)/notes/(\d+)", path):
            return self._comment(method, int(match[2]), document)
        if match := re.fullmatch(r"/repository/commits/(\w+)/merge_requests", path):
            found = self.merged.get(match[1])
            listed = [] if found is None else [{"iid": found[0], "sha": found[1], "state": "merged"}]
            return 200, listed, {}
        if match := re.fullmatch(r"/merge_requests/(\d+)/pipelines", path):
            return 200, [one for one in self._shown() if one["request"] == int(match[1])], {}
        if path == "/pipelines":
            return 200, [one for one in self._shown() if one["sha"] == query.get("sha")], {}
        if match := re.fullmatch(r"/pipelines/(\d+)/jobs", path):
            jobs = self.pipelines[int(match[1])]["jobs"]
            ids = range(int(match[1]) * 100, 10**9)
            return (
                200,
                [
                    {"id": id, "name": name, "artifacts_file": {"filename": "artifacts.zip"}}
                    for id, (name, _) in zip(ids, jobs, strict=False)
                ],
                {},
            )
        if match := re.fullmatch(r"/jobs/(\d+)/artifacts", path):
            pipeline, job = divmod(int(match[1]), 100)
            return 200, self.pipelines[pipeline]["jobs"][job][1], {}
        return 404, {"message": "404 Not Found"}, {}

    def _shown(self) -> list[dict[str, Any]]:
        return [
            {"id": number, "sha": one["sha"], "request": one["request"]}
            for number, one in enumerate(self.pipelines)
        ]


def archive(directory: Path, prefix: str = "", pattern: str = "*") -> bytes:
    """The files of a directory as an artifact; empty where there are none."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as made:
        for path in sorted(directory.glob(pattern)):
            if path.is_file():
                made.write(path, f"{prefix}{path.name}")
    return content.getvalue()
