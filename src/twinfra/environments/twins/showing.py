"""Values and places as they are shown: secrets left out, on one line, and as data."""

from __future__ import annotations

import json
from typing import Any

from twinfra.addresses import quote
from twinfra.engine.nodes import CallNode
from twinfra.environments.twins.comparison import Difference
from twinfra.environments.twins.inputs import path_text
from twinfra.environments.twins.report import Kind, Shown
from twinfra.environments.twins.settling import ABSENT, origins, set_parts
from twinfra.schema import Block
from twinfra.values.convert import type_of
from twinfra.values.encoding import value_to_json
from twinfra.values.marks import deep_marks, has_marks, unmark, unmark_deep
from twinfra.values.numbers import format_number
from twinfra.values.unknowns import contains_unknown, unknown_as_null
from twinfra.values.value import (
    EPHEMERAL,
    SENSITIVE,
    GetAttr,
    Index,
    List,
    Map,
    Path,
    Set,
    Unknown,
    Value,
    is_null,
)

NOTHING = Shown("(none)", {"absent": True})
PRESENT = Shown("(exists)", {"present": True})
SECRET = Shown("(sensitive)", {"sensitive": True})


def shown(value: Value, sources: bool = False) -> Shown:
    """A value without its secrets; `sources`: of an unknown one, where it comes from."""
    if value is ABSENT:
        return NOTHING
    if has_marks(value, SENSITIVE) or has_marks(value, EPHEMERAL):
        return SECRET
    bare = unmark_deep(value)[0]
    if type(bare) is Unknown:
        data: dict[str, Any] = {"unknown": True}
        if bare.refinement is not None and bare.refinement.prefix:
            data["prefix"] = bare.refinement.prefix
        places = sorted(origins(deep_marks(value)))
        if places:
            data["from"] = places
        return Shown(_text(bare, places if sources else []), data)
    data = {"value": value_to_json(unknown_as_null(bare), type_of(bare))}
    if contains_unknown(bare):
        data["partly_unknown"] = True
    return Shown(_text(bare, sorted(origins(deep_marks(value))) if sources else []), data)


def shown_pair(first: Value, second: Value) -> tuple[Shown, Shown]:
    """Both sides; of two sets, people see only the elements that one of them lacks."""
    moved = origins(deep_marks(first)) != origins(deep_marks(second))
    one, two = shown(first, moved), shown(second, moved)
    bare, other = unmark(first)[0], unmark(second)[0]
    if one is SECRET or two is SECRET or type(bare) is not Set or type(other) is not Set:
        return one, two
    if len(bare) > 1 or len(other) > 1:
        only, others = set_parts(bare, other)
        one = Shown(_elements(only, len(bare)), one.data)
        two = Shown(_elements(others, len(other)), two.data)
    return one, two


def _elements(only: list[Value], total: int) -> str:
    text = ", ".join(_text(one, []) for one in only)
    rest = total - len(only)
    return f"{{{text}}}" if not rest else f"{{{text}{', ' if only else ''}and {rest} in both}}"


def _text(value: Value, sources: list[str]) -> str:
    kind = type(value)
    if kind is str:
        return quote(value)
    if kind is bool:
        return "true" if value else "false"
    if is_null(value):
        return "null"
    if kind is Unknown:
        if value.refinement is not None and value.refinement.prefix:
            return quote(value.refinement.prefix)[:-1] + '..."'
        return f"(from {', '.join(sources)})" if sources else "(known after apply)"
    if kind is dict or kind is Map:
        inner = ", ".join(
            f"{name if name.isidentifier() else json.dumps(name)} = {_text(one, sources)}"
            for name, one in value.items()
            if not is_null(one)
        )
        return f"{{{inner}}}"
    if kind is tuple or kind is List or kind is Set:
        inner = ", ".join(_text(one, sources) for one in value)
        return f"[{inner}]"
    return format_number(value)


def kind_of(one: Difference, other_rows: int) -> Kind:
    """The kind of a difference; `other_rows`: how many instances the side has that lacks this one."""
    place = one.place
    if place.path is None:
        if isinstance(place.node, CallNode):
            return Kind.MODULE
        return Kind.INSTANCE if other_rows else Kind.RESOURCE
    first, second = (value if value is ABSENT else unmark(value)[0] for value in one.values)
    lacking = [value is ABSENT or is_null(value) for value in (first, second)]
    if lacking[0] != lacking[1]:
        there = second if lacking[0] else first
        if place.path and isinstance(place.path[-1], Index) and isinstance(there, dict):
            return Kind.BLOCK
        return Kind.ARGUMENT
    if contains_unknown(first) and contains_unknown(second):
        own, others = (origins(deep_marks(value)) for value in one.values)
        if own != others:
            return Kind.DEPENDENCY
    return Kind.VALUE


def path_inside(path: Path, block: Block | None) -> str:
    """A path in an object of a schema as people write it."""
    text = path_text(_without_indexes(path, block))
    return text[1:] if text.startswith(".") else text


def _without_indexes(path: Path, block: Block | None) -> Path:
    kept: list[GetAttr | Index] = []
    only = False
    for step in path:
        if isinstance(step, Index):
            if not only:
                kept.append(step)
            only = False
            continue
        kept.append(step)
        only = False
        if block is not None:
            nested = block.blocks.get(step.name)
            only = nested is not None and nested.max_items == 1
            block = nested.block if nested is not None else None
    return tuple(kept)
