"""No crash of the process, at any call that writes, loses or doubles anything, nor leaves an unreadable state."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.state.processes import ROOT, Other

from twinfra.state.backends.local import LocalBackend
from twinfra.state.store import current_state, open_store


def moments(module: str, directory: Path, *arguments: str) -> int:
    """How many moments of an apply were tried; each in the module's own processes."""
    environment = dict(os.environ, PYTHONPATH=f"{ROOT}{os.pathsep}{ROOT / 'src'}")
    done = subprocess.run(
        [sys.executable, "-m", module, str(directory), *arguments],
        env=environment,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_crash_at_every_call_of_an_apply(tmp_path: Path) -> None:
    assert moments("tests.state.crashes", tmp_path) > 100


@pytest.mark.slow
def test_a_loss_of_power_at_every_call_of_an_apply(tmp_path: Path) -> None:
    assert moments("tests.state.powerloss", tmp_path) > 60


ENDLESS = """
with open_store(backend, "default", "apply", directory) as store:
    with store.recording() as journal:
        state = store.state.copy()
        for number in range(10**6):
            made = data_object(str(number), "x" * 50)
            state.put(thing("a", number), BUILTIN, made)
            journal.record(thing("a", number), BUILTIN, made)
            journal.sync()
            say(number)
            if number % 20 == 19:
                store.save(state)
                state = store.state.copy()
"""


@pytest.mark.parametrize("heard", [1, 2, 19, 20, 21, 45, 100])
def test_all_that_was_said_to_be_recorded_before_a_kill_is_there_afterwards(
    tmp_path: Path, heard: int
) -> None:
    with Other(tmp_path, ENDLESS) as other:
        for _ in range(heard):
            last = int(other.hear())
        other.kill()
    seen, _ = current_state(LocalBackend(tmp_path), "default")
    assert seen is not None
    with open_store(LocalBackend(tmp_path), "default", "apply", tmp_path) as store:
        (record,) = store.state.resources.values()
        assert list(record.instances) == list(range(len(record.instances)))
        assert len(record.instances) > last
    (there,) = seen.resources.values()
    assert there == record
