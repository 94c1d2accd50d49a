"""The single differences of two values."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as some

from twinfra.environments.drift.differences import Difference, differences
from twinfra.values.equality import identical
from twinfra.values.sets import make_set
from twinfra.values.types import STRING
from twinfra.values.value import SENSITIVE, GetAttr, Index, List, Map, Marked, Value

LEAVES = some.none() | some.booleans() | some.integers(0, 3) | some.sampled_from(["", "a", "b"])
ROWS = some.lists(LEAVES, max_size=3).map(tuple) | some.dictionaries(
    some.sampled_from("xyz"), LEAVES, max_size=3
)
TREES = LEAVES | ROWS | some.dictionaries(some.sampled_from("xyz"), LEAVES | ROWS, max_size=3)


def paths(before: Value, after: Value) -> list[tuple[object, ...]]:
    return [one.path for one in differences(before, after)]


def test_a_changed_attribute_has_its_path_and_both_values() -> None:
    before, after = {"a": {"b": 1, "c": 2}}, {"a": {"b": 1, "c": 3}}
    assert list(differences(before, after)) == [Difference((GetAttr("a"), GetAttr("c")), 2, 3)]


def test_entries_of_maps_are_told_by_their_keys() -> None:
    before, after = Map({"a": "1", "b": "2"}, STRING), Map({"b": "2", "c": "3"}, STRING)
    assert list(differences(before, after)) == [
        Difference((Index("a"),), "1", None),
        Difference((Index("c"),), None, "3"),
    ]


def test_elements_of_sets_come_and_go() -> None:
    before, after = make_set(["a", "b"], STRING), make_set(["b", "c"], STRING)
    assert list(differences(before, after)) == [
        Difference((), "a", None, element=True),
        Difference((), None, "c", element=True),
    ]


def test_a_list_that_grew_tells_what_came_and_not_what_moved() -> None:
    before, after = List(["a", "b"], STRING), List(["x", "a", "b"], STRING)
    assert list(differences(before, after)) == [Difference((), None, "x", element=True)]


def test_a_list_of_the_same_length_is_compared_place_by_place() -> None:
    assert paths(List(["a", "b"], STRING), List(["a", "c"], STRING)) == [(Index(1),)]


def test_a_sensitive_value_is_told_as_such() -> None:
    secret = Marked("old", frozenset({SENSITIVE}))
    (found,) = differences({"p": secret}, {"p": Marked("new", frozenset({SENSITIVE}))})
    assert found.sensitive
    assert not list(differences({"p": secret}, {"p": secret}))


def test_an_element_with_a_secret_inside_is_sensitive() -> None:
    element = {"p": Marked("s", frozenset({SENSITIVE}))}
    (found,) = differences((), (element,))
    assert found.sensitive


@given(TREES)
def test_equal_values_have_no_differences(value: Value) -> None:
    assert not list(differences(value, value))


@given(TREES, TREES)
def test_values_that_differ_have_some(before: Value, after: Value) -> None:
    if not list(differences(before, after)):
        assert identical(before, after) or _same_but_for_nulls(before, after)


def _same_but_for_nulls(before: Value, after: Value) -> bool:
    """An attribute that is null and one that is not there are the same; so is another order of a list's elements."""
    if isinstance(before, dict) and isinstance(after, dict):
        return all(
            _same_but_for_nulls(before.get(name), after.get(name)) for name in before.keys() | after.keys()
        )
    if isinstance(before, tuple) and isinstance(after, tuple):
        return len(before) == len(after) and all(map(_same_but_for_nulls, before, after))
    return identical(before, after)
