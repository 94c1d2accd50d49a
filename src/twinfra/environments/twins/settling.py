"""Two values side by side: what differs in them is found, and what is alike loses its traces.

So the traces that a value carries on are those of its differences alone: where two sides agree, the inputs that
agree on it have no part in what differs further on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from twinfra.environments.twins.inputs import Cause, Origin
from twinfra.values.equality import identical
from twinfra.values.marks import mark, unmark_deep
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import (
    EMPTY_MARKS,
    GetAttr,
    Index,
    List,
    Map,
    Marked,
    Null,
    Path,
    Set,
    Unknown,
    Value,
)


class Absent:
    """Stands for "there is none on this side"."""

    def __repr__(self) -> str:
        return "ABSENT"


ABSENT = Absent()
Found = Callable[[Path, Value, Value], None]
"""Takes a difference: where, and both values with their traces (`ABSENT` where there is none)."""

_SCALARS = frozenset((str, int, bool))
_NULLS = frozenset((type(None), Null))


def ignore(_: Path, __: Value, ___: Value) -> None:
    """A `Found` that keeps nothing."""


def settle(first: Value, second: Value, found: Found, path: Path = ()) -> tuple[Value, Value, bool]:
    """Both values with traces of differences only, and whether they are alike; differences go to `found`."""
    return _settle(first, second, path, EMPTY_MARKS, EMPTY_MARKS, found)


def _settle(
    first: Value, second: Value, path: Path, outer: frozenset[str], other: frozenset[str], found: Found
) -> tuple[Value, Value, bool]:
    if first is second:
        # The very same object has no causes: those tell the side they are of.
        return first, second, True
    kind = first.__class__
    if kind in _SCALARS and kind is second.__class__ and first == second:
        return first, second, True
    one, marks = (first.value, first.marks | outer) if kind is Marked else (first, outer)
    two, more = (second.value, second.marks | other) if second.__class__ is Marked else (second, other)
    kind = one.__class__
    same = kind is two.__class__
    if same and (kind is dict or kind is Map):
        return _objects(one, two, path, marks, more, found)
    if same and (kind is tuple or kind is List) and _are_paired(one, two):
        return _sequences(one, two, path, marks, more, found)
    if _alike(one, two, marks, more):
        return mark(one, _settled(marks)), mark(two, _settled(more)), True
    one, two = mark(one, marks), mark(two, more)
    found(path, one, two)
    return one, two, False


def _alike(one: Value, two: Value, marks: frozenset[str], more: frozenset[str]) -> bool:
    """Whether two values are the same as far as can be known, their own traces considered."""
    kind = one.__class__
    if kind in _SCALARS or two.__class__ in _SCALARS:
        return kind is two.__class__ and bool(one == two)
    if kind in _NULLS or two.__class__ in _NULLS:
        return kind in _NULLS and two.__class__ in _NULLS
    if not identical(unmark_deep(one)[0], unmark_deep(two)[0]):
        return False
    if kind is not Unknown and not contains_unknown(one):
        return True
    return not _causes(marks) and not _causes(more) and origins(marks) == origins(more)


def _objects(
    one: dict[str, Any],
    two: dict[str, Any],
    path: Path,
    marks: frozenset[str],
    more: frozenset[str],
    found: Found,
) -> tuple[Value, Value, bool]:
    is_object = one.__class__ is dict
    alike = True
    changed: dict[str, Any] = {}
    changed_two: dict[str, Any] = {}
    for name, inner in one.items():
        if name not in two:
            alike = False
            found((*path, _step(name, is_object)), mark(inner, marks), ABSENT)
            continue
        against = two[name]
        if inner is against or (
            inner.__class__ in _SCALARS and inner.__class__ is against.__class__ and inner == against
        ):
            continue
        left, right, equal = _settle(inner, against, (*path, _step(name, is_object)), marks, more, found)
        alike = alike and equal
        if left is not inner:
            changed[name] = left
        if right is not against:
            changed_two[name] = right
    keys_alike = True
    for name, inner in two.items():
        if name not in one:
            keys_alike = alike = False
            found((*path, _step(name, is_object)), ABSENT, mark(inner, more))
    keys_alike = keys_alike and len(one) == len(two)
    if changed:
        one = {**one, **changed} if is_object else Map({**one, **changed}, one.element)  # type: ignore[attr-defined]
    if changed_two:
        two = {**two, **changed_two} if is_object else Map({**two, **changed_two}, two.element)  # type: ignore[attr-defined]
    if keys_alike:
        # What the causes did is in the elements that differ, and those carry them now.
        marks, more = _settled(marks), _settled(more)
    return mark(one, marks), mark(two, more), alike


def _sequences(
    one: Any, two: Any, path: Path, marks: frozenset[str], more: frozenset[str], found: Found
) -> tuple[Value, Value, bool]:
    alike = len(one) == len(two)
    left: list[Value] = []
    right: list[Value] = []
    for at in range(max(len(one), len(two))):
        where = (*path, Index(at))
        if at >= len(one):
            found(where, ABSENT, mark(two[at], more))
            right.append(two[at])
        elif at >= len(two):
            found(where, mark(one[at], marks), ABSENT)
            left.append(one[at])
        else:
            first, second, equal = _settle(one[at], two[at], where, marks, more, found)
            alike = alike and equal
            left.append(first)
            right.append(second)
    if len(one) == len(two):
        marks, more = _settled(marks), _settled(more)
    return mark(_like(one, left), marks), mark(_like(two, right), more), alike


def _are_paired(one: Any, two: Any) -> bool:
    """Whether elements are compared by position: where there are equally many, and of blocks and other objects."""
    return len(one) == len(two) or _are_objects(one) or _are_objects(two)


def _are_objects(value: Any) -> bool:
    return bool(value) and all(one.__class__ in (dict, Map) for one in value)


def _like(value: Any, items: list[Value]) -> Value:
    if all(one is other for one, other in zip(value, items, strict=True)):
        return value
    return List(items, value.element) if value.__class__ is List else tuple(items)


def _step(name: str, is_object: bool) -> GetAttr | Index:
    return GetAttr(name) if is_object else Index(name)


def _causes(marks: frozenset[str]) -> frozenset[str]:
    if not marks:
        return marks
    return frozenset(one for one in marks if isinstance(one, Cause))


def origins(marks: frozenset[str]) -> frozenset[str]:
    """The places in the graph that an unknown comes from."""
    return frozenset(one for one in marks if isinstance(one, Origin)) if marks else marks


def _settled(marks: frozenset[str]) -> frozenset[str]:
    return frozenset(one for one in marks if not isinstance(one, Cause)) if marks else marks


def set_parts(first: Set, second: Set) -> tuple[list[Value], list[Value]]:
    """The elements that only one of two sets has."""
    from twinfra.values.sets import identity_text

    own = {identity_text(one) for one in first}
    other = {identity_text(one) for one in second}
    return (
        [one for one in first if identity_text(one) not in other],
        [one for one in second if identity_text(one) not in own],
    )
