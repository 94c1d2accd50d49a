"""What differs between two versions of a state: addresses, attributes and outputs, with secrets left out."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any

from twinfra.cli.shown import SchemaReader, decode_state
from twinfra.dataclass import dataclass
from twinfra.state.model import InstanceObject, OutputState, State
from twinfra.values.console import render
from twinfra.values.equality import identical
from twinfra.values.marks import has_marks, unmark_deep
from twinfra.values.secrets import hide, secrets_in
from twinfra.values.value import Value

HIDDEN = "(sensitive value)"
_HIDDEN_CHANGE = "(sensitive value, changed)"
_LONGEST = 200
_ABSENT: Any = object()


@dataclass(frozen=True, slots=True)
class Changed:
    """An object, or an output, that both states have. `parts`: texts before and after, by attribute."""

    name: str
    parts: dict[str, tuple[str, str]]


@dataclass(slots=True)
class Difference:
    """What the second state has that the first has not, and the other way round. Names are addresses."""

    added: list[str] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    outputs: list[Changed] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.added or self.removed or self.changed or self.outputs)

    def lines(self) -> Iterator[str]:
        """All of it for people."""
        yield from (f"+ {name}" for name in self.added)
        yield from (f"- {name}" for name in self.removed)
        for one in (*self.changed, *self.outputs):
            yield f"~ {one.name}"
            for name, (before, after) in one.parts.items():
                if before == after:
                    yield f"    {name}: {after}"
                else:
                    yield f"    {name}: {_short(before)} -> {_short(after)}"

    def document(self) -> dict[str, Any]:
        """All of it for machines."""

        def changes(found: list[Changed]) -> list[dict[str, Any]]:
            return [
                {
                    "address": one.name,
                    "attributes": {
                        name: {"before": before, "after": after}
                        for name, (before, after) in one.parts.items()
                    },
                }
                for one in found
            ]

        return {
            "added": self.added,
            "removed": self.removed,
            "changed": changes(self.changed),
            "outputs": changes(self.outputs),
        }

    @property
    def summary(self) -> str:
        """How much it is."""
        return f"{len(self.added)} added, {len(self.removed)} removed, {len(self.changed)} changed"


def compare(before: State, after: State) -> Difference:
    """What differs from one state to another. Raises `DiagnosticError` where one cannot be decoded."""
    reader = SchemaReader()
    first, second = _objects(before, reader), _objects(after, reader)
    result = Difference(
        added=[name for name in second if name not in first],
        removed=[name for name in first if name not in second],
    )
    for name, old in first.items():
        new = second.get(name)
        if new is not None and (parts := _parts(old, new)):
            result.changed.append(Changed(name, parts))
    names = dict.fromkeys((*before.outputs, *after.outputs))
    for name in sorted(names):
        found = _part(_output(before.outputs.get(name)), _output(after.outputs.get(name)))
        if found is not None:
            result.outputs.append(Changed(f"output.{name}", {"value": found}))
    return result


def _objects(state: State, reader: SchemaReader) -> dict[str, dict[str, Any]]:
    """The attributes of each object by its address, marked where sensitive."""
    raw = _stored(state)
    found: dict[str, dict[str, Any]] = {}
    for shown in decode_state(state, reader):
        name = f"{shown.address} (deposed {shown.deposed})" if shown.deposed else str(shown.address)
        resource = shown.address.resource
        values = shown.values
        if isinstance(values, dict):
            # What is secret in one attribute is, where another says it again.
            values = hide(values, secrets_in(values))
        if has_marks(values) and not isinstance(values, dict):
            # Sensitive as a whole.
            values = {"(all)": values}
        if reader.resource(shown.provider.provider, resource.mode, resource.type) is None:
            values = _unknown_type(raw[str(shown.address), shown.deposed])
        found[name] = {**values, "(tainted)": True} if shown.tainted else dict(values)
    return found


def _stored(state: State) -> dict[tuple[str, str], InstanceObject]:
    found: dict[tuple[str, str], InstanceObject] = {}
    for resource, record in state.resources.items():
        for key, instance in record.instances.items():
            address = str(resource.instance(key))
            if instance.current is not None:
                found[address, ""] = instance.current
            for deposed, one in instance.deposed.items():
                found[address, deposed] = one
    return found


class _Json:
    """A value of a type that no provider of ours knows: JSON as stored, or hidden."""

    def __init__(self, value: Any, hidden: bool) -> None:
        self.value = value
        self.hidden = hidden


def _unknown_type(stored: InstanceObject) -> dict[str, Any]:
    hidden = {path[0].get("value") for path in stored.sensitive if path}
    everything = any(not path for path in stored.sensitive)
    return {name: _Json(value, everything or name in hidden) for name, value in stored.attributes.items()}


def _output(output: OutputState | None) -> Any:
    return _ABSENT if output is None else _Json(output.value, output.sensitive)


def _parts(old: Mapping[str, Any], new: Mapping[str, Any]) -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for name in dict.fromkeys((*old, *new)):
        part = _part(old.get(name, _ABSENT), new.get(name, _ABSENT))
        if part is not None:
            found[name] = part
    return found


def _part(old: Any, new: Any) -> tuple[str, str] | None:
    if old is new or (old is not _ABSENT and new is not _ABSENT and _same(old, new)):
        return None
    before, after = _text(old), _text(new)
    if HIDDEN in (before, after) and _ABSENT is not old and _ABSENT is not new:
        # What is secret on one side may be on the other, though nobody had said so then.
        return _HIDDEN_CHANGE, _HIDDEN_CHANGE
    return before, after


def _same(old: Any, new: Any) -> bool:
    if isinstance(old, _Json) or isinstance(new, _Json):
        return isinstance(old, _Json) and isinstance(new, _Json) and old.value == new.value
    return identical(unmark_deep(old)[0], unmark_deep(new)[0])


def _text(value: Any) -> str:
    if value is _ABSENT:
        return "(none)"
    if isinstance(value, _Json):
        return HIDDEN if value.hidden else json.dumps(value.value, default=str, ensure_ascii=False)
    typed: Value = value
    return HIDDEN if has_marks(typed) else render(typed)


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}..."
