"""Runs with -target."""

from __future__ import annotations

import pytest
from tests.engine.memory import Project, actions, errors, warnings

CHAIN = """
resource "memory_thing" "a" {
  name = "a"
}
resource "memory_thing" "b" {
  name  = "b"
  label = memory_thing.a.id
}
resource "memory_thing" "c" {
  name  = "c"
  label = memory_thing.b.id
}
output "b" {
  value = memory_thing.b.id
}
output "c" {
  value = memory_thing.c.id
}
"""


def test_a_target_takes_in_what_it_needs(project: Project) -> None:
    result = project.write(CHAIN).plan(targets=("memory_thing.b",))
    assert actions(result) == {"memory_thing.a": "create", "memory_thing.b": "create"}
    assert warnings(result) == ["Only a part is planned"]
    assert not result.plan.complete


def test_outputs_take_part_when_all_they_need_does(project: Project) -> None:
    result = project.write(CHAIN).plan(targets=("memory_thing.b",))
    assert [one.name for one in result.plan.outputs] == ["b"]


def test_destroying_a_target_takes_what_depends_on_it_along(project: Project) -> None:
    project.write(CHAIN).apply()
    result = project.plan(targets=("memory_thing.b",), mode="destroy")
    assert actions(result) == {"memory_thing.b": "delete", "memory_thing.c": "delete"}


def test_a_single_instance_can_be_a_target(project: Project) -> None:
    project.write('resource "memory_thing" "a" {\n  count = 3\n  name  = "n${count.index}"\n}\n')
    assert actions(project.plan(targets=("memory_thing.a[1]",))) == {"memory_thing.a[1]": "create"}


def test_an_object_without_block_can_be_a_target(project: Project) -> None:
    project.write(CHAIN).apply()
    result = project.write("").plan(targets=("memory_thing.c",))
    assert actions(result) == {"memory_thing.c": "delete"}


def test_a_module_can_be_a_target(project: Project) -> None:
    project.write('resource "memory_thing" "r" {\n  name = "r"\n}\n', "m/main.tf")
    project.write('module "m" {\n  source = "./m"\n}\nresource "memory_thing" "z" {\n  name = "z"\n}\n')
    assert actions(project.plan(targets=("module.m",))) == {"module.m.memory_thing.r": "create"}


def test_an_apply_with_targets_says_that_it_was_a_part(project: Project) -> None:
    done = project.write(CHAIN).apply(targets=("memory_thing.a",))
    assert warnings(done) == ["Only a part was applied"]
    assert list(project.cloud.things) == ["id-1"]


@pytest.mark.parametrize("text", ["memory_thing", "memory_thing.a[", "module.m[*].x", "", "a.b.c"])
def test_a_target_that_is_no_address_is_refused(project: Project, text: str) -> None:
    assert errors(project.write(CHAIN).plan(targets=(text,))) == ["Unsuitable address for -target"]


@pytest.mark.parametrize("text", ["module.m", "data.memory_lookup.x", "foo"])
def test_a_replacement_must_name_a_managed_resource(project: Project, text: str) -> None:
    assert errors(project.write(CHAIN).plan(replace=(text,))) == ["Unsuitable address for -replace"]
