"""What a plan says: actions, reasons, unknowns."""

from __future__ import annotations

from tests.engine.memory import Project, actions, errors, reasons, warnings

from twinfra.values.value import GetAttr, Unknown

ONE = 'resource "memory_thing" "a" {\n  name = "one"\n}\n'


def test_what_does_not_exist_is_created(project: Project) -> None:
    assert actions(project.write(ONE).plan()) == {"memory_thing.a": "create"}


def test_computed_attributes_are_unknown_until_the_apply(project: Project) -> None:
    change = project.write(ONE).plan().plan.changes[0]
    assert type(change.after["id"]) is Unknown
    assert change.after["name"] == "one"


def test_planning_changes_neither_the_state_given_nor_the_cloud(project: Project) -> None:
    project.write(ONE).plan()
    assert project.state.resources == {}
    assert project.cloud.things == {}


def test_a_second_plan_is_empty(project: Project) -> None:
    project.write(ONE).apply()
    result = project.plan()
    assert actions(result) == {"memory_thing.a": "no-op"}
    assert not result.plan.applyable


def test_a_changed_argument_is_an_update(project: Project) -> None:
    project.write(ONE).apply()
    project.write(ONE.replace('"one"', '"one"\n  size = 3'))
    change = project.plan().plan.changes[0]
    assert change.action == "update"
    assert (change.before["size"], change.after["size"]) == (None, 3)


def test_a_computed_argument_that_is_not_written_keeps_its_value(project: Project) -> None:
    project.write(ONE).apply()
    project.write(ONE.replace('"one"', '"one"\n  size = 3'))
    assert project.plan().plan.changes[0].after["zone"] == "a"


def test_an_argument_that_forces_replacement_replaces_and_says_so(project: Project) -> None:
    project.write(ONE).apply()
    result = project.write(ONE.replace('"one"', '"two"')).plan()
    assert actions(result) == {"memory_thing.a": "delete-create"}
    assert reasons(result) == {"memory_thing.a": "replace_because_cannot_update"}
    assert result.plan.changes[0].replace_paths == ((GetAttr("name"),),)


def test_create_before_destroy_turns_the_replacement_around(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    create_before_destroy = true\n  }\n}\n'
    project.write(text).apply()
    assert actions(project.write(text.replace("one", "two")).plan()) == {"memory_thing.a": "create-delete"}


def test_what_a_create_before_destroy_resource_needs_is_created_first_too(project: Project) -> None:
    text = """
    resource "memory_thing" "a" {
      name = "one"
    }
    locals {
      id = memory_thing.a.id
    }
    resource "memory_thing" "b" {
      name  = "b"
      label = local.id
      lifecycle {
        create_before_destroy = true
      }
    }
    """
    project.write(text).apply()
    assert actions(project.write(text.replace('"one"', '"two"')).plan())["memory_thing.a"] == "create-delete"


def test_a_removed_block_is_a_delete(project: Project) -> None:
    project.write(ONE).apply()
    result = project.write("").plan()
    assert actions(result) == {"memory_thing.a": "delete"}
    assert reasons(result) == {"memory_thing.a": "delete_because_no_resource_config"}


def test_a_smaller_count_deletes_the_last_ones(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  count = 3\n  name  = "n${count.index}"\n}\n'
    project.write(text).apply()
    result = project.write(text.replace("3", "1")).plan()
    assert actions(result) == {
        "memory_thing.a[0]": "no-op",
        "memory_thing.a[1]": "delete",
        "memory_thing.a[2]": "delete",
    }
    assert set(reasons(result).values()) == {"delete_because_count_index"}


def test_a_key_that_is_gone_is_deleted(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  for_each = toset(["x", "y"])\n  name     = each.key\n}\n'
    project.write(text).apply()
    result = project.write(text.replace('"x", "y"', '"y"')).plan()
    assert actions(result) == {'memory_thing.a["x"]': "delete", 'memory_thing.a["y"]': "no-op"}
    assert reasons(result) == {'memory_thing.a["x"]': "delete_because_each_key"}


