"""What only the `gcs` backend has: requests, keys, credentials, and settings."""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs
from urllib.request import Request, urlopen

import pytest
from tests.state.backends.conftest import Rig
from tests.state.backends.faults import HttpProxy
from tests.state.states import state_of

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends import registry
from twinfra.state.backends._http import Transport
from twinfra.state.backends.gcs import GcsBackend
from twinfra.state.backends.protocol import NOTHING, Locked, Place
from twinfra.state.backends.records import records_of
from twinfra.state.copies import MayKeepVersions
from twinfra.state.history import Versioned
from twinfra.state.locks import new_lock
from twinfra.state.v4 import write_state

emulated = pytest.mark.emulator
KEY = base64.b64encode(bytes(range(32))).decode()
SECRET = "s3cret-t0ken"


@pytest.fixture
def rig(make_rig: Callable[[str], Rig]) -> Rig:
    return make_rig("gcs")


def http(rig: Rig) -> HttpProxy:
    assert isinstance(rig.proxy, HttpProxy)
    return rig.proxy


def whole(caught: pytest.ExceptionInfo[DiagnosticError]) -> str:
    one = caught.value.diagnostics[0]
    return f"{one.summary} {one.detail} {one.mend}"


# -- requests


@emulated
def test_one_update_is_three_requests_under_conditions(rig: Rig) -> None:
    backend = rig.open()
    version = backend.write("default", (b"1",), NOTHING)
    del rig.proxy.seen[:]
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.write("default", (b"2",), version)
    backend.unlock("default", lock.id)
    locking, writing, unlocking = rig.proxy.seen
    assert locking.startswith("POST /upload/")
    assert "ifGenerationMatch=0 " in locking
    assert f"ifGenerationMatch={version} " in writing
    assert unlocking.startswith("DELETE ")
    assert "ifGenerationMatch=" in unlocking


@emulated
def test_records_are_read_many_at_a_time(rig: Rig, tmp_path: Path) -> None:
    """A ledger of a thousand segments must not take a thousand round trips, one after the other."""
    together, asked = threading.Barrier(4), itertools.count()

    def header() -> str:
        # All but the first wait for three others that are under way: one that is alone fails.
        if next(asked):
            together.wait(30)
        return ""

    names = [f"r{number}" for number in range(9)]
    writer = records_of(rig.open())
    for name in names:
        writer.write_record("default", name, name.encode(), NOTHING)
    place = Place(tmp_path, tmp_path)
    reader = GcsBackend("states", rig.settings["prefix"], http(rig).url, header, Transport(), place)
    found = reader.read_records("default", names)
    assert [one.data.decode() for one in found if one is not None] == names


@emulated
def test_a_lock_can_be_released_by_its_generation(rig: Rig) -> None:
    """Stock Terraform calls a lock by that."""
    backend = rig.open()
    lock = new_lock("apply")
    backend.lock("default", lock)
    prefix = rig.settings["prefix"]
    generation = _object(rig, f"{prefix}/default.tflock")["generation"]
    with pytest.raises(Locked):
        rig.open().unlock("default", str(int(generation) + 1))
    rig.open().unlock("default", generation)
    assert rig.open().holder("default") is None


def _object(rig: Rig, name: str) -> dict[str, Any]:
    import urllib.parse
    import urllib.request

    url = f"{http(rig).url}/storage/v1/b/{rig.settings['bucket']}/o/{urllib.parse.quote(name, safe='')}"
    with urllib.request.urlopen(url, timeout=30) as answer:
        found: dict[str, Any] = json.loads(answer.read())
    return found


@emulated
def test_a_bucket_that_is_not_there_is_an_error_and_no_empty_state(rig: Rig) -> None:
    backend = rig.open(bucket="no-such-bucket")
    for act in (lambda: backend.read("default"), lambda: backend.lock("default", new_lock("apply"))):
        with pytest.raises(DiagnosticError) as caught:
            act()
        assert "no-such-bucket" in whole(caught)
        assert "not-a-secret" not in whole(caught)


@emulated
def test_without_a_prefix_states_are_at_the_top(rig: Rig) -> None:
    backend = rig.open(prefix=None)
    name = rig.settings["prefix"]
    backend.write(name, (b"1",), NOTHING)
    assert name in rig.open(prefix="").workspaces()
    assert backend.label(name) == f"gs://states/{name}.tfstate"
    backend.delete(name)


# -- keys


