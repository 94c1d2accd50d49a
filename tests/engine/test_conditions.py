"""Validations, preconditions, postconditions and checks."""

from __future__ import annotations

from tests.engine.memory import Project, actions, errors, warnings


def statuses(result) -> dict[str, str]:
    return {one.address or one.container: one.status for one in result.plan.checks}


def test_a_validation_that_fails_points_at_the_variable(project: Project) -> None:
    project.write(
        'variable "env" {\n  default = "dev"\n  validation {\n    condition     = var.env != "dev"\n'
        '    error_message = "not ${var.env}"\n  }\n}\n'
    )
    result = project.plan()
    assert errors(result) == ["Invalid value for variable"]
    found = result.diagnostics.errors[0]
    assert "not dev" in found.detail
    assert found.subject is not None
    assert found.subject.first.line == 1


def test_a_validation_may_read_other_variables(project: Project) -> None:
    project.write(
        'variable "a" {\n  default = 1\n}\nvariable "b" {\n  default = 2\n  validation {\n'
        '    condition     = var.b > var.a\n    error_message = "b must exceed a"\n  }\n}\n'
    )
    assert statuses(project.plan()) == {"var.b": "pass"}


def test_a_precondition_that_fails_stops_the_plan_of_its_resource(project: Project) -> None:
    project.write(
        'variable "n" {\n  default = 1\n}\nresource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n'
        '    precondition {\n      condition     = var.n > 1\n      error_message = "too few: ${var.n}"\n    }\n  }\n}\n'
        'resource "memory_thing" "b" {\n  name = memory_thing.a.name\n}\n'
    )
    result = project.plan()
    assert errors(result) == ["Resource precondition failed"]
    assert actions(result) == {}


def test_a_postcondition_is_checked_when_its_values_are_known(project: Project) -> None:
    project.write(
        'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    postcondition {\n'
        '      condition     = self.id == "id-9"\n      error_message = "odd id ${self.id}"\n    }\n  }\n}\n'
    )
    planned = project.plan()
    assert not planned.plan.errored
    assert statuses(planned) == {"memory_thing.a": "unknown"}
    done = project.apply()
    assert errors(done) == ["Resource postcondition failed"]
    assert project.object("memory_thing.a") is not None


def test_a_failing_assertion_is_a_warning(project: Project) -> None:
    project.write(
        'variable "n" {\n  default = 1\n}\ncheck "c" {\n  assert {\n    condition     = var.n == 2\n'
        '    error_message = "n is ${var.n}"\n  }\n}\n'
    )
    result = project.plan()
    assert warnings(result) == ["Check assertion failed"]
    assert statuses(result) == {"check.c": "fail"}
    assert not result.plan.errored


def test_a_data_source_in_a_check_that_cannot_be_read_is_a_warning(project: Project) -> None:
    project.write(
        'check "c" {\n  data "memory_lookup" "x" {\n    name = "none"\n  }\n  assert {\n'
        '    condition     = data.memory_lookup.x.id == "y"\n    error_message = "m"\n  }\n}\n'
    )
    result = project.plan()
    assert not result.plan.errored
    assert "Not found" in warnings(result)


def test_a_message_with_sensitive_values_is_not_shown(project: Project) -> None:
    project.write(
        'variable "p" {\n  default   = "s3cret"\n  sensitive = true\n}\noutput "o" {\n  value = 1\n  precondition {\n'
        '    condition     = var.p == ""\n    error_message = "is ${var.p}"\n  }\n}\n'
    )
    result = project.plan()
    assert errors(result) == ["Output precondition failed"]
    assert all("s3cret" not in one.detail for one in result.diagnostics)


def test_check_results_are_kept_in_the_state(project: Project) -> None:
    project.write(
        'variable "n" {\n  default = 1\n}\ncheck "c" {\n  assert {\n    condition     = var.n == 1\n'
        '    error_message = "m"\n  }\n}\n'
    ).apply()
    assert project.state.check_results == [
        {
            "object_kind": "check",
            "config_addr": "check.c",
            "status": "pass",
            "objects": [{"object_addr": "check.c", "status": "pass"}],
        }
    ]
