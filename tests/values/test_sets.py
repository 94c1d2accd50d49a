"""Sets: no duplicates, one order, and marks on the whole."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from tests.values.strategies import NUMBERS, TEXTS, typed_values, values

from twinfra.values.equality import equal
from twinfra.values.sets import identity_text, make_set
from twinfra.values.types import NUMBER, STRING, ListType
from twinfra.values.value import SENSITIVE, Marked, Set, Unknown

SECRET = frozenset((SENSITIVE,))
LISTS = ListType(NUMBER)


@given(st.lists(TEXTS))
def test_strings_stand_in_order_of_code_points_without_duplicates(items: list[str]) -> None:
    assert tuple(make_set(items, STRING)) == tuple(sorted(set(items)))


@given(st.lists(NUMBERS))
def test_numbers_ascend(items: list[Any]) -> None:
    made = make_set(items, NUMBER)
    assert all(one < two for one, two in pairwise(made))


@given(st.lists(values(LISTS), max_size=6), st.randoms())
def test_the_order_in_which_elements_come_does_not_matter(items: list[Any], random: Any) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)
    assert equal(make_set(items, LISTS), make_set(shuffled, LISTS)) is True


@given(typed_values(), typed_values())
def test_equal_values_have_one_identity_and_others_another(first: Any, second: Any) -> None:
    if first[0] == second[0]:
        same = equal(first[1], second[1])
        assert (identity_text(first[1]) == identity_text(second[1])) is same


def test_marks_of_elements_go_to_the_set() -> None:
    made = make_set(["b", Marked("a", SECRET)], STRING)
    assert type(made) is Marked
    assert made.marks == SECRET
    assert made.value == Set(("a", "b"), STRING)


def test_unknown_elements_stand_last_and_are_all_kept() -> None:
    assert next(iter(make_set([Unknown(STRING), "a", Unknown(STRING)], STRING))) == "a"
    assert len(make_set([Unknown(STRING), "a", Unknown(STRING)], STRING)) == 3


def test_one_null_is_kept_and_stands_last() -> None:
    assert tuple(make_set([None, "a", None], STRING)) == ("a", None)
