"""Crashes at every system call that writes: run as `python -m tests.state.crashes DIRECTORY`, alone in its process.

A child process applies five creates against a cloud that is a file, and is killed before its nth call; another
that takes up what it left is killed too; then what is left must account for everything that the cloud has.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.state.states import BUILTIN, data_object, intent_for, state_of, thing

from twinfra.state.backends.local import LocalBackend
from twinfra.state.model import State
from twinfra.state.store import Store, current_state, open_store
from twinfra.state.v4 import read_state, write_state

CALLS = ("write", "fsync", "fdatasync", "replace", "unlink", "ftruncate", "posix_fallocate", "open", "close")
NAMES = ("p", "q", "r", "s", "t")
NEVER = 10**9


def kill_before(number: int) -> None:
    """Kill this process before its nth call from now on."""
    left = [number]

    def watch(real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            left[0] -= 1
            if left[0] < 0:
                os.kill(os.getpid(), signal.SIGKILL)
            return real(*arguments, **named)

        return call

    for name in CALLS:
        setattr(os, name, watch(getattr(os, name)))


def in_child(work: Callable[[], None], kill: int) -> bool:
    """Run in a child process that is killed at its nth call; False when it was."""
    child = os.fork()
    if not child:
        code = 1
        try:
            kill_before(kill)
            work()
            code = 0
        except BaseException as unexpected:
            import traceback

            traceback.print_exception(unexpected)
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status) or os.WEXITSTATUS(status) == 0, "the child failed"
    return not os.WIFSIGNALED(status)


_cloud_open, _cloud_write, _cloud_close = os.open, os.write, os.close


class Cloud:
    """What exists: a file of names, written to by the real calls, that no crash takes back."""

    def __init__(self, directory: Path) -> None:
        self.path = directory / "cloud"

    def make(self, name: str) -> None:
        descriptor = _cloud_open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        _cloud_write(descriptor, f"{name}\n".encode())
        _cloud_close(descriptor)

    def all(self) -> list[str]:
        return self.path.read_text().split() if self.path.exists() else []


def answer(store: Store, cloud: Cloud) -> None:
    """Take in what unanswered creates have made, as the engine does."""
    with store.recording() as journal:
        state = store.state.copy()
        for intent in store.intents:
            name = intent.address.resource.name
            if name in cloud.all():
                state.put(intent.address, intent.provider, data_object(f"id-{name}", name, tainted=True))
                journal.record(intent.address, intent.provider, state.current(intent.address))
            journal.answered(intent.token)
        journal.sync()
        store.save(state)


def apply(directory: Path) -> None:
    """Create what is missing, one after the other, with an intermediate save."""
    cloud = Cloud(directory)
    with open_store(LocalBackend(directory), "default", "apply", directory) as store:
        if store.intents:
            answer(store, cloud)
        with store.recording() as journal:
            state = store.state.copy()
            for number, name in enumerate(NAMES):
                if state.current(thing(name)) is not None:
                    continue
                journal.intend(intent_for(name, f"{name}-{os.getpid()}"))
                journal.sync()
                cloud.make(name)
                made = data_object(f"id-{name}", name)
                state.put(thing(name), BUILTIN, made)
                journal.record(thing(name), BUILTIN, made)
                if number % 2:
                    journal.sync()
                if number == 2:
                    store.save(state)
                    state = store.state.copy()
            journal.sync()
            store.save(state)


def account(directory: Path, serial: int) -> None:
    """Check that state, journal and cloud agree; afterwards all is folded in."""
    path = directory / "terraform.tfstate"
    content = path.read_bytes() if path.exists() else b""
    raw = read_state(content, "terraform.tfstate")
    assert raw is None or raw.serial >= serial
    backend = LocalBackend(directory)
    current_state(backend, "default")
    cloud = Cloud(directory).all()
    assert len(cloud) == len(set(cloud)), f"made twice: {cloud}"
    with open_store(backend, "default", "apply", directory) as store:
        known = {address.resource.name for address in store.state.resources}
        pending = {intent.address.resource.name for intent in store.intents}
        missing = set(cloud) - known - pending
        assert not missing, f"orphans: {missing}"
        assert known <= {*cloud, "old"}, "in the state, but never made"


def finish(directory: Path) -> None:
    """A last apply, not disturbed, must leave one of each and nothing else."""
    assert in_child(lambda: apply(directory), NEVER)
    assert sorted(Cloud(directory).all()) == sorted(NAMES)
    state = read_state((directory / "terraform.tfstate").read_bytes(), "terraform.tfstate")
    assert state is not None
    assert {address.resource.name for address in state.resources} - {"old"} == set(NAMES)
    left = set(os.listdir(directory)) - {"cloud"}
    assert left <= {"terraform.tfstate", "terraform.tfstate.backup", "terraform.tfstate.history"}, left
    history = directory / "terraform.tfstate.history"
    kept = os.listdir(history) if history.is_dir() else []
    assert all(one.endswith(".plain.gz") for one in kept), kept


def begin(directory: Path, start: State | None) -> None:
    """An empty directory, or one with a state."""
    shutil.rmtree(directory, ignore_errors=True)
    directory.mkdir()
    if start is not None:
        (directory / "terraform.tfstate").write_bytes(b"".join(write_state(start)))


def main(root: Path) -> int:
    """All crash points of an apply, from nothing and over a state; returns how many there were."""
    chance = random.Random(1)
    points = 0
    for start in (None, state_of("old", serial=3)):
        serial = 0 if start is None else start.serial
        number = 0
        done = False
        while not done:
            directory = root / "work"
            begin(directory, start)
            done = in_child(lambda: apply(directory), number)  # noqa: B023
            if chance.random() < 0.5:
                # The one that takes it up is killed as well.
                in_child(lambda: apply(directory), chance.randrange(120))  # noqa: B023
            account(directory, serial)
            finish(directory)
            number += 1
        points += number
    return points


if __name__ == "__main__":
    print(main(Path(sys.argv[1])))
