"""terraform_data, as stock Terraform keeps and plans it."""

from __future__ import annotations

import threading

import pytest
from tests.engine.memory import Project, actions, reasons

from twinfra.values.types import NUMBER
from twinfra.values.value import Unknown


def data(body: str, name: str = "a") -> str:
    return f'resource "terraform_data" "{name}" {{\n{body}}}\n'


def test_values_are_kept_with_their_types(project: Project) -> None:
    project.write(data('  input = { a = [1, "x"], b = null }\n')).apply()
    kept = project.attributes("terraform_data.a")
    assert kept["input"] == {
        "value": {"a": [1, "x"], "b": None},
        "type": ["object", {"a": ["tuple", ["number", "string"]], "b": "dynamic"}],
    }
    assert kept["output"] == kept["input"]
    assert kept["triggers_replace"] is None


def test_its_output_is_unknown_of_the_type_of_its_input(project: Project) -> None:
    change = project.write(data("  input = 1\n")).plan().plan.changes[0]
    assert change.after["output"] == Unknown(NUMBER)


def test_without_input_its_output_is_null_at_once(project: Project) -> None:
    assert project.write(data("")).plan().plan.changes[0].after["output"] is None


def test_a_changed_input_is_an_update(project: Project) -> None:
    project.write(data("  input = 1\n")).apply()
    assert actions(project.write(data('  input = "1"\n')).plan()) == {"terraform_data.a": "update"}


def test_a_changed_trigger_replaces(project: Project) -> None:
    project.write(data("  triggers_replace = 1\n")).apply()
    result = project.write(data("  triggers_replace = 2\n")).plan()
    assert actions(result) == {"terraform_data.a": "delete-create"}
    assert reasons(result) == {"terraform_data.a": "replace_because_cannot_update"}


def test_sensitive_inputs_are_remembered_as_such(project: Project) -> None:
    project.write(
        'variable "p" {\n  default   = "x"\n  sensitive = true\n}\n'
        + data('  input = { user = "u", pw = var.p }\n')
    ).apply()
    found = project.object("terraform_data.a")
    assert found is not None
    assert found.sensitive == ([{"type": "get_attr", "value": "input"}, {"type": "get_attr", "value": "pw"}],)
    assert actions(project.plan()) == {"terraform_data.a": "no-op"}


def test_a_value_that_becomes_sensitive_is_an_update(project: Project) -> None:
    variable = 'variable "p" {\n  default   = "x"\n  sensitive = false\n}\n'
    project.write(variable + data("  input = var.p\n")).apply()
    result = project.write(variable.replace("false", "true") + data("  input = var.p\n")).plan()
    assert actions(result) == {"terraform_data.a": "update"}


def test_it_needs_no_thread(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: threading.Thread) -> None:
        raise AssertionError(f"{self.name} was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    project.write(data("  input = 1\n")).apply()
    assert project.object("terraform_data.a") is not None
