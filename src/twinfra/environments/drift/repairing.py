"""Whether a planned change only puts back what was recorded, or applies something else by the way."""

from __future__ import annotations

from collections.abc import Iterator

from twinfra.engine.changes import Action, ResourceChange
from twinfra.environments.drift.detection import value_at
from twinfra.environments.drift.differences import Difference, differences
from twinfra.values.equality import identical
from twinfra.values.marks import unmark_deep
from twinfra.values.sets import identity_text
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import Path, Value, is_null


def beyond_repair(change: ResourceChange, recorded: Value) -> Iterator[Path]:
    """The paths at which a planned change wants another value than the recorded one, and one that is known.

    `recorded`: the object before it drifted. What is put back, or stays as it is now, is not told.
    """
    was, _ = unmark_deep(recorded)
    wanted, _ = unmark_deep(change.after)
    if change.action is not Action.UPDATE:
        # Created anew: all of it is made, so all of it must be as it was.
        yield from (one.path for one in differences(was, wanted) if not contains_unknown(one.after))
        return
    for one in differences(unmark_deep(change.before)[0], wanted):
        if not contains_unknown(one.after) and not _as_recorded(one, was):
            yield one.path


def _as_recorded(difference: Difference, was: Value) -> bool:
    """Whether what a change makes of a value is what was recorded."""
    recorded = value_at(was, difference.path)
    if not difference.element:
        return (is_null(recorded) and is_null(difference.after)) or identical(recorded, difference.after)
    texts = set(map(identity_text, recorded)) if isinstance(recorded, tuple) else set()
    if difference.before is None:
        return identity_text(difference.after) in texts
    return identity_text(difference.before) not in texts
