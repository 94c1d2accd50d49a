"""Whether a plan does nothing but what somebody has looked at in another one.

After a merge a plan of the pull request may be stale. The one that is made instead agrees with it where each of its
changes was in it, and ends in the values that it showed; what was unknown there may have any value now.
"""

from __future__ import annotations

from collections.abc import Iterator

from twinfra.engine.changes import Action, OutputChange, Plan, ResourceChange
from twinfra.values.equality import identical
from twinfra.values.value import Marked, Null, Unknown, Value, is_null

_SHOWN = 5


def disagreements(reviewed: Plan, now: Plan) -> list[str]:
    """What a plan would do that the reviewed one does not show, a sentence each; empty where they agree."""
    found = list(_differences(reviewed, now))
    more = len(found) - _SHOWN
    return found if more <= 0 else [*found[:_SHOWN], f"and {more} more"]


def _differences(reviewed: Plan, now: Plan) -> Iterator[str]:
    if now.mode != reviewed.mode:
        yield f"it is a {now.mode} plan, not a {reviewed.mode} one"
    shown = {(str(one.address), one.deposed): one for one in reviewed.changes}
    for change in now.changes:
        if not _acts(change):
            continue
        name = str(change.address)
        before = shown.get((name, change.deposed))
        if before is None or not _acts(before):
            yield f"{name} ({change.action.value}) was not to be changed"
        elif before.action is not change.action:
            yield f"{name} was {before.action.value}, and is {change.action.value} now"
        elif before.previous != change.previous or before.importing != change.importing:
            yield f"{name} comes from elsewhere"
        elif not fits(before.after, change.after):
            yield f"{name} gets other values"
    outputs = {one.name: one for one in reviewed.outputs}
    for output in now.outputs:
        if output.action is not Action.NO_OP and not _is_shown(outputs.get(output.name), output):
            yield f"the output {output.name} gets another value"


def _acts(change: ResourceChange) -> bool:
    """Whether it changes an object, or the state in a way that people see."""
    idle = change.action in (Action.NO_OP, Action.READ)
    return not idle or change.previous is not None or bool(change.importing)


def _is_shown(before: OutputChange | None, now: OutputChange) -> bool:
    return before is not None and before.action is not Action.NO_OP and fits(before.after, now.after)


def fits(shown: Value, now: Value) -> bool:
    """Whether a value is the one that was shown, anything standing for what was unknown in it."""
    shown, now = _bare(shown), _bare(now)
    if isinstance(shown, Unknown):
        return True
    if isinstance(now, Unknown):
        return False
    if is_null(shown) or is_null(now):
        return is_null(shown) and is_null(now)
    if isinstance(shown, dict):
        return (
            isinstance(now, dict)
            and shown.keys() == now.keys()
            and all(fits(one, now[name]) for name, one in shown.items())
        )
    if isinstance(shown, tuple):
        return (
            isinstance(now, tuple)
            and len(shown) == len(now)
            and all(fits(one, other) for one, other in zip(shown, now, strict=True))
        )
    return identical(shown, now)


def _bare(value: Value) -> Value:
    while isinstance(value, Marked):
        value = value.value
    return None if isinstance(value, Null) else value
