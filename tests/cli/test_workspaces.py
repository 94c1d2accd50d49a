"""`twinfra workspace`."""

import json
from pathlib import Path

import pytest
from tests.cli.conftest import Directory

from twinfra.state.backends.local import LocalBackend
from twinfra.state.locks import new_lock

THING = """
resource "terraform_data" "thing" { input = terraform.workspace }
output "where" { value = terraform_data.thing.output }
"""


def test_each_workspace_has_a_state_of_its_own(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    assert twinfra.ok("workspace", "show").out == "default\n"
    twinfra.ok("apply", "-auto-approve")
    twinfra.ok("workspace", "new", "feature")
    assert twinfra.ok("workspace", "list").out == "  default\n* feature\n"
    assert twinfra("plan", "-detailed-exitcode").code == 2
    twinfra.ok("apply", "-auto-approve")
    assert twinfra.ok("output", "-raw", "where").out == "feature"
    assert Path("terraform.tfstate.d/feature/terraform.tfstate").exists()
    twinfra.ok("workspace", "select", "default")
    assert twinfra.ok("output", "-raw", "where").out == "default"
    assert json.loads(twinfra.ok("workspace", "list", "-json").out) == ["default", "feature"]


def test_a_workspace_can_begin_with_a_state(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("apply", "-auto-approve")
    twinfra.ok("workspace", "new", "-state=terraform.tfstate", "copy")
    assert twinfra.ok("state", "list").out == "terraform_data.thing\n"
    old = json.loads(Path("terraform.tfstate").read_text())
    new = json.loads(Path("terraform.tfstate.d/copy/terraform.tfstate").read_text())
    assert old["resources"] == new["resources"]
    assert old["lineage"] != new["lineage"]


def test_what_holds_objects_is_deleted_only_by_force(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("workspace", "new", "feature")
    twinfra.ok("apply", "-auto-approve")
    assert "in use" in twinfra("workspace", "delete", "feature").err
    twinfra.ok("workspace", "select", "default")
    refused = twinfra("workspace", "delete", "feature")
    assert refused.code == 1
    assert "1 object" in refused.err
    twinfra.ok("workspace", "delete", "-force", "feature")
    assert twinfra.ok("workspace", "list").out == "* default\n"
    assert twinfra("workspace", "delete", "default").code == 1


def test_names_that_are_not_there(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("workspace", "new", "feature")
    ran = twinfra("workspace", "select", "featur")
    assert ran.code == 1
    assert 'Did you mean "feature"?' in ran.err
    twinfra.ok("workspace", "select", "-or-create", "other")
    assert twinfra.ok("workspace", "show").out == "other\n"
    assert twinfra("workspace", "new", "feature").code == 1
    assert twinfra("workspace", "new", "a/b").code == 1


def test_the_environment_names_the_workspace(twinfra: Directory, monkeypatch: pytest.MonkeyPatch) -> None:
    twinfra.write(main_tf=THING)
    monkeypatch.setenv("TF_WORKSPACE", "given")
    assert twinfra.ok("workspace", "show").out == "given\n"
    twinfra.ok("apply", "-auto-approve")
    assert twinfra.ok("output", "-raw", "where").out == "given"
    assert twinfra("workspace", "select", "default").code == 1
    assert twinfra("workspace", "new", "more").code == 1
    assert not Path("terraform.tfstate.d/more").exists()


def test_a_workspace_that_somebody_works_in_is_not_deleted(twinfra: Directory) -> None:
    twinfra.write(main_tf=THING)
    twinfra.ok("workspace", "new", "feature")
    twinfra.ok("workspace", "select", "default")
    holder = LocalBackend(twinfra.path)
    lock = new_lock("apply")
    holder.lock("feature", lock)
    refused = twinfra("workspace", "delete", "feature")
    assert refused.code == 1
    assert lock.id in refused.err
    holder.close()
    twinfra.ok("workspace", "delete", "feature")
    assert not Path("terraform.tfstate.d/feature").exists()
