"""`twinfra` for scripts that call it often: each call is a process of its own, forked from one that has loaded it.

python -m tests.pipelines.forked NAME        # the process that is forked, which listens on an abstract socket
forking(directory)                           # a directory with a command `twinfra`, to be put first on the PATH
"""

from __future__ import annotations

import json
import os
import secrets
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

_LOADED = (
    "botocore.session",
    "twinfra.cli.ci",
    "twinfra.cli.drift",
    "twinfra.cli.fmt",
    "twinfra.cli.plan",
    "twinfra.cli.render.plan",
    "twinfra.cli.twins",
    "twinfra.cli.validate",
    "twinfra.engine.api",
    "twinfra.environments.fingerprint",
    "twinfra.environments.twins.compare",
    "twinfra.pipelines.generating",
    "twinfra.providers.aws",
    "twinfra.state.backends.s3",
    "yaml",
)

# The first line of a script takes no path with spaces, nor a long one.
_SHIM = """#!/bin/sh
exec {python} -IS {program} "$@"
"""

_PROGRAM = """
import json, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect("\\0{name}")
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(connection, [len(call).to_bytes(4, "big")], [0, 1, 2])
connection.sendall(call)
answer = connection.recv(1)
sys.exit(answer[0] if answer else 70)
"""


@contextmanager
def forking(directory: Path) -> Iterator[Path]:
    """A directory with a command `twinfra`, until it is left."""
    # A path may be longer than what fits into an address.
    name = f"twinfra-tests-{secrets.token_hex(16)}"
    bin = directory / "bin"
    bin.mkdir()
    program = directory / "shim.py"
    program.write_text(_PROGRAM.format(name=name))
    shim = bin / "twinfra"
    shim.write_text(_SHIM.format(python=shlex.quote(sys.executable), program=shlex.quote(str(program))))
    shim.chmod(0o755)
    root = Path(__file__).parents[2]
    given = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.pipelines.forked", name],
        cwd=root,
        env=given,
        stdout=subprocess.PIPE,
    ) as loaded:
        assert loaded.stdout is not None
        assert loaded.stdout.readline() == b"ready\n"
        try:
            yield bin
        finally:
            loaded.kill()


def _serve(name: str) -> None:
    for module in _LOADED:
        import_module(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            with connection:
                if os.fork() == 0:
                    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                    listener.close()
                    _answer(connection)


def _answer(connection: socket.socket) -> None:
    code = 70
    try:
        head, descriptors, _, _ = socket.recv_fds(connection, 4, 3)
        with connection.makefile("rb") as file:
            arguments, directory, variables = json.loads(file.read(int.from_bytes(head, "big")))
        for number, descriptor in enumerate(descriptors):
            os.dup2(descriptor, number)
            os.close(descriptor)
        os.environ.clear()
        os.environ.update(variables)
        os.chdir(directory)
        from twinfra.cli.main import run

        code = run(arguments)
        sys.stdout.flush()
        sys.stderr.flush()
    finally:
        connection.sendall(bytes([code]))
        os._exit(code)


if __name__ == "__main__":
    _serve(sys.argv[1])
