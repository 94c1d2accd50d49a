"""The process of a sandbox: `python -m twinfra.sandbox.process DIRECTORY DESCRIPTOR`, started by `server`
only.

It says one word on the descriptor when it answers ("ready") or cannot (why), and ends when told to
(SIGTERM), when its directory is gone, or with the process that it was started for.
"""

from __future__ import annotations

import fcntl
import json
import os
import signal
import sys
import threading
import time
import uuid
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from twinfra.sandbox.files import SandboxFiles, open_private, replace_private
from twinfra.sandbox.server import ACCOUNT, REGION, Sandbox

if TYPE_CHECKING:
    from twinfra.sandbox.gateway import Gateway

REST_SECONDS = 10.0
"""A sandbox that nothing was changed in for so long writes its snapshot."""
LOOK_SECONDS = 2.0
"""How often it looks whether its directory is still there."""


def main(arguments: list[str]) -> None:
    """Become a daemon, then serve until told to stop."""
    files, word = SandboxFiles(Path(arguments[0])), int(arguments[1])
    if os.fork():
        os._exit(0)
    os.setsid()
    try:
        _serve(files, word)
    except Exception as reason:
        from twinfra.sandbox.gateway import CannotRestoreError

        _say(
            word,
            str(reason) if isinstance(reason, CannotRestoreError) else f"{type(reason).__name__}: {reason}",
        )
        raise


def _serve(files: SandboxFiles, word: int) -> None:
    running = open_private(files.running, os.O_RDWR | os.O_CREAT)
    fcntl.flock(running, fcntl.LOCK_EX)  # never let go: it falls with the process
    stopping = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stopping.set())

    from moto.moto_server.werkzeug_app import create_backend_app

    from twinfra.sandbox import extensions, tracking
    from twinfra.sandbox.dispatcher import Dispatcher
    from twinfra.sandbox.gateway import Gateway
    from twinfra.sandbox.journal import Journal
    from twinfra.sandbox.listener import LOOPBACK, Listener
    from twinfra.sandbox.snapshot import Snapshot

    identity = _identity(files)
    tracking.install()
    extensions.install()
    journal = Journal(files.journal)
    gateway = Gateway(
        Dispatcher(create_backend_app), journal, Snapshot(files.snapshot), identity.get("ahead", 0.0)
    )
    repeated = gateway.restore()
    listener = Listener(gateway, identity.get("port", 0))
    if identity.get("port") != listener.server_port:
        replace_private(files.identity, json.dumps(identity | {"port": listener.server_port}).encode())
    threading.Thread(target=listener.serve_forever, kwargs={"poll_interval": 3600}, daemon=True).start()
    endpoint = f"http://{LOOPBACK}:{listener.server_port}"
    here = json.dumps(asdict(Sandbox(endpoint, ACCOUNT, REGION, os.getpid(), identity["id"]))).encode()
    replace_private(files.server, here)
    print(
        f"{_now()} answers at {endpoint}; {repeated} requests carried out again", file=sys.stderr, flush=True
    )
    _say(word, "ready")

    _keep(gateway, files, here, stopping, identity.get("owner", 0))

    is_ours = _is_ours(files, here)
    if is_ours:
        files.server.unlink(missing_ok=True)  # first of all: nobody shall find a server that is leaving
    listener.socket.close()
    if is_ours:
        gateway.save()
    print(f"{_now()} stopped", file=sys.stderr, flush=True)
    os._exit(0)  # connections that clients keep open must not hold us up


def _keep(gateway: Gateway, files: SandboxFiles, here: bytes, stopping: threading.Event, owner: int) -> None:
    """Save when there is rest; return when it is time to go."""
    while not stopping.wait(LOOK_SECONDS):
        if not _is_ours(files, here) or (owner and not _lives(owner)):
            return
        if gateway.unsaved_for() >= REST_SECONDS:
            gateway.save()


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def _is_ours(files: SandboxFiles, here: bytes) -> bool:
    try:
        return files.server.read_bytes() == here
    except OSError:
        return False


def _identity(files: SandboxFiles) -> dict[str, Any]:
    """Who this sandbox is: made once for the life of its directory."""
    try:
        found: dict[str, Any] = json.loads(files.identity.read_bytes())
        if isinstance(found["id"], str):
            return found
    except (OSError, ValueError, KeyError, TypeError):
        pass
    made: dict[str, Any] = {"id": str(uuid.uuid4())}
    replace_private(files.identity, json.dumps(made).encode())
    return made


def _say(descriptor: int, word: str) -> None:
    try:
        os.write(descriptor, word.encode())
        os.close(descriptor)
    except OSError:
        pass  # whoever started us has gone; we stay


def _now() -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


if __name__ == "__main__":
    main(sys.argv[1:])
