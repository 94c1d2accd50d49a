from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from twinfra.sandbox import gateway as gateway_module
from twinfra.sandbox.gateway import CannotRestoreError, Gateway
from twinfra.sandbox.journal import Journal
from twinfra.sandbox.server import Sandbox


class Cloud:
    """An application that keeps a list of bodies, and a snapshot of it in a file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.kept: list[bytes] = []
        self.places: dict[str, int] = {}
        if path.exists():
            self.places, self.saved = read_snapshot(path)

    def __call__(self, environment: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        self.kept.append(environment["wsgi.input"].read())
        start("200 OK", [])
        return [b"done"]

    def write(self, places: dict[str, int]) -> bool:
        import json

        self.path.write_text(json.dumps([places, [body.decode() for body in self.kept]]))
        return True

    def load(self, seed: str, end: int) -> int | None:
        place = self.places.get(seed)
        if place is not None:
            self.kept = list(self.saved)
        return place

    def forget(self) -> None:
        self.kept = []


def read_snapshot(path: Path) -> tuple[dict[str, int], list[bytes]]:
    import json

    places, bodies = json.loads(path.read_text())
    return places, [body.encode() for body in bodies]


def opened(tmp_path: Path) -> tuple[Gateway, Cloud, Journal]:
    cloud, journal = Cloud(tmp_path / "snapshot"), Journal(tmp_path / "journal")
    return Gateway(cloud, journal, cloud), cloud, journal  # type: ignore[arg-type]


def put(gateway: Gateway, body: bytes) -> None:
    variables = {
        "REQUEST_METHOD": "PUT",
        "PATH_INFO": "/bucket/key",
        "RAW_URI": "/bucket/key",
        "QUERY_STRING": "",
        "HTTP_HOST": "127.0.0.1",
        "SERVER_NAME": "127.0.0.1",
        "SERVER_PORT": "1",
        "wsgi.url_scheme": "http",
    }
    reply = gateway.handle(variables, body)
    assert reply is not None
    assert reply.body == b"done"


def test_requests_are_carried_out_again_after_the_snapshot_only(tmp_path: Path) -> None:
    gateway, _, _ = opened(tmp_path)
    put(gateway, b"one")
    gateway.save()
    put(gateway, b"two")
    again, cloud, _ = opened(tmp_path)
    assert again.restore() == 1
    assert cloud.kept == [b"one", b"two"]


def test_a_long_journal_is_given_up_for_a_snapshot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gateway_module, "LONGEST_JOURNAL", 100)
    gateway, _, journal = opened(tmp_path)
    put(gateway, b"x" * 100)
    gateway.save()
    assert journal.end == journal.start
    put(gateway, b"y")
    again, cloud, _ = opened(tmp_path)
    assert again.restore() == 1
    assert cloud.kept == [b"x" * 100, b"y"]


def test_a_journal_that_builds_on_a_lost_snapshot_is_not_taken_for_the_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "LONGEST_JOURNAL", 100)
    gateway, _, _ = opened(tmp_path)
    put(gateway, b"x" * 100)
    gateway.save()
    (tmp_path / "snapshot").unlink()
    again, _, _ = opened(tmp_path)
    with pytest.raises(CannotRestoreError, match="another version"):
        again.restore()


def test_a_crash_between_snapshot_and_new_journal_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gateway_module, "LONGEST_JOURNAL", 100)
    gateway, _, journal = opened(tmp_path)
    put(gateway, b"x" * 100)
    monkeypatch.setattr(journal, "continue_as", lambda seed: (_ for _ in ()).throw(SystemExit))
    with pytest.raises(SystemExit):
        gateway.save()
    again, cloud, _ = opened(tmp_path)
    assert again.restore() == 0
    assert cloud.kept == [b"x" * 100]


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.99])
def test_half_a_request_is_not_carried_out(sandbox: Sandbox, client: Callable[..., Any], kept: float) -> None:
    """A client that is killed while it sends leaves nothing behind."""
    import socket
    from urllib.parse import urlsplit

    body = b"Action=CreateVpc&Version=2016-11-15&CidrBlock=10.77.0.0%2F16"
    place = urlsplit(sandbox.endpoint)
    request = (
        b"POST / HTTP/1.1\r\nHost: ec2.us-east-1.amazonaws.com\r\n"
        b"Authorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/ec2/aws4_request, SignedHeaders=host, Signature=0\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: "
        + str(len(body)).encode()
        + b"\r\n\r\n"
    ) + body
    before = len(client("ec2").describe_vpcs()["Vpcs"])
    for sent in (request[: int(len(request) * kept)], request):
        with socket.create_connection((place.hostname, place.port)) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass
        expected = before + (sent == request)
        assert len(client("ec2").describe_vpcs()["Vpcs"]) == expected


def test_a_client_that_asks_whether_to_send_its_body_is_answered_at_once(sandbox: Sandbox) -> None:
    """It would wait a second for that, at every upload to S3."""
    import socket
    from urllib.parse import urlsplit

    place = urlsplit(sandbox.endpoint)
    head = b"PUT /b/k HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n"
    with socket.create_connection((place.hostname, place.port), timeout=30) as connection:
        connection.sendall(head)
        assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
        connection.sendall(b"body")
        assert connection.recv(65536).startswith(b"HTTP/1.1 ")
