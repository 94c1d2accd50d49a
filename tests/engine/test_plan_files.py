"""Saved plans: what they hold, and when they are refused."""

from __future__ import annotations

import os
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from tests.engine.memory import Project, actions, errors

from twinfra.diagnostics import DiagnosticError
from twinfra.engine import api
from twinfra.engine.planfile import SavedPlan, is_plan_file, read_plan_file, write_plan_file
from twinfra.schema import Attribute, Block, ProviderSchema, ResourceSchema
from twinfra.values.types import STRING

TEXT = """
variable "size" {
  type = number
}

resource "memory_thing" "a" {
  name   = "one"
  size   = var.size
  secret = "s"
  tags   = { a = "1", b = null }

  rule {
    port = 80
  }
}

resource "memory_thing" "b" {
  count = 2
  name  = "b-${memory_thing.a.id}"
  size  = 1 / 3
}

output "id" {
  value = memory_thing.a.id
}
"""
FILE = Path("plan.bin")
DIGEST = "0" * 64


def save(project: Project, **options: object) -> api.PlanResult:
    project.inputs = {"size": 7}
    project.write(TEXT)
    configuration = project.load()
    result = project.plan(**options)
    assert not errors(result)
    write_plan_file(
        FILE,
        result.plan,
        configuration,
        result.state,
        inputs=project.inputs,
        base=project.state,
        digest=DIGEST,
        providers=project.providers,
    )
    return result


def refused(saved: SavedPlan, project: Project) -> str:
    with pytest.raises(DiagnosticError) as failure:
        saved.check_fresh(project.state, "default", DIGEST)
    return failure.value.diagnostics[0].summary


def unreadable() -> str:
    with pytest.raises(DiagnosticError) as failure:
        read_plan_file(FILE)
    return failure.value.diagnostics[0].summary


def test_a_plan_comes_back_as_it_was(project: Project) -> None:
    result = save(project)
    saved = read_plan_file(FILE)
    assert saved.plan.changes == result.plan.changes
    assert saved.plan.outputs == result.plan.outputs
    assert saved.inputs == {"size": 7}
    assert saved.plan.variables == result.plan.variables


def test_drift_and_replacements_come_back_too(project: Project) -> None:
    project.inputs = {"size": 7}
    project.write(TEXT).apply()
    project.cloud.things["id-1"]["size"] = 9
    result = save(project, replace=("memory_thing.b[0]",))
    saved = read_plan_file(FILE)
    assert saved.plan.drift == result.plan.drift
    assert saved.plan.changes == result.plan.changes
    assert saved.plan.replace == ("memory_thing.b[0]",)


def test_a_saved_plan_is_applied_without_the_files_it_was_made_from(project: Project) -> None:
    save(project)
    shutil.move("main.tf", "gone")
    saved = read_plan_file(FILE)
    saved.check_fresh(project.state, "default", DIGEST)
    done = api.apply(saved.plan, saved.configuration, saved.state, saved.inputs, project.providers)
    assert not errors(done)
    assert done.counts == {"added": 3}
    assert next(thing["size"] for thing in project.cloud.things.values()) == 7


def test_a_plan_is_stale_when_the_state_was_changed_since(project: Project) -> None:
    save(project)
    saved = read_plan_file(FILE)
    project.state = replace(project.state, serial=project.state.serial + 1)
    assert refused(saved, project) == "Saved plan is stale"


def test_a_plan_is_stale_when_another_state_of_the_same_serial_is_stored(project: Project) -> None:
    save(project)
    with pytest.raises(DiagnosticError) as failure:
        read_plan_file(FILE).check_fresh(project.state, "default", "1" * 64)
    assert failure.value.diagnostics[0].summary == "Saved plan is stale"
    assert "put in its place since" in failure.value.diagnostics[0].detail


def test_a_plan_of_another_workspace_is_refused(project: Project) -> None:
    save(project)
    with pytest.raises(DiagnosticError) as failure:
        read_plan_file(FILE).check_fresh(project.state, "other", DIGEST)
    assert failure.value.diagnostics[0].summary == "Saved plan is for another workspace"


def test_every_changed_byte_is_noticed(project: Project) -> None:
    save(project)
    content = FILE.read_bytes()
    for at in range(29, len(content), 97):
        FILE.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
        assert unreadable() in ("Saved plan is damaged", "Saved plan was made elsewhere")


