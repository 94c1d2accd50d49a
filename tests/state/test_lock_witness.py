"""Stock Terraform's lock keeps us out, and ours keeps it out, while both replace the file as they go."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from tests.state.states import BUILTIN, data_object, thing
from tests.state.stock import Stock, needs_stock

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.local import LocalBackend
from twinfra.state.backends.protocol import Locked
from twinfra.state.locks import LockInfo, new_lock
from twinfra.state.store import open_store
from twinfra.state.v4 import read_state

pytestmark = [needs_stock, pytest.mark.witness]


def stock_that_waits(directory: Path) -> Stock:
    """A project whose apply runs until its pipe `go` is written to; then `ready` has been read."""
    os.mkfifo(directory / "ready")
    os.mkfifo(directory / "go")
    stock = Stock(directory).write(
        """
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo > ready; cat go"
  }
}
"""
    )
    stock.run("init")
    return stock


def test_stock_terraform_keeps_us_out_until_it_is_done(tmp_path: Path) -> None:
    stock = stock_that_waits(tmp_path)
    running = stock.start("apply", "-auto-approve")
    (tmp_path / "ready").read_text()
    backend = LocalBackend(tmp_path)
    with pytest.raises(DiagnosticError) as caught, open_store(backend, "default", "plan", tmp_path):
        pass
    detail = caught.value.diagnostics[0].detail
    assert "1.11.4" in detail
    assert "for apply" in detail
    with pytest.raises(Locked):
        backend.unlock("default", "any")
    (tmp_path / "go").write_text("\n")
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 0, output
    with open_store(backend, "default", "plan", tmp_path) as store:
        assert store.state.current(thing("a")) is not None


def test_we_keep_stock_terraform_out_before_and_after_our_writes(tmp_path: Path) -> None:
    stock = Stock(tmp_path).write('resource "terraform_data" "a" {}\n')
    stock.run("init")
    backend = LocalBackend(tmp_path)
    with open_store(backend, "default", "apply", tmp_path) as store:
        assert store.lock is not None
        for name in ("a", "b"):
            refused = stock.run("plan", check=False)
            assert refused.returncode == 1
            assert store.lock.id in refused.stderr
            assert "OperationTypeApply" in refused.stderr
            state = store.state.copy()
            state.put(thing(name), BUILTIN, data_object(name))
            store.save(state)
        assert stock.run("plan", check=False).returncode == 1
    plan = stock.run("plan", "-no-color", "-detailed-exitcode", check=False)
    assert plan.returncode == 2, plan.stderr
    assert "terraform_data.b will be destroyed" in plan.stdout


def test_stock_terraform_that_waited_for_our_lock_writes_no_stale_state(tmp_path: Path) -> None:
    stock = Stock(tmp_path).write('resource "terraform_data" "a" {}\n')
    stock.run("init")
    stock.run("apply", "-auto-approve")
    backend = LocalBackend(tmp_path)
    with open_store(backend, "default", "apply", tmp_path) as store:
        waiting = stock.start("apply", "-auto-approve", "-lock-timeout=60s")
        _until_open_by(waiting.pid, tmp_path / "terraform.tfstate")
        state = store.state.copy()
        state.put(thing("ours"), BUILTIN, data_object("ours"))
        store.save(state)
    output, _ = waiting.communicate(timeout=120)
    found = read_state((tmp_path / "terraform.tfstate").read_bytes(), "terraform.tfstate")
    assert found is not None
    # Either it noticed the new file and destroyed what its configuration lacks, or it gave up aloud.
    assert (waiting.returncode == 0) == (found.current(thing("ours")) is None), output
    assert found.current(thing("a")) is not None


def _until_open_by(pid: int, path: Path) -> None:
    """Return once a process has the file open (it opens it before it asks for the lock)."""
    real = os.path.realpath(path)
    while True:
        for one in Path(f"/proc/{pid}/fd").iterdir():
            try:
                if os.readlink(one) == real:
                    return
            except OSError:
                continue


def test_lock_information_has_the_fields_of_stock_terraform(tmp_path: Path) -> None:
    stock = stock_that_waits(tmp_path)
    running = stock.start("apply", "-auto-approve")
    (tmp_path / "ready").read_text()
    theirs = (tmp_path / ".terraform.tfstate.lock.info").read_bytes()
    (tmp_path / "go").write_text("\n")
    running.communicate(timeout=60)
    ours = new_lock("apply", "terraform.tfstate")
    assert list(json.loads(ours.to_json())) == list(json.loads(theirs))
    parsed = LockInfo.from_json(theirs)
    assert parsed is not None
    assert (parsed.operation, parsed.path) == (ours.operation, ours.path)
    assert parsed.who == ours.who