@emulated
@pytest.mark.parametrize("by", ["setting", "environment"])
def test_a_key_of_ones_own_goes_with_every_object(rig: Rig, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if by == "environment":
        monkeypatch.setenv("GOOGLE_ENCRYPTION_KEY", KEY)
    backend = rig.open(encryption_key=KEY if by == "setting" else None)
    backend.write("default", (b"1",), NOTHING)
    assert backend.read("default") is not None
    digest = base64.b64encode(hashlib.sha256(bytes(range(32))).digest()).decode()
    assert len(http(rig).sent) == 2
    for headers in http(rig).sent:
        assert headers["x-goog-encryption-algorithm"] == "AES256"
        assert headers["x-goog-encryption-key"] == KEY
        assert headers["x-goog-encryption-key-sha256"] == digest


@emulated
def test_a_managed_key_is_named_with_every_write(rig: Rig) -> None:
    name = "projects/p/locations/l/keyRings/r/cryptoKeys/k"
    rig.open(kms_encryption_key=name).write("default", (b"1",), NOTHING)
    assert "kmsKeyName=projects%2Fp%2Flocations%2Fl%2FkeyRings%2Fr%2FcryptoKeys%2Fk" in rig.proxy.seen[0]


# -- credentials


class _Tokens(BaseHTTPRequestHandler):
    """Gives tokens for signed requests of service accounts, and for other accounts to these."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        asked: list[tuple[str, Any, str]] = self.server.asked  # type: ignore[attr-defined]
        if self.path == "/token":
            asked.append((self.path, parse_qs(body.decode()), ""))
            answer: dict[str, Any] = {"access_token": "token-1", "expires_in": 3600, "token_type": "Bearer"}
        else:
            asked.append((self.path, json.loads(body), self.headers["Authorization"]))
            answer = {"accessToken": "token-2", "expireTime": "2099-01-01T00:00:00Z"}
        content = json.dumps(answer).encode()
        self.send_response(403 if self.server.refuses else 200)  # type: ignore[attr-defined]
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture
def tokens() -> Iterator[Any]:
    server: Any = ThreadingHTTPServer(("127.0.0.1", 0), _Tokens)
    server.asked, server.refuses = [], False
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture(scope="module")
def private_key() -> str:
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric import rsa

    key = rsa.generate_private_key(65537, 2048)
    encoding, form = serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8
    return key.private_bytes(encoding, form, serialization.NoEncryption()).decode()


def key_file(tokens: Any, private_key: str) -> str:
    return json.dumps(
        {
            "type": "service_account",
            "project_id": "p",
            "private_key_id": "1",
            "private_key": private_key,
            "client_email": "me@p.iam.gserviceaccount.com",
            "client_id": "1",
            "token_uri": f"http://127.0.0.1:{tokens.server_address[1]}/token",
        }
    )


@emulated
@pytest.mark.parametrize("by", ["text", "file", "environment", "default"])
def test_a_service_account_acts(
    rig: Rig, tokens: Any, private_key: str, by: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = key_file(tokens, private_key)
    file = tmp_path / "key.json"
    file.write_text(text)
    given = {"text": text, "file": str(file)}.get(by)
    if by == "environment":
        monkeypatch.setenv("GOOGLE_BACKEND_CREDENTIALS", text)
    elif by == "default":
        monkeypatch.setenv("GOOGLE_APPLICATION_CREDENTIALS", str(file))
    backend = rig.open(access_token=None, credentials=given)
    backend.write("default", (b"1",), NOTHING)
    backend.read("default")
    assert {one["authorization"] for one in http(rig).sent} == {"Bearer token-1"}
    assert len(tokens.asked) == 1


@emulated
def test_a_service_account_is_acted_as(
    rig: Rig, tokens: Any, private_key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from google.auth import iam

    port = tokens.server_address[1]
    monkeypatch.setattr(
        iam,
        "_IAM_ENDPOINT",
        f"http://127.0.0.1:{port}/v1/projects/-/serviceAccounts/{{}}:generateAccessToken",
    )
    backend = rig.open(
        access_token=None,
        credentials=key_file(tokens, private_key),
        impersonate_service_account="other@p.iam.gserviceaccount.com",
        impersonate_service_account_delegates=["between@p.iam.gserviceaccount.com"],
    )
    backend.write("default", (b"1",), NOTHING)
    assert http(rig).sent[0]["authorization"] == "Bearer token-2"
    path, asked, authorization = tokens.asked[-1]
    assert "other@p.iam" in path.replace("%40", "@")
    assert authorization == "Bearer token-1"
    assert asked["delegates"] == ["projects/-/serviceAccounts/between@p.iam.gserviceaccount.com"]


@emulated
def test_credentials_that_are_refused_are_an_error_without_them(
    rig: Rig, tokens: Any, private_key: str
) -> None:
    tokens.refuses = True
    backend = rig.open(access_token=None, credentials=key_file(tokens, private_key))
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    assert "No usable Google credentials" in whole(caught)
    assert "PRIVATE" not in whole(caught)
    assert rig.proxy.seen == []


def test_no_credentials_at_all_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLOUDSDK_CONFIG", str(tmp_path))
    monkeypatch.setenv("NO_GCE_CHECK", "true")
    backend = registry.connect("gcs", {"bucket": "b"}, Place(tmp_path, tmp_path))
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    assert "gcloud auth application-default login" in whole(caught)


# -- settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"bucket": "a/b"}, "no name of a bucket"),
        ({"encryption_key": base64.b64encode(SECRET.encode()).decode()}, "32 bytes"),
        ({"encryption_key": SECRET}, "32 bytes"),
        ({"encryption_key": KEY, "kms_encryption_key": "k"}, "exclude each other"),
        ({"storage_custom_endpoint": "storage.example"}, "must be a URL"),
        ({"storage_custom_endpoint": "https://storage.example/elsewhere"}, "must be a URL"),
        ({"impersonate_service_account_delegates": ["a"]}, "needs impersonate_service_account"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        registry.connect("gcs", {"bucket": "b"} | settings, Place(tmp_path, tmp_path))
    assert said in whole(caught)
    assert SECRET not in whole(caught)


def test_credentials_that_lack_a_part_are_told_as_such(tmp_path: Path) -> None:
    given = json.dumps({"type": "service_account", "private_key": SECRET})
    backend = registry.connect("gcs", {"bucket": "b", "credentials": given}, Place(tmp_path, tmp_path))
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    assert "were given are not those of a Google key file" in whole(caught)
    assert SECRET not in whole(caught)


@pytest.mark.parametrize("given", [SECRET, "{" + SECRET, '["s3cret-t0ken"]', '{"type": "s3cret-t0ken"}'])
def test_credentials_that_are_none_are_not_quoted(given: str, tmp_path: Path) -> None:
    backend = registry.connect("gcs", {"bucket": "b", "credentials": given}, Place(tmp_path, tmp_path))
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    assert SECRET not in whole(caught)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_the_endpoint_of_an_emulator_comes_from_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    from twinfra.state.backends._gcs_access import endpoint_of

    assert endpoint_of({}) == ("https://storage.googleapis.com", False)
    monkeypatch.setenv("STORAGE_EMULATOR_HOST", "localhost:9023")
    assert endpoint_of({}) == ("http://localhost:9023", True)
    given = {"storage_custom_endpoint": "https://x.p.googleapis.com/storage/v1/b"}
    assert endpoint_of(given) == ("https://x.p.googleapis.com", False)


# -- earlier versions


@emulated
@pytest.mark.parametrize("kept", [True, False])
def test_generations_of_an_object_are_the_history(rig: Rig, kept: bool) -> None:
    bucket = f"versions-{str(kept).lower()}-{rig.settings['prefix'][:8]}"
    _make_bucket(rig, bucket, kept)
    backend = rig.open(bucket=bucket)
    states = {serial: b"".join(write_state(state_of("a", serial=serial))) for serial in (1, 2, 3)}
    for state in states.values():
        backend.write("default", (state,), None)
    assert isinstance(backend, Versioned)
    del http(rig).sent[:]
    versions = backend.history("default")
    # Serials stand at the beginning: no state is fetched as a whole for its own.
    assert [one["range"] for one in http(rig).sent[1:]] == ["bytes=0-4095"] * len(versions)
    assert [one.serial for one in versions] == ([2, 1] if kept else [])
    assert [backend.read_version("default", one.id) for one in versions] == [
        states[one.serial] for one in versions
    ]
    assert backend.read_version("default", "1") is None


@emulated
@pytest.mark.parametrize("kept", [True, False])
def test_whether_the_bucket_has_kept_what_a_write_replaced_is_told(rig: Rig, kept: bool) -> None:
    bucket = f"replaced-{str(kept).lower()}-{rig.settings['prefix'][:8]}"
    _make_bucket(rig, bucket, kept)
    backend = rig.open(bucket=bucket)
    first = backend.write("default", (b"1",), NOTHING)
    assert isinstance(backend, MayKeepVersions)
    assert not backend.kept_version()
    backend.write("default", (b"2",), first)
    assert backend.kept_version() is kept


@emulated
def test_where_it_cannot_be_told_what_a_write_replaced_counts_as_lost(rig: Rig) -> None:
    backend = rig.open()
    assert isinstance(backend, MayKeepVersions)
    backend.write("default", (b"2",), backend.write("default", (b"1",), NOTHING))
    http(rig).spoil(rig.reads, "error", times=99)
    assert not backend.kept_version()


def _make_bucket(rig: Rig, name: str, versioned: bool) -> None:
    fields = json.dumps({"name": name, "versioning": {"enabled": versioned}}).encode()
    url = f"{rig.settings['storage_custom_endpoint'].removesuffix('/b')}/b?project=p"
    urlopen(Request(url, fields, {"Content-Type": "application/json"})).close()
