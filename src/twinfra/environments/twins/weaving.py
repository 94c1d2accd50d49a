"""Traces on an object that a provider planned: those of what is written, and of what the provider made of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from twinfra.environments.twins.inputs import Cause, Origin
from twinfra.values.marks import PathMarks, mark, mark_paths
from twinfra.values.unknowns import contains_unknown
from twinfra.values.value import (
    EMPTY_MARKS,
    SENSITIVE,
    GetAttr,
    Index,
    Map,
    Marked,
    Path,
    Unknown,
    Value,
    is_null,
)

Sources = Callable[[str, str], tuple[Sequence[str], Sequence[str]] | None]
"""See `providers.protocol.Explaining.sources`."""

_SCALARS = frozenset((str, int, bool))
_Grouped = dict[str, PathMarks]


class Weave:
    """What is written of one instance, where its marks are, and those of the provider's settings.

    `is_data`: what is not known yet will be the answer to what is written.
    """

    __slots__ = ("_causes", "_config", "_is_data", "_kind", "_marks", "_setting_marks", "_sources")

    def __init__(
        self,
        config: dict[str, Any],
        marks: PathMarks,
        settings: PathMarks,
        kind: str,
        sources: Sources | None,
        is_data: bool = False,
    ) -> None:
        self._config = config
        self._marks = grouped(marks) if marks else {}
        self._setting_marks = settings
        self._kind = kind
        self._sources = sources
        self._is_data = is_data
        self._causes: frozenset[str] | None = None

    def over(self, after: dict[str, Any], address: str, deep: Sequence[str]) -> dict[str, Any]:
        """The planned object (unmarked) with traces; `deep`: the names of what is made of objects."""
        config = self._config
        origin = frozenset((Origin(address),))
        unknown = origin | self._all() if self._is_data else origin
        made = dict(after)
        for name, value in after.items():
            own = self._marks.get(name)
            if own is not None:
                if value is not None:
                    if name in deep and contains_unknown(value):
                        own = [*own, *_unwritten(config.get(name), value, origin)]
                    made[name] = mark_paths(value, own)
            elif value is None:
                continue
            elif value.__class__ is Unknown:
                made[name] = Marked(value, unknown)
            elif not is_null(config.get(name)):
                if name in deep and contains_unknown(value):
                    made[name] = mark_paths(value, _unwritten(config[name], value, origin))
            elif self._marks or self._setting_marks:
                made[name] = self._computed(name, value, origin)
        return made

    def _computed(self, name: str, value: Value, origin: frozenset[str]) -> Value:
        """A value that the provider made of what is written and of its settings."""
        sources = self._sources(self._kind, name) if self._sources is not None else None
        if sources is None:
            found = self._all()
            if value.__class__ not in _SCALARS and contains_unknown(value):
                found |= origin
            return mark(value, found)
        paths: PathMarks = [((), EMPTY_MARKS)]
        keyed = value.__class__ is Map
        arguments, settings = sources
        for source in arguments:
            paths += _by_key(value, self._marks.get(source, []), keyed)
        for path, marks in self._setting_marks:
            if isinstance(path[0], GetAttr) and path[0].name in settings:
                paths += _by_key(value, [(path[-1:], marks)], keyed)
        return mark_paths(value, [one for one in paths if one[1]])

    def _all(self) -> frozenset[str]:
        """The causes of all that is written, and of all settings; and whether any of it is secret."""
        if self._causes is None:
            found: set[str] = set()
            settings = [] if self._is_data else self._setting_marks
            for paths in (*self._marks.values(), settings):
                for _, marks in paths:
                    found.update(one for one in marks if isinstance(one, Cause) or one == SENSITIVE)
            self._causes = frozenset(found)
        return self._causes


def grouped(marks: PathMarks) -> _Grouped:
    """Marks by the attribute that their path begins with; the rest of the path with each."""
    found: _Grouped = {}
    for path, own in marks:
        step = path[0]
        assert isinstance(step, GetAttr)
        found.setdefault(step.name, []).append((path[1:], own))
    return found


def _by_key(value: Value, marks: PathMarks, keyed: bool) -> PathMarks:
    """The marks of a source on what is made of it: under the same key in a map, else on all of it."""
    found: PathMarks = []
    for path, own in marks:
        step = path[-1] if path else None
        if keyed and isinstance(step, Index):
            if step.key in value:
                found.append(((step,), own))
        else:
            found.append(((), own))
    return found


def _unwritten(config: Value, value: Value, origin: frozenset[str], path: Path = ()) -> PathMarks:
    """Marks on the unknowns inside a block that are not written there."""
    if value.__class__ is Unknown:
        return [(path, origin)] if is_null(config) else []
    found: PathMarks = []
    if isinstance(value, dict):
        for name, inner in value.items():
            own = config.get(name) if isinstance(config, dict) else None
            found += _unwritten(own, inner, origin, (*path, GetAttr(name)))
    elif isinstance(value, tuple) and isinstance(config, tuple):
        for at, inner in enumerate(value):
            own = config[at] if at < len(config) else None
            found += _unwritten(own, inner, origin, (*path, Index(at)))
    return found
