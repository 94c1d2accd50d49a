"""Measuring commands: their time, their memory with that of their children, and their failures."""

from __future__ import annotations

import os
import sys

import pytest
from benchmarks.processes import CommandFailed, best, measure

# Held long enough to be looked at, on a busy machine too.
HOLD = "import os, time; held = bytearray({size}); held[::4096] = b'x' * len(held[::4096]); time.sleep(1)"


def python(program):
    return [sys.executable, "-I", "-S", "-c", program]


def test_time_and_memory_of_a_command_are_told(tmp_path):
    run = measure(python(HOLD.format(size=60 * 2**20)), tmp_path, os.environ)
    assert run.seconds > 0
    assert 60 * 2**20 < run.memory < 200 * 2**20


def test_memory_of_children_is_counted_with_their_parents(tmp_path):
    child = python(
        HOLD.format(size=60 * 2**20).replace("time.sleep(1)", "print(1, flush=True); os.read(0, 1)")
    )
    program = f"""
import subprocess
held = bytearray({60 * 2**20}); held[::4096] = b'x' * len(held[::4096])
child = subprocess.Popen({child!r}, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
child.stdout.readline()
import time; time.sleep(1)  # both are looked at
child.communicate()
"""
    run = measure(python(program), tmp_path, os.environ)
    assert run.memory > 120 * 2**20


def test_a_command_that_fails_is_told_with_what_it_printed(tmp_path):
    with pytest.raises(CommandFailed, match="exited with 3:\nno luck"):
        measure(python("import sys; print('no luck'); sys.exit(3)"), tmp_path, os.environ)


def test_an_exit_status_may_be_expected(tmp_path):
    run = best(2, python("raise SystemExit(3)"), tmp_path, os.environ, expected=(3,))
    assert run.seconds > 0
