"""`replace_triggered_by`: whether what it names is going to change."""

from __future__ import annotations

from collections.abc import Iterable

from twinfra.diagnostics import DiagnosticError, error
from twinfra.engine.changes import Action, ResourceChange
from twinfra.engine.lifecycle import value_at
from twinfra.engine.nodes import Trigger
from twinfra.engine.scope import ModuleScope
from twinfra.values.convert import ConversionError, convert
from twinfra.values.equality import identical
from twinfra.values.marks import unmark, unmark_deep
from twinfra.values.types import NUMBER, STRING

_CHANGING = (Action.UPDATE, Action.DELETE_THEN_CREATE, Action.CREATE_THEN_DELETE)


def triggered(trigger: Trigger, scope: ModuleScope, changes: Iterable[ResourceChange]) -> bool:
    """Whether one of these changes, of the resource that a trigger names, sets it off in this module
    instance.

    Creating or deleting an object is no change of it. A trigger on an attribute looks at that attribute
    alone. Raises `DiagnosticError` where no object is or was what the trigger names.
    """
    if trigger.problems:
        raise DiagnosticError(trigger.problems)
    key = _Any
    named = False
    if trigger.key is not None:
        key, _ = unmark(trigger.key.evaluate(scope))
    for change in changes:
        if change.address.module != scope.instance_of or change.deposed:
            continue
        if key is not _Any and not _same_key(key, change.address.key):
            continue
        if key is _Any and trigger.path and change.address.key is not None:
            continue
        named = True
        if change.action not in _CHANGING:
            continue
        if not trigger.path:
            return True
        before, _ = unmark_deep(value_at(change.before, trigger.path))
        after, _ = unmark_deep(value_at(change.after, trigger.path))
        if not identical(before, after):
            return True
    if not named:
        raise DiagnosticError(
            error(
                "Nothing to trigger a replacement",
                f"There is no {trigger.range.text} ({trigger.range}): the resource has no such instance.",
                mend="Name an instance that the resource makes, or the resource without a key.",
            )
        )
    return False


class _Any:
    """Stands for "whatever the key"."""


def _same_key(wanted: object, key: int | str | None) -> bool:
    if key is None:
        return False
    try:
        return bool(convert(wanted, NUMBER if isinstance(key, int) else STRING) == key)
    except ConversionError:
        return False
