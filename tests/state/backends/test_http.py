"""What only the `http` backend has: requests as servers expect them, TLS, redirects, and settings."""

from __future__ import annotations

import base64
import datetime
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.state.backends.conftest import Rig
from tests.state.backends.http_server import StateServer

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends import registry
from twinfra.state.backends.protocol import NOTHING, Backend, Conflict, Locked, Place
from twinfra.state.locks import new_lock

pytestmark = pytest.mark.emulator

Opener = Callable[..., Backend]


@pytest.fixture
def opened(state_server: StateServer, tmp_path: Path) -> Opener:
    """Makes backends of `/state` on the server, with locks."""

    def make(**settings: Any) -> Backend:
        url = f"{state_server.url}/state"
        basics = {
            "address": url,
            "lock_address": url,
            "unlock_address": url,
            "retry_wait_min": 0,
            "retry_wait_max": 0,
        }
        return registry.connect("http", basics | settings, Place(tmp_path, tmp_path))

    return make


def whole(caught: pytest.ExceptionInfo[DiagnosticError]) -> str:
    one = caught.value.diagnostics[0]
    return f"{one.summary} {one.detail} {one.mend}"


def last(server: StateServer) -> tuple[str, str, dict[str, str]]:
    return server.requests[-1]


# -- requests


def test_a_write_carries_the_id_of_the_lock_and_a_digest(opened: Opener, state_server: StateServer) -> None:
    backend = opened(address=f"{state_server.url}/state?project=7&empty=")
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.write("default", (b"1",), NOTHING)
    method, path, headers = last(state_server)
    assert (method, path) == ("POST", f"/state?project=7&empty=&ID={lock.id}")
    assert headers["Content-Md5".title()] == "xMpCOKC5I4INzFCab3WEmw=="
    assert "If-None-Match" not in headers
    backend.unlock("default", lock.id)
    assert last(state_server)[0] == "UNLOCK"


def test_methods_and_credentials_are_as_set(opened: Opener, state_server: StateServer) -> None:
    state_server.auth = "Basic " + base64.b64encode("me:pä55".encode()).decode()
    backend = opened(username="me", password="pä55", update_method="PUT")
    lock = new_lock("apply")
    backend.lock("default", lock)
    backend.write("default", (b"1",), NOTHING)
    backend.unlock("default", lock.id)
    assert [method for method, _, _ in state_server.requests] == ["LOCK", "GET", "PUT", "UNLOCK"]


def test_credentials_may_be_in_the_address(opened: Opener, state_server: StateServer) -> None:
    state_server.auth = "Basic " + base64.b64encode(b"me:p@55").decode()
    address = state_server.url.replace("://", "://me:p%4055@") + "/state"
    backend = opened(address=address, lock_address=None, unlock_address=None)
    backend.write("default", (b"1",), NOTHING)
    assert backend.label("default") == f"{state_server.url}/state"


