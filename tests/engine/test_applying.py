"""What an apply does: calls, results, failures, and what is recorded when."""

from __future__ import annotations

from tests.engine.memory import Project, actions, errors, reasons, warnings

from twinfra.engine import api

ONE = 'resource "memory_thing" "a" {\n  name = "one"\n}\n'
TWO = ONE + 'resource "memory_thing" "b" {\n  name  = "two"\n  label = memory_thing.a.id\n}\n'


def test_an_apply_creates_and_records(project: Project) -> None:
    done = project.write(ONE).apply()
    assert not done.diagnostics.has_errors
    assert done.counts == {"added": 1}
    assert project.attributes("memory_thing.a")["id"] == "id-1"


def test_values_of_created_objects_reach_what_needs_them(project: Project) -> None:
    project.write(TWO).apply()
    assert project.attributes("memory_thing.b")["label"] == "id-1"


def test_the_state_remembers_what_an_object_was_made_from(project: Project) -> None:
    project.write(TWO + 'resource "memory_thing" "c" {\n  name = memory_thing.b.id\n}\n').apply()
    found = project.object("memory_thing.c")
    assert found is not None
    assert found.dependencies == ("memory_thing.a", "memory_thing.b")


def test_an_update_is_one_call(project: Project) -> None:
    project.write(ONE).apply()
    done = project.write(ONE.replace('"one"', '"one"\n  size = 3')).apply()
    assert done.counts == {"changed": 1}
    assert project.attributes("memory_thing.a")["revision"] == 2


def test_an_update_that_turns_out_to_change_nothing_is_left_out(project: Project) -> None:
    text = (
        ONE
        + 'resource "memory_thing" "b" {\n  name  = "b"\n  label = memory_thing.a.revision > 0 ? "x" : "y"\n}\n'
    )
    project.write(text).apply()
    done = project.write(text.replace('"one"', '"one"\n  size = 3')).apply()
    assert done.counts == {"changed": 1}
    assert project.cloud.asked("update") == ["one"]


def test_a_replacement_destroys_first(project: Project) -> None:
    project.write(ONE).apply()
    done = project.write(ONE.replace("one", "two")).apply()
    assert done.counts == {"added": 1, "destroyed": 1}
    assert project.cloud.calls[-2:] == [("delete", "one"), ("create", "two")]


