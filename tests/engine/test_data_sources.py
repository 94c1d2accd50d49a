"""Data sources: read while planning, or put off."""

from __future__ import annotations

from tests.engine.memory import Project, actions, errors, reasons

THING = 'resource "memory_thing" "a" {\n  name = "one"\n}\n'


def lookup(name: str, more: str = "") -> str:
    return f'data "memory_lookup" "x" {{\n  name = {name}\n{more}}}\noutput "o" {{\n  value = data.memory_lookup.x.id\n}}\n'


def test_a_data_source_is_read_while_planning(project: Project) -> None:
    project.write(THING).apply()
    result = project.write(THING + lookup('"one"')).plan()
    assert result.plan.outputs[0].after == "id-1"
    assert actions(result) == {"memory_thing.a": "no-op"}


def test_one_with_unknown_arguments_is_put_off_to_the_apply(project: Project) -> None:
    project.write(
        'resource "terraform_data" "n" {\n  input = "one"\n}\n'
        + THING
        + lookup("terraform_data.n.output", "  depends_on = [memory_thing.a]\n")
    )
    result = project.plan()
    assert reasons(result) == {"data.memory_lookup.x": "read_because_config_unknown"}
    project.apply()
    assert project.state.outputs["o"].value == "id-1"


def test_one_that_depends_on_a_pending_change_is_put_off(project: Project) -> None:
    project.write(THING + lookup('"one"', "  depends_on = [memory_thing.a]\n"))
    assert reasons(project.plan()) == {"data.memory_lookup.x": "read_because_dependency_pending"}


def test_one_in_a_module_that_depends_on_a_pending_change_is_put_off(project: Project) -> None:
    project.write(lookup('"one"'), "m/main.tf")
    project.write(THING + 'module "m" {\n  source     = "./m"\n  depends_on = [memory_thing.a]\n}\n')
    assert reasons(project.plan()) == {"module.m.data.memory_lookup.x": "read_because_dependency_pending"}


def test_a_data_source_that_cannot_be_read_is_an_error(project: Project) -> None:
    assert errors(project.write(lookup('"none"')).plan()) == ["Not found"]


def test_data_sources_without_block_leave_the_state_silently(project: Project) -> None:
    project.write(THING).apply()
    project.write(THING + lookup('"one"')).apply()
    assert len(project.state.resources) == 2
    result = project.write(THING).plan()
    assert actions(result) == {"memory_thing.a": "no-op"}
    project.apply()
    assert len(project.state.resources) == 1
