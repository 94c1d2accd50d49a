"""Which differences only repeat another one of the same object."""

from __future__ import annotations

import pytest

from twinfra.decode.places import Written
from twinfra.diagnostics import Source, SourceRange
from twinfra.environments.drift.detection import with_echoes
from twinfra.environments.drift.differences import Difference
from twinfra.environments.drift.finding import AttributeDrift
from twinfra.values.value import GetAttr, Index, Path, Value

DECLARED = Written(None, (), SourceRange(Source("main.tf", "x"), 0, 1))


def entry(name: str, key: str) -> Path:
    return (GetAttr(name), Index(key))


def inside(name: str, argument: str) -> Path:
    return (GetAttr(name), Index(0), GetAttr(argument))


def part(path: Path, before: Value, after: Value, declared: bool = False) -> AttributeDrift:
    return AttributeDrift(Difference(path, before, after), DECLARED if declared else None)


@pytest.mark.parametrize("before", ["a", "inherited", None])
def test_an_entry_of_another_map_repeats_a_declared_one(before: Value) -> None:
    first, second = with_echoes(
        [part(entry("tags", "X"), "a", "b", declared=True), part(entry("tags_all", "X"), before, "b")]
    )
    assert (first.echo, second.echo) == (False, True)


def test_of_two_that_nobody_declared_the_first_is_told() -> None:
    first, second = with_echoes(
        [part(entry("tags", "X"), None, "b"), part(entry("tags_all", "X"), None, "b")]
    )
    assert (first.echo, second.echo) == (False, True)


def test_another_entry_is_told() -> None:
    parts = [part(entry("tags", "X"), None, "b", declared=True), part(entry("tags_all", "Y"), None, "b")]
    assert not any(one.echo for one in with_echoes(parts))


def test_an_argument_of_the_same_name_in_another_block_is_told() -> None:
    parts = [
        part(inside("root_block_device", "encrypted"), True, False, declared=True),
        part(inside("ebs_block_device", "encrypted"), True, False),
    ]
    assert not any(one.echo for one in with_echoes(parts))
