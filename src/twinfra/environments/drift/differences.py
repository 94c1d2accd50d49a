"""The single differences of two values: each by its path, with what was there before and after.

Elements of sets, and of lists that grew or shrank, are told as ones that came or went; a position says nothing there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from twinfra.dataclass import dataclass
from twinfra.values.equality import identical
from twinfra.values.marks import has_marks, unmark_deep
from twinfra.values.sets import identity_text
from twinfra.values.value import GetAttr, Index, Map, Marked, Path, Set, Value, is_null


@dataclass(frozen=True, slots=True)
class Difference:
    """One difference. `before` and `after` are unmarked; None where there is nothing.

    `element`: an element of the collection at `path` came (`before` is None) or went (`after` is None).
    `sensitive`: neither may be shown.
    """

    path: Path
    before: Value
    after: Value
    element: bool = False
    sensitive: bool = False


def differences(before: Value, after: Value, path: Path = ()) -> Iterator[Difference]:
    """What differs, in the order of names and positions; cost grows with the size of the two values."""
    if type(before) is Marked or type(after) is Marked:
        yield from _marked(before, after, path)
    elif isinstance(before, dict) and isinstance(after, dict):
        of_map = type(before) is Map or type(after) is Map
        for name in sorted(before.keys() | after.keys()):
            step = Index(name) if of_map else GetAttr(name)
            yield from differences(before.get(name), after.get(name), (*path, step))
    elif isinstance(before, tuple) and isinstance(after, tuple):
        if isinstance(before, Set) or isinstance(after, Set) or len(before) != len(after):
            yield from _elements(before, after, path)
        else:
            for at, (old, new) in enumerate(zip(before, after, strict=True)):
                yield from differences(old, new, (*path, Index(at)))
    elif is_null(before) and is_null(after):
        return
    elif not identical(_bare(before), _bare(after)):
        yield _difference(before, after, path)


def _marked(before: Value, after: Value, path: Path) -> Iterator[Difference]:
    """Where either side is secret as a whole, so is the difference."""
    old, new = _bare(before), _bare(after)
    if not (is_null(old) and is_null(new)) and not identical(old, new):
        yield Difference(path, old, new, sensitive=True)


def _difference(before: Value, after: Value, path: Path, element: bool = False) -> Difference:
    return Difference(
        path,
        None if is_null(before) else _bare(before),
        None if is_null(after) else _bare(after),
        element,
        has_marks(before) or has_marks(after),
    )


def _bare(value: Value) -> Value:
    return unmark_deep(value)[0]


def _elements(before: Iterable[Value], after: Iterable[Value], path: Path) -> Iterator[Difference]:
    """The elements that only one of two collections has."""
    old = [(identity_text(_bare(one)) or "", one) for one in before]
    new = [(identity_text(_bare(one)) or "", one) for one in after]
    for one in _without(old, Counter(text for text, _ in new)):
        yield _difference(one, None, path, element=True)
    for one in _without(new, Counter(text for text, _ in old)):
        yield _difference(None, one, path, element=True)


def _without(items: list[tuple[str, Value]], others: Counter[str]) -> Iterator[Value]:
    for text, one in items:
        if others[text]:
            others[text] -= 1
        else:
            yield one