def test_settings_come_from_the_environment_too(
    state_server: StateServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    state_server.auth = "Basic " + base64.b64encode(b"me:secret").decode()
    for name in ("ADDRESS", "LOCK_ADDRESS", "UNLOCK_ADDRESS"):
        monkeypatch.setenv(f"TF_HTTP_{name}", f"{state_server.url}/state")
    monkeypatch.setenv("TF_HTTP_USERNAME", "me")
    monkeypatch.setenv("TF_HTTP_PASSWORD", "secret")
    monkeypatch.setenv("TF_HTTP_UPDATE_METHOD", "PUT")
    backend = registry.connect("http", {}, Place(tmp_path, tmp_path))
    backend.lock("default", new_lock("apply"))
    backend.write("default", (b"1",), NOTHING)
    assert last(state_server)[0] == "PUT"


def test_without_lock_addresses_there_are_no_locks(opened: Opener, state_server: StateServer) -> None:
    backend = opened(lock_address=None, unlock_address=None)
    lock = new_lock("apply")
    backend.lock("default", lock)
    assert backend.holder("default") is None
    backend.unlock("default", lock.id)
    assert state_server.requests == []


def test_a_post_is_refused_where_the_state_is_another_by_now(
    opened: Opener, state_server: StateServer
) -> None:
    """Servers know no conditions of a POST: so the state is read before."""
    backend = opened()
    first = backend.write("default", (b"1",), NOTHING)
    state_server.states["/state"] = b"theirs"
    with pytest.raises(Conflict):
        backend.write("default", (b"2",), first)
    assert state_server.states["/state"] == b"theirs"


def test_a_server_that_sees_another_lock_is_heeded(opened: Opener, state_server: StateServer) -> None:
    backend = opened()
    backend.lock("default", new_lock("apply"))
    state_server.locks["/state"] = new_lock("plan").to_json()
    with pytest.raises(DiagnosticError) as caught:
        backend.write("default", (b"1",), NOTHING)
    assert "holds the lock" in whole(caught)


def test_looking_for_the_holder_leaves_no_lock(opened: Opener, state_server: StateServer) -> None:
    assert opened().holder("default") is None
    assert state_server.locks == {}
    theirs = new_lock("apply")
    opened().lock("default", theirs)
    assert (holder := opened().holder("default")) is not None
    assert holder.id == theirs.id
    with pytest.raises(Locked):
        opened().lock("default", new_lock("plan"))


@pytest.mark.parametrize(("status", "mend"), [(401, "username"), (405, "update_method")])
def test_a_refusal_says_what_to_do(opened: Opener, state_server: StateServer, status: int, mend: str) -> None:
    if status == 401:
        state_server.auth = "Basic other"
    settings = {"update_method": "PATCHY"} if status == 405 else {}
    with pytest.raises(DiagnosticError) as caught:
        opened(username="me", password="pa55", **settings).write("default", (b"1",), None)
    # The server of these tests answers methods that it has not heard of with 501.
    assert str(status) in whole(caught) or "501" in whole(caught)
    assert "pa55" not in whole(caught)


# -- redirects


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_read_follows_a_redirect_on_the_same_server(
    opened: Opener, state_server: StateServer, status: int
) -> None:
    state_server.states["/moved"] = b"1"
    state_server.redirects["/state"] = (status, "/moved")
    found = opened().read("default")
    assert found is not None
    assert found.data == b"1"


@pytest.mark.parametrize("status", [301, 302, 303])
def test_a_write_is_not_turned_into_something_else(
    opened: Opener, state_server: StateServer, status: int
) -> None:
    state_server.redirects["/state"] = (status, "/moved")
    with pytest.raises(DiagnosticError) as caught:
        opened().write("default", (b"1",), None)
    assert f"{state_server.url}/moved" in whole(caught)


def test_a_write_is_repeated_where_the_server_says_so(opened: Opener, state_server: StateServer) -> None:
    state_server.redirects["/state"] = (307, "/moved")
    opened().write("default", (b"1",), None)
    assert state_server.states == {"/moved": b"1"}


def test_nothing_is_sent_on_to_another_server(opened: Opener, state_server: StateServer) -> None:
    other = StateServer()
    try:
        state_server.redirects["/state"] = (307, f"{other.url}/state?token=t0ken")
        backend = opened(username="me", password="pa55")
        for act in (
            lambda: backend.read("default"),
            lambda: backend.write("default", (b"1",), None),
            lambda: backend.lock("default", new_lock("apply")),
        ):
            with pytest.raises(DiagnosticError) as caught:
                act()
            assert other.url in whole(caught)
            assert "t0ken" not in whole(caught)
        assert other.requests == []
    finally:
        other.stop()


def test_a_circle_of_redirects_ends(opened: Opener, state_server: StateServer) -> None:
    state_server.redirects["/state"] = (302, "/state")
    with pytest.raises(DiagnosticError):
        opened().read("default")


# -- TLS


class Authority:
    """Certificates for 127.0.0.1 and for clients, signed by one authority."""

    def __init__(self, directory: Path) -> None:
        from cryptography.hazmat.primitives.asymmetric import ec

        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self.certificate, self._own = self._sign("authority", self._key.public_key(), None)

    def pair(self, name: str) -> tuple[str, str]:
        from cryptography.hazmat.primitives import serialization
        from cryptography.hazmat.primitives.asymmetric import ec

        key = ec.generate_private_key(ec.SECP256R1())
        pem = key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return self._sign(name, key.public_key(), self._own)[0], pem.decode()

    def server_context(self) -> ssl.SSLContext:
        certificate, key = self.pair("server")
        file = self._directory / "server.pem"
        file.write_text(certificate + key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(file)
        return context

    def _sign(self, name: str, key: Any, issuer: Any) -> tuple[str, Any]:
        import ipaddress

        from cryptography import x509
        from cryptography.hazmat.primitives import hashes, serialization

        subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        now = datetime.datetime.now(datetime.UTC)
        address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
        signed = (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer or subject)
            .public_key(key)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName([address]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        return signed.public_bytes(serialization.Encoding.PEM).decode(), subject


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


@pytest.fixture
def secure(authority: Authority, tmp_path: Path) -> Iterator[StateServer]:
    """A server that takes only clients with a certificate of the authority."""
    context = authority.server_context()
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(cadata=authority.certificate)
    server = StateServer(context)
    yield server
    server.stop()


def secured(server: StateServer, directory: Path, **settings: Any) -> Backend:
    basics = {"address": f"{server.url}/state", "retry_max": 0}
    return registry.connect("http", basics | settings, Place(directory, directory))


def test_both_sides_show_their_certificates(
    secure: StateServer, authority: Authority, tmp_path: Path
) -> None:
    certificate, key = authority.pair("client")
    backend = secured(
        secure,
        tmp_path,
        client_ca_certificate_pem=authority.certificate,
        client_certificate_pem=certificate,
        client_private_key_pem=key,
    )
    version = backend.write("default", (b"1",), NOTHING)
    found = backend.read("default")
    assert found is not None
    assert found.version == version


def test_a_server_of_unknown_authority_is_not_spoken_to(authority: Authority, tmp_path: Path) -> None:
    server = StateServer(authority.server_context())
    try:
        with pytest.raises(DiagnosticError) as caught:
            secured(server, tmp_path, username="me", password="pa55").read("default")
        assert "certificate" in whole(caught)
        assert server.requests == []
        skipping = secured(server, tmp_path, skip_cert_verification=True)
        assert skipping.read("default") is None
    finally:
        server.stop()


# -- settings


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"address": None}, '"address"'),
        ({"address": "ftp://127.0.0.1/state"}, "not an http or https URL"),
        ({"address": "https://[::1/state"}, "not an http or https URL"),
        ({"lock_address": "http://127.0.0.1/lock"}, "must be given both"),
        ({"unlock_address": "http://127.0.0.1/lock"}, "must be given both"),
        ({"password": "pa55"}, "without a username"),
        ({"retry_max": -1}, "not negative"),
        ({"client_ca_certificate_pem": "pa55"}, "no certificates in PEM form"),
        ({"client_certificate_pem": "pa55"}, "go together"),
        ({"client_private_key_pem": "pa55"}, "go together"),
        ({"client_certificate_pem": "pa55", "client_private_key_pem": "pa55"}, "in PEM form"),
    ],
)
def test_a_setting_that_cannot_be_used_is_refused(
    settings: dict[str, Any], said: str, tmp_path: Path
) -> None:
    with pytest.raises(DiagnosticError) as caught:
        registry.connect("http", {"address": "http://127.0.0.1/state"} | settings, Place(tmp_path, tmp_path))
    assert said in whole(caught)
    assert "pa55" not in whole(caught)


def test_no_message_has_what_may_be_secret_in_an_address(make_rig: Callable[[str], Rig]) -> None:
    rig = make_rig("http")
    port = getattr(rig.proxy, "port", 0)
    rig.proxy.stop()
    backend = rig.open(address=f"http://me:pa55@127.0.0.1:{port}/state?token=t0ken#pa55")
    with pytest.raises(DiagnosticError) as caught:
        backend.read("default")
    assert f"http://127.0.0.1:{port}/state" in whole(caught)
    for secret in ("pa55", "t0ken"):
        assert secret not in whole(caught) + backend.label("default")
