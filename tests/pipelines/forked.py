"""`twinfra` for scripts that call it often: each call is a process of its own, forked from one that has loaded it.

python -m tests.pipelines.forked SOCKET        # the process that is forked
shim(directory, SOCKET)                        # a command `twinfra` in a directory, to be put first on the PATH
"""

from __future__ import annotations

import json
import os
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

_SHIM = """#!{python} -IS
import json, os, socket, sys
connection = socket.socket(socket.AF_UNIX)
connection.connect({path!r})
call = json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode()
socket.send_fds(connection, [len(call).to_bytes(4, "big")], [0, 1, 2])
connection.sendall(call)
answer = connection.recv(1)
sys.exit(answer[0] if answer else 70)
"""


@contextmanager
def forking(directory: Path) -> Iterator[Path]:
    """A directory with a command `twinfra`, until it is left."""
    path = directory / "socket"
    bin = directory / "bin"
    bin.mkdir()
    shim = bin / "twinfra"
    shim.write_text(_SHIM.format(python=sys.executable, path=str(path)))
    shim.chmod(0o755)
    root = Path(__file__).parents[2]
    given = {**os.environ, "PYTHONPATH": str(root)}
    with subprocess.Popen(
        [sys.executable, "-m", "tests.pipelines.forked", str(path)],
        cwd=root,
        env=given,
        stdout=subprocess.PIPE,
    ) as loaded:
        assert loaded.stdout is not None
        assert loaded.stdout.readline() == b"ready\n"
        try:
            yield bin
        finally:
            loaded.terminate()


def _serve(path: str) -> None:
    for name in _LOADED:
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
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