def test_adding_count_moves_the_single_instance(project: Project) -> None:
    project.write(ONE).apply()
    result = project.write('resource "memory_thing" "a" {\n  count = 1\n  name  = "one"\n}\n').plan()
    assert actions(result) == {"memory_thing.a[0]": "no-op"}
    assert str(result.plan.changes[0].previous) == "memory_thing.a"


def test_what_depends_on_an_update_sees_its_unknown_results(project: Project) -> None:
    text = ONE + 'resource "memory_thing" "b" {\n  name = "b"\n  size = memory_thing.a.revision\n}\n'
    project.write(text).apply()
    result = project.write(text.replace('"one"', '"one"\n  size = 3')).plan()
    assert actions(result) == {"memory_thing.a": "update", "memory_thing.b": "update"}


def test_prevent_destroy_refuses_the_plan(project: Project) -> None:
    text = (
        'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n'
    )
    project.write(text).apply()
    result = project.write(text.replace('"one"', '"two"')).plan()
    assert result.plan.errored
    assert errors(result) == ["Instance must not be destroyed"]


def test_ignored_arguments_keep_their_value(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  name = "one"\n  size = 1\n  lifecycle {\n    ignore_changes = [size]\n  }\n}\n'
    project.write(text).apply()
    assert actions(project.write(text.replace("size = 1", "size = 2")).plan()) == {"memory_thing.a": "no-op"}


def test_an_ignored_map_key_keeps_its_value_and_others_change(project: Project) -> None:
    text = (
        'resource "memory_thing" "a" {\n  name = "one"\n  tags = { a = "1", b = "1" }\n'
        '  lifecycle {\n    ignore_changes = [tags["a"]]\n  }\n}\n'
    )
    project.write(text).apply()
    result = project.write(text.replace('"1"', '"2"')).plan()
    assert result.plan.changes[0].after["tags"] == {"a": "1", "b": "2"}


def test_ignoring_all_changes_changes_nothing(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  name = "one"\n  lifecycle {\n    ignore_changes = all\n  }\n}\n'
    project.write(text).apply()
    assert actions(project.write(text.replace("one", "two")).plan()) == {"memory_thing.a": "no-op"}


def test_a_trigger_replaces_when_its_resource_changes(project: Project) -> None:
    text = ONE + (
        'resource "memory_thing" "b" {\n  name = "b"\n'
        "  lifecycle {\n    replace_triggered_by = [memory_thing.a]\n  }\n}\n"
    )
    project.write(text).apply()
    result = project.write(text.replace('"one"', '"one"\n  size = 3')).plan()
    assert actions(result) == {"memory_thing.a": "update", "memory_thing.b": "delete-create"}
    assert reasons(result) == {"memory_thing.b": "replace_by_triggers"}


def test_a_trigger_on_an_attribute_looks_at_that_alone(project: Project) -> None:
    text = ONE + (
        'resource "memory_thing" "b" {\n  name = "b"\n'
        "  lifecycle {\n    replace_triggered_by = [memory_thing.a.label]\n  }\n}\n"
    )
    project.write(text).apply()
    result = project.write(text.replace('"one"', '"one"\n  size = 3')).plan()
    assert actions(result)["memory_thing.b"] == "no-op"


def test_a_trigger_that_names_no_instance_is_an_error(project: Project) -> None:
    text = ONE + (
        'resource "memory_thing" "b" {\n  name = "b"\n'
        "  lifecycle {\n    replace_triggered_by = [memory_thing.a[1]]\n  }\n}\n"
    )
    result = project.write(text).plan()
    assert errors(result) == ["Nothing to trigger a replacement"]


