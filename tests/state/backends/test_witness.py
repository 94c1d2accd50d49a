"""Stock Terraform and we on one state, in every backend: each reads the other's state, each stops the other."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.cli.conftest import Directory, twinfra
from tests.state.backends.conftest import KINDS, Rig, block, in_workspaces
from tests.state.backends.faults import HttpProxy
from tests.state.states import BUILTIN, data_object, thing
from tests.state.stock import Stock, needs_stock

from twinfra.diagnostics import DiagnosticError
from twinfra.state.backends.registry import backend_schema
from twinfra.state.store import open_store

__all__ = ["twinfra"]
pytestmark = [needs_stock, pytest.mark.witness, pytest.mark.emulator]

_STOCK_ONLY = {
    "s3": {
        "skip_credentials_validation": True,
        "skip_requesting_account_id": True,
        "skip_metadata_api_check": True,
    }
}


def stock(rig: Rig, directory: Path, body: str) -> Stock:
    """Stock Terraform on the rig's state, initialized."""
    directory.mkdir(exist_ok=True)
    settings = rig.settings | _STOCK_ONLY.get(rig.type, {})
    if isinstance(rig.proxy, HttpProxy):
        # Not through the proxy, which takes no uploads in chunks.
        host, port = rig.proxy.target
        settings = json.loads(json.dumps(settings).replace(rig.proxy.url, f"http://{host}:{port}"))
    if rig.type == "local":
        settings = {name: str(rig.place.directory / path) for name, path in settings.items()}
    lines = [f"    {name} = {json.dumps(value)}" for name, value in settings.items()]
    found = Stock(directory).write(
        f'terraform {{\n  backend "{rig.type}" {{\n' + "\n".join(lines) + "\n  }\n}\n"
    )
    found.write(body, "body.tf").run("init", "-input=false")
    return found


A = 'resource "terraform_data" "a" {\n  input = "x"\n}\n'
WAITING = """
resource "terraform_data" "a" {
  provisioner "local-exec" {
    command = "echo > ready; cat go"
  }
}
"""


def text(value: str) -> str:
    """A configuration with a thing, others of it, and an output."""
    return f"""
resource "terraform_data" "a" {{
  input = "{value}"
}}
resource "terraform_data" "more" {{
  count = 2
  input = "${{terraform_data.a.output}} ${{count.index}}"
}}
output "o" {{
  value = terraform_data.more[*].output
}}
"""


@pytest.mark.parametrize("rig", [*KINDS, "local"], indirect=True)
def test_each_plans_no_changes_on_what_the_other_did(rig: Rig, twinfra: Directory) -> None:
    """It applies, we plan nothing and change something, it plans nothing and changes something, we plan nothing."""
    theirs = stock(rig, twinfra.path / "stock", text("one"))
    theirs.run("apply", "-auto-approve")
    twinfra.write(main_tf=block(rig) + text("one"))
    assert twinfra("plan", "-detailed-exitcode").code == 0
    twinfra.write(main_tf=block(rig) + text("two"))
    twinfra.ok("apply", "-auto-approve")
    theirs.write(text("two"), "body.tf")
    plan = theirs.run("plan", "-detailed-exitcode", check=False)
    assert plan.returncode == 0, plan.stdout + plan.stderr
    theirs.write(text("three"), "body.tf").run("apply", "-auto-approve")
    twinfra.write(main_tf=block(rig) + text("three"))
    ran = twinfra("plan", "-detailed-exitcode")
    assert ran.code == 0, ran.all
    assert json.loads(twinfra.ok("output", "-json", "o").out) == ["three 0", "three 1"]
    twinfra.ok("destroy", "-auto-approve")
    assert theirs.run("state", "list").stdout == ""


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


@pytest.mark.parametrize("type", ["s3", "gcs", "http", "pg", "local"])
def test_settings_have_the_names_that_stock_terraform_knows(type: str, tmp_path: Path) -> None:
    names = backend_schema(type).attributes
    lines = "\n".join(f"    {name} = null" for name in (*names, "no_such_setting"))
    theirs = Stock(tmp_path).write(f'terraform {{\n  backend "{type}" {{\n{lines}\n  }}\n}}\n')
    refused = theirs.run("init", "-input=false", "-no-color", check=False)
    unknown = re.findall(r'An argument named "(\w+)" is not expected', refused.stdout + refused.stderr)
    assert set(unknown) == {"no_such_setting"}
