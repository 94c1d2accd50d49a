"""Commands on the state beside stock Terraform: the same exit code, and the same state afterwards."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory, twinfra
from tests.state.stock import Stock, needs_stock

__all__ = ["twinfra"]
pytestmark = [needs_stock, pytest.mark.witness]

MAIN = """
resource "terraform_data" "a" { input = "x" }
resource "terraform_data" "c" {
  count = 3
  input = terraform_data.a.output
}
resource "terraform_data" "f" {
  for_each = toset(["x y", "b"])
  input    = each.key
}
module "m" {
  source   = "./m"
  for_each = toset(["p"])
}
output "o" { value = terraform_data.a.output }
"""
SOURCE = "terraform.io/builtin/terraform"
COMMANDS = [
    "state list",
    "state list nope.x",
    "state list terraform_data.c[1] module.m",
    "state list -id=nope",
    "state list -state=nope.tfstate",
    "state show terraform_data.c",
    'state show module.m["p"].terraform_data.in[0]',
    "state mv terraform_data.a terraform_data.b",
    "state mv terraform_data.a terraform_data.c[0]",
    "state mv terraform_data.nope terraform_data.b",
    "state mv terraform_data.c terraform_data.d",
    'state mv terraform_data.a terraform_data.d["k"]',
    'state mv module.m["p"] module.n',
    "state mv module.m module.n",
    "state mv terraform_data.a null_resource.a",
    "state mv -dry-run terraform_data.c terraform_data.d",
    "state mv -state-out=other.tfstate terraform_data.a terraform_data.b",
    "state mv -ignore-remote-version -no-color terraform_data.a terraform_data.b",
    'state rm terraform_data.c module.m["p"]',
    "state rm terraform_data.a terraform_data.nope",
    "state rm terraform_data.nope",
    "state rm -dry-run terraform_data.nope",
    "state rm -dry-run terraform_data.c",
    "state rm",
    "state push same",
    "state push older",
    "state push newer",
    "state push strange",
    "state push -force strange",
    "state push nope",
    f"state replace-provider -auto-approve {SOURCE} acme/aws",
    f"state replace-provider {SOURCE} acme/aws",
    "state replace-provider -auto-approve acme/nope acme/aws",
    "taint terraform_data.c[1]",
    "taint terraform_data.c",
    "taint -allow-missing terraform_data.nope",
    "untaint terraform_data.a",
    "untaint terraform_data.nope",
    "refresh -target=terraform_data.a",
    "force-unlock -force nope",
    "workspace select nope",
    "workspace select -or-create nope",
    "workspace delete default",
    "workspace delete nope",
    "workspace new default",
    "workspace new a/b",
    "init -backend=false",
    "init -reconfigure -migrate-state",
    "init -ignore-remote-version -plugin-dir=. -lockfile=readonly -test-directory=m",
    "init -upgrade -lockfile=readonly",
    "init -from-module=./m",
    "init -backend-config=nope=x",
    "init -lock-timeout=soon",
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory that stock Terraform has applied."""
    directory = tmp_path_factory.mktemp("made")
    (directory / "m").mkdir()
    (directory / "m/main.tf").write_text('resource "terraform_data" "in" {\n  count = 2\n}\n')
    stock = Stock(directory).write(MAIN)
    stock.run("init", "-input=false")
    stock.run("apply", "-auto-approve")
    state = json.loads((directory / "terraform.tfstate").read_text())
    for name, change in {
        "same": {},
        "older": {"serial": state["serial"] - 1},
        "newer": {"serial": state["serial"] + 5},
        "strange": {"lineage": "another"},
    }.items():
        (directory / name).write_text(json.dumps(state | change))
    return directory


def _instance(one: dict[str, Any]) -> tuple[Any, ...]:
    return one.get("index_key"), one.get("status"), one["attributes"]["id"]


def says(path: Path) -> Any:
    """What counts of a state file."""
    if not path.exists():
        return None
    state = json.loads(path.read_text())
    objects = [
        (one.get("module"), one["type"], one["name"], one["provider"], *map(_instance, one["instances"]))
        for one in state["resources"]
    ]
    return state["serial"], sorted(objects, key=str)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_ends_as_that_of_stock_terraform(
    command: str, made: Path, tmp_path: Path, twinfra: Directory
) -> None:
    theirs = tmp_path / "stock"
    shutil.copytree(made, theirs)
    shutil.copytree(made, twinfra.path, dirs_exist_ok=True)
    running = Stock(theirs)
    stock: subprocess.CompletedProcess[str] = running.run(*command.split(" "), check=False)
    ours = twinfra(*command.split(" "))
    assert ours.code == stock.returncode, f"{stock.stdout}{stock.stderr}\n{ours.all}"
    for name in ("terraform.tfstate", "other.tfstate"):
        there, here = says(theirs / name), says(twinfra.path / name)
        if name == "other.tfstate" and there is not None:
            # A new state begins with the serial 1 here, whatever it holds.
            there, here = there[1], here[1]
        assert here == there
    if command.startswith("state list"):
        assert ours.out.strip() == stock.stdout.strip() or ours.code
