"""Aftermath: what an apply changed by the way is read again at its end, so that the next plan has nothing to tell."""

from __future__ import annotations

from tests.engine.memory import Project, actions

PARENT = 'resource "memory_thing" "parent" {\n  name = "parent"\n}\n'
CHILD = 'resource "memory_thing" "child" {\n  name  = "child"\n  label = memory_thing.parent.id\n}\n'
THROUGH = (
    "locals {\n  parent = memory_thing.parent.id\n}\n"
    'resource "memory_thing" "child" {\n  name  = "child"\n  label = local.parent\n}\n'
)


def revision(project: Project) -> int:
    found: int = project.attributes("memory_thing.parent")["revision"]
    return found


def test_an_object_that_another_one_changed_is_recorded_as_it_is_then(project: Project) -> None:
    project.write(PARENT + CHILD).apply()
    assert revision(project) == 2
    assert project.plan().plan.drift == []


def test_also_where_a_local_value_lies_between(project: Project) -> None:
    project.write(PARENT + THROUGH).apply()
    assert revision(project) == 2


def test_also_where_the_other_one_comes_or_goes_later(project: Project) -> None:
    project.write(PARENT).apply()
    assert revision(project) == 1
    project.write(PARENT + CHILD).apply()
    assert revision(project) == 2
    project.write(PARENT).apply()
    assert revision(project) == 3
    assert project.plan().plan.drift == []


def test_only_what_something_was_made_from_is_read_again(project: Project) -> None:
    project.write(PARENT + CHILD)
    project.cloud.calls.clear()
    project.apply()
    assert project.cloud.asked("read") == ["parent"]


def test_what_cannot_be_read_stays_as_it_was_recorded(project: Project) -> None:
    project.write(PARENT + CHILD)
    project.cloud.fail["read", "parent"] = "throttled"
    project.apply()
    assert revision(project) == 1
    project.cloud.fail.clear()
    assert actions(project.plan()) == {"memory_thing.child": "no-op", "memory_thing.parent": "no-op"}


def test_what_is_not_found_so_soon_is_not_lost(project: Project) -> None:
    project.write(PARENT + CHILD)
    attach = project.cloud.attach
    project.cloud.attach = lambda id: project.cloud.things.pop(id, None)  # type: ignore[method-assign,assignment]
    project.apply()
    project.cloud.attach = attach  # type: ignore[method-assign]
    assert revision(project) == 1


def test_the_journal_has_it_too(project: Project) -> None:
    project.write(PARENT + CHILD).apply()
    recorded = [entry for entry in project.journal.entries if entry[0] == "memory_thing.parent"]
    assert [entry[1].attributes["revision"] for entry in recorded][-1] == 2
    assert project.journal.entries[-1] == "sync"
