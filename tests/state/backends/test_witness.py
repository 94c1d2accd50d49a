"""Stock Terraform and we on one state, in every backend: each reads the other's state, each stops the other."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.state.backends.conftest import Rig, in_workspaces
from tests.state.backends.faults import HttpProxy
from tests.state.states import BUILTIN, data_object, thing
from tests.state.stock import Stock, needs_stock

from twinfra.diagnostics import DiagnosticError
from twinfra.state.store import open_store

pytestmark = [needs_stock, pytest.mark.witness, pytest.mark.emulator]

KINDS = ("s3", "s3-dynamodb", "s3-ministack", "gcs", "http", "pg")
_STOCK_ONLY = {
    "s3": {
        "skip_credentials_validation": True,
        "skip_requesting_account_id": True,
        "skip_metadata_api_check": True,
    }
}


@pytest.fixture(params=KINDS)
def rig(request: pytest.FixtureRequest, make_rig: Callable[[str], Rig]) -> Rig:
    return make_rig(request.param)


def stock(rig: Rig, directory: Path, body: str) -> Stock:
    """Stock Terraform on the rig's state, initialized."""
    directory.mkdir(exist_ok=True)
    settings = rig.settings | _STOCK_ONLY.get(rig.type, {})
    if rig.type == "gcs":
        # Not through the proxy, which takes no uploads in chunks.
        assert isinstance(rig.proxy, HttpProxy)
        host, port = rig.proxy.target
        settings["storage_custom_endpoint"] = f"http://{host}:{port}/storage/v1/b"
    lines = [f"    {name} = {json.dumps(value)}" for name, value in settings.items()]
    found = Stock(directory).write(
        f'terraform {{\n  backend "{rig.type}" {{\n' + "\n".join(lines) + f"\n  }}\n}}\n{body}"
    )
    found.run("init", "-input=false")
    return found


A = 'resource "terraform_data" "a" {\n  input = "x"\n}\n'
WAITING = """
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo > ready; cat go"
  }
}
"""


def test_each_reads_what_the_other_wrote(rig: Rig, tmp_path: Path) -> None:
    theirs = stock(rig, tmp_path / "stock", A)
    theirs.run("apply", "-auto-approve")
    with open_store(rig.open(), "default", "apply", tmp_path) as store:
        found = store.state.current(thing("a"))
        assert found is not None
        assert found.attributes["input"] == {"value": "x", "type": "string"}
        serial = store.state.serial
        state = store.state.copy()
        state.put(thing("ours"), BUILTIN, data_object("ours", "y"))
        store.save(state)
    (tmp_path / "stock/more.tf").write_text('resource "terraform_data" "ours" {\n  input = "y"\n}\n')
    plan = theirs.run("plan", "-detailed-exitcode", check=False)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    (tmp_path / "stock/more.tf").unlink()
    theirs.run("apply", "-auto-approve")
    with open_store(rig.open(), "default", "plan", tmp_path) as store:
        assert store.state.current(thing("ours")) is None
        assert store.state.serial == serial + 2


def test_our_lock_stops_stock_terraform(rig: Rig, tmp_path: Path) -> None:
    theirs = stock(rig, tmp_path / "stock", A)
    with open_store(rig.open(), "default", "apply", tmp_path) as store:
        assert store.lock is not None
        refused = theirs.run("apply", "-auto-approve", check=False)
        assert refused.returncode == 1
        assert "Error acquiring the state lock" in refused.stderr
        if rig.lock_outlives_holder and rig.type != "gcs":
            assert store.lock.id in refused.stderr
        state = store.state.copy()
        state.put(thing("a"), BUILTIN, data_object("ours", "x"))
        store.save(state)
        assert theirs.run("plan", check=False).returncode == 1
    plan = theirs.run("plan", "-detailed-exitcode", check=False)
    assert plan.returncode == 0, plan.stdout + plan.stderr


def test_the_lock_of_stock_terraform_stops_us(rig: Rig, tmp_path: Path) -> None:
    directory = tmp_path / "stock"
    theirs = stock(rig, directory, WAITING)
    os.mkfifo(directory / "ready")
    os.mkfifo(directory / "go")
    running = theirs.start("apply", "-auto-approve")
    (directory / "ready").read_text()
    with pytest.raises(DiagnosticError) as caught, open_store(rig.open(), "default", "plan", tmp_path):
        pass
    assert "locked" in caught.value.diagnostics[0].summary
    if rig.lock_outlives_holder:
        assert "1.11.4" in caught.value.diagnostics[0].detail
    (directory / "go").write_text("\n")
    output, _ = running.communicate(timeout=60)
    assert running.returncode == 0, output
    with open_store(rig.open(), "default", "plan", tmp_path) as store:
        assert store.state.current(thing("a")) is not None


@in_workspaces
def test_workspaces_are_the_same(rig: Rig, tmp_path: Path) -> None:
    theirs = stock(rig, tmp_path / "stock", A)
    theirs.run("workspace", "new", "dev")
    theirs.run("apply", "-auto-approve")
    backend = rig.open()
    assert backend.workspaces() == ["default", "dev"]
    with open_store(backend, "dev", "apply", tmp_path) as store:
        assert store.state.current(thing("a")) is not None
    with open_store(backend, "prod", "apply", tmp_path) as store:
        state = store.state.copy()
        state.put(thing("a"), BUILTIN, data_object("ours", "x"))
        store.save(state)
    theirs.run("workspace", "select", "prod")
    plan = theirs.run("plan", "-detailed-exitcode", check=False)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    backend.delete("dev")
    assert "dev" not in theirs.run("workspace", "list").stdout


def test_a_dynamodb_digest_of_ours_is_what_stock_terraform_expects(
    make_rig: Callable[[str], Rig], tmp_path: Path
) -> None:
    """Where digest and state differ, both refuse to go on."""
    rig = make_rig("s3-dynamodb")
    theirs = stock(rig, tmp_path / "stock", A)
    theirs.run("apply", "-auto-approve")
    backend = rig.open()
    with open_store(backend, "default", "apply", tmp_path) as store:
        state = store.state.copy()
        state.put(thing("ours"), BUILTIN, data_object("ours", "y"))
        store.save(state)
    assert theirs.run("plan", "-detailed-exitcode", check=False).returncode == 2
