from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest

from twinfra.sandbox import gateway as gateway_module
from twinfra.sandbox.gateway import CannotRestoreError, Gateway
from twinfra.sandbox.journal import Journal


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