def test_with_create_before_destroy_the_new_one_comes_first(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
    project.write(text).apply()
    project.write(text.replace("one", "two")).apply()
    assert project.cloud.calls[-2:] == [("create", "two"), ("delete", "one")]
    instance = next(iter(project.state.resources.values())).instances[None]
    assert instance.deposed == {}


def test_users_are_switched_before_the_old_object_goes(project: Project) -> None:
    text = (
        'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
        'resource "memory_thing" "b" {\n  name  = "user"\n  label = memory_thing.a.id\n}\n'
    )
    project.write(text).apply()
    project.write(text.replace('"one"', '"two"')).apply()
    assert [call for call in project.cloud.calls if call[0] != "read"][-3:] == [
        ("create", "two"),
        ("update", "user"),
        ("delete", "one"),
    ]


def test_destroying_goes_backwards(project: Project) -> None:
    project.write(TWO).apply()
    done = project.apply(mode="destroy")
    assert project.cloud.asked("delete") == ["two", "one"]
    assert done.counts == {"destroyed": 2}
    assert project.state.resources == {}


def test_destroying_what_has_no_block_any_more_goes_backwards_too(project: Project) -> None:
    project.write(TWO).apply()
    project.write("").apply()
    assert project.cloud.asked("delete") == ["two", "one"]


def test_dependents_are_destroyed_before_what_they_need_is_replaced(project: Project) -> None:
    text = ONE + 'resource "memory_thing" "b" {\n  name = memory_thing.a.id\n}\n'
    project.write(text).apply()
    project.write(text.replace('"one"', '"two"')).apply()
    assert [call for call in project.cloud.calls if call[0] != "read"][-4:] == [
        ("delete", "id-1"),
        ("delete", "one"),
        ("create", "two"),
        ("create", "id-3"),
    ]


def test_an_object_that_is_no_longer_used_goes_after_its_user_was_changed(project: Project) -> None:
    project.write(TWO).apply()
    project.write('resource "memory_thing" "b" {\n  name  = "two"\n  label = "free"\n}\n').apply()
    assert [call for call in project.cloud.calls if call[0] != "read"][-2:] == [
        ("update", "two"),
        ("delete", "one"),
    ]


def test_a_failed_create_leaves_nothing_and_skips_dependents(project: Project) -> None:
    project.cloud.fail["create", "one"] = "quota"
    done = project.write(TWO).apply()
    assert errors(done) == ["Cloud says no"]
    assert done.state.resources == {}
    assert project.cloud.asked("create") == ["one"]


def test_a_failure_points_at_the_argument_it_speaks_of(project: Project) -> None:
    project.cloud.fail["create", "one"] = "quota"
    found = project.write(ONE).apply().diagnostics.errors[0]
    assert found.subject is not None
    assert found.subject.text == '"one"'
    assert found.address == "memory_thing.a"


def test_independent_objects_are_created_although_another_fails(project: Project) -> None:
    project.cloud.fail["create", "one"] = "quota"
    project.write(ONE + 'resource "memory_thing" "z" {\n  name = "other"\n}\n').apply()
    assert project.object("memory_thing.z") is not None


def test_a_half_made_object_is_recorded_as_tainted_and_replaced_next_time(project: Project) -> None:
    project.cloud.half.add("one")
    project.write(ONE).apply()
    found = project.object("memory_thing.a")
    assert found is not None
    assert found.tainted
    project.cloud.half.clear()
    result = project.plan()
    assert actions(result) == {"memory_thing.a": "delete-create"}
    assert reasons(result) == {"memory_thing.a": "replace_because_tainted"}


def test_a_failed_delete_keeps_the_object(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.fail["delete", "one"] = "in use"
    done = project.apply(mode="destroy")
    assert errors(done) == ["Cloud says no"]
    assert project.object("memory_thing.a") is not None


def test_what_an_object_needs_stays_when_deleting_it_failed(project: Project) -> None:
    project.write(TWO).apply()
    project.cloud.fail["delete", "two"] = "in use"
    project.apply(mode="destroy")
    assert project.cloud.asked("delete") == ["two"]
    assert project.object("memory_thing.a") is not None


def test_a_successor_that_cannot_be_created_leaves_the_old_object_current(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
    project.write(text).apply()
    project.cloud.fail["create", "two"] = "quota"
    project.write(text.replace("one", "two")).apply()
    assert project.attributes("memory_thing.a")["name"] == "one"
    assert next(iter(project.state.resources.values())).instances[None].deposed == {}


def test_a_deposed_object_that_could_not_be_deleted_is_deleted_next_time(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
    project.write(text).apply()
    project.cloud.fail["delete", "one"] = "in use"
    project.write(text.replace("one", "two")).apply()
    project.cloud.fail.clear()
    found = [text.split(" (")[0] + " deposed" for text in actions(project.plan()) if "(" in text]
    assert found == ["memory_thing.a deposed"]
    project.apply()
    assert project.cloud.asked("delete") == ["one", "one"]
    assert [thing["name"] for thing in project.cloud.things.values()] == ["two"]


def test_each_result_is_synced_before_what_depends_on_it_starts(project: Project) -> None:
    project.write(TWO).apply()
    kinds = [entry if entry == "sync" else entry[0] for entry in project.journal.entries]
    first = kinds.index("memory_thing.a")
    second = kinds.index("memory_thing.b")
    assert "sync" in kinds[first:second]


def test_the_intent_to_create_is_synced_before_the_call(project: Project) -> None:
    project.write(ONE).apply()
    kinds = [entry if entry == "sync" else entry[0] for entry in project.journal.entries]
    assert kinds[:3] == ["intend", "sync", "memory_thing.a"]
    assert project.journal.intents[0].planned["name"] == "one"
    assert "id" in project.journal.intents[0].unknown


def test_write_only_values_are_not_in_the_journal(project: Project) -> None:
    project.write('resource "memory_thing" "a" {\n  name  = "one"\n  token = "t0p"\n}\n').apply()
    assert project.cloud.tokens == ["t0p"]
    assert "t0p" not in repr(project.journal.entries) + repr(project.journal.intents)


def test_a_create_is_confirmed_when_its_result_is_safe(project: Project) -> None:
    project.write(ONE).apply()
    assert project.cloud.confirmed == ["one"]
    found = project.object("memory_thing.a")
    assert found is not None
    assert found.private == {}


def test_a_create_that_could_not_be_confirmed_is_confirmed_by_the_next_apply(project: Project) -> None:
    project.cloud.fail["confirm", "one"] = "busy"
    done = project.write(ONE).apply()
    assert (errors(done), warnings(done)) == ([], ["Cloud says no"])
    project.cloud.fail.clear()
    project.write(ONE + 'resource "memory_thing" "b" {\n  name = "two"\n}\n').apply()
    assert project.cloud.confirmed == ["one", "two"]
    found = project.object("memory_thing.a")
    assert found is not None
    assert found.private == {}


def test_what_an_interrupted_create_made_is_found_again(project: Project) -> None:
    project.write(ONE).apply()
    intent = project.journal.intents[0]
    empty = Project(project.directory)
    empty.cloud = project.cloud
    done = api.recover(empty.load(), empty.state, {}, empty.providers, [intent], empty.journal)
    assert warnings(done) == ["Found what an interrupted run made"]
    found = done.state.current(intent.address)
    assert found is not None
    assert found.tainted
    assert found.attributes["id"] == "id-1"


def test_an_interrupted_create_that_made_nothing_leaves_nothing(project: Project) -> None:
    project.write(ONE).apply()
    intent = project.journal.intents[0]
    project.cloud.made.clear()
    empty = Project(project.directory)
    empty.cloud = project.cloud
    done = api.recover(empty.load(), empty.state, {}, empty.providers, [intent])
    assert done.state.resources == {}
    assert not done.diagnostics


def test_outputs_are_recorded(project: Project) -> None:
    project.write(ONE + 'output "o" {\n  value = memory_thing.a.id\n}\n').apply()
    assert project.state.outputs["o"].value == "id-1"


def test_an_output_without_block_goes(project: Project) -> None:
    project.write('output "o" {\n  value = 1\n}\n').apply()
    project.write("").apply()
    assert project.state.outputs == {}


def test_a_plan_with_errors_is_not_applied(project: Project) -> None:
    project.write('resource "memory_thing" "a" {\n  name = tonumber("x")\n}\n')
    planned = project.plan()
    done = api.apply(planned.plan, project.load(), planned.state, {}, project.providers)
    assert errors(done) == ["Plan has errors"]


def test_the_cloud_of_a_state_is_remembered(project: Project) -> None:
    project.write(ONE).apply()
    assert list(project.state.identities.values()) == [{"region": "here"}]


def test_a_state_of_another_cloud_is_refused_before_anything_is_read(project: Project) -> None:
    project.write(ONE).apply()
    project.cloud.calls.clear()
    result = project.write(ONE + 'provider "memory" {\n  region = "there"\n}\n').plan()
    assert errors(result) == ["State belongs to another cloud"]
    assert project.cloud.calls == []


def test_progress_of_an_operation_is_told(project: Project) -> None:
    project.write(ONE).apply()
    assert "memory_thing.a: working" in project.notes.texts
