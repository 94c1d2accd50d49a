"""Stock Terraform reads what we write, and we read what it writes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.state.states import BUILTIN, data_object, thing
from tests.state.stock import Stock, needs_stock

from twinfra.addresses import ROOT
from twinfra.state.model import OutputState, State
from twinfra.state.v4 import read_state, write_state

pytestmark = [needs_stock, pytest.mark.witness]

CONFIGURATION = """
resource "terraform_data" "a" {
  count = 2
  input = "value-${count.index}"
}
module "m" {
  source   = "./m"
  for_each = { "k\\"$${x" = 1 }
}
output "o" {
  value     = terraform_data.a[0].output
  sensitive = true
}
"""


def project(directory: Path) -> Stock:
    stock = Stock(directory)
    (directory / "m").mkdir()
    stock.write(CONFIGURATION).write('resource "terraform_data" "i" {}\n', "m/main.tf")
    return stock


def ours() -> State:
    state = State(serial=3, lineage="5fab00e9-262a-8124-c314-2a4f7909fd46")
    for index in range(2):
        state.put(thing("a", index), BUILTIN, data_object(f"id-{index}", f"value-{index}"))
    state.put(thing("i", None, ROOT.child("m", 'k"${x')), BUILTIN, data_object("inner"))
    state.outputs["o"] = OutputState("value-0", "string", True)
    return state


def test_stock_terraform_plans_no_change_on_our_state(tmp_path: Path) -> None:
    stock = project(tmp_path)
    (tmp_path / "terraform.tfstate").write_bytes(b"".join(write_state(ours())))
    stock.run("init")
    stock.run("plan", "-detailed-exitcode")


def test_stock_terraform_shows_our_state(tmp_path: Path) -> None:
    stock = Stock(tmp_path)
    (tmp_path / "terraform.tfstate").write_bytes(b"".join(write_state(ours())))
    values = json.loads(stock.run("show", "-json", "terraform.tfstate").stdout)["values"]
    assert values["outputs"]["o"]["value"] == "value-0"
    assert [one["index"] for one in values["root_module"]["resources"]] == [0, 1]
    assert values["root_module"]["child_modules"][0]["address"] == 'module.m["k\\"$${x"]'


def test_what_stock_terraform_applies_we_write_back_byte_for_byte(tmp_path: Path) -> None:
    stock = project(tmp_path)
    stock.run("init")
    stock.run("apply", "-auto-approve")
    content = (tmp_path / "terraform.tfstate").read_bytes()
    state = read_state(content, "terraform.tfstate")
    assert state is not None
    assert len(state.resources) == 2
    assert b"".join(write_state(state)) == content


def test_stock_terraform_accepts_our_private_notes_and_objects_of_every_kind(tmp_path: Path) -> None:
    stock = Stock(tmp_path).write('resource "terraform_data" "a" {}\n')
    state = State(serial=1, lineage="5fab00e9-262a-8124-c314-2a4f7909fd46")
    state.put(thing("a"), BUILTIN, data_object("now", private={"twinfra": "eyJhIjoxfQ=="}, tainted=True))
    state.put(thing("a"), BUILTIN, data_object("old"), "0a1b2c3d")
    (tmp_path / "terraform.tfstate").write_bytes(b"".join(write_state(state)))
    stock.run("init")
    plan = stock.run("plan", "-no-color", "-detailed-exitcode", check=False)
    assert plan.returncode == 2, plan.stderr
    assert "is tainted" in plan.stdout
    assert "(deposed object 0a1b2c3d)" in plan.stdout