def test_a_plan_that_was_cut_off_is_refused(project: Project) -> None:
    save(project)
    content = FILE.read_bytes()
    for size in (29, 40, len(content) // 2, len(content) - 1):
        FILE.write_bytes(content[:size])
        assert unreadable() == "Saved plan is damaged"


def test_a_plan_sealed_with_another_key_is_refused(project: Project) -> None:
    save(project)
    key = next(Path().rglob("plan.key"))
    key.write_bytes(bytes(32))
    assert unreadable() == "Saved plan was made elsewhere"


def test_what_is_no_plan_is_refused(project: Project) -> None:
    FILE.write_text("{}")
    assert not is_plan_file(FILE)
    assert unreadable() == "Not a saved plan"


def test_only_its_owner_can_read_a_plan(project: Project) -> None:
    save(project)
    assert FILE.stat().st_mode & 0o077 == 0


def test_a_plan_made_with_another_schema_is_refused(project: Project) -> None:
    save(project)
    other = ProviderSchema(
        Block(), {"memory_thing": ResourceSchema(Block({"id": Attribute(STRING, computed=True)}), 1)}, {}
    )

    class Other(api.Providers):
        def schema(self, address):
            return other

    with pytest.raises(DiagnosticError) as failure:
        read_plan_file(FILE).check_schemas(Other())
    assert failure.value.diagnostics[0].summary == "Saved plan is stale"


def test_planning_again_after_applying_a_saved_plan_is_empty(project: Project) -> None:
    save(project)
    saved = read_plan_file(FILE)
    done = api.apply(saved.plan, saved.configuration, saved.state, saved.inputs, project.providers)
    project.state = done.state
    assert set(actions(project.plan()).values()) == {"no-op"}


EPHEMERAL = """
variable "size" {
  type = number
}

variable "token" {
  type      = string
  ephemeral = true
}

resource "memory_thing" "a" {
  name  = "one"
  size  = var.size
  token = var.token
}
"""


@pytest.fixture
def ephemeral(project: Project) -> SavedPlan:
    project.inputs = {"size": 7, "token": "t0p-secret"}
    configuration = project.write(EPHEMERAL).load()
    result = project.plan()
    write_plan_file(
        FILE,
        result.plan,
        configuration,
        result.state,
        inputs=project.inputs,
        base=project.state,
        digest=DIGEST,
    )
    return read_plan_file(FILE)


def test_ephemeral_values_are_not_kept(ephemeral: SavedPlan) -> None:
    assert ephemeral.inputs == {"size": 7}
    assert "token" not in ephemeral.plan.variables


def test_ephemeral_values_are_given_again(project: Project, ephemeral: SavedPlan) -> None:
    inputs = ephemeral.inputs_for_apply({"token": "other"}, ["token"])
    done = api.apply(ephemeral.plan, ephemeral.configuration, ephemeral.state, inputs, project.providers)
    assert not errors(done)
    assert project.cloud.tokens == ["other"]


def test_an_ephemeral_value_that_is_not_given_again_is_missed(ephemeral: SavedPlan) -> None:
    with pytest.raises(DiagnosticError) as failure:
        ephemeral.inputs_for_apply({}, [])
    assert failure.value.diagnostics[0].summary == "Variable has no value"


def test_other_values_cannot_be_changed(ephemeral: SavedPlan) -> None:
    with pytest.raises(DiagnosticError) as failure:
        ephemeral.inputs_for_apply({"token": "x", "size": 8}, ["size", "token"])
    assert failure.value.diagnostics[0].summary == "A saved plan fixes its variables"
    assert ephemeral.inputs_for_apply({"token": "x", "size": 7}, ["size"]) == {"size": 7, "token": "x"}


def test_what_a_killed_process_left_of_a_plan_is_removed_and_what_is_being_written_is_not(
    project: Project,
) -> None:
    left, writing = Path(".plan.bin.0123456789ab.new"), Path(".plan.bin.ba9876543210.new")
    for one in (left, writing):
        one.write_text("a part")
    os.utime(left, (1, 1))
    save(project)
    assert not left.exists()
    assert writing.exists()
