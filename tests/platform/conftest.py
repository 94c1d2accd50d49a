"""The examples as a person uses them: a copy of the directory, the command as a process, a sandbox of its own."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import client_of
from tests.providers.aws.cloud_picture import picture

from twinfra.sandbox import server
from twinfra.sandbox.server import Sandbox

EXAMPLES = Path(__file__).parents[2] / "examples"
SERVICES = frozenset({"s3", "ec2", "iam", "eks", "elbv2", "logs", "cloudwatch", "ecr"})


class Example:
    """A copy of an example, worked on by `twinfra --sandbox` in its directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def start(self, *arguments: str) -> subprocess.Popen[str]:
        """Start a command without waiting for it."""
        return subprocess.Popen(
            [sys.executable, "-m", "twinfra", "--sandbox", *arguments],
            cwd=self.directory,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "TWINFRA_TRACEBACK": "1"},
            start_new_session=True,
        )

    def __call__(self, *arguments: str, code: int = 0) -> str:
        """Run a command, insist on its exit code, and return what it printed."""
        process = self.start(*arguments)
        try:
            printed, _ = process.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{arguments} does not end:\n{_kill(process)}") from None
        assert process.returncode == code, f"{arguments} exited with {process.returncode}:\n{printed}"
        return printed

    def killed(self, after: float, *arguments: str) -> bool:
        """Start a command and kill it after so many seconds; whether it was still running then."""
        process = self.start(*arguments)
        try:
            process.communicate(timeout=after)
        except subprocess.TimeoutExpired:
            _kill(process)
            return True
        return False

    def timed(self, *arguments: str) -> float:
        """Run a command that succeeds; how long it took, in seconds."""
        start = time.monotonic()
        self(*arguments)
        return time.monotonic() - start

    @property
    def sandbox(self) -> Sandbox:
        """The sandbox that this directory's commands use."""
        return server.ensure_running(self.directory)

    @property
    def clients(self) -> Callable[..., Any]:
        """boto3 clients of the sandbox."""
        return client_of(self.sandbox)

    def picture(self) -> dict[str, Any]:
        """What there is, seen by boto3."""
        return picture(self.clients, SERVICES)

    def census(self) -> dict[str, int]:
        """How many things of each kind there are: what is there twice, or still there, shows."""
        return {kind: len(items) for kind, items in self.picture().items()}

    def state(self) -> dict[str, Any]:
        """The state file."""
        document: dict[str, Any] = json.loads((self.directory / "terraform.tfstate").read_text())
        return document

    def instances(self) -> int:
        """How many managed objects the state holds."""
        return sum(len(one["instances"]) for one in self.state()["resources"] if one["mode"] == "managed")


def _kill(process: subprocess.Popen[str]) -> str:
    """Kill a command with all that it started; what it had printed."""
    os.killpg(process.pid, signal.SIGKILL)
    printed: str = process.communicate(timeout=60)[0]
    return printed


@pytest.fixture
def example(tmp_path: Path) -> Iterator[Callable[[str], Example]]:
    """Copies an example: `example("ml-platform")`."""
    made: list[Example] = []

    def copy(name: str) -> Example:
        directory = tmp_path / name.replace("/", "-")
        shutil.copytree(EXAMPLES / name, directory, ignore=shutil.ignore_patterns(".*", "*.tfstate*"))
        one = Example(directory)
        made.append(one)
        return one

    yield copy
    for one in made:
        server.stop(one.directory)


def differences(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    """Where two pictures differ: by kind, what only the one and only the other has."""
    return {
        kind: ([x for x in one.get(kind, []) if x not in other.get(kind, [])],
               [x for x in other.get(kind, []) if x not in one.get(kind, [])])
        for kind in one.keys() | other.keys()
        if one.get(kind) != other.get(kind)
    }  # fmt: skip
