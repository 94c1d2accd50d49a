"""How often a block stands for something: evaluates `count` and `for_each` into instance keys."""

from __future__ import annotations

from typing import Any

from twinfra.addresses import Key
from twinfra.dataclass import dataclass
from twinfra.diagnostics import DiagnosticError, SourceRange, error
from twinfra.engine.scope import ModuleScope
from twinfra.engine.tables import Repetition
from twinfra.lang.compiler import Compiled
from twinfra.values.convert import ConversionError, convert, type_of
from twinfra.values.marks import has_marks, unmark
from twinfra.values.numbers import is_finite
from twinfra.values.types import NUMBER, STRING
from twinfra.values.unknowns import UNKNOWN_NUMBER, UNKNOWN_STRING
from twinfra.values.value import EPHEMERAL, SENSITIVE, UNKNOWN, Map, Set, Unknown, Value, is_null


@dataclass(frozen=True, slots=True)
class Expansion:
    """The instances of a block: (instance key, value of `each.value`) in order; none where they are
    unknown.
    """

    repetition: Repetition
    instances: tuple[tuple[Key, Value], ...]


SINGLE = Expansion(Repetition.SINGLE, ((None, None),))
_LIMIT = 1 << 31


def expand(
    count: Compiled | None,
    for_each: Compiled | None,
    scope: ModuleScope,
    allow_unknown: bool = False,
    secret_keys: bool = False,
) -> Expansion:
    """The instances of a block with these arguments, evaluated in `scope`.

    Raises `DiagnosticError` for values that do not fit, and for unknown ones unless `allow_unknown` (then
    there
    are no instances). `secret_keys`: the value may be sensitive.
    """
    if count is not None:
        return _count(count, scope, allow_unknown)
    if for_each is not None:
        return _for_each(for_each, scope, allow_unknown, secret_keys)
    return SINGLE


def _count(compiled: Compiled, scope: ModuleScope, allow_unknown: bool) -> Expansion:
    place = compiled.range
    value, marks = unmark(compiled.evaluate(scope))
    if EPHEMERAL in marks:
        raise _ephemeral("count", place)
    try:
        value = convert(value, NUMBER)
    except ConversionError as refused:
        raise _refuse("count", f"The value of count must be a number: {refused}.", place) from None
    value, _ = unmark(value)
    if type(value) is Unknown:
        if allow_unknown:
            return Expansion(Repetition.COUNT, ())
        raise _unknown("count", place)
    if is_null(value):
        raise _refuse("count", "The value of count is null; it must be a whole number.", place)
    if type(value) is not int:
        text = "infinite" if not is_finite(value) else f"{float(value):g}"
        raise _refuse("count", f"The value of count must be a whole number, and is {text}.", place)
    if value < 0:
        raise _refuse("count", f"The value of count must not be negative, and is {value}.", place)
    if value >= _LIMIT:
        raise _refuse("count", f"The value of count is too large: {value}.", place)
    return Expansion(Repetition.COUNT, tuple([(index, None) for index in range(value)]))


def _for_each(compiled: Compiled, scope: ModuleScope, allow_unknown: bool, secret_keys: bool) -> Expansion:
    place = compiled.range
    value, marks = unmark(compiled.evaluate(scope))
    if EPHEMERAL in marks:
        raise _ephemeral("for_each", place)
    if SENSITIVE in marks and not secret_keys:
        raise _refuse(
            "for_each",
            "The value of for_each is sensitive, but its keys become part of addresses, which are shown.",
            place,
            "Use keys that are not secret; nonsensitive() removes the mark where that is right.",
        )
    if is_null(value):
        raise _refuse("for_each", "The value of for_each is null.", place)
    if type(value) is Unknown:
        if allow_unknown:
            return Expansion(Repetition.FOR_EACH, ())
        raise _unknown("for_each", place)
    kind = type(value)
    if kind is dict or kind is Map:
        return Expansion(Repetition.FOR_EACH, tuple([(key, value[key]) for key in sorted(value)]))
    if kind is not Set:
        raise _refuse(
            "for_each", f"for_each takes a map, an object or a set of strings, not {type_of(value)}.", place
        )
    return _for_each_set(value, place, allow_unknown)


def _for_each_set(value: Any, place: SourceRange, allow_unknown: bool) -> Expansion:
    if any(type(item) is Unknown for item in value):
        if allow_unknown:
            return Expansion(Repetition.FOR_EACH, ())
        raise _unknown("for_each", place)
    if value and value.element != STRING:
        raise _refuse(
            "for_each",
            f"A set in for_each must hold strings; this one holds values of type {value.element}.",
            place,
            "Convert its elements: toset([for x in ... : tostring(x)]).",
        )
    if any(item is None for item in value):
        raise _refuse("for_each", "A set in for_each must not hold null.", place)
    if has_marks(value):
        raise _refuse("for_each", "The value of for_each is sensitive.", place)
    return Expansion(Repetition.FOR_EACH, tuple([(item, item) for item in value]))


def any_instance(repetition: Repetition) -> tuple[Key, Value, Value]:
    """A row that stands for any instance: its row key, `count.index` or `each.key`, and `each.value`."""
    return (None, UNKNOWN_NUMBER if repetition is Repetition.COUNT else UNKNOWN_STRING, UNKNOWN)


def _refuse(name: str, reason: str, place: SourceRange, mend: str = "") -> DiagnosticError:
    return DiagnosticError(error(f"Unsuitable value for {name}", reason, place, mend=mend))


def _ephemeral(name: str, place: SourceRange) -> DiagnosticError:
    return _refuse(
        name,
        f"The value of {name} is ephemeral: it would not be the same at the next run, but what exists "
        "must be.",
        place,
        "Use a value that is kept.",
    )


def _unknown(name: str, place: SourceRange) -> DiagnosticError:
    return _refuse(
        name,
        f"The value of {name} will be known only after the apply, so the instances cannot be planned.",
        place,
        "Use values that the configuration itself knows"
        + (", such as a map whose keys are written out" if name == "for_each" else "")
        + ", or apply what it depends on first with -target.",
    )
