"""Marks: taking them off a value, putting them back, finding them, at the top or at any depth.

Values without marks pass through as the very same objects, so that the common case costs no copying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from twinfra.values.value import EMPTY_MARKS, GetAttr, Index, List, Map, Marked, Path, Set, Value

PathMarks = list[tuple[Path, frozenset[str]]]

_DEEP = frozenset({Marked, dict, Map, tuple, List})


class Trace(str):
    """A mark that tells where a value comes from, and no secret: a conditional passes on only those of the value
    that it takes.
    """

    __slots__ = ()


def unmark(value: Value) -> tuple[Value, frozenset[str]]:
    """The value without its own marks, and those; marks deeper inside stay."""
    if type(value) is Marked:
        return value.value, value.marks
    return value, EMPTY_MARKS


def mark(value: Value, marks: Iterable[str]) -> Value:
    """The value with these marks added to its own; the value itself when there are none."""
    added = marks if type(marks) is frozenset else frozenset(marks)
    if not added:
        return value
    if type(value) is Marked:
        return value if added <= value.marks else Marked(value.value, value.marks | added)
    return Marked(value, added)


def union(values: Iterable[Value]) -> frozenset[str]:
    """The marks that the values themselves carry, together; deeper ones are not looked for."""
    found = EMPTY_MARKS
    for value in values:
        if type(value) is Marked:
            found = found | value.marks
    return found


def has_marks(value: Value, wanted: str | None = None) -> bool:
    """Whether it or anything inside carries a mark (the mark `wanted`, where given)."""
    kind = type(value)
    if kind is Marked:
        return wanted is None or wanted in value.marks or has_marks(value.value, wanted)
    if kind is dict or kind is Map:
        inside: Iterable[Value] = value.values()
    elif kind is tuple or kind is List:
        inside = value
    else:
        return False
    # Most are plain: looking at their type is quicker than a call for each.
    return any(type(inner) in _DEEP and has_marks(inner, wanted) for inner in inside)


def deep_marks(value: Value) -> frozenset[str]:
    """All marks that it and anything inside carries."""
    found: set[str] = set()
    _collect(value, found)
    return frozenset(found)


def traces(value: Value) -> frozenset[str]:
    """The traces that it and anything inside carries."""
    if not has_marks(value):
        return EMPTY_MARKS
    return frozenset(one for one in deep_marks(value) if isinstance(one, Trace))


def without_traces(marks: frozenset[str]) -> frozenset[str]:
    """The marks that are no traces."""
    return frozenset(one for one in marks if not isinstance(one, Trace)) if marks else marks


def _collect(value: Value, found: set[str]) -> None:
    kind = type(value)
    if kind is Marked:
        found |= value.marks
        _collect(value.value, found)
    elif kind is dict or kind is Map:
        for inner in value.values():
            _collect(inner, found)
    elif kind is tuple or kind is List:
        for inner in value:
            _collect(inner, found)


def unmark_deep(value: Value) -> tuple[Value, frozenset[str]]:
    """The value without marks at any depth, and all of those together."""
    if not has_marks(value):
        return value, EMPTY_MARKS
    found: set[str] = set()

    def strip(_: Path, inner: Value, marks: frozenset[str]) -> Value:
        found.update(marks)
        return inner

    return _rewrite(value, (), strip), frozenset(found)


def unmark_deep_with_paths(value: Value) -> tuple[Value, PathMarks]:
    """The value without marks at any depth, and where each of those was; outer paths come first."""
    if not has_marks(value):
        return value, []
    found: PathMarks = []

    def strip(path: Path, inner: Value, marks: frozenset[str]) -> Value:
        found.append((path, marks))
        return inner

    stripped = _rewrite(value, (), strip)
    found.sort(key=lambda pair: len(pair[0]))
    return stripped, found


def _rewrite(value: Value, path: Path, marked: Callable[[Path, Value, frozenset[str]], Value]) -> Value:
    """The value with each `Marked` inside replaced by what `marked` makes of its path, inner value and marks."""
    kind = type(value)
    if kind is Marked:
        return marked(path, _rewrite(value.value, path, marked), value.marks)
    if kind is dict:
        return {name: _rewrite(inner, (*path, GetAttr(name)), marked) for name, inner in value.items()}
    if kind is Map:
        return Map(
            {name: _rewrite(inner, (*path, Index(name)), marked) for name, inner in value.items()},
            value.element,
        )
    if kind is tuple:
        return tuple(_rewrite(inner, (*path, Index(at)), marked) for at, inner in enumerate(value))
    if kind is List:
        return List(
            (_rewrite(inner, (*path, Index(at)), marked) for at, inner in enumerate(value)), value.element
        )
    return value


def mark_paths(value: Value, paths: Iterable[tuple[Path, Iterable[str]]]) -> Value:
    """The value with marks added at the paths; a path that leads nowhere is passed over, one into a set marks it.

    The steps of a path may be `GetAttr` or `Index` for objects and maps alike.
    """
    tree: dict[Any, Any] = {}
    for path, marks in paths:
        node = tree
        for step in path:
            key = step.name if isinstance(step, GetAttr) else step.key
            node = node.setdefault((key,), {})
        node.setdefault("marks", set()).update(marks)
    return _mark_tree(value, tree) if tree else value


def _all_marks(tree: dict[Any, Any]) -> set[str]:
    found = set(tree.get("marks", ()))
    for key, inner in tree.items():
        if key != "marks":
            found |= _all_marks(inner)
    return found


def _mark_tree(value: Value, tree: dict[Any, Any]) -> Value:
    kind = type(value)
    if kind is Marked:
        return mark(_mark_tree(value.value, tree), value.marks)
    marks = tree.get("marks", ())
    if len(tree) > (1 if marks else 0):
        if kind is dict or kind is Map:
            changed = {
                name: _mark_tree(inner, tree[(name,)]) if (name,) in tree else inner
                for name, inner in value.items()
            }
            value = changed if kind is dict else Map(changed, value.element)
        elif kind is tuple or kind is List:
            items = (
                _mark_tree(inner, tree[(at,)]) if (at,) in tree else inner for at, inner in enumerate(value)
            )
            value = tuple(items) if kind is tuple else List(items, value.element)
        elif kind is Set:
            marks = _all_marks(tree)
    return mark(value, frozenset(marks))
