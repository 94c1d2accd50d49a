"""Every kind of backend on a real server, through a network that can be spoiled: the fixture `rig`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from tests.state.backends import servers
from tests.state.backends.faults import HttpProxy, Proxy, TcpProxy
from tests.state.backends.http_server import StateServer

from twinfra.sandbox import server as sandbox_server
from twinfra.sandbox.server import Sandbox
from twinfra.state.backends import _http, _pg_session, gcs, registry, s3
from twinfra.state.backends.protocol import Backend, Place

ROOT = Path(__file__).parents[3]
BUCKET = "states"
AWS_KINDS = ("s3", "s3-dynamodb", "s3-ministack")
KINDS = (*AWS_KINDS, "gcs", "http", "pg")

on_all = pytest.mark.parametrize("rig", [*KINDS, "local"], indirect=True)
"""For tests that need no network: the local backend too."""

in_workspaces = pytest.mark.parametrize("rig", [one for one in KINDS if one != "http"], indirect=True)
"""For tests of what a backend with one workspace cannot do."""


class Rig:
    """One state that no other test knows, in a backend of one kind.

    `what` tells requests apart: `reads`, `writes` and `locks` are predicates for `proxy.spoil`.
    """

    def __init__(self, kind: str, type: str, settings: dict[str, Any], proxy: Proxy, directory: Path) -> None:
        self.kind = kind
        self.type = type
        self.settings = settings
        self.proxy = proxy
        self.place = Place(directory, directory / ".terraform")
        self.reads, self.writes, self.locks = _REQUESTS[type]
        self.has_workspaces = type != "http"
        self.lock_outlives_holder = type not in ("pg", "local")
        self._opened: list[Backend] = []

    def open(self, **settings: Any) -> Backend:
        """Another process's view of the state, as it were."""
        backend = registry.connect(self.type, {**self.settings, **settings}, self.place)
        self._opened.append(backend)
        return backend

    def open_many(self, number: int) -> list[Backend]:
        """As many as that, each with a lock of its own; clients that are costly to make are shared."""
        if self.type != "s3":
            return [self.open() for _ in range(number)]
        from twinfra.providers.aws.session import Session
        from twinfra.state.backends import _s3_settings

        session = Session(_s3_settings.access_of(self.settings))
        session.client("s3")
        objects = _s3_settings.objects_of(self.settings)
        return [s3.S3Backend(session, objects, self.place) for _ in range(number)]

    def other_process(self, code: str) -> subprocess.Popen[str]:
        """A process that runs `code` with `backend` connected; it prints and reads lines."""
        prelude = (
            "import json, sys\nfrom pathlib import Path\n"
            "from twinfra.state.backends import registry\nfrom twinfra.state.backends.protocol import *\n"
            "from twinfra.state.locks import new_lock\n"
            "type, settings, directory = json.loads(sys.argv[1])\n"
            "directory = Path(directory)\n"
            "backend = registry.connect(type, settings, Place(directory, directory))\n"
        )
        return subprocess.Popen(
            [
                sys.executable,
                "-c",
                prelude + code,
                json.dumps([self.type, self.settings, str(self.place.directory)]),
            ],
            env=dict(os.environ, PYTHONPATH=str(ROOT / "src")),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def close(self) -> None:
        for backend in self._opened:
            backend.close()


def block(rig: Rig, **more: Any) -> str:
    """The configuration that keeps its state in a rig."""
    lines = [f"    {name} = {json.dumps(value)}" for name, value in (rig.settings | more).items()]
    return f'terraform {{\n  backend "{rig.type}" {{\n' + "\n".join(lines) + "\n  }\n}\n"


def kill(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=60)


_LOCK = re.compile(r"LOCK |(PUT|POST) .*\.tflock|POST / .*PutItem")
_ASIDE = re.compile(r".*\.tflock|POST / |LOCK |UNLOCK ", re.DOTALL)


def _state(methods: str) -> Callable[[str], bool]:
    return lambda request: request.partition(" ")[0] in methods.split() and not _ASIDE.match(request)


def _lock(request: str) -> bool:
    return bool(_LOCK.match(request.replace("\n", " ")))


_REQUESTS: dict[str, Any] = {
    "s3": (_state("GET"), _state("PUT"), _lock),
    "gcs": (_state("GET"), _state("POST"), _lock),
    "http": (_state("GET"), _state("POST PUT"), _lock),
    "local": (None, None, None),
    "pg": (
        lambda text: "SELECT data" in text,
        lambda text: "INSERT INTO" in text or "UPDATE " in text,
        lambda text: "pg_try_advisory_lock" in text,
    ),
}


# -- servers


@pytest.fixture(scope="session")
def ministack_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.ministack(tmp_path_factory.mktemp("ministack")) as url:
        yield url


@pytest.fixture(scope="session")
def gcs_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with servers.fake_gcs(tmp_path_factory.mktemp("gcs")) as url:
        yield url


@pytest.fixture(scope="session")
def postgres_port() -> Iterator[int]:
    programs = servers.postgres_programs()
    if programs is None:
        pytest.skip("PostgreSQL's server is not installed (Debian: apt-get install postgresql)")
    with servers.postgres(programs) as port:
        yield port


@pytest.fixture
def state_server() -> Iterator[StateServer]:
    server = StateServer()
    yield server
    server.stop()


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Wait only shortly for an answer."""
    import botocore.config

    class Impatient(botocore.config.Config):  # type: ignore[misc]
        def __init__(self, **options: Any) -> None:
            super().__init__(**(options | {"read_timeout": 1}))

    monkeypatch.setattr(botocore.config, "Config", Impatient)
    monkeypatch.setattr(_http, "_SECONDS", 1.0)
    monkeypatch.setattr(_pg_session, "_ANSWER_SECONDS", 1.0)


# -- rigs


@pytest.fixture(scope="session", autouse=True)
def services_read_once() -> Iterator[None]:
    """botocore reads the descriptions of services once for all sessions, which takes longest."""
    from functools import cache

    from botocore import session

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(session, "create_loader", cache(session.create_loader))
        yield


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat failed requests at once, and wait only shortly for an answer that does not come."""
    from botocore.retries import standard

    monkeypatch.setattr(standard.ExponentialBackoff, "delay_amount", lambda self, context: 0)
    monkeypatch.setattr(gcs, "_RETRIES", _http.Retries(3, 0, 0))
    for name in os.environ:
        if name.startswith(("GOOGLE_", "PG", "STORAGE_EMULATOR")):
            monkeypatch.delenv(name)


def s3_settings(url: str, name: str) -> dict[str, Any]:
    return {
        "bucket": BUCKET,
        "key": f"{name}/terraform.tfstate",
        "region": sandbox_server.REGION,
        "access_key": sandbox_server.ACCESS_KEY,
        "secret_key": sandbox_server.SECRET_KEY,
        "endpoints": {"s3": url, "dynamodb": url, "sts": url, "iam": None, "sso": None},
        "use_path_style": True,
        "max_retries": 2,
        "use_lockfile": True,
    }


def make_bucket(url: str, table: str = "") -> None:
    """The bucket for states, and a table for locks."""
    import boto3

    session = boto3.Session(
        sandbox_server.ACCESS_KEY, sandbox_server.SECRET_KEY, region_name=sandbox_server.REGION
    )
    buckets = session.client("s3", endpoint_url=url)
    if BUCKET not in [one["Name"] for one in buckets.list_buckets()["Buckets"]]:
        buckets.create_bucket(Bucket=BUCKET)
    tables = session.client("dynamodb", endpoint_url=url)
    if table and table not in tables.list_tables()["TableNames"]:
        tables.create_table(
            TableName=table,
            KeySchema=[{"AttributeName": "LockID", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "LockID", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )


@pytest.fixture
def make_rig(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], Rig]]:
    """Makes a rig of a kind."""
    with ExitStack() as open_things:

        def make(kind: str) -> Rig:
            name = uuid.uuid4().hex
            proxy: Proxy
            if kind in AWS_KINDS:
                if kind == "s3-ministack":
                    url = request.getfixturevalue("ministack_url")
                else:
                    sandbox: Sandbox = request.getfixturevalue("sandbox")
                    url = sandbox.endpoint
                table = "locks" if kind != "s3" else ""
                make_bucket(url, table)
                proxy = HttpProxy(url)
                settings = s3_settings(proxy.url, name)
                if table:
                    settings["dynamodb_table"] = table
                if kind == "s3-dynamodb":
                    settings["use_lockfile"] = False
                type = "s3"
            elif kind == "gcs":
                url = request.getfixturevalue("gcs_url")
                _make_gcs_bucket(url)
                proxy = HttpProxy(url)
                settings = {
                    "bucket": BUCKET,
                    "prefix": name,
                    "storage_custom_endpoint": f"{proxy.url}/storage/v1/b",
                    "access_token": "not-a-secret",
                }
                type = "gcs"
            elif kind == "http":
                proxy = HttpProxy(request.getfixturevalue("state_server").url)
                url = f"{proxy.url}/{name}"
                settings = {
                    "address": url,
                    "lock_address": url,
                    "unlock_address": url,
                    "update_method": "PUT",
                }
                settings |= {"retry_wait_min": 0, "retry_wait_max": 0}
                type = "http"
            elif kind == "local":
                proxy, type = Proxy(), "local"
                settings = {"path": f"{name}.tfstate", "workspace_dir": f"{name}.d"}
            else:
                proxy = TcpProxy(request.getfixturevalue("postgres_port"))
                settings = {
                    "conn_str": f"postgres://postgres@127.0.0.1:{proxy.port}/postgres?sslmode=disable",
                    "schema_name": f"states_{name}",
                }
                type = "pg"
            open_things.callback(proxy.stop)
            rig = Rig(kind, type, settings, proxy, tmp_path)
            open_things.callback(rig.close)
            return rig

        yield make


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, make_rig: Callable[[str], Rig]) -> Rig:
    """One for each kind of backend."""
    return make_rig(request.param)


def _make_gcs_bucket(url: str) -> None:
    import urllib.error
    import urllib.request

    body = json.dumps({"name": BUCKET}).encode()
    headers = {"Content-Type": "application/json"}
    try:
        urllib.request.urlopen(
            urllib.request.Request(f"{url}/storage/v1/b", body, headers), timeout=30
        ).close()
    except urllib.error.HTTPError as problem:
        if problem.code != 409:
            raise
