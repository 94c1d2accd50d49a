"""Moved and removed blocks."""

from __future__ import annotations

from tests.engine.memory import Project, actions, errors, reasons, warnings

OLD = 'resource "memory_thing" "old" {\n  name = "one"\n}\n'
NEW = OLD.replace('"old"', '"new"')
MODULE = 'resource "memory_thing" "r" {\n  name = "one"\n}\n'


def moved(source: str, target: str) -> str:
    return f"moved {{\n  from = {source}\n  to   = {target}\n}}\n"


def previous(result) -> dict[str, str]:
    return {str(one.address): str(one.previous) for one in result.plan.changes if one.previous is not None}


def test_a_renamed_resource_keeps_its_object(project: Project) -> None:
    project.write(OLD).apply()
    result = project.write(NEW + moved("memory_thing.old", "memory_thing.new")).plan()
    assert actions(result) == {"memory_thing.new": "no-op"}
    assert previous(result) == {"memory_thing.new": "memory_thing.old"}


def test_a_move_is_told_to_the_journal(project: Project) -> None:
    project.write(OLD).apply()
    project.journal.entries.clear()
    project.write(NEW + moved("memory_thing.old", "memory_thing.new")).apply()
    assert [entry[0] for entry in project.journal.entries[:2]] == ["memory_thing.old", "memory_thing.new"]
    assert project.object("memory_thing.old") is None


def test_moves_follow_each_other(project: Project) -> None:
    project.write(OLD).apply()
    result = project.write(
        NEW + moved("memory_thing.b", "memory_thing.new") + moved("memory_thing.old", "memory_thing.b")
    ).plan()
    assert previous(result) == {"memory_thing.new": "memory_thing.old"}


def test_a_resource_moves_into_a_module(project: Project) -> None:
    project.write(OLD).apply()
    project.write(MODULE, "m/main.tf")
    result = project.write(
        'module "m" {\n  source = "./m"\n}\n' + moved("memory_thing.old", "module.m.memory_thing.r")
    ).plan()
    assert actions(result) == {"module.m.memory_thing.r": "no-op"}


def test_a_module_moves_with_all_that_is_in_it(project: Project) -> None:
    project.write(MODULE, "m/main.tf")
    project.write('module "a" {\n  source = "./m"\n}\n').apply()
    result = project.write(
        'module "b" {\n  source = "./m"\n  count  = 1\n}\n' + moved("module.a", "module.b[0]")
    ).plan()
    assert previous(result) == {"module.b[0].memory_thing.r": "module.a.memory_thing.r"}


def test_a_resource_moved_into_a_module_that_is_moved_on(project: Project) -> None:
    project.write(OLD).apply()
    project.write(MODULE, "m/main.tf")
    result = project.write(
        'module "b" {\n  source = "./m"\n}\n'
        + moved("module.a", "module.b")
        + moved("memory_thing.old", "module.a.memory_thing.r")
    ).plan()
    assert previous(result) == {"module.b.memory_thing.r": "memory_thing.old"}


def test_instances_keep_their_keys_when_the_resource_moves(project: Project) -> None:
    text = 'resource "memory_thing" "old" {\n  for_each = toset(["x", "y"])\n  name     = each.key\n}\n'
    project.write(text).apply()
    result = project.write(
        text.replace('"old"', '"new"') + moved("memory_thing.old", "memory_thing.new")
    ).plan()
    assert set(actions(result).values()) == {"no-op"}


def test_a_single_instance_becomes_one_of_many(project: Project) -> None:
    project.write(OLD).apply()
    text = 'resource "memory_thing" "old" {\n  for_each = toset(["one", "y"])\n  name     = each.key\n}\n'
    result = project.write(text + moved("memory_thing.old", 'memory_thing.old["one"]')).plan()
    assert actions(result) == {'memory_thing.old["one"]': "no-op", 'memory_thing.old["y"]': "create"}


def test_a_taken_address_blocks_the_move_with_a_warning(project: Project) -> None:
    project.write(OLD + NEW.replace("one", "two")).apply()
    result = project.write(NEW.replace("one", "two") + moved("memory_thing.old", "memory_thing.new")).plan()
    assert warnings(result) == ["Some moves could not be made"]
    assert actions(result) == {"memory_thing.new": "no-op", "memory_thing.old": "delete"}


def test_moving_away_from_what_is_still_declared_is_refused(project: Project) -> None:
    result = project.write(OLD + NEW + moved("memory_thing.old", "memory_thing.new")).plan()
    assert errors(result) == ["Moved object still exists"]


def test_contradicting_moves_are_refused(project: Project) -> None:
    result = project.write(
        NEW + moved("memory_thing.a", "memory_thing.new") + moved("memory_thing.b", "memory_thing.new")
    ).plan()
    assert errors(result) == ["Contradicting moves"]


def test_moves_in_a_circle_are_refused(project: Project) -> None:
    result = project.write(
        moved("memory_thing.a", "memory_thing.b") + moved("memory_thing.b", "memory_thing.a")
    ).plan()
    assert errors(result) == ["Moves in a circle"]


def test_what_moved_to_an_address_without_block_is_deleted(project: Project) -> None:
    project.write(OLD).apply()
    result = project.write(moved("memory_thing.old", "memory_thing.gone")).plan()
    assert reasons(result) == {"memory_thing.gone": "delete_because_no_move_target"}


def test_a_run_with_targets_must_cover_what_moved(project: Project) -> None:
    project.write(OLD + 'resource "memory_thing" "z" {\n  name = "z"\n}\n').apply()
    text = (
        NEW
        + 'resource "memory_thing" "z" {\n  name = "z"\n}\n'
        + moved("memory_thing.old", "memory_thing.new")
    )
    assert errors(project.write(text).plan(targets=("memory_thing.z",))) == ["Moved objects are left out"]


def test_a_removed_block_without_destroy_forgets(project: Project) -> None:
    project.write(OLD).apply()
    text = "removed {\n  from = memory_thing.old\n  lifecycle {\n    destroy = false\n  }\n}\n"
    result = project.write(text).plan()
    assert actions(result) == {"memory_thing.old": "forget"}
    assert warnings(result) == ["Some objects will be forgotten"]
    done = project.apply()
    assert done.counts == {"forgotten": 1}
    assert project.state.resources == {}
    assert len(project.cloud.things) == 1


def test_a_removed_block_for_what_is_still_declared_is_refused(project: Project) -> None:
    text = OLD + "removed {\n  from = memory_thing.old\n  lifecycle {\n    destroy = false\n  }\n}\n"
    assert errors(project.write(text).plan()) == ["Removed object still exists"]