def test_replace_asks_for_one_instance(project: Project) -> None:
    project.write(ONE).apply()
    result = project.plan(replace=("memory_thing.a",))
    assert actions(result) == {"memory_thing.a": "delete-create"}
    assert reasons(result) == {"memory_thing.a": "replace_by_request"}


def test_replace_without_the_key_warns(project: Project) -> None:
    project.write('resource "memory_thing" "a" {\n  count = 2\n  name  = "x"\n}\n').apply()
    result = project.plan(replace=("memory_thing.a",))
    assert set(actions(result).values()) == {"no-op"}
    assert warnings(result) == ["Nothing is replaced for want of a key"]


def test_a_refusal_of_the_provider_points_at_the_argument(project: Project) -> None:
    result = project.write(
        'resource "memory_thing" "a" {\n  name  = "one"\n  label = "forbidden"\n}\n'
    ).plan()
    assert errors(result) == ["Label is forbidden"]
    subject = result.diagnostics.errors[0].subject
    assert subject is not None
    assert subject.text == '"forbidden"'


def test_nested_blocks_keep_what_was_computed_in_them(project: Project) -> None:
    text = 'resource "memory_thing" "a" {\n  name = "one"\n  rule {\n    port = 80\n  }\n}\n'
    project.write(text).apply()
    assert actions(project.plan()) == {"memory_thing.a": "no-op"}


def test_write_only_values_reach_the_provider_and_are_not_kept(project: Project) -> None:
    project.write('resource "memory_thing" "a" {\n  name  = "one"\n  token = "t0p"\n}\n').apply()
    assert project.cloud.tokens == ["t0p"]
    assert project.attributes("memory_thing.a")["token"] is None
    assert actions(project.plan()) == {"memory_thing.a": "no-op"}


def test_an_ephemeral_value_may_be_written_to_a_write_only_argument(project: Project) -> None:
    project.write(
        'variable "t" {\n  ephemeral = true\n  default   = "t0p"\n}\n'
        'resource "memory_thing" "a" {\n  name  = "one"\n  token = var.t\n}\n'
    ).apply()
    assert project.cloud.tokens == ["t0p"]


def test_an_ephemeral_value_elsewhere_is_refused(project: Project) -> None:
    result = project.write(
        'variable "t" {\n  ephemeral = true\n  default   = "t0p"\n}\n'
        'resource "memory_thing" "a" {\n  name = var.t\n}\n'
    ).plan()
    assert errors(result) == ["Ephemeral value not allowed"]


def test_errors_of_independent_blocks_are_told_together(project: Project) -> None:
    result = project.write(
        'locals {\n  a = tonumber("x")\n  b = tonumber("y")\n}\nresource "memory_thing" "a" {\n  name = local.a\n}\n'
    ).plan()
    assert len(errors(result)) == 2


def test_a_circle_is_told_with_its_members(project: Project) -> None:
    result = project.write(
        'resource "memory_thing" "a" {\n  name = memory_thing.b.id\n}\n'
        'resource "memory_thing" "b" {\n  name = memory_thing.a.id\n}\n'
    ).plan()
    assert errors(result) == ["Things depend on each other in a circle"]
    assert "memory_thing.a" in result.diagnostics.errors[0].detail


def test_an_instance_sees_one_row_of_another_resource(project: Project) -> None:
    project.write(
        'resource "memory_thing" "a" {\n  count = 2\n  name  = "a${count.index}"\n}\n'
        'resource "memory_thing" "b" {\n  count = 2\n  name  = "b-${memory_thing.a[count.index].name}"\n}\n'
    ).apply()
    assert project.attributes("memory_thing.b[1]")["name"] == "b-a1"


def test_an_instance_that_does_not_exist_cannot_be_read(project: Project) -> None:
    result = project.write(
        'resource "memory_thing" "a" {\n  count = 2\n  name  = "a"\n}\noutput "o" {\n  value = memory_thing.a[2].id\n}\n'
    ).plan()
    assert errors(result) == ["No such instance"]
