"""Measuring commands: their time, their memory with that of their children, and their failures."""

from __future__ import annotations

import os
import sys

import pytest
from benchmarks.processes import CommandFailed, best, measure

from benchmarks import processes

MB = 2**20
HOLD = f"import os, time; held = bytearray({60 * MB}); held[::4096] = b'x' * len(held[::4096])"
# A busy machine may take its time to look; a minute and a half is for one that never does.
UNTIL_SEEN = """
for _ in range(9000):
    if os.path.exists("seen"):
        break
    time.sleep(0.01)
"""


def python(program):
    return [sys.executable, "-I", "-S", "-c", program]


@pytest.fixture
def told(monkeypatch, tmp_path):
    """Makes the file `seen` once so many bytes were seen: `told(bytes)`."""

    def tell_from(most):
        def keep(tree, peak):
            tree.kept = peak
            if peak > most:
                (tmp_path / "seen").touch()

        monkeypatch.setattr(processes._Tree, "peak", property(lambda tree: tree.kept, keep), raising=False)

    return tell_from


def test_time_and_memory_of_a_command_are_told(tmp_path, told):
    told(60 * MB)
    run = measure(python(HOLD + UNTIL_SEEN), tmp_path, os.environ)
    assert run.seconds > 0
    assert 60 * MB < run.memory < 200 * MB


def test_memory_of_children_is_counted_with_their_parents(tmp_path, told):
    told(120 * MB)
    child = python(HOLD + "; os.read(0, 1)")
    program = f"""
import subprocess
{HOLD}
child = subprocess.Popen({child!r}, stdin=subprocess.PIPE)
{UNTIL_SEEN}
child.communicate()
"""
    run = measure(python(program), tmp_path, os.environ)
    assert run.memory > 120 * MB


def test_a_command_that_fails_is_told_with_what_it_printed(tmp_path):
    with pytest.raises(CommandFailed, match="exited with 3:\nno luck"):
        measure(python("import sys; print('no luck'); sys.exit(3)"), tmp_path, os.environ)


def test_an_exit_status_may_be_expected(tmp_path):
    run = best(2, python("raise SystemExit(3)"), tmp_path, os.environ, expected=(3,))
    assert run.seconds > 0
