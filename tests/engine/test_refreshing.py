"""Refresh: what exists is read, and what differs is drift."""

from __future__ import annotations

from dataclasses import replace

from tests.engine.memory import Project, actions, errors

from twinfra.state.model import InstanceObject

ONE = 'resource "memory_thing" "a" {\n  name = "one"\n  size = 1\n}\n'


def test_what_was_changed_by_hand_is_drift_and_is_repaired(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.things["id-1"]["size"] = 9
    result = project.plan()
    drift = result.plan.drift[0]
    assert (drift.action, drift.before["size"], drift.after["size"]) == ("update", 1, 9)
    assert actions(result) == {"memory_thing.a": "update"}


def test_what_was_deleted_by_hand_is_drift_and_is_created_again(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.things.clear()
    result = project.plan()
    assert [change.action for change in result.plan.drift] == ["delete"]
    assert actions(result) == {"memory_thing.a": "create"}


def test_without_refresh_nothing_is_read(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.things["id-1"]["size"] = 9
    project.cloud.calls.clear()
    assert actions(project.plan(refresh=False)) == {"memory_thing.a": "no-op"}
    assert project.cloud.calls == []


def test_refresh_only_records_what_is_found_and_changes_nothing(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.things["id-1"]["size"] = 9
    project.apply(mode="refresh-only")
    assert project.attributes("memory_thing.a")["size"] == 9
    assert project.cloud.asked("update") == []


def test_a_failing_read_is_an_error_of_that_object(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.fail["read", "one"] = "throttled"
    result = project.plan()
    assert errors(result) == ["Cloud says no"]
    assert result.diagnostics.errors[0].address == "memory_thing.a"


def test_objects_without_a_block_are_read_before_they_are_deleted(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.things.clear()
    result = project.write("").plan()
    assert actions(result) == {}


def test_attributes_of_an_older_schema_are_upgraded(project: Project) -> None:
    project.write(ONE).apply()
    resource = next(iter(project.state.resources.values()))
    current = resource.instances[None].current
    assert current is not None
    old = {**current.attributes, "title": "one"}
    del old["name"]
    resource.instances[None].current = InstanceObject(old, 0)
    assert actions(project.plan()) == {"memory_thing.a": "no-op"}


def test_attributes_of_a_newer_schema_are_refused(project: Project) -> None:
    project.write(ONE).apply()
    resource = next(iter(project.state.resources.values()))
    current = resource.instances[None].current
    assert current is not None
    resource.instances[None].current = InstanceObject(current.attributes, 7)
    assert errors(project.plan()) == ["Object is from a newer provider"]


def test_an_object_of_an_unknown_type_is_named(project: Project) -> None:
    project.write(ONE).apply()
    base, resource = next(iter(project.state.resources.items()))
    other = replace(base, resource=replace(base.resource, type="memory_other"))
    project.state.resources[other] = resource
    result = project.plan()
    assert errors(result) == ["Type of an object is not supported"]
    assert "memory_other" in result.diagnostics.errors[0].detail


def test_an_object_of_an_unknown_type_can_be_forgotten(project: Project) -> None:
    project.write(ONE).apply()
    base, resource = next(iter(project.state.resources.items()))
    project.state.resources[replace(base, resource=replace(base.resource, type="memory_other"))] = resource
    removed = "removed {\n  from = memory_other.a\n  lifecycle {\n    destroy = false\n  }\n}\n"
    done = project.write(ONE + removed).apply()
    assert done.counts == {"forgotten": 1}
    assert list(project.state.resources) == [base]
