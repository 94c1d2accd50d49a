"""One configuration applied by stock Terraform and by us: the same state, and neither wants to change the other's."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from tests.cli.conftest import Directory
from tests.state.stock import Stock, needs_stock

pytestmark = [needs_stock, pytest.mark.witness]

PROJECT = Path(__file__).parents[1] / "data" / "state" / "stock"
UUID = re.compile("[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@pytest.fixture
def stock(tmp_path: Path) -> Stock:
    directory = tmp_path / "stock"
    shutil.copytree(PROJECT, directory)
    return Stock(directory)


@pytest.fixture
def ours(twinfra: Directory) -> Directory:
    shutil.copytree(PROJECT, twinfra.path, dirs_exist_ok=True)
    return twinfra


def without_failing_part(directory: Path) -> None:
    main = directory / "main.tf"
    text = main.read_text()
    start = text.index('resource "terraform_data" "fails"')
    main.write_text(text[:start] + text[text.index("module ", start) :])


def comparable(path: Path) -> dict[str, Any]:
    """A state without what differs from run to run: ids, the serial, and in which order stock Terraform lists checks
    and sensitive paths, which it keeps in maps."""
    document: dict[str, Any] = json.loads(UUID.sub("an-id", path.read_text()))
    document["serial"] = 0
    document["check_results"].sort(key=lambda one: one["config_addr"])
    for resource in document["resources"]:
        if resource["type"] == "terraform_remote_state":
            # Sensitive outputs of other states stay sensitive only with us.
            del resource["instances"][0]["sensitive_attributes"]
        for instance in resource["instances"]:
            instance.get("sensitive_attributes", []).sort(key=json.dumps)
    return document


def in_order(value: Any) -> Any:
    """The names of an object in their order, so that comparing sees it."""
    if isinstance(value, dict):
        return [(name, in_order(inner)) for name, inner in value.items()]
    return [in_order(inner) for inner in value] if isinstance(value, list) else value


def test_an_apply_that_fails_in_part_leaves_the_same_state(stock: Stock, ours: Directory) -> None:
    stock.run("init")
    assert stock.run("apply", "-auto-approve", check=False).returncode == 1
    assert ours("apply", "-auto-approve").code == 1
    theirs = comparable(stock.directory / "terraform.tfstate")
    assert in_order(comparable(ours.path / "terraform.tfstate")) == in_order(theirs)


def test_each_plans_no_change_on_the_state_of_the_other(stock: Stock, ours: Directory) -> None:
    for directory in (stock.directory, ours.path):
        without_failing_part(directory)
    stock.run("init")
    stock.run("apply", "-auto-approve")
    ours.ok("apply", "-auto-approve")
    states = [directory / "terraform.tfstate" for directory in (stock.directory, ours.path)]
    first, second = (path.read_bytes() for path in states)
    states[0].write_bytes(second)
    states[1].write_bytes(first)
    assert stock.run("plan", "-detailed-exitcode", check=False).returncode == 0
    ran = ours("plan", "-detailed-exitcode")
    assert ran.code == 0, ran.all


def test_stock_terraform_destroys_what_we_made_and_we_what_it_made(stock: Stock, ours: Directory) -> None:
    for directory in (stock.directory, ours.path):
        without_failing_part(directory)
    stock.run("init")
    stock.run("apply", "-auto-approve")
    ours.ok("apply", "-auto-approve")
    states = [directory / "terraform.tfstate" for directory in (stock.directory, ours.path)]
    first, second = (path.read_bytes() for path in states)
    states[0].write_bytes(second)
    states[1].write_bytes(first)
    stock.run("destroy", "-auto-approve")
    ours.ok("destroy", "-auto-approve")
    for path in states:
        assert json.loads(path.read_text())["resources"] == []
