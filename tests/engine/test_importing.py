"""Imports: by block and by command."""

from __future__ import annotations

from tests.engine.memory import THING as THING_BLOCK
from tests.engine.memory import Project, actions, errors

from twinfra.addresses import AbsResource, Instance, parse_address
from twinfra.engine import api
from twinfra.values.value import List

THING = 'resource "memory_thing" "a" {\n  name = "one"\n}\n'


def block(to: str, id: str, more: str = "") -> str:
    return f"import {{\n  to = {to}\n  id = {id}\n{more}}}\n"


def existing(project: Project, id: str = "x-1", **attributes: object) -> None:
    thing = dict.fromkeys(("size", "label", "tags", "secret", "token", "token_version"))
    project.cloud.things[id] = {
        **thing,
        "id": id,
        "name": "one",
        "zone": "z",
        "revision": 5,
        "rule": List((), THING_BLOCK.type.attributes["rule"].element),
        **attributes,
    }


def address(text: str) -> Instance:
    found = parse_address(text)
    assert isinstance(found, AbsResource)
    return found.instance(None)


def test_an_import_block_takes_an_object_over(project: Project) -> None:
    existing(project)
    project.write(THING + block("memory_thing.a", '"x-1"'))
    result = project.plan()
    assert actions(result) == {"memory_thing.a": "no-op"}
    assert result.plan.changes[0].importing == "x-1"
    assert result.plan.applyable
    done = project.apply()
    assert done.counts == {"imported": 1}
    assert project.attributes("memory_thing.a")["revision"] == 5


def test_an_imported_object_that_differs_is_updated(project: Project) -> None:
    existing(project, size=7)
    project.write(THING + block("memory_thing.a", '"x-1"'))
    assert actions(project.plan()) == {"memory_thing.a": "update"}


def test_an_import_that_was_done_does_nothing(project: Project) -> None:
    existing(project)
    project.write(THING + block("memory_thing.a", '"x-1"')).apply()
    result = project.plan()
    assert result.plan.changes[0].importing == ""
    assert not result.plan.applyable


def test_for_each_imports_several(project: Project) -> None:
    existing(project, "x-1")
    existing(project, "x-2")
    project.write(
        'resource "memory_thing" "a" {\n  for_each = toset(["p", "q"])\n  name     = "one"\n}\n'
        + block("memory_thing.a[each.key]", '"x-${each.value}"', "  for_each = { p = 1, q = 2 }\n")
    ).apply()
    assert project.attributes('memory_thing.a["q"]')["id"] == "x-2"


def test_what_does_not_exist_cannot_be_imported(project: Project) -> None:
    project.write(THING + block("memory_thing.a", '"nope"'))
    assert errors(project.plan()) == ["Nothing to import"]


def test_an_import_without_block_is_refused(project: Project) -> None:
    assert errors(project.write(block("memory_thing.a", '"x-1"')).plan()) == [
        "Nothing configured to import to"
    ]


def test_an_unknown_id_is_refused(project: Project) -> None:
    project.write(
        THING
        + 'resource "memory_thing" "b" {\n  name = "b"\n}\n'
        + block("memory_thing.a", "memory_thing.b.id")
    )
    assert errors(project.plan()) == ["Unsuitable import id"]


def test_an_instance_that_the_block_does_not_make_cannot_be_imported_to(project: Project) -> None:
    project.write(THING.replace("{\n", "{\n  count = 1\n", 1) + block("memory_thing.a[3]", '"x-1"'))
    assert errors(project.plan()) == ["Nothing configured to import to"]


def test_two_imports_of_one_address_are_refused(project: Project) -> None:
    project.write(THING + block("memory_thing.a", '"x-1"') + block("memory_thing.a", '"x-2"'))
    assert errors(project.plan()) == ["Imported twice"]


def test_importing_by_command_records_the_object(project: Project) -> None:
    existing(project)
    project.write(THING)
    done = api.import_resource(
        project.load(), project.state, {}, project.providers, address("memory_thing.a"), "x-1"
    )
    assert not done.diagnostics.has_errors
    found = done.state.current(address("memory_thing.a"))
    assert found is not None
    assert found.attributes["revision"] == 5


def test_importing_to_a_taken_address_is_refused(project: Project) -> None:
    project.write(THING).apply()
    done = api.import_resource(
        project.load(), project.state, {}, project.providers, address("memory_thing.a"), "x-1"
    )
    assert errors(done) == ["Address is taken"]


def test_importing_without_block_is_refused(project: Project) -> None:
    project.write("")
    done = api.import_resource(
        project.load(), project.state, {}, project.providers, address("memory_thing.a"), "x-1"
    )
    assert errors(done) == ["Nothing configured to import to"]
