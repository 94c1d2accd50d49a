"""Tables: the instances of a resource or module call, one row each, as expressions may read them.

No expression builds the object of all instances unless it asks for all: `x.a[i]` reads one row.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from twinfra.addresses import Key
from twinfra.values.marks import mark
from twinfra.values.value import EMPTY_MARKS, UNKNOWN, Value


class Repetition(StrEnum):
    """How a block is repeated: not at all, by number, or by key."""

    SINGLE = "single"
    COUNT = "count"
    FOR_EACH = "for_each"


class Table:
    """The instances of one resource in one module instance: `rows` maps instance keys to their values.

    `rows` of a module call hold the scopes of its instances instead. `filler` stands for instances that a run
    with targets leaves out. `open`: which instances there are is not known, and the one row stands for any.
    `traces` are those of how many there are: all instances together carry them.
    """

    __slots__ = ("filler", "open", "repetition", "rows", "traces")

    def __init__(self, repetition: Repetition = Repetition.SINGLE, filler: Value = UNKNOWN) -> None:
        self.repetition = repetition
        self.rows: dict[Key, Any] = {}
        self.filler = filler
        self.open = False
        self.traces: frozenset[str] = EMPTY_MARKS

    def whole(self) -> Value:
        """All instances as one value: the object itself, a tuple of them, or an object by key."""
        if self.repetition is Repetition.SINGLE:
            return self.rows.get(None, self.filler)
        if self.open:
            return mark(UNKNOWN, self.traces)
        return mark(self.in_order() if self.repetition is Repetition.COUNT else dict(self.rows), self.traces)

    @property
    def any_row(self) -> Any:
        """The row that stands for any instance of an open table."""
        return next(iter(self.rows.values()), UNKNOWN)

    def in_order(self) -> tuple[Any, ...]:
        """The rows of a counted block, in order, with fillers where one below the last is missing."""
        rows = self.rows
        if not rows:
            return ()
        last: int = max(rows)  # type: ignore[type-var, assignment]
        return tuple([rows.get(index, self.filler) for index in range(last + 1)])


def repetition_of(block: Any) -> Repetition:
    """How a resource or call node is repeated, by which of its arguments are written."""
    if block.count is not None:
        return Repetition.COUNT
    return Repetition.FOR_EACH if block.for_each is not None else Repetition.SINGLE
