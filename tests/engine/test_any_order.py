"""Whatever is changed into whatever else: the apply finds an order, ends at what is written, and stays there."""

from __future__ import annotations

import os
import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.engine.memory import Project, errors

SIZE = 7
_ID = re.compile(r"id-\d+")


@dataclass(frozen=True)
class Thing:
    """One resource block: its name forces replacement, what it uses is an update (or part of its name)."""

    there: bool
    version: int
    uses: tuple[int, ...]
    by_name: bool
    first: bool
    count: int


def things_at(at: int) -> st.SearchStrategy[Thing]:
    return st.builds(
        Thing,
        st.sampled_from([True, True, True, False]),
        st.integers(0, 1),
        st.sets(st.integers(0, at - 1), max_size=2).map(tuple) if at else st.just(()),
        st.booleans(),
        st.booleans(),
        st.sampled_from([0, 0, 0, 1, 2]),
    )


CONFIGURATIONS = st.tuples(*map(things_at, range(SIZE)))


def written(things: tuple[Thing, ...]) -> str:
    """The configuration; what is not there is used by nobody."""
    blocks = []
    for at, thing in enumerate(things):
        if not thing.there:
            continue
        used = [
            f"memory_thing.t{one}{'[0]' if things[one].count else ''}.id"
            for one in thing.uses
            if things[one].there
        ]
        joined = "-".join("${" + one + "}" for one in used)
        index = "${count.index}" if thing.count else ""
        lines = [f'resource "memory_thing" "t{at}" {{']
        if thing.count:
            lines.append(f"  count = {thing.count}")
        lines.append(f'  name = "t{at}v{thing.version}{index}{"-" + joined if thing.by_name else ""}"')
        if joined and not thing.by_name:
            lines.append(f'  label = "{joined}"')
        if thing.first:
            lines.append("  lifecycle {\n    create_before_destroy = true\n  }")
        blocks.append("\n".join([*lines, "}"]))
    return "\n".join(blocks) + "\n"


def number(things: tuple[Thing, ...]) -> int:
    return sum(max(1, thing.count) for thing in things if thing.there)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CONFIGURATIONS, min_size=2, max_size=3), st.sets(st.integers(1, 20), max_size=3))
def test_any_configuration_can_follow_any_other(sequence: list[tuple[Thing, ...]], failing: set[int]) -> None:
    """Also after an apply in which some changes failed."""
    before = os.getcwd()
    with tempfile.TemporaryDirectory() as directory:
        os.chdir(directory)
        try:
            project = Project(Path("."))
            for things in sequence:
                project.write(written(things))
                project.cloud.changes, project.cloud.fail_at = 0, failing
                project.apply()
                project.cloud.fail_at = set()
                done = project.apply()
                assert not errors(done), list(done.diagnostics)
                assert len(project.cloud.things) == number(things)
                assert not project.plan().plan.applyable
                _recorded_is_there(project)
            project.cloud.gone.clear()
            uses = {
                id: set(_ID.findall(f"{thing['label']} {thing['name']}"))
                for id, thing in project.cloud.things.items()
            }
            done = project.apply(mode="destroy")
            assert not errors(done)
            assert not project.cloud.things
            _users_first(project.cloud.gone, uses)
        finally:
            os.chdir(before)


def _recorded_is_there(project: Project) -> None:
    objects = [one for resource in project.state.resources.values() for one in resource.instances.values()]
    assert not any(one.deposed for one in objects)
    assert sorted(one.current.attributes["id"] for one in objects if one.current) == sorted(
        project.cloud.things
    )


def _users_first(order: list[str], uses: dict[str, set[str]]) -> None:
    """Nothing went while something that uses it was still there."""
    for at, id in enumerate(order):
        for later in order[at + 1 :]:
            assert id not in uses[later], f"{id} went before {later}"
