"""What changed objects were made from."""

from __future__ import annotations

from tests.engine.memory import Project

THINGS = (
    'resource "memory_thing" "a" {\n  name = "a"\n}\n'
    'resource "memory_thing" "n" {\n  count = 2\n  name  = "n"\n  label = memory_thing.a.id\n}\n'
)


def relevant(project: Project, text: str) -> list[tuple[str, tuple[object, ...]]]:
    return project.write(THINGS + text).plan().plan.relevant


def test_attributes_that_are_read_are_named(project: Project) -> None:
    assert relevant(project, "") == [("memory_thing.a", ("id",))]


def test_they_are_found_behind_locals_and_keys(project: Project) -> None:
    found = relevant(
        project, 'locals {\n  l = memory_thing.n[1].zone\n}\noutput "o" {\n  value = local.l\n}\n'
    )
    assert ("memory_thing.n[1]", ("zone",)) in found


def test_all_instances_together_are_named_without_attribute(project: Project) -> None:
    found = relevant(project, 'output "o" {\n  value = memory_thing.n[*].id\n}\n')
    assert ("memory_thing.n", ()) in found


def test_they_are_found_behind_modules(project: Project) -> None:
    project.write('variable "v" {}\noutput "o" {\n  value = var.v\n}\n', "m/main.tf")
    found = relevant(
        project,
        'module "m" {\n  source = "./m"\n  v      = memory_thing.a.zone\n}\noutput "o" {\n  value = module.m.o\n}\n',
    )
    assert ("memory_thing.a", ("zone",)) in found


def test_nothing_is_named_when_nothing_changes(project: Project) -> None:
    project.write(THINGS).apply()
    assert project.plan().plan.relevant == []
